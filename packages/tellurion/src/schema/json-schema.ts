// JSON Schema applied to values. Checking never throws. The checker is @cfworker/json-schema: no code generation.

import { dereference, validate, type OutputUnit, type SchemaDraft } from '@cfworker/json-schema'
import { messageOf } from '../error/error.ts'
import type { JsonObject } from './json.ts'
import { soundSchema, type SoundSchema } from './json-shape.ts'
import { shownValue } from './shown-value.ts'
import type { StandardIssue, StandardResult } from './standard.ts'

/** Keywords whose errors only say that something below them is wrong. */
const wrappers = new Set(
  '$ref $recursiveRef allOf dependentSchemas if items patternProperties prefixItems properties'.split(' '),
)

/**
 * A check of values against a JSON Schema (draft 2020-12, or the one `$schema` names among 4, 7 and 2019-09). Throws
 * `invalid_schema` as `soundSchema` does.
 */
export function compileJsonSchema(
  schema: JsonObject,
  what: string,
): { readonly jsonSchema: JsonObject; validate(value: unknown): StandardResult<unknown> } {
  const sound = soundSchema(schema, what)
  return { jsonSchema: sound.jsonSchema, validate: createCheck(sound) }
}

/** The check of a schema whose shape is sound. */
export function createCheck({ jsonSchema, prepared }: SoundSchema): (value: unknown) => StandardResult<unknown> {
  const draft = draftOf(jsonSchema)
  let lookup: ReturnType<typeof dereference> | undefined
  return (value) => {
    try {
      lookup ??= dereference(prepared)
      const { valid, errors } = validate(value, prepared, draft, lookup, false)
      return valid ? { value } : { issues: issuesOf(errors, value) }
    } catch (error) {
      const why = error instanceof RangeError ? 'it is nested too deeply' : messageOf(error)
      return { issues: [{ message: `could not be checked: ${why}` }] }
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
