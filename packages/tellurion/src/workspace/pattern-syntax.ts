// The written form of patterns: regular expressions without what would need to look back. Read into a tree; whatever is
// not supported is an error that says so, never another meaning.

import { TellurionError } from '../error/error.ts'
import {
  bothCases,
  characterSet,
  complement,
  digits,
  inLine,
  lastCharacter,
  spaces,
  union,
  wordCharacters,
  type CharacterSet,
} from './character-set.ts'

/** A pattern as a tree. */
export type PatternNode =
  | { readonly type: 'set'; readonly set: CharacterSet }
  | { readonly type: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly type: 'choice'; readonly nodes: readonly PatternNode[] }
  | { readonly type: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number }
  | { readonly type: 'assert'; readonly what: Assertion }

/** What can be asked of a place between two characters. */
export type Assertion = 'start' | 'end' | 'boundary' | 'inside'

/** Characters of a pattern at most. */
export const maxPatternLength = 1_000
/** How often something may be repeated at most, where a number is given. */
const maxRepeat = 1_000
const maxDepth = 50

/**
 * Reads a regular expression; with `ignoreCase` letters stand for both of their cases. Throws `invalid_option`, saying
 * where and what is wrong.
 */
export function parsePattern(
  source: string,
  { ignoreCase = false }: { readonly ignoreCase?: boolean } = {},
): PatternNode {
  if (source.length > maxPatternLength) {
    throw new TellurionError('invalid_option', `A pattern has at most ${maxPatternLength} characters.`)
  }
  return new Reader(source, ignoreCase).read()
}

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 }
const classes: Readonly<Record<string, CharacterSet>> = {
  d: digits,
  D: complement(digits),
  w: wordCharacters,
  W: complement(wordCharacters),
  s: spaces,
  S: complement(spaces),
}

const single = (code: number): CharacterSet => characterSet([code, code])

class Reader {
  readonly #source: readonly string[]
  readonly #fold: (set: CharacterSet) => CharacterSet
  #at = 0
  #depth = 0

  constructor(source: string, ignoreCase: boolean) {
    this.#source = [...source]
    this.#fold = ignoreCase ? bothCases : (set) => set
  }

  read(): PatternNode {
    const node = this.#choice()
    if (this.#at < this.#source.length) throw this.#wrong(`')' closes nothing; write '\\)' for the character`)
    return node
  }

  get #next(): string | undefined {
    return this.#source[this.#at]
  }

  #take(text: string): boolean {
    if (!this.#startsWith(text)) return false
    this.#at += text.length
    return true
  }

  #startsWith(text: string): boolean {
    return [...text].every((letter, index) => this.#source[this.#at + index] === letter)
  }

