// Patterns whose search takes time in proportion to the text, whatever the pattern: an automaton that is built as far as
// the text needs it. No backtracking, no recursion over the text, a bound on what is kept.

import { TellurionError } from '../error/error.ts'
import { contains, wordCharacters, type CharacterSet } from './character-set.ts'
import { parsePattern, type Assertion, type PatternNode } from './pattern-syntax.ts'

/** A compiled pattern. */
export interface Pattern {
  /**
   * Whether it matches anywhere in `text` from `start` (default 0) to `end` (default its length), which count as the
   * ends of the text. Throws `invalid_option` when the work of all searches together passes the `effort` given at its making.
   */
  test(text: string, start?: number, end?: number): boolean
  /** The text that every match has in it, where the pattern is nothing but that text. */
  readonly literal: string | undefined
}

/** How a pattern is made. */
export interface PatternOptions {
  /** Whether letters match in both cases. Default false. */
  readonly ignoreCase?: boolean | undefined
  /** Steps of building the automaton, in all, after which it gives up. Default 30 million: below a second. */
  readonly effort?: number | undefined
}

/** One step of the program: take a character of a set, go on in two places, ask about the place, or be done. */
type Instruction =
  | { readonly op: 'take'; readonly set: number }
  | { readonly op: 'fork'; first: number; second: number }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { readonly op: 'match' }

/** Instructions at most. */
const maxProgram = 5_000
/** Transitions that are kept at most, over all states. */
const maxTransitions = 1_000_000

const unknown = -1
const matched = -2

/** A set of places in the program, before what stands between two characters is known. */
interface State {
  readonly places: readonly number[]
  readonly afterWord: boolean
  readonly atStart: boolean
  /** By class of the next character; the last is the end of the text. */
  readonly next: Int32Array
}

/** Compiles a regular expression: see `parsePattern`. Throws `invalid_option`. */
export function createPattern(source: string, options: PatternOptions = {}): Pattern {
  return patternOf(parsePattern(source, { ignoreCase: options.ignoreCase === true }), options)
}

/** Compiles a tree. Throws `invalid_option` when it is too large. */
export function patternOf(node: PatternNode, { effort = 30_000_000 }: Pick<PatternOptions, 'effort'> = {}): Pattern {
  return new Automaton(node, effort)
}

class Automaton implements Pattern {
  readonly literal: string | undefined
  readonly #program: readonly Instruction[]
  /** Where classes of characters begin, ascending; no pattern tells the characters of a class apart. */
  readonly #bounds: readonly number[]
  readonly #ascii = new Uint16Array(128)
  readonly #isWord: readonly boolean[]
  /** By set, then by class: whether the class is in the set. */
  readonly #has: readonly (readonly boolean[])[]
  readonly #end: number
  readonly #marks: Uint32Array
  #mark = 0
  #states: State[] = []
  #byKey = new Map<string, number>()
  #effort: number

  constructor(node: PatternNode, effort: number) {
    const writer = new Writer()
    writer.write(node)
    writer.emit({ op: 'match' })
    this.#program = writer.program
    this.#bounds = boundsOf([...writer.sets, wordCharacters])
    this.#end = this.#bounds.length
    for (let code = 0; code < 128; code++) this.#ascii[code] = this.#search(code)
    this.#isWord = this.#bounds.map((code) => contains(wordCharacters, code))
    this.#has = writer.sets.map((set) => this.#bounds.map((code) => contains(set, code)))
    this.#marks = new Uint32Array(this.#program.length)
    this.#effort = effort
    this.literal = literalOf(node)
  }

  test(text: string, start = 0, end = text.length): boolean {
    let at = this.#stateOf({ places: [0], afterWord: false, atStart: true })
    for (let index = start; index < end; index++) {
      let code = text.charCodeAt(index)
      if (code >= 0xd8_00 && code <= 0xdb_ff && index + 1 < end) {
        code = text.codePointAt(index)!
        if (code > 0xff_ff) index++
      }
      const kind = code < 128 ? this.#ascii[code]! : this.#search(code)
      at = this.#step(at, kind)
      if (at === matched) return true
    }
    return this.#step(at, this.#end) === matched
  }

