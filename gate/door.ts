// The doors of a package: its subpath exports and the public names behind each, read from the `index.ts` files and the
// docstrings of the declarations they name. A scanner over formatted source: doors hold explicit named exports only.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { root } from './source.ts'

/** A public name: what kind of thing it is and the first sentence of its docstring (empty when it has none). */
export interface PublicName {
  readonly name: string
  readonly kind: string
  readonly sentence: string
}

/** A subpath export with its names in alphabetical order, and the door's own opening comment. */
export interface Door {
  readonly specifier: string
  readonly path: string
  readonly promise: string
  readonly names: readonly PublicName[]
}

type Exports = Readonly<Record<string, string | Readonly<Record<string, string>>>>

/** The doors of every package, in the order of its `exports`. Throws on a door whose file is missing. */
export function doors(): Door[] {
  return ['tellurion', 'tellurion-server'].flatMap((folder) => {
    const home = `packages/${folder}`
    const manifest: { name: string; exports?: Exports } = JSON.parse(
      readFileSync(join(root, home, 'package.json'), 'utf8'),
    )
    return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
      const source = typeof target === 'string' ? undefined : target['@tellurion/source']
      if (source === undefined) return []
      const path = posix.join(home, source)
      if (!existsSync(join(root, path)))
        throw new Error(`${manifest.name} exports '${subpath}', but ${path} does not exist`)
      const text = readFileSync(join(root, path), 'utf8')
      return [
        { specifier: posix.join(manifest.name, subpath), path, promise: opening(text), names: namesOf(path, text) },
      ]
    })
  })
}

/** The names that a door exports. Throws on anything but explicit named re-exports. */
export function namesOf(path: string, text: string, read = readFrom): PublicName[] {
  const code = text.replace(/^\/\/.*$/gm, '').trim()
  const clauses = [...code.matchAll(/^export (type )?\{([^}]*)\} from '([^']+)'\n?/gm)]
  const rest = clauses.reduce((left, clause) => left.replace(clause[0].trimEnd(), ''), code).trim()
  if (rest !== '') throw new Error(`${path} holds more than \`export { … } from '…'\`: ${rest.split('\n')[0]}`)
  const names = clauses.flatMap(([, , list, from]) =>
    (list ?? '')
      .split(',')
      .map((item) => item.trim().replace(/^type /, ''))
      .filter((item) => item !== '')
      .map((item) => {
        const [original = '', name = original] = item.split(' as ')
        return { name, ...declarationOf(original, read(posix.join(dirname(path), from ?? ''))) }
      }),
  )
  return names.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const readFrom = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Kind and first sentence of what a file declares under a name; overloads share the first docstring. */
function declarationOf(name: string, text: string): { kind: string; sentence: string } {
  const escaped = name.replaceAll('$', '\\$')
  const pattern = new RegExp(
    `(?:/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\n)?^export (?:declare )?(?:abstract )?(?:async )?(class|interface|type|function|const)\\*? ${escaped}\\b`,
    'm',
  )
  const found = pattern.exec(text)
  if (found === null) return { kind: 'unknown', sentence: '' }
  const [, comment = '', keyword = ''] = found
  return { kind: keyword === 'const' && isArrow(text, found) ? 'function' : keyword, sentence: firstSentence(comment) }
}

const isArrow = (text: string, found: RegExpExecArray): boolean =>
  /^\s*(?::[^=]*)?=\s*(?:async\s*)?(?:<[^>]*>)?\([^)]*\)[^=\n]*=>/.test(
    text.slice(found.index + found[0].length, found.index + found[0].length + 400),
  )

function firstSentence(comment: string): string {
  const prose = comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join(' ')
    .trim()
  return /^.*?\.(?=\s|$)/.exec(prose)?.[0] ?? prose
}

function opening(text: string): string {
  const lines = text.split('\n')
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith('//')),
    )
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join(' ')
}
