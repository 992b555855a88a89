// Any schema, compiled once: what a model is told about it, and the check of a value. The one place that knows the
// kinds of schema apart.

import { TellurionError, messageOf, shown } from '../error/error.ts'
import type { Schema, SchemaPair } from './infer.ts'
import type { JsonObject } from './json.ts'
import { soundSchema } from './json-shape.ts'
import { className, jsonProblem } from './plain-json.ts'
import type { StandardResult, StandardSchema } from './standard.ts'

/** A schema made ready. */
export interface CompiledSchema {
  /**
   * The JSON Schema of what may be handed in, plain and without `$schema`. Made when first read; throws
   * `invalid_schema` when the schema's library cannot tell.
   */
  readonly jsonSchema: JsonObject
  /** A value or issues; a promise only where the schema itself is asynchronous. Never throws, never rejects. */
  validate(value: unknown): StandardResult<unknown> | Promise<StandardResult<unknown>>
}

const compiled = new WeakMap<object, CompiledSchema>()

/**
 * Compiles a schema; the same object gives the same compiled schema each time. `what` names it in messages, as in
 * "the inputSchema of tool 'weather'". The JSON Schema of a Standard Schema comes from its own `~standard.jsonSchema`,
 * else from a `toJSONSchema` method, else from the pair `{ schema, jsonSchema }`. Throws `invalid_schema`.
 */
export function compileSchema(schema: Schema, what: string): CompiledSchema {
  const found = isReference(schema) ? compiled.get(schema) : undefined
  if (found) return found
  const made = compile(schema, what)
  compiled.set(schema, made)
  return made
}

function compile(schema: unknown, what: string): CompiledSchema {
  if (isStandard(schema)) return compileStandard(schema, what, () => ownJsonSchema(schema, what))
  if (isPair(schema)) {
    const jsonSchema = withoutDialect(soundSchema(schema.jsonSchema, `the jsonSchema of ${what}`).jsonSchema)
    return compileStandard(schema.schema, what, () => jsonSchema)
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw noSchema(schema, what)
  const problem = jsonProblem(schema)
  if (problem !== undefined) throw noSchema(schema, what, problem)
  return compileJsonSchema(schema as JsonObject, what)
}

type Checker = typeof import('./json-schema.ts')

let checker: Checker | undefined
let loading: Promise<Checker> | undefined

/**
 * Resolves when JSON Schemas can be applied at once; until then checking gives promises. What applies them is loaded by
 * the first definition: programs whose schemas are all of other libraries never carry it.
 */
export function loadChecker(): Promise<Checker> {
  loading ??= import('./json-schema.ts').then((loaded) => (checker = loaded))
  return loading
}

function compileJsonSchema(schema: JsonObject, what: string): CompiledSchema {
  const sound = soundSchema(schema, what)
  let check: ((value: unknown) => StandardResult<unknown>) | undefined
  const checked = (value: unknown, { createCheck }: Checker): StandardResult<unknown> =>
    (check ??= createCheck(sound))(value)
  void loadChecker()
  return {
    jsonSchema: withoutDialect(sound.jsonSchema),
    validate: (value) =>
      checker === undefined ? loadChecker().then((loaded) => checked(value, loaded)) : checked(value, checker),
  }
}

function compileStandard(schema: StandardSchema, what: string, describe: () => JsonObject): CompiledSchema {
  const standard = schema['~standard']
  if (typeof standard?.validate !== 'function') throw noSchema(schema, what, 'its `~standard` has no validate function')
  let jsonSchema: JsonObject | undefined
  return {
    get jsonSchema() {
      return (jsonSchema ??= describe())
    },
    validate(value) {
      try {
        const result = standard.validate(value)
        return result instanceof Promise ? result.catch(uncheckable) : result
      } catch (error) {
        return uncheckable(error)
      }
    },
  }
}

function uncheckable(error: unknown): StandardResult<unknown> {
  const why = error instanceof RangeError ? 'it is nested too deeply' : messageOf(error)
  return { issues: [{ message: `could not be checked: ${why}` }] }
}

/** What the schema's own library says it looks like from outside. */
function ownJsonSchema(schema: StandardSchema, what: string): JsonObject {
  const { vendor, jsonSchema: converter } = schema['~standard'] as StandardSchema['~standard'] & {
    jsonSchema?: { input?: (options: { target: string }) => unknown }
  }
  const { toJSONSchema } = schema as { toJSONSchema?: (options: { io: string }) => unknown }
  let made: unknown
  try {
    if (typeof converter?.input === 'function') made = converter.input({ target: 'draft-2020-12' })
    else if (typeof toJSONSchema === 'function') made = toJSONSchema.call(schema, { io: 'input' })
  } catch (error) {
    throw new TellurionError(
      'invalid_schema',
      `${what} cannot be told to a model: ${messageOf(error)}. Use types that JSON has, or pass { schema, jsonSchema }.`,
      { cause: error },
    )
  }
  if (typeof made !== 'object' || made === null) {
    throw new TellurionError(
      'invalid_schema',
      `${what} has no JSON Schema (${vendor} does not make one); pass { schema, jsonSchema: { type: 'object', … } } instead.`,
    )
  }
  // Through text: what libraries attach to the object beside JSON falls away.
  return withoutDialect(JSON.parse(JSON.stringify(made)) as JsonObject)
}

function withoutDialect(schema: JsonObject): JsonObject {
  const { $schema, ...rest } = schema
  return $schema === undefined ? schema : rest
}

function noSchema(schema: unknown, what: string, problem?: string): TellurionError {
  const got = gotText(schema)
  return new TellurionError(
    'invalid_schema',
    `${what} is not a schema: got ${got}${problem === undefined ? '' : ` (${problem})`}. Pass a zod or other Standard Schema, or a JSON Schema object.`,
  )
}

/** What was given in the place of something else, for messages. */
export function gotText(schema: unknown): string {
  if (typeof schema === 'function') return 'a function or class'
  if (Array.isArray(schema)) return 'an array'
  if (typeof schema === 'object' && schema !== null) return className(schema)
  return (typeof schema === 'string' ? `the string ${JSON.stringify(shown(schema))}` : String(schema)).slice(0, 60)
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Whether a value is a Standard Schema of any library. Some (arktype) are functions. */
function isStandard(value: unknown): value is StandardSchema {
  return isReference(value) && isReference((value as { '~standard'?: unknown })['~standard'])
}

function isPair(value: unknown): value is SchemaPair {
  return (
    typeof value === 'object' &&
    value !== null &&
    'jsonSchema' in value &&
    isStandard((value as { schema?: unknown }).schema)
  )
}
