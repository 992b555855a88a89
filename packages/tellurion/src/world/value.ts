// Values as a world keeps them: plain JSON, copied once at the write and frozen, so nobody can change them from
// outside and forks may share them. Hostile values are refused here and nowhere later.

import { messageOf, TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { className, maxJsonDepth } from '../schema/plain-json.ts'

/** Most arrays, objects and leaves in one value: what shares or repeats its parts cannot explode when it is copied. */
const maxNodes = 1_000_000

/** Thrown inside `copy` and turned into a `TellurionError` by `own`. */
class Refusal {
  readonly problem: string

  constructor(problem: string) {
    this.problem = problem
  }
}

let nodes = 0
let inherits = false
let size = 0
/** The keys and indices that lead to what is being copied. */
const trail: (string | number)[] = []

/** Rough size in characters of the value that `own` copied last. */
export function lastSize(): number {
  return size
}

/**
 * A frozen plain copy of `value`. Properties that are undefined are left out, as JSON does, and -0 becomes 0. Throws
 * `invalid_value` naming `what` and the path for anything that is not JSON: non-finite numbers, ill-formed Unicode,
 * functions, class instances, cycles, nesting over 64, keys `__proto__` and `constructor`, what throws when it is read.
 */
export function own<T>(value: T, what: string): T {
  nodes = 0
  size = 0
  inherits = inheritsKeys()
  try {
    return copy(value, 0) as T
  } catch (error) {
    if (error instanceof Refusal) {
      throw new TellurionError('invalid_value', `${what}: the value ${error.problem}. A world holds plain JSON only.`)
    }
    throw new TellurionError('invalid_value', `${what}: the value cannot be read: ${messageOf(error)}.`, {
      cause: error,
    })
  }
}

/** Whether something has put keys of its own on every object of this process. */
function inheritsKeys(): boolean {
  for (const _key in Object.prototype) return true
  return false
}

function copy(value: unknown, depth: number): unknown {
  if (++nodes > maxNodes) throw new Refusal('is too large: more than 1,000,000 parts')
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw refusal('has ill-formed Unicode', depth, '(use text.toWellFormed())')
      size += value.length + 2
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refusal(`is ${value}`, depth, '(use null or a string)')
      size += 8
      return value === 0 ? 0 : value
    case 'boolean':
      size += 5
      return value
    case 'object':
      if (value === null) return null
      if (depth >= maxJsonDepth) throw refusal(`is nested deeper than ${maxJsonDepth} or refers to itself`, depth)
      return Array.isArray(value) ? copyArray(value, depth) : copyObject(value, depth)
    default:
      throw refusal(`is ${value === undefined ? 'undefined' : `a ${typeof value}`}`, depth)
  }
}

function copyArray(value: readonly unknown[], depth: number): readonly unknown[] {
  const { length } = value
  if (length > maxNodes) throw new Refusal('is too large: more than 1,000,000 parts')
  size += length + 2
  if (length === 1) {
    // By far the commonest; an array that grows would take room for seventeen.
    trail[depth] = 0
    return Object.freeze([copy(value[0], depth + 1)])
  }
  const result: unknown[] = []
  for (let index = 0; index < length; index++) {
    trail[depth] = index
    result.push(copy(value[index], depth + 1))
  }
  return Object.freeze(result)
}

function copyObject(value: object, depth: number): object {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw refusal(`is ${className(value)}`, depth, hint(value))
  const result: Record<string, unknown> = {}
  // Cheaper than a list of the keys; what a prototype brings along is passed over.
  for (const key in value) {
    if (inherits && !Object.hasOwn(value, key)) continue
    if (key === '__proto__' || key === 'constructor' || !key.isWellFormed()) {
      throw refusal(`has the key ${JSON.stringify(key.toWellFormed())}`, depth, 'which is not allowed')
    }
    const item = (value as Record<string, unknown>)[key]
    if (item === undefined) continue
    trail[depth] = key
    size += key.length + 3
    result[key] = copy(item, depth + 1)
  }
  return Object.freeze(result)
}

/** What is wrong with the part that is `depth` keys inside the value. */
function refusal(problem: string, depth: number, mend = ''): Refusal {
  let path = ''
  for (const step of trail.slice(0, depth)) {
    path += typeof step === 'number' ? `[${step}]` : `${path === '' ? '' : '.'}${step}`
  }
  const at = path === '' ? '' : ` at ${path.slice(0, 80).toWellFormed()}`
  return new Refusal(`${problem}${at}${mend === '' ? '' : ` ${mend}`}`)
}

function hint(value: object): string {
  if (value instanceof Date) return '(use date.toISOString())'
  return value instanceof Map ? '(use Object.fromEntries)' : ''
}

/** Whether two JSON values are structurally equal. Key order does not count. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let index = 0; index < a.length; index++) if (!equal(a[index], b[index])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false
    if (!equal((a as Record<string, Json>)[key], (b as Record<string, Json>)[key])) return false
  }
  return true
}

const namePattern = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/

/** Throws `invalid_name` unless `name` is a letter followed by at most 63 letters, digits, `_`, `.` or `-`. */
export function checkName(kind: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && namePattern.test(name) && name !== 'constructor' && name !== 'prototype') return
  const shown = typeof name === 'string' ? JSON.stringify(name.toWellFormed().slice(0, 80)) : typeof name
  throw new TellurionError(
    'invalid_name',
    `${shown} is no name for a ${kind}: begin with a letter, then at most 63 letters, digits, '_', '.' or '-'.`,
  )
}
