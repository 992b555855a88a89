// Values as a world keeps them: plain JSON, copied once at the write and frozen, so nobody can change them from
// outside and forks may share them. Hostile values are refused here and nowhere later.

import { TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'

/** Deepest nesting of a value. */
const maxDepth = 64
/** Most arrays, objects and leaves in one value: what shares or repeats its parts cannot explode when it is copied. */
const maxNodes = 1_000_000

/** Thrown inside `copy` and turned into a `TellurionError` with a path by `own`. */
const refused = Symbol('refused')

let nodes = 0
let size = 0

/** Rough size in characters of the value that `own` copied last. */
export function lastSize(): number {
  return size
}

/**
 * A frozen plain copy of `value`. Properties that are undefined are left out, as JSON does, and -0 becomes 0. Throws
 * `invalid_value` naming `what` and the path for anything that is not JSON: non-finite numbers, ill-formed Unicode,
 * functions, class instances, cycles, nesting over 64, keys `__proto__` and `constructor`.
 */
export function own<T>(value: T, what: string): T {
  nodes = 0
  size = 0
  try {
    return copy(value, 0) as T
  } catch (error) {
    if (error !== refused) throw error
    const problem = explain(value, '', 0) ?? 'is too large: more than 1,000,000 parts'
    throw new TellurionError('invalid_value', `${what}: the value ${problem}. A world holds plain JSON only.`)
  }
}

function copy(value: unknown, depth: number): unknown {
  if (++nodes > maxNodes) throw refused
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw refused
      size += value.length + 2
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refused
      size += 8
      return value === 0 ? 0 : value
    case 'boolean':
      size += 5
      return value
    case 'object':
      if (value === null) return null
      if (depth >= maxDepth) throw refused
      return Array.isArray(value) ? copyArray(value, depth + 1) : copyObject(value, depth + 1)
    default:
      throw refused
  }
}

function copyArray(value: readonly unknown[], depth: number): readonly unknown[] {
  const { length } = value
  if (length > maxNodes) throw refused
  const result: unknown[] = []
  for (let index = 0; index < length; index++) result.push(copy(value[index], depth))
  size += length + 2
  return Object.freeze(result)
}

function copyObject(value: object, depth: number): object {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw refused
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    if (forbiddenKey(key)) throw refused
    const item = (value as Record<string, unknown>)[key]
    if (item === undefined) continue
    size += key.length + 3
    result[key] = copy(item, depth)
  }
  return Object.freeze(result)
}

function forbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || !key.isWellFormed()
}

/** What is wrong with a value that `copy` refused, with the path to it. */
function explain(value: unknown, path: string, depth: number): string | undefined {
  const at = path === '' ? '' : ` at ${path}`
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : `has ill-formed Unicode${at} (use text.toWellFormed())`
    case 'number':
      return Number.isFinite(value) ? undefined : `is ${value}${at} (use null or a string)`
    case 'boolean':
      return undefined
    case 'object':
      if (value === null) return undefined
      if (depth >= maxDepth) return `is nested deeper than ${maxDepth} or refers to itself${at.slice(0, 80)}`
      return explainObject(value, path, depth + 1)
    default:
      return `is ${value === undefined ? 'undefined' : `a ${typeof value}`}${at}`
  }
}

function explainObject(value: object, path: string, depth: number): string | undefined {
  const at = path === '' ? '' : ` at ${path}`
  if (Array.isArray(value)) {
    if (value.length > maxNodes) return undefined
    for (let index = 0; index < value.length; index++) {
      const problem = explain(value[index], `${path}[${index}]`, depth)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    const name = (value as { constructor?: { name?: unknown } }).constructor?.name
    const hint =
      value instanceof Date ? ' (use date.toISOString())' : value instanceof Map ? ' (use Object.fromEntries)' : ''
    return `is an instance of ${typeof name === 'string' ? name : 'a class'}${at}${hint}`
  }
  for (const key of Object.keys(value)) {
    if (forbiddenKey(key)) return `has the key ${JSON.stringify(key.toWellFormed())}${at}, which is not allowed`
    const item = (value as Record<string, unknown>)[key]
    if (item === undefined) continue
    const problem = explain(item, path === '' ? key : `${path}.${key}`, depth)
    if (problem !== undefined) return problem
  }
  return undefined
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