  #step(at: number, kind: number): number {
    const state = this.#states[at]!
    const known = state.next[kind]!
    return known === unknown ? this.#build(state, kind) : known
  }

  /** Where a state leads, found out and kept. */
  #build(state: State, kind: number): number {
    const places = this.#closure(state, kind)
    const next = places === undefined ? matched : this.#after(places, kind)
    // Building may have emptied the store of states; then there is nothing to write to.
    state.next[kind] = next
    return next
  }

  /** The places that take a character, reached from a state when `kind` comes next; undefined when the match is there. */
  #closure(state: State, kind: number): readonly number[] | undefined {
    const reached: number[] = []
    const stack = [...state.places].reverse()
    const mark = ++this.#mark
    while (stack.length > 0) {
      const place = stack.pop()!
      if (this.#marks[place] === mark) continue
      this.#marks[place] = mark
      if (--this.#effort < 0) throw tooMuch()
      const step = this.#program[place]!
      switch (step.op) {
        case 'match':
          return undefined
        case 'take':
          reached.push(place)
          break
        case 'fork':
          stack.push(step.second, step.first)
          break
        case 'assert':
          if (this.#holds(step.what, state, kind)) stack.push(place + 1)
          break
        default:
          step satisfies never
      }
    }
    return reached
  }

  #holds(what: Assertion, { atStart, afterWord }: State, kind: number): boolean {
    const beforeWord = this.#isWord[kind] === true
    switch (what) {
      case 'start':
        return atStart
      case 'end':
        return kind === this.#end
      case 'boundary':
        return afterWord !== beforeWord
      case 'inside':
        return afterWord === beforeWord
      default:
        return what satisfies never
    }
  }

  #after(reached: readonly number[], kind: number): number {
    // A match may begin anywhere: the program's beginning is always among the places.
    const places = new Set([0])
    for (const place of reached) {
      const step = this.#program[place]!
      if (step.op === 'take' && this.#has[step.set]![kind] === true) places.add(place + 1)
    }
    return this.#stateOf({
      places: [...places].sort((a, b) => a - b),
      afterWord: this.#isWord[kind] === true,
      atStart: false,
    })
  }

  #stateOf(state: Omit<State, 'next'>): number {
    const { places, afterWord, atStart } = state
    const key = `${afterWord ? 'w' : ''}${atStart ? 's' : ''}${places.join()}`
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    if (this.#states.length * (this.#end + 1) >= maxTransitions) this.#forget()
    this.#states.push({ ...state, next: new Int32Array(this.#end + 1).fill(unknown) })
    this.#byKey.set(key, this.#states.length - 1)
    return this.#states.length - 1
  }

  /** Begins with no states anew. Numbers that old states keep are never read again: nobody has those states. */
  #forget(): void {
    this.#states = []
    this.#byKey = new Map()
  }

  /** The class of a character: the last that begins at it or before it. */
  #search(code: number): number {
    let low = 0
    let high = this.#bounds.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#bounds[middle]! <= code) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function boundsOf(sets: readonly CharacterSet[]): number[] {
  const bounds = new Set([0])
  for (const set of sets) for (const [index, code] of set.entries()) bounds.add(index % 2 === 0 ? code : code + 1)
  return [...bounds].sort((a, b) => a - b)
}

function tooMuch(): TellurionError {
  return new TellurionError('invalid_option', 'The pattern takes too much work on this text; make it simpler.')
}

/** Writes a tree as a program. */
class Writer {
  readonly program: Instruction[] = []
  readonly sets: CharacterSet[] = []
  readonly #numbers = new Map<string, number>()

  emit(step: Instruction): void {
    if (this.program.length >= maxProgram) {
      throw new TellurionError('invalid_option', 'The pattern is too large: repeat less, or less often.')
    }
    this.program.push(step)
  }

  write(node: PatternNode): void {
    switch (node.type) {
      case 'set':
        return this.emit({ op: 'take', set: this.#numberOf(node.set) })
      case 'sequence':
        for (const each of node.nodes) this.write(each)
        return
      case 'assert':
        return this.emit({ op: 'assert', what: node.what })
      case 'choice':
        return this.#choice(node.nodes)
      case 'repeat':
        return this.#repeat(node.node, node.min, node.max)
      default:
        node satisfies never
    }
  }

  #choice(nodes: readonly PatternNode[]): void {
    const exits: { first: number; second: number }[] = []
    for (const [index, node] of nodes.entries()) {
      const fork = index < nodes.length - 1 ? this.#fork() : undefined
      this.write(node)
      if (fork === undefined) break
      exits.push(this.#fork())
      fork.second = this.program.length
    }
    for (const exit of exits) exit.first = exit.second = this.program.length
  }

  #repeat(node: PatternNode, min: number, max: number): void {
    for (let count = 0; count < min; count++) {
      const before = this.program.length
      this.write(node)
      // What is empty is empty a thousand times.
      if (this.program.length === before) break
    }
    if (max === Infinity) {
      const start = this.program.length
      const loop = this.#fork()
      this.write(node)
      const back = this.#fork()
      back.first = back.second = start
      loop.second = this.program.length
      return
    }
    const exits = []
    for (let count = min; count < max; count++) {
      exits.push(this.#fork())
      this.write(node)
    }
    for (const exit of exits) exit.second = this.program.length
  }

  /** A fork whose first way is the next instruction; its ways are set later. */
  #fork(): { first: number; second: number } {
    const fork = { op: 'fork' as const, first: this.program.length + 1, second: this.program.length + 1 }
    this.emit(fork)
    return fork
  }

  #numberOf(set: CharacterSet): number {
    const key = set.join()
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.sets.push(set) - 1
      this.#numbers.set(key, number)
    }
    return number
  }
}

/** The text of a pattern that is one. */
function literalOf(node: PatternNode): string | undefined {
  const nodes = node.type === 'sequence' ? node.nodes : [node]
  let text = ''
  for (const each of nodes) {
    if (each.type !== 'set' || each.set.length !== 2 || each.set[0] !== each.set[1]) return undefined
    text += String.fromCodePoint(each.set[0]!)
  }
  return text
}
