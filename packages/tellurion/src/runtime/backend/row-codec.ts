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

interface Target {
  readonly value: Json
  readonly path: Path
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
      let pointing: [Record<string, Json>, Record<string, Path>] | undefined
      for (const [field, value] of Object.entries(event) as [string, Json][]) {
        if (!isWorthPointing(value)) continue
        targets ??= targetsOf(operations)
        const target = targets.find((target) => same(target.value, value))
        if (target === undefined) continue
        pointing ??= [{ ...(event as unknown as JsonObject) }, {}]
        // The field keeps its place in the order of fields.
        pointing[0][field] = 0
        pointing[1][field] = target.path
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
  const collect = (value: Json, path: Path): void => {
    if (targets.length >= maxTargets || !isWorthPointing(value)) return
    targets.push({ value, path })
    if (typeof value !== 'object' || value === null || path.length > maxDepth + 1) return
    if (Array.isArray(value)) value.forEach((item: Json, index) => collect(item, [...path, index]))
    else for (const key of Object.keys(value)) collect((value as JsonObject)[key]!, [...path, key])
  }
  operations.forEach((operation, index) => {
    const at = operation[0] === 'set' || operation[0] === 'append' ? 3 : operation[0] === 'splice' ? 5 : 0
    if (at > 0) collect(operation[at as 3] as Json, [index, at])
  })
  return targets
}

/** Whether two values are the same JSON, fields in the same order; a field that is undefined is none. */
function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item: Json, index) => same(item, b[index] as Json))
  }
  if (Array.isArray(b)) return false
  const [left, right] = [fieldsOf(a as JsonObject), fieldsOf(b as JsonObject)]
  return (
    left.length === right.length &&
    left.every((key, index) => key === right[index] && same((a as JsonObject)[key]!, (b as JsonObject)[key]!))
  )
}

function fieldsOf(value: JsonObject): readonly string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined)
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