  #choice(): PatternNode {
    if (++this.#depth > maxDepth) throw this.#wrong('groups are nested too deeply')
    const nodes = [this.#sequence()]
    while (this.#take('|')) nodes.push(this.#sequence())
    this.#depth--
    return nodes.length === 1 ? nodes[0]! : { type: 'choice', nodes }
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = []
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')') nodes.push(this.#repeated())
    return nodes.length === 1 ? nodes[0]! : { type: 'sequence', nodes }
  }

  #repeated(): PatternNode {
    const start = this.#at
    const bare = ['^', '$', '\\b', '\\B'].some((sign) => this.#startsWith(sign))
    let node = this.#one()
    for (;;) {
      const times = this.#times()
      if (times === undefined) return node
      if (bare) throw this.#wrong('there is nothing to repeat', start)
      // Whether it takes much or little makes no difference to whether there is a match.
      this.#take('?')
      if (this.#next === '+' || this.#next === '*') throw this.#wrong(`'${this.#next}' may not follow a repetition`)
      node = { type: 'repeat', node, ...times }
    }
  }

  #times(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Infinity }
    if (this.#take('+')) return { min: 1, max: Infinity }
    if (this.#take('?')) return { min: 0, max: 1 }
    const counted = /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(this.#source.slice(this.#at, this.#at + 16).join(''))
    if (counted === null) return undefined
    const min = Number(counted[1])
    const max = counted[2] === undefined ? min : counted[3] === '' ? Infinity : Number(counted[3])
    if (min > max) throw this.#wrong(`${counted[0]} has its numbers the wrong way round`)
    if (min > maxRepeat || (max !== Infinity && max > maxRepeat)) {
      throw this.#wrong(`${counted[0]} repeats more than ${maxRepeat} times`)
    }
    this.#at += counted[0].length
    return { min, max }
  }

  #one(): PatternNode {
    const letter = this.#next!
    switch (letter) {
      case '(':
        return this.#group()
      case '[':
        return this.#class()
      case '\\':
        return this.#escaped()
      case '.':
        this.#at++
        return { type: 'set', set: inLine }
      case '^':
        this.#at++
        return { type: 'assert', what: 'start' }
      case '$':
        this.#at++
        return { type: 'assert', what: 'end' }
      case '*':
      case '+':
      case '?':
        throw this.#wrong(`'${letter}' repeats nothing; write '\\${letter}' for the character`)
      default:
        this.#at++
        return { type: 'set', set: this.#fold(single(letter.codePointAt(0)!)) }
    }
  }

  #group(): PatternNode {
    const start = this.#at
    this.#at++
    if (this.#take('?') && !this.#take(':')) {
      if (['=', '!', '<=', '<!'].some((sign) => this.#startsWith(sign))) {
        throw this.#wrong('looking ahead or behind is not supported; match more, and choose among the results', start)
      }
      const named = /^<[a-zA-Z_]\w{0,40}>/.exec(this.#source.slice(this.#at, this.#at + 44).join(''))
      if (named === null) throw this.#wrong('only groups of the forms (…), (?:…) and (?<name>…) are supported', start)
      this.#at += named[0].length
    }
    const node = this.#choice()
    if (!this.#take(')')) throw this.#wrong("'(' is never closed; write '\\(' for the character", start)
    return node
  }

  #escaped(): PatternNode {
    const letter = this.#source[this.#at + 1]
    if (letter === 'b' || letter === 'B') {
      this.#at += 2
      return { type: 'assert', what: letter === 'b' ? 'boundary' : 'inside' }
    }
    return { type: 'set', set: this.#fold(this.#escape()) }
  }

  /** What an escape stands for, in a class or outside. */
  #escape(): CharacterSet {
    const start = this.#at
    const letter = this.#source[start + 1]
    if (letter === undefined) throw this.#wrong("it ends with '\\'; write '\\\\' for the character")
    this.#at += 2
    const known = classes[letter]
    if (known !== undefined) return known
    if (/[1-9k]/.test(letter)) throw this.#wrong('references to groups are not supported', start)
    const code = controls[letter] ?? this.#numbered(letter)
    if (code !== undefined) return single(code)
    if (/[a-zA-Z]/.test(letter)) throw this.#wrong(`'\\${letter}' is not supported`, start)
    return single(letter.codePointAt(0)!)
  }

  /** `\x41`, `\u0041`, `\u{1F30D}`. */
  #numbered(letter: string): number | undefined {
    if (letter !== 'x' && letter !== 'u') return undefined
    const rest = this.#source.slice(this.#at, this.#at + 8).join('')
    const form = letter === 'x' ? /^([0-9a-f]{2})/i : /^(?:([0-9a-f]{4})|\{([0-9a-f]{1,6})\})/i
    const found = form.exec(rest)
    const code = found === null ? undefined : Number.parseInt(found[1] ?? found[2]!, 16)
    if (found === null || code === undefined || code > lastCharacter) {
      throw this.#wrong(`'\\${letter}' needs ${letter === 'x' ? 'two' : 'four'} hexadecimal digits behind it`)
    }
    this.#at += found[0].length
    return code
  }

  #class(): PatternNode {
    const start = this.#at
    this.#at++
    const negated = this.#take('^')
    const sets: CharacterSet[] = []
    for (let first = true; ; first = false) {
      if (this.#next === undefined) throw this.#wrong("'[' is never closed; write '\\[' for the character", start)
      if (this.#next === ']' && !first) break
      sets.push(this.#member())
    }
    this.#at++
    const set = this.#fold(union(...sets))
    return { type: 'set', set: negated ? complement(set) : set }
  }

  /** A character, an escape, or a range of a class. */
  #member(): CharacterSet {
    const start = this.#at
    const from = this.#inClass()
    if (this.#next !== '-' || this.#source[this.#at + 1] === ']' || this.#source[this.#at + 1] === undefined)
      return from
    this.#at++
    const to = this.#inClass()
    if (from.length !== 2 || to.length !== 2 || from[0] !== from[1] || to[0] !== to[1]) {
      throw this.#wrong("a range goes from one character to another; put '-' first or last for the character", start)
    }
    if (from[0]! > to[0]!) throw this.#wrong('a range has its ends the wrong way round', start)
    return characterSet([from[0]!, to[0]!])
  }

  #inClass(): CharacterSet {
    if (this.#next === '\\' && this.#source[this.#at + 1] === 'b') {
      this.#at += 2
      return single(8)
    }
    if (this.#next === '\\') return this.#escape()
    const code = this.#next!.codePointAt(0)!
    this.#at++
    return single(code)
  }

  #wrong(what: string, at = this.#at): TellurionError {
    const source = this.#source.join('')
    return new TellurionError('invalid_option', `The pattern ${JSON.stringify(source)} is wrong at ${at + 1}: ${what}.`)
  }
}
