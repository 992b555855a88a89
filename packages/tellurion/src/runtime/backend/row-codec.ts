// How a journal row is written down. An event that repeats what an operation of its row says points there instead. An
// event is an object and one that points is an array, so no value of a program can pass for a pointer.

import type { EventRecord } from '../../event/event.ts'
import type { Json, JsonObject } from '../../schema/json.ts'
import type { Operation } from '../../world/delta.ts'

/** Shorter texts are cheaper to repeat than to point at. */
const minText = 40
/** Most places in the operations of a row that an event may point at, and how deep they lie. */
const maxTargets = 256
const maxDepth = 4

type Path = readonly (string | number)[]
/** An event whose fields were taken from the operations: what is left, and field → path. */
type Pointing = readonly [JsonObject, { readonly [field: string]: Path }]

/** A place in the operations; its path is put together only when something points there. */
interface Target {
  readonly value: Json
  readonly step: string | number
  readonly parent: Target | undefined
}

/** A row's operations and events as text. No events are an empty text. */
export interface RowText {
  readonly operations: string
  readonly events: string
}

/** Writes a row down. */
export function encodeRow(operations: readonly Operation[], events: readonly EventRecord[]): RowText {
  return { operations: JSON.stringify(operations), events: events.length === 0 ? '' : encodeEvents(operations, events) }
}

/** The operations of a row. */
export function decodeOperations(text: string): readonly Operation[] {
  return JSON.parse(text) as readonly Operation[]
}

/** The events of a row, with what they pointed at. */
export function decodeEvents({ operations, events }: RowText): readonly EventRecord[] {
  if (events === '') return []
  const stored = JSON.parse(events) as readonly (EventRecord | Pointing)[]
  const source = stored.some((event) => Array.isArray(event)) ? (JSON.parse(operations) as Json) : null
  return stored.map((event) =>
    Array.isArray(event) ? resolve(event as unknown as Pointing, source) : event,
  ) as readonly EventRecord[]
}

function encodeEvents(operations: readonly Operation[], events: readonly EventRecord[]): string {
  let targets: readonly Target[] | undefined
  return JSON.stringify(
    events.map((event) => {
      const fields = event as unknown as JsonObject
      let pointing: [Record<string, Json>, Record<string, Path>] | undefined
      for (const field of Object.keys(fields)) {
        const value = fields[field]!
        // That name cannot be set like others.
        if (!isWorthPointing(value) || field === '__proto__') continue
        targets ??= targetsOf(operations)
        const target = targets.find((target) => same(target.value, value))
        if (target === undefined) continue
        pointing ??= [{ ...fields }, {}]
        // The field keeps its place in the order of fields.
        pointing[0][field] = 0
        pointing[1][field] = pathOf(target)
      }
      return pointing ?? event
    }),
  )
}

function isWorthPointing(value: Json): boolean {
  if (typeof value === 'string') return value.length >= minText
  return typeof value === 'object' && value !== null
}

/** Everything in the operations that is worth pointing at, outer values first. */
function targetsOf(operations: readonly Operation[]): readonly Target[] {
  const targets: Target[] = []
  const collect = (value: Json, step: string | number, { parent, depth }: { parent: Target; depth: number }): void => {
    if (targets.length >= maxTargets || !isWorthPointing(value)) return
    const target = { value, step, parent }
    targets.push(target)
    if (typeof value !== 'object' || value === null || depth >= maxDepth) return
    const inside = { parent: target, depth: depth + 1 }
    if (Array.isArray(value)) value.forEach((item: Json, index) => collect(item, index, inside))
    else for (const key of Object.keys(value)) collect((value as JsonObject)[key]!, key, inside)
  }
  operations.forEach((operation, index) => {
    const at = operation[0] === 'set' || operation[0] === 'append' ? 3 : operation[0] === 'splice' ? 5 : 0
    const parent = { value: null, step: index, parent: undefined }
    if (at > 0) collect(operation[at as 3] as Json, at, { parent, depth: 0 })
  })
  return targets
}

function pathOf(target: Target): Path {
  const path: (string | number)[] = []
  for (let at: Target | undefined = target; at !== undefined; at = at.parent) path.unshift(at.step)
  return path
}

/** Whether two values are the same JSON, fields in the same order; a field that is undefined is none. */
function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item: Json, index) => same(item, b[index] as Json))
  }
  if (Array.isArray(b)) return false
  return sameFields(a as JsonObject, b as JsonObject)
}

function sameFields(a: JsonObject, b: JsonObject): boolean {
  let index = 0
  const others = Object.keys(b)
  for (const key of Object.keys(a)) {
    const value = a[key]
    if (value === undefined) continue
    while (index < others.length && b[others[index]!] === undefined) index++
    if (others[index++] !== key || !same(value, b[key]!)) return false
  }
  while (index < others.length && b[others[index]!] === undefined) index++
  return index === others.length
}

function resolve([event, pointers]: Pointing, operations: Json): EventRecord {
  const whole: Record<string, Json> = { ...event }
  for (const [field, path] of Object.entries(pointers)) {
    let value: Json = operations
    for (const step of path) value = (value as { readonly [step: string | number]: Json })[step]!
    whole[field] = value
  }
  return whole as unknown as EventRecord
}
