// JSON Schemas of strangers, applied to values. A schema can be a bomb, and so can a value for it; a check takes a bounded
// number of steps, whatever both are, and lets pass what it could not look at. Patterns are never run.

import { TellurionError } from '../error/error.ts'
import type { Json, JsonObject } from './json.ts'
import type { CompiledSchema } from './schema.ts'
import { shownValue } from './shown-value.ts'
import type { StandardIssue, StandardResult } from './standard.ts'

/** Steps of one check, together a fraction of a second; what is beyond them passes. */
const maxSteps = 300_000
/** Schemas applied within each other, places of the value or not. */
const maxDepth = 256
/** Issues that are told. */
const maxIssues = 20
/** Characters that are read at the price of one step. */
const charactersAStep = 16

const typeNames = new Set<unknown>(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

/** A schema that is applied in a bounded number of steps, and at once. */
export interface BoundedSchema extends CompiledSchema {
  validate(value: unknown): StandardResult<unknown>
}

const made = new WeakMap<object, BoundedSchema>()

/**
 * A schema of a stranger, made ready. It accepts everything that the schema itself accepts, and for most schemas nothing
 * else: types, values, bounds, lengths, properties, items, alternatives and references are looked at; patterns, formats,
 * `not`, `if`, `contains` and their like are not. The same object gives the same again. Throws `invalid_schema` for references that leave it or lead nowhere.
 */
export function boundedSchema(schema: JsonObject, what: string): BoundedSchema {
  const known = made.get(schema)
  if (known !== undefined) return known
  checkParts(schema, what)
  const { $schema, ...told } = schema
  const bounded: BoundedSchema = {
    jsonSchema: $schema === undefined ? schema : told,
    validate: (value) => new Check(schema).result(value),
  }
  made.set(schema, bounded)
  return bounded
}

/** Where a value stands, and below how many schemas. */
interface Place {
  readonly value: unknown
  readonly depth: number
  readonly key?: string
  readonly above?: Place
}

/** One check of one value. Every answer is "it fits" where there are no steps left, so that only what is seen is refused. */
class Check {
  readonly #root: JsonObject
  readonly #refIsAll: boolean
  readonly #targets = new Map<string, Json>()
  /** Texts are made of those that are told alone: what fails in one alternative is no issue when another fits. */
  readonly #issues: (() => StandardIssue)[] = []
  #left = maxSteps

  constructor(root: JsonObject) {
    this.#root = root
    const { $schema } = root
    // Up to draft 7 a reference is all there is to its schema.
    this.#refIsAll = typeof $schema === 'string' && /draft-0[3467]/.test($schema)
  }

  result(value: unknown): StandardResult<unknown> {
    return this.#fits(this.#root, { value, depth: 0 })
      ? { value }
      : { issues: this.#issues.slice(0, maxIssues).map((issue) => issue()) }
  }

  #pay(steps: number): boolean {
    this.#left -= steps
    return this.#left >= 0
  }

  #wrong(place: Place, message: () => string): false {
    if (this.#issues.length < maxIssues) this.#issues.push(() => ({ message: message(), path: pathOf(place) }))
    return false
  }

  #fits(schema: Json | undefined, place: Place): boolean {
    if (!this.#pay(1)) return true
    if (schema === false) return this.#wrong(place, () => 'not allowed here')
    if (!isObject(schema) || place.depth > maxDepth) return true
    const { $ref: reference } = schema
    if (typeof reference === 'string') {
      const fits = this.#fits(this.#target(reference), within(place))
      if (this.#refIsAll || !fits) return fits
    }
    if (!this.#isOfType(schema, place)) return false
    const parts = [
      this.#isOneOf(schema, place),
      this.#isWithin(schema, place),
      this.#isComplete(schema, place),
      this.#propertiesFit(schema, place),
      this.#itemsFit(schema, place),
      this.#allFit(schema['allOf'], place),
      this.#oneFits(schema['anyOf'], place),
      // That no other fits too cannot be said by who does not look at everything.
      this.#oneFits(schema['oneOf'], place),
    ]
    return parts.every(Boolean)
  }

  #isOfType({ type }: JsonObject, place: Place): boolean {
    if (type === undefined) return true
    const names = Array.isArray(type) ? (type as readonly Json[]) : [type]
    const own = typeOf(place.value)
    for (const name of names) {
      if (!this.#pay(1) || name === own || (name === 'integer' && Number.isInteger(place.value))) return true
    }
    return this.#wrong(place, () => `expected ${names.join(' or ')}, got ${shownValue(place.value)}`)
  }

  #isOneOf(schema: JsonObject, place: Place): boolean {
    const { value } = place
    const { enum: values, const: only } = schema
    if (only !== undefined && !this.#same(value, only)) {
      return this.#wrong(place, () => `expected ${JSON.stringify(only)}, got ${shownValue(value)}`)
    }
    if (!Array.isArray(values)) return true
    for (const each of values as readonly Json[]) if (this.#same(value, each)) return true
    return this.#wrong(place, () => `expected one of ${JSON.stringify(values)}, got ${shownValue(value)}`)
  }

  /** Numbers, lengths and counts between their bounds. */
  #isWithin(schema: JsonObject, place: Place): boolean {
    const { value } = place
    if (typeof value === 'number') {
      const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = schema
      return (
        this.#between(place, { size: value, least: minimum, most: maximum, of: '' }) &&
        (typeof above !== 'number' || value > above || this.#wrong(place, () => `expected more than ${above}`)) &&
        (typeof below !== 'number' || value < below || this.#wrong(place, () => `expected less than ${below}`))
      )
    }
    if (typeof value === 'string') {
      const { minLength: least, maxLength: most } = schema
      if ((least === undefined && most === undefined) || !this.#pay(value.length / charactersAStep)) return true
      return this.#between(place, { size: lengthOf(value), least, most, of: ' characters' })
    }
    if (Array.isArray(value)) {
      const { minItems: least, maxItems: most } = schema
      return this.#between(place, { size: value.length, least, most, of: ' items' })
    }
    const { minProperties: least, maxProperties: most } = schema
    if (typeof value !== 'object' || value === null || (least === undefined && most === undefined)) return true
    const size = Object.keys(value).length
    return !this.#pay(size) || this.#between(place, { size, least, most, of: ' properties' })
  }

  #between(
    place: Place,
    { size, least, most, of }: Readonly<Record<'least' | 'most', Json | undefined>> & { size: number; of: string },
  ): boolean {
    if (typeof least === 'number' && size < least)
      return this.#wrong(place, () => `expected at least ${least}${of}, got ${size}`)
    if (typeof most === 'number' && size > most)
      return this.#wrong(place, () => `expected at most ${most}${of}, got ${size}`)
    return true
  }

  #isComplete({ required }: JsonObject, place: Place): boolean {
    const { value } = place
    if (!isRecord(value) || !Array.isArray(required)) return true
    let fits = true
    for (const name of required as readonly Json[]) {
      if (!this.#pay(1)) break
      if (typeof name !== 'string' || Object.hasOwn(value, name)) continue
      fits = this.#wrong(place, () => `missing ${name}`)
    }
    return fits
  }

  #propertiesFit(schema: JsonObject, place: Place): boolean {
    const { value } = place
    const { properties, patternProperties, additionalProperties } = schema
    // Which of the others a pattern is for is not known here.
    const others = patternProperties === undefined ? additionalProperties : undefined
    if (!isRecord(value) || (!isObject(properties) && others === undefined)) return true
    const keys = Object.keys(value)
    if (!this.#pay(keys.length)) return true
    let fits = true
    for (const key of keys) {
      const each = isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : others
      if (each === undefined || value[key] === undefined) continue
      fits = this.#fits(each, below(place, key, value[key])) && fits
    }
    return fits
  }

  #itemsFit({ prefixItems, items }: JsonObject, place: Place): boolean {
    const { value } = place
    if (!Array.isArray(value)) return true
    // A list under `items` is draft 7's word for prefixItems.
    const first = ([items, prefixItems].find(Array.isArray) ?? []) as readonly Json[]
    const others = Array.isArray(items) ? undefined : items
    const end = others === undefined ? Math.min(first.length, value.length) : value.length
    let fits = true
    for (let index = 0; index < end && this.#pay(1); index++) {
      const each = index < first.length ? first[index] : others
      fits = this.#fits(each, below(place, String(index), value[index])) && fits
    }
    return fits
  }

  #allFit(schemas: Json | undefined, place: Place): boolean {
    if (!Array.isArray(schemas)) return true
    let fits = true
    for (const each of schemas as readonly Json[]) {
      if (!this.#pay(1)) break
      fits = this.#fits(each, within(place)) && fits
    }
    return fits
  }

  #oneFits(schemas: Json | undefined, place: Place): boolean {
    if (!Array.isArray(schemas) || schemas.length === 0) return true
    const before = this.#issues.length
    for (const each of schemas as readonly Json[]) {
      if (!this.#fits(each, within(place))) continue
      this.#issues.length = before
      return true
    }
    if (this.#issues.length === before) this.#wrong(place, () => 'fits none of the alternatives')
    return false
  }

  /** Whether two values are one, as JSON; the second is of the schema, whose depth is bounded. */
  #same(value: unknown, other: Json): boolean {
    if (!this.#pay(1)) return true
    if (typeof value === 'string' && typeof other === 'string') {
      return value.length === other.length && (!this.#pay(value.length / charactersAStep) || value === other)
    }
    if (Array.isArray(other)) {
      return (
        Array.isArray(value) &&
        value.length === other.length &&
        other.every((each: Json, index) => this.#same(value[index], each))
      )
    }
    if (!isObject(other) || !isRecord(value)) return value === other
    const keys = Object.keys(other)
    const count = Object.keys(value).length
    if (!this.#pay(keys.length + count)) return true
    return (
      keys.length === count && keys.every((key) => Object.hasOwn(value, key) && this.#same(value[key], other[key]!))
    )
  }

  #target(reference: string): Json {
    let target = this.#targets.get(reference)
    if (target === undefined) {
      target = targetOf(this.#root, reference) ?? true
      this.#targets.set(reference, target)
    }
    return target
  }
}

/** Looks at each schema that a check can come to, once. */
function checkParts(root: JsonObject, what: string): void {
  const refuse = (why: string): never => {
    throw new TellurionError('invalid_schema', `${what} cannot be used: ${why}.`)
  }
  const seen = new Set<Json>()
  const open: (Json | undefined)[] = [root]
  while (open.length > 0) {
    const schema = open.pop()
    if (!isObject(schema) || seen.has(schema)) continue
    seen.add(schema)
    const { type, $ref: reference, properties, additionalProperties, items } = schema
    for (const name of Array.isArray(type) ? (type as readonly Json[]) : type === undefined ? [] : [type]) {
      if (!typeNames.has(name)) refuse(`its type ${brief(name)} is unknown`)
    }
    if (typeof reference === 'string') {
      if (!reference.startsWith('#')) refuse(`its reference ${brief(reference)} leaves it`)
      open.push(targetOf(root, reference) ?? refuse(`its reference ${brief(reference)} leads nowhere`))
    }
    if (isObject(properties)) for (const each of Object.values(properties)) open.push(each)
    for (const list of [items, schema['prefixItems'], schema['allOf'], schema['anyOf'], schema['oneOf']]) {
      if (Array.isArray(list)) for (const each of list as readonly Json[]) open.push(each)
    }
    open.push(additionalProperties, items)
  }
}

/** What a reference leads to; `true` for one by name (`#node`), which is not looked up. Undefined when nothing is there. */
function targetOf(root: JsonObject, reference: string): Json | undefined {
  if (reference !== '#' && !reference.startsWith('#/')) return true
  let place: Json | undefined = root
  for (const part of reference.slice(1).split('/').slice(1)) {
    const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return undefined
    place = (place as Readonly<Record<string, Json>>)[key]
  }
  return place
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function within({ depth, ...place }: Place): Place {
  return { ...place, depth: depth + 1 }
}

function below(above: Place, key: string, value: unknown): Place {
  return { value, depth: above.depth + 1, key, above }
}

function pathOf(place: Place): string[] {
  const path: string[] = []
  for (let at: Place | undefined = place; at?.key !== undefined; at = at.above) path.push(at.key)
  return path.reverse()
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Characters as JSON Schema counts them: a pair of surrogates is one. */
function lengthOf(text: string): number {
  let count = text.length
  for (let at = 1; at < text.length; at++) {
    const isPair = (text.charCodeAt(at) & 0xfc_00) === 0xdc_00 && (text.charCodeAt(at - 1) & 0xfc_00) === 0xd8_00
    if (isPair) count--
  }
  return count
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isObject(value: Json | undefined): value is JsonObject {
  return isRecord(value)
}

function brief(value: Json): string {
  return JSON.stringify(value).slice(0, 60)
}
