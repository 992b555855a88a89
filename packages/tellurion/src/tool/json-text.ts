// A tool's value as JSON text, refusing what `JSON.stringify` would lose without a word.

import { className, maxJsonDepth } from '../schema/plain-json.ts'

/**
 * JSON text, well-formed. Properties that are undefined fall away and `toJSON` is honoured (a Date becomes its ISO
 * text). Throws, saying where, for functions, symbols, BigInt, NaN and infinities, cycles, nesting over 64, and
 * objects whose content JSON does not show: Map, Set, errors, promises, regular expressions, binary data.
 */
export function jsonText(value: unknown): string {
  check(value, '', 0)
  const text = JSON.stringify(value)
  if (text === undefined) throw new Error(`${typeof value} is not JSON`)
  // JSON.stringify escapes lone surrogates, but what a model reads should not hold them even as escapes.
  return text.includes('\\ud') ? JSON.stringify(wellFormed(JSON.parse(text))) : text
}

const opaque = [Map, Set, WeakMap, WeakSet, Promise, RegExp, Error, ArrayBuffer]

function check(value: unknown, place: string, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value)) throw refused(place, String(value))
      return
    case 'object':
      if (value !== null) checkObject(value, place, depth)
      return
    default:
      throw refused(place, value === undefined ? 'undefined' : `a ${typeof value}`)
  }
}

function checkObject(value: object, place: string, depth: number): void {
  if (depth >= maxJsonDepth) throw new Error(`${place.slice(0, 80)}: nested deeper than ${maxJsonDepth}, or a cycle`)
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) check(value[index], `${place}/${index}`, depth + 1)
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  const plain = prototype === Object.prototype || prototype === null
  if (!plain && (ArrayBuffer.isView(value) || opaque.some((kind) => value instanceof kind))) {
    throw refused(place, className(value))
  }
  // A Date, a URL, a Temporal value: it knows its own JSON.
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key]
    if (item !== undefined) check(item, `${place}/${key}`, depth + 1)
  }
}

function refused(place: string, what: string): Error {
  return new Error(place === '' ? `${what} is not JSON` : `${place}: ${what} is not JSON`)
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]))
}
