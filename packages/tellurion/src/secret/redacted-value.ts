// Secrets taken out of values of any shape: plain data, maps, sets, bytes, errors, addresses, values of classes, in cycles too.
// What has none in it stays the same value.

import { isRevealing, redacted } from './secret.ts'

/** How texts and bytes are looked at and cleaned. */
export interface Cleaner {
  /** The text without secrets; the same one where there is none. */
  text(text: string): string
  /** The same of bytes, of the same length. */
  bytes(bytes: Uint8Array): Uint8Array
}

/** Deeper than anything that is stored; what lies there is left out rather than let through. */
const deepest = 500
/** Whole numbers from here on may be a secret of digits. */
const leastNumber = 100_000

/** The value without secrets, in names of properties too. */
export function redactedValue(value: unknown, cleaner: Cleaner): unknown {
  return isDirty(value, cleaner) ? copy(value, { cleaner, seen: new Map(), depth: 0 }) : value
}

/** Whether anything in it would change, wherever it lies. */
function isDirty(value: unknown, cleaner: Cleaner): boolean {
  const left: unknown[] = [value]
  const seen = new Set<object>()
  while (left.length > 0) {
    const each = left.pop()
    if (!hasParts(each)) {
      if (leaf(each, cleaner) !== each) return true
    } else if (!seen.has(each)) {
      seen.add(each)
      for (const part of partsOf(each)) left.push(part)
    }
  }
  return false
}

/** Whether it is looked at part by part; bytes and whatever keeps a text to itself are wholes. */
function hasParts(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isRevealing(value) && bytesOf(value) === undefined
}

function leaf(value: unknown, cleaner: Cleaner): unknown {
  if (typeof value === 'string') return cleaner.text(value)
  if (typeof value === 'bigint' || (typeof value === 'number' && Math.abs(value) >= leastNumber)) {
    const text = String(value)
    return cleaner.text(text) === text ? value : redacted
  }
  const bytes = bytesOf(value)
  if (bytes === undefined) return value
  const clean = cleaner.bytes(bytes)
  return clean === bytes ? value : likeOf(value as object, clean)
}

/** The bytes of a buffer or of whatever looks at one. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer ? new Uint8Array(value) : undefined
}

/** Other bytes in the form of a value. */
function likeOf(value: object, bytes: Uint8Array): unknown {
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return bytes.slice().buffer
  const view = value.constructor as new (buffer: ArrayBufferLike, offset: number, length?: number) => unknown
  const { buffer, byteOffset, byteLength } = bytes.slice()
  if (typeof Buffer === 'function' && value instanceof Buffer) return Buffer.from(buffer, byteOffset, byteLength)
  const size = 'BYTES_PER_ELEMENT' in value ? Number(value.BYTES_PER_ELEMENT) : 1
  return new view(buffer, byteOffset, byteLength / size)
}

/** Everything that an object shows when it is printed, or turned into JSON. */
function partsOf(value: object): Iterable<unknown> {
  if (value instanceof Map) return [...value].flat()
  if (value instanceof Set) return value
  if (Array.isArray(value)) return value
  if (isPlain(value)) return plainParts(value)
  const told = toldBy(value)
  return told === undefined ? fieldsOf(value).flat() : [told.value]
}

/** Whether it is nothing but its properties. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return typeof (value as { readonly toJSON?: unknown }).toJSON !== 'function'
}

/** The same as of others, without the detours: nearly everything is plain. */
function* plainParts(value: object): Iterable<unknown> {
  for (const name of Object.keys(value)) {
    yield name
    yield fieldOf(value, name)
  }
}

/** What a value of a class says instead of itself. */
function toldBy(value: object): { readonly value: unknown } | undefined {
  if (isPlain(value)) return undefined
  if (value instanceof URLSearchParams || value instanceof RegExp) return { value: String(value) }
  if (value instanceof Headers) return { value: Object.fromEntries(value) }
  const { toJSON } = value as { readonly toJSON?: unknown }
  if (value instanceof Error || typeof toJSON !== 'function') return undefined
  try {
    return { value: toJSON.call(value, '') as unknown }
  } catch {
    return { value: undefined }
  }
}

function fieldsOf(value: object): readonly (readonly [string, unknown])[] {
  const own = Object.keys(value)
  const names = value instanceof Error ? new Set([...own, 'message', 'stack', 'cause', 'errors']) : own
  return Array.from(names, (name) => [name, fieldOf(value, name)] as const)
}

function fieldOf(value: object, name: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>>)[name]
  } catch {
    return undefined
  }
}

interface Copying {
  readonly cleaner: Cleaner
  /** Copies by what they are made of, so that cycles stay cycles. */
  readonly seen: Map<object, unknown>
  readonly depth: number
}

function copy(value: unknown, copying: Copying): unknown {
  const { cleaner, seen, depth } = copying
  if (!hasParts(value)) return leaf(value, cleaner)
  if (seen.has(value)) return seen.get(value)
  if (depth > deepest) return redacted
  const made = <T extends object>(one: T): T => {
    seen.set(value, one)
    return one
  }
  const part = (each: unknown): unknown => copy(each, { ...copying, depth: depth + 1 })
  if (Array.isArray(value)) {
    const list: unknown[] = made([])
    for (const each of value) list.push(part(each))
    return list
  }
  if (value instanceof Map) {
    const map = made(new Map<unknown, unknown>())
    for (const [name, each] of value) map.set(part(name), part(each))
    return map
  }
  if (value instanceof Set) {
    const set = made(new Set<unknown>())
    for (const each of value) set.add(part(each))
    return set
  }
  const told = toldBy(value)
  if (told !== undefined) {
    // Until it is known, what leads back to it says nothing.
    seen.set(value, redacted)
    const clean = told.value === value ? redacted : part(told.value)
    seen.set(value, clean)
    return clean
  }
  return record(value, made, part)
}

/** A copy of the same class, without what it hides; plain data stays plain. */
function record(value: object, made: <T extends object>(one: T) => T, part: (each: unknown) => unknown): object {
  const prototype: object | null = Object.getPrototypeOf(value) as object | null
  const plain: object = made(Object.create(prototype) as object)
  for (const [name, each] of fieldsOf(value)) {
    if (each === undefined && !Object.hasOwn(value, name)) continue
    const enumerable = Object.prototype.propertyIsEnumerable.call(value, name)
    const clean = part(name) as string
    Object.defineProperty(plain, clean, { value: part(each), enumerable, configurable: true, writable: true })
  }
  return plain
}
