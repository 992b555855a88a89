// JSON Schema, checked and made ready once. What it promises: a schema that cannot be applied is refused at definition,
// nothing is fetched, and checking a value never throws. Its checker is @cfworker/json-schema: no code generation.

import { dereference, validate, type OutputUnit, type SchemaDraft } from '@cfworker/json-schema'
import { TellurionError, messageOf } from '../error/error.ts'
import type { Json, JsonObject } from './json.ts'
import { jsonProblem, maxJsonDepth } from './plain-json.ts'
import type { StandardIssue, StandardResult } from './standard.ts'

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

/** Keywords whose errors only say that something below them is wrong. */
const wrappers = new Set(
  '$ref $recursiveRef allOf dependentSchemas if items patternProperties prefixItems properties'.split(' '),
)

/**
 * A check of values against a JSON Schema (draft 2020-12, or the one `$schema` names among 4, 7 and 2019-09). Throws
 * `invalid_schema` naming `what` and the place for what is no schema, a `$ref` that leaves it, or a broken pattern. The
 * schema is copied, so later changes to the object have no effect. A pattern runs on at most 10,000 characters; longer
 * strings are refused. Mind patterns with nested repetition all the same: those are slow on short strings too.
 */
export function compileJsonSchema(
  schema: JsonObject,
  what: string,
): { readonly jsonSchema: JsonObject; validate(value: unknown): StandardResult<unknown> } {
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
  const checked = prepared(schema, '', refuse)
  let lookup: Record<string, unknown>
  try {
    lookup = dereference(checked)
  } catch (error) {
    return refuse('', messageOf(error))
  }
  checkReferences(lookup, refuse)
  const draft = draftOf(schema)
  return {
    jsonSchema,
    validate(value) {
      try {
        const { valid, errors } = validate(value, checked, draft, lookup as Parameters<typeof validate>[3], false)
        return valid ? { value } : { issues: issuesOf(errors, value) }
      } catch (error) {
        const why = error instanceof RangeError ? 'it is nested too deeply' : messageOf(error)
        return { issues: [{ message: `could not be checked: ${why}` }] }
      }
    },
  }
}

type Refuse = (place: string, problem: string) => never

/** A copy of a schema for the checker, which writes into it, with every keyword's shape looked at on the way. */
function prepared(schema: JsonObject, place: string, refuse: Refuse, depth = 0): JsonObject {
  if (depth > maxJsonDepth) refuse(place.slice(0, 80), 'nested too deeply')
  const inner = (value: Json, at: string): Json => {
    if (typeof value === 'boolean') return value
    if (isObject(value)) return prepared(value, at, refuse, depth + 1)
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
      if (key === 'patternProperties') for (const pattern of Object.keys(value)) checkPattern(pattern, at, refuse)
    } else {
      checkData(key, value, at, refuse)
      copy[key] = structuredClone(value)
    }
  }
  return boundedPattern(copy)
}

function checkData(key: string, value: Json, at: string, refuse: Refuse): void {
  if (key === 'type') {
    const names = Array.isArray(value) ? value : [value]
    for (const name of names) if (!typeNames.has(name)) refuse(at, `unknown type ${JSON.stringify(name)}`)
  } else if (key === 'required') {
    if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
      refuse(at, 'expected a list of names')
  } else if (key === 'enum') {
    if (!Array.isArray(value)) refuse(at, 'expected a list of values')
  } else if (key === 'pattern') {
    checkPattern(value, at, refuse)
  } else if (key === '$ref') {
    if (typeof value !== 'string') refuse(at, 'expected a reference')
    else if (!value.startsWith('#'))
      refuse(
        at,
        `the reference ${JSON.stringify(value.slice(0, 80))} leaves the schema; nothing is fetched, put it under $defs`,
      )
  }
}

function checkPattern(pattern: Json, at: string, refuse: Refuse): void {
  if (typeof pattern !== 'string') return refuse(at, 'expected a pattern')
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

function checkReferences(lookup: Record<string, unknown>, refuse: Refuse): void {
  for (const schema of Object.values(lookup)) {
    if (typeof schema !== 'object' || schema === null) continue
    const { $ref, __absolute_ref__: target } = schema as { $ref?: string; __absolute_ref__?: string }
    if ($ref !== undefined && (target === undefined || lookup[target] === undefined)) {
      refuse('', `the reference ${JSON.stringify($ref.slice(0, 80))} leads nowhere`)
    }
  }
}

function draftOf(schema: JsonObject): SchemaDraft {
  const named = schema['$schema']
  if (typeof named !== 'string') return '2020-12'
  if (named.includes('draft-07') || named.includes('draft-06')) return '7'
  if (named.includes('draft-04')) return '4'
  return named.includes('2019-09') ? '2019-09' : '2020-12'
}

function issuesOf(errors: readonly OutputUnit[], value: unknown): readonly StandardIssue[] {
  const issues: StandardIssue[] = []
  for (const unit of errors) {
    if (wrappers.has(unit.keyword)) continue
    const path = pathOf(unit.instanceLocation)
    // The item itself is reported below it, as an unexpected property or with what is wrong in it.
    if (unit.keyword === 'additionalProperties' || unit.keyword === 'unevaluatedProperties') continue
    issues.push({ message: messageFor(unit, valueAt(value, path)), path })
  }
  return issues.length > 0
    ? issues
    : errors.map((unit) => ({ message: unit.error, path: pathOf(unit.instanceLocation) }))
}

function messageFor({ keyword, error }: OutputUnit, value: unknown): string {
  switch (keyword) {
    case 'type': {
      const expected = /Expected "(.*)"\.$/.exec(error)?.[1]?.replaceAll('", "', ' or ')
      return expected === undefined ? error : `expected ${expected}, got ${shownValue(value)}`
    }
    case 'required':
      return `missing ${/"(.*)"\.$/.exec(error)?.[1] ?? 'a required property'}`
    case 'false':
      return 'not allowed here'
    case 'enum':
    case 'const':
      return `${error.replace(/^Instance does not match (any of )?/, 'expected $1').replace(/\.$/, '')}, got ${shownValue(value)}`
    default:
      return error.replace(/\.$/, '')
  }
}

function shownValue(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  return Array.isArray(value) ? 'an array' : 'an object'
}

function pathOf(location: string): string[] {
  const parts = location.split('/').slice(1)
  return parts.map((part) => decoded(part).replaceAll('~1', '/').replaceAll('~0', '~'))
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<string, unknown>)[key]
  }
  return current
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
