// Globs: patterns over paths, with the same automaton as searches, so that none of them can run away either.

import { TellurionError } from '../error/error.ts'
import { bothCases, characterSet, complement, lastCharacter, union, type CharacterSet } from './character-set.ts'
import { patternOf } from './pattern.ts'
import type { PatternNode } from './pattern-syntax.ts'

/** Tests a path with `/` between its names. */
export type Glob = (path: string) => boolean

const slash = 0x2f
const withinName = complement(characterSet([slash, slash]))
const anything = characterSet([0, lastCharacter])
const any = (set: CharacterSet): PatternNode => ({ type: 'repeat', node: { type: 'set', set }, min: 0, max: Infinity })

const maxLength = 500
const maxDepth = 5
/** Steps that the glob of a model may take, over all paths of a call: below a second. */
const callEffort = 5_000_000

/** How a glob is made. */
export interface GlobOptions {
  /** Whether letters match in both cases. Default false. */
  readonly ignoreCase?: boolean
  /** Steps after which a test throws `invalid_option`, over all tests. Default none: the operator means what it takes. */
  readonly effort?: number
}

/**
 * Compiles a glob: `*` and `?` within a name, `**` over folders, `[a-z]`, `[!a]`, `{ts,js}`, `\` before a character that
 * means itself. Without a `/` in it (but at its end) it is about names at any depth, else about paths from the root on.
 * Throws `invalid_option`.
 */
export function createGlob(glob: string, { ignoreCase = false, effort = Infinity }: GlobOptions = {}): Glob {
  if (typeof glob !== 'string' || glob === '' || glob.length > maxLength) {
    throw new TellurionError('invalid_option', `A glob is a text of 1 to ${maxLength} characters, such as src/**/*.ts.`)
  }
  const plain = glob.replace(/^\.?\/+(?=.)/, '').replace(/(?<=.)\/+$/, '')
  const floating = !glob.replace(/^\.\//, '').replace(/\/+$/, '').includes('/')
  const node = new Reader(floating ? `**/${plain}` : plain, ignoreCase).read()
  const whole: PatternNode = {
    type: 'sequence',
    nodes: [{ type: 'assert', what: 'start' }, node, { type: 'assert', what: 'end' }],
  }
  const pattern = patternOf(whole, { effort })
  return (path) => pattern.test(path)
}

/** The glob of one call of a model: what would keep everybody waiting throws `invalid_option`. */
export function callGlob(glob: string): Glob {
  return createGlob(glob, { effort: callEffort })
}

/** Whether any of some globs is about a path or about a folder that it is in. */
export function createCover(globs: readonly string[], options: GlobOptions = {}): Glob {
  const tests = globs.map((glob) => createGlob(glob, options))
  if (tests.length === 0) return () => false
  return (path) => {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      const folder = path.slice(0, end)
      if (tests.some((test) => test(folder))) return true
    }
    return tests.some((test) => test(path))
  }
}

class Reader {
  readonly #source: readonly string[]
  readonly #glob: string
  readonly #fold: (set: CharacterSet) => CharacterSet
  #at = 0
  #depth = 0

  constructor(glob: string, ignoreCase: boolean) {
    this.#glob = glob
    this.#source = [...glob]
    this.#fold = ignoreCase ? bothCases : (set) => set
  }

  read(): PatternNode {
    return this.#sequence('')
  }

  #sequence(ends: string): PatternNode {
    const nodes: PatternNode[] = []
    for (;;) {
      const letter = this.#source[this.#at]
      if (letter === undefined || (letter !== '' && ends.includes(letter))) return { type: 'sequence', nodes }
      nodes.push(this.#one(letter))
    }
  }

  #one(letter: string): PatternNode {
    this.#at++
    switch (letter) {
      case '*':
        return this.#stars()
      case '?':
        return { type: 'set', set: withinName }
      case '[':
        return this.#class()
      case '{':
        return this.#choice()
      case '\\':
        return this.#literal(this.#source[this.#at++] ?? '\\')
      default:
        return this.#literal(letter)
    }
  }

  #literal(letter: string): PatternNode {
    const code = letter.codePointAt(0)!
    return { type: 'set', set: this.#fold(characterSet([code, code])) }
  }

  #stars(): PatternNode {
    if (this.#source[this.#at] !== '*') return any(withinName)
    const before = this.#source[this.#at - 2]
    while (this.#source[this.#at] === '*') this.#at++
    const after = this.#source[this.#at]
    if (before !== undefined && before !== '/') return any(withinName)
    if (after === undefined) return any(anything)
    if (after !== '/') return any(withinName)
    this.#at++
    // Folders, each with its slash, or none at all.
    const folder: PatternNode = {
      type: 'sequence',
      nodes: [any(withinName), { type: 'set', set: characterSet([slash, slash]) }],
    }
    return { type: 'repeat', node: folder, min: 0, max: Infinity }
  }

  #choice(): PatternNode {
    if (++this.#depth > maxDepth) throw this.#wrong('has braces nested too deeply')
    const nodes = [this.#sequence(',}')]
    while (this.#source[this.#at] === ',') {
      this.#at++
      nodes.push(this.#sequence(',}'))
    }
    if (this.#source[this.#at] !== '}') throw this.#wrong("has a '{' that is never closed")
    this.#at++
    this.#depth--
    return { type: 'choice', nodes }
  }

  #class(): PatternNode {
    const negated = this.#source[this.#at] === '!' || this.#source[this.#at] === '^'
    if (negated) this.#at++
    const sets: CharacterSet[] = []
    for (let first = true; ; first = false) {
      const letter = this.#source[this.#at]
      if (letter === undefined) throw this.#wrong("has a '[' that is never closed")
      if (letter === ']' && !first) break
      sets.push(this.#member())
    }
    this.#at++
    const set = this.#fold(union(...sets))
    const members = negated ? complement(set) : set
    // A class never matches the slash between names.
    return { type: 'set', set: complement(union(complement(members), characterSet([slash, slash]))) }
  }

  #member(): CharacterSet {
    const from = this.#code()
    if (this.#source[this.#at] !== '-' || [']', undefined].includes(this.#source[this.#at + 1])) {
      return characterSet([from, from])
    }
    this.#at++
    const to = this.#code()
    if (from > to) throw this.#wrong('has a range with its ends the wrong way round')
    return characterSet([from, to])
  }

  #code(): number {
    if (this.#source[this.#at] === '\\') this.#at++
    const letter = this.#source[this.#at++]
    if (letter === undefined) throw this.#wrong("has a '[' that is never closed")
    return letter.codePointAt(0)!
  }

  #wrong(what: string): TellurionError {
    return new TellurionError('invalid_option', `The glob ${JSON.stringify(this.#glob)} ${what}.`)
  }
}
