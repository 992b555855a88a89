// The shape of a JSON Schema: looked through once, at its definition, so that what cannot be applied is refused there.
// Nothing is fetched, and no value is checked here.

import { TellurionError, messageOf } from '../error/error.ts'
import type { Json, JsonObject } from './json.ts'
import { jsonProblem, maxJsonDepth } from './plain-json.ts'

/** Longest string that a `pattern` is tried on: patterns may take time that grows fast with the length. */
const maxPatternInput = 10_000

const schemaKeywords = new Set(
  'additionalItems additionalProperties contains contentSchema else if items not propertyNames then unevaluatedItems unevaluatedProperties'.split(
    ' ',
  ),
)
const schemaListKeywords = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems'])
const schemaMapKeywords = new Set(['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties'])
const dataKeywords = new Set(
  '$anchor $id $ref $schema const default dependentRequired description enum exclusiveMaximum exclusiveMinimum format maxItems maxLength maxProperties maximum minItems minLength minProperties minimum multipleOf pattern required title type uniqueItems'.split(
    ' ',
  ),
)
const typeNames = new Set<unknown>(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'])

/** A schema whose shape is sound. */
export interface SoundSchema {
  /** A copy of what was given: later changes to the object have no effect. */
  readonly jsonSchema: JsonObject
  /** The form that the checker works on, and writes into. */
  readonly prepared: JsonObject
}

/**
 * Looks through a JSON Schema. Throws `invalid_schema` naming `what` and the place for what is no schema, a `$ref` that
 * leaves it or leads nowhere, or a broken pattern. A pattern runs on at most 10,000 characters; longer strings are
 * refused. Mind patterns with nested repetition all the same: those are slow on short strings too. Also reading a long
 * pattern may take long: those of strangers stay unread (`patterns: false`), broken ones too.
 */
export function soundSchema(
  schema: JsonObject,
  what: string,
  { patterns = true }: { readonly patterns?: boolean } = {},
): SoundSchema {
  const refuse = (place: string, problem: string): never => {
    const where = place === '' ? '' : ` at ${place}`
    throw new TellurionError('invalid_schema', `${what} is not a valid JSON Schema: ${problem}${where}.`)
  }
  const problem = jsonProblem(schema)
  if (problem !== undefined) refuse('', problem)
  const keys = Object.keys(schema)
  const known = (key: string): boolean =>
    dataKeywords.has(key) || schemaKeywords.has(key) || schemaListKeywords.has(key) || schemaMapKeywords.has(key)
  if (keys.length > 0 && !keys.some(known))
    refuse('', `it has no keyword of JSON Schema, only ${keys.slice(0, 5).join(', ')}`)
  const jsonSchema = structuredClone(schema)
  const checked = prepared(schema, '', { refuse, patterns })
  checkReferences(checked, refuse)
  return { jsonSchema, prepared: checked }
}

type Refuse = (place: string, problem: string) => never

/** How a schema is looked through. */
interface Look {
  readonly refuse: Refuse
  /** Whether patterns are read. */
  readonly patterns: boolean
}

/** A copy of a schema for the checker, which writes into it, with every keyword's shape looked at on the way. */
function prepared(schema: JsonObject, place: string, look: Look, depth = 0): JsonObject {
  const { refuse } = look
  if (depth > maxJsonDepth) refuse(place.slice(0, 80), 'nested too deeply')
  const inner = (value: Json, at: string): Json => {
    if (typeof value === 'boolean') return value
    if (isObject(value)) return prepared(value, at, look, depth + 1)
    return refuse(at, 'expected a schema')
  }
  const copy: Record<string, Json> = {}
  for (const [key, value] of Object.entries(schema)) {
    const at = `${place}/${key}`
    if (value === undefined) continue
    if (schemaListKeywords.has(key) || (key === 'items' && Array.isArray(value))) {
      if (!Array.isArray(value)) refuse(at, 'expected a list of schemas')
      copy[key] = (value as readonly Json[]).map((item, index) => inner(item, `${at}/${index}`))
    } else if (schemaKeywords.has(key)) {
      copy[key] = inner(value, at)
    } else if (schemaMapKeywords.has(key)) {
      if (!isObject(value)) return refuse(at, 'expected an object of schemas')
      copy[key] = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inner(item, `${at}/${name}`)]))
      if (key === 'patternProperties') for (const pattern of Object.keys(value)) checkPattern(pattern, at, look)
    } else {
      checkData(key, value, at, look)
      copy[key] = structuredClone(value)
    }
  }
  return boundedPattern(copy)
}

