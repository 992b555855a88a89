// The project's own source as text: which files there are, and what each imports. A scanner over formatted code, not a
// parser: it relies on statements beginning at column 0, which the formatter guarantees.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The project's root folder. */
export const root = join(import.meta.dirname, '..')

/** What Node keeps of compiled modules, by their contents: starting a program from source takes a quarter of the time. */
export const compileCache = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compile') }

/** A file by its path from the root, with forward slashes. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** Files that match the patterns, by path; what is installed or generated is never among them. */
export function filesOf(...patterns: string[]): SourceFile[] {
  const paths = globSync(patterns, {
    cwd: root,
    exclude: (path) => /(^|[\\/])(node_modules|dist|fixture)$/.test(path),
  }).map((path) => path.replaceAll('\\', '/'))
  return paths.toSorted().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** The source of both packages, tests included. */
export const packageSource = (): SourceFile[] => filesOf('packages/*/src/**/*.ts')

/** Every TypeScript file of the project, the toolchain, examples and benchmarks included. */
export const allSource = (): SourceFile[] =>
  filesOf('packages/*/src/**/*.ts', '{gate,test,examples,bench}/**/*.ts').filter(
    (file) => !file.path.startsWith('bench/peers/'),
  )

/** The paths of all test files. */
export const testFiles = (): string[] =>
  filesOf('packages/*/src/**/*.test.ts', 'test/**/*.test.ts').map(({ path }) => path)

export const isIsolated = (path: string): boolean => path.endsWith('.isolated.test.ts')

export const isTest = (path: string): boolean => path.endsWith('.test.ts')

const statement =
  /^(?:import|export)\s+(?:type\s+)?(?:\*(?:\s+as\s+[\w$]+)?|[\w$]+(?:\s*,\s*(?:\{[^}]*\}|\*\s+as\s+[\w$]+))?|\{[^}]*\})\s+from\s+'([^']+)'/gm
const bare = /^import\s+'([^']+)'/gm
const dynamic = /\bimport\(\s*'([^']+)'/g

/** What a file imports: statically or dynamically, values or types alone. */
export function importsOf(text: string): string[] {
  const code = withoutComments(text)
  const found = [statement, bare, dynamic].flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => match[1] ?? ''),
  )
  return [...new Set(found)]
}

/** The text without block comments and without lines that are nothing but a comment. */
export function withoutComments(text: string): string {
  return text.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, '').replace(/^[ \t]*\/\/.*$/gm, '')
}
