// The code in README.md and docs/*.md: ```ts blocks are whole modules and type-checked, ```ts run is also executed,
// ```ts fragment is only shown. Each block becomes a file whose line numbers are those of its page.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { filesOf, root, type SourceFile } from './source.ts'

/** One fenced block of TypeScript; `line` is that of its first line of code, from 1. */
export interface CodeBlock {
  readonly page: string
  readonly line: number
  readonly code: string
  readonly use: 'check' | 'run' | 'fragment'
}

const fence = /^```ts(?:[ \t]+([^\n]*))?\n([\s\S]*?)^```[ \t]*$/gm

/** The TypeScript blocks of a page. Throws on a word after `ts` that is neither `run` nor `fragment`. */
export function blocksOf(page: SourceFile): CodeBlock[] {
  return [...page.text.matchAll(fence)].map((match) => {
    const line = page.text.slice(0, match.index).split('\n').length + 1
    const use = match[1]?.trim() || 'check'
    if (use !== 'check' && use !== 'run' && use !== 'fragment')
      throw new Error(`${page.path}:${line - 1}: a block is \`ts\`, \`ts run\` or \`ts fragment\`, not \`ts ${use}\``)
    return { page: page.path, line, code: match[2] ?? '', use }
  })
}

/** The pages whose code is checked. */
export const docPages = (): SourceFile[] => filesOf('*.md', 'docs/**/*.md')

/** A folder of the blocks as modules, in the project so that they see its packages; whoever makes it removes it. */
export interface BlockFolder {
  readonly path: string
  readonly files: ReadonlyMap<CodeBlock, string>
}

/** Writes the blocks as modules, with a tsconfig, into a fresh folder of the project that git ignores. */
export function writeBlocks(blocks: readonly CodeBlock[]): BlockFolder {
  const path = mkdtempSync(join(root, '.docs-code-'))
  const compilerOptions = { moduleDetection: 'force' }
  const config = { extends: '../tsconfig.json', compilerOptions, include: ['*.ts'], exclude: [] }
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify(config))
  const written = blocks.map((block): [CodeBlock, string] => {
    const file = join(path, `${basename(block.page, '.md').toLowerCase()}-line-${block.line}.ts`)
    writeFileSync(file, '\n'.repeat(block.line - 1) + block.code)
    return [block, file]
  })
  return { path, files: new Map(written) }
}