function checkData(key: string, value: Json, at: string, look: Look): void {
  const { refuse } = look
  if (key === 'type') {
    const names = Array.isArray(value) ? value : [value]
    for (const name of names) if (!typeNames.has(name)) refuse(at, `unknown type ${JSON.stringify(name)}`)
  } else if (key === 'required') {
    if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
      refuse(at, 'expected a list of names')
  } else if (key === 'enum') {
    if (!Array.isArray(value)) refuse(at, 'expected a list of values')
  } else if (key === 'pattern') {
    checkPattern(value, at, look)
  } else if (key === '$ref') {
    if (typeof value !== 'string') refuse(at, 'expected a reference')
    else if (!value.startsWith('#'))
      refuse(
        at,
        `the reference ${JSON.stringify(value.slice(0, 80))} leaves the schema; nothing is fetched, put it under $defs`,
      )
  }
}

function checkPattern(pattern: Json, at: string, { refuse, patterns }: Look): void {
  if (typeof pattern !== 'string') return refuse(at, 'expected a pattern')
  if (!patterns) return
  try {
    RegExp(pattern, 'u')
  } catch (error) {
    refuse(at, messageOf(error))
  }
}

/** The checker tries a pattern whatever `maxLength` says, so the pattern moves behind a length of its own. */
function boundedPattern(schema: Record<string, Json>): JsonObject {
  const { pattern, ...rest } = schema
  if (pattern === undefined) return schema
  const all = Array.isArray(rest['allOf']) ? (rest['allOf'] as readonly Json[]) : []
  const short = { maxLength: maxPatternInput }
  return { ...rest, allOf: [...all, short, { if: { minLength: maxPatternInput + 1 }, else: { pattern } }] }
}

/** Every reference must lead to a place in the schema: a pointer from its root, or a name that some part gives itself. */
function checkReferences(schema: JsonObject, refuse: Refuse): void {
  const names = new Set<string>()
  const references = new Set<string>()
  collect(schema, { names, references, refuse })
  for (const reference of references) {
    const target = decoded(reference.slice(1))
    const found = target === '' || target.startsWith('/') ? pointsInto(schema, target) : names.has(target)
    if (!found) refuse('', `the reference ${JSON.stringify(reference.slice(0, 80))} leads nowhere`)
  }
}

function collect(
  schema: Json,
  found: { readonly names: Set<string>; readonly references: Set<string>; readonly refuse: Refuse },
): void {
  if (Array.isArray(schema)) {
    for (const item of schema as readonly Json[]) collect(item, found)
    return
  }
  if (!isObject(schema)) return
  for (const [key, value] of Object.entries(schema)) {
    if (key === '$ref' && typeof value === 'string') found.references.add(value)
    if ((key === '$anchor' || key === '$id') && typeof value === 'string') {
      const name = value.replace(/^#/, '')
      if (found.names.has(name)) found.refuse('', `two of its parts are called ${JSON.stringify(name.slice(0, 80))}`)
      found.names.add(name)
    }
    // What stands there is data, whatever it looks like.
    if (key !== 'const' && key !== 'enum' && key !== 'default') collect(value, found)
  }
}

function pointsInto(schema: Json, pointer: string): boolean {
  let current: Json | undefined = schema
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return false
    current = (current as Readonly<Record<string, Json>>)[key]
  }
  return true
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
