// Parameters of a plain function, written down compactly, since TypeScript's own types are gone when a program runs.
// One notation gives the argument's type, the JSON Schema for the model, the check, and the defaults.

import { TellurionError, suggestion } from '../error/error.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { compileJsonSchema } from '../schema/json-schema.ts'
import type { StandardSchema } from '../schema/standard.ts'

type ScalarName = 'string' | 'integer' | 'number' | 'boolean'

interface ParameterDetails {
  readonly description?: string
  /** Default false. */
  readonly optional?: boolean
  /** What the function gets where the model leaves the parameter out. */
  readonly default?: Json
}

/** A parameter in full: exactly one of `type`, `enum`, `array` and `object`. */
export type DetailedParameter = ParameterDetails &
  (
    | { readonly type: ScalarName }
    | { readonly enum: readonly (string | number)[] }
    | { readonly array: ParameterSpec }
    | { readonly object: ParameterSpecs }
  )

/** `'string'`, `'integer?'` (optional), `['number']` (a list), or the full form with description and default. */
export type ParameterSpec = ScalarName | `${ScalarName}?` | readonly [ParameterSpec] | DetailedParameter

/** The parameters of a function, by name. */
export interface ParameterSpecs {
  readonly [name: string]: ParameterSpec
}

/** The type of the one object argument that a function with these parameters gets. */
export type ParameterValues<Specs> = Flat<
  {
    -readonly [Name in keyof Specs as IsOptional<Specs[Name]> extends true ? never : Name]: ParameterValue<Specs[Name]>
  } & {
    -readonly [Name in keyof Specs as IsOptional<Specs[Name]> extends true ? Name : never]?: ParameterValue<Specs[Name]>
  }
>

type Flat<T> = { [Name in keyof T]: T[Name] }

type IsOptional<Spec> = Spec extends `${string}?`
  ? true
  : Spec extends { readonly default: unknown }
    ? false
    : Spec extends { readonly optional: true }
      ? true
      : false

type ParameterValue<Spec> = Spec extends 'string' | 'string?'
  ? string
  : Spec extends 'integer' | 'integer?' | 'number' | 'number?'
    ? number
    : Spec extends 'boolean' | 'boolean?'
      ? boolean
      : Spec extends readonly [infer Item]
        ? ParameterValue<Item>[]
        : Spec extends { readonly type: infer Name }
          ? ParameterValue<Name>
          : Spec extends { readonly enum: readonly (infer Value)[] }
            ? Value
            : Spec extends { readonly array: infer Item }
              ? ParameterValue<Item>[]
              : Spec extends { readonly object: infer Specs }
                ? ParameterValues<Specs>
                : never

/** A parameter with its shorthand spelled out. */
interface Parameter {
  readonly schema: JsonObject
  readonly optional: boolean
  readonly fallback: Json | undefined
  readonly fill: ((value: unknown) => unknown) | undefined
}

const scalars: readonly string[] = ['string', 'integer', 'number', 'boolean']
const kinds = ['type', 'enum', 'array', 'object'] as const
const known = [...kinds, 'description', 'optional', 'default']

/**
 * A Standard Schema for the object argument of a function. Properties that are not named are refused, defaults are
 * filled in. Throws `invalid_schema` naming `what` and the parameter.
 */
export function parameterSchema(specs: ParameterSpecs, what: string): StandardSchema {
  const { schema, fill } = readObject(specs, what)
  const checked = compileJsonSchema(schema, what)
  return {
    '~standard': {
      version: 1,
      vendor: 'tellurion',
      validate(value) {
        const result = checked.validate(value)
        return result.issues === undefined && fill !== undefined ? { value: fill(result.value) } : result
      },
      jsonSchema: { input: () => schema },
    } as StandardSchema['~standard'],
  }
}

function readObject(specs: ParameterSpecs, what: string): Pick<Parameter, 'schema' | 'fill'> {
  if (typeof specs !== 'object' || specs === null || Array.isArray(specs)) {
    throw new TellurionError('invalid_schema', `${what} must be an object of parameters, such as { place: 'string' }.`)
  }
  const parameters = Object.entries(specs).map(
    ([name, spec]) => [name, read(spec, `${what}, parameter '${name}',`)] as const,
  )
  const schema = {
    type: 'object',
    properties: Object.fromEntries(parameters.map(([name, { schema }]) => [name, schema])),
    required: parameters
      .filter(([, { optional, fallback }]) => !optional && fallback === undefined)
      .map(([name]) => name),
    additionalProperties: false,
  }
  const filled = parameters.filter(([, { fallback, fill }]) => fallback !== undefined || fill !== undefined)
  if (filled.length === 0) return { schema, fill: undefined }
  return {
    schema,
    fill(value) {
      const result: Record<string, unknown> = { ...(value as object) }
      for (const [name, { fallback, fill }] of filled) {
        const given = result[name] === undefined ? structuredClone(fallback) : result[name]
        if (given !== undefined) result[name] = fill ? fill(given) : given
      }
      return result
    },
  }
}

function read(spec: ParameterSpec, what: string): Parameter {
  if (typeof spec === 'string') {
    const optional = spec.endsWith('?')
    return {
      schema: { type: scalar(optional ? spec.slice(0, -1) : spec, what) },
      optional,
      fallback: undefined,
      fill: undefined,
    }
  }
  if (Array.isArray(spec)) return readDetailed({ array: (spec as readonly [ParameterSpec])[0] }, what)
  if (typeof spec !== 'object' || spec === null) {
    throw new TellurionError(
      'invalid_schema',
      `${what} must be 'string', ['integer'], or an object such as { type: 'string' }.`,
    )
  }
  return readDetailed(spec as DetailedParameter, what)
}

function readDetailed(spec: DetailedParameter, what: string): Parameter {
  for (const key of Object.keys(spec)) {
    if (!known.includes(key))
      throw new TellurionError('invalid_schema', `${what} has an unknown '${key}'.${suggestion(key, known)}`)
  }
  if (kinds.filter((kind) => kind in spec).length !== 1) {
    throw new TellurionError('invalid_schema', `${what} needs exactly one of type, enum, array and object.`)
  }
  const { schema, fill } = readKind(spec, what)
  const details = {
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...(spec.default === undefined ? {} : { default: spec.default }),
  }
  const full = { ...schema, ...details }
  if (spec.default !== undefined) {
    const result = compileJsonSchema(full, what).validate(spec.default)
    if (result.issues !== undefined) {
      throw new TellurionError(
        'invalid_schema',
        `${what} has a default that does not fit: ${result.issues[0]?.message ?? ''}.`,
      )
    }
  }
  return { schema: full, optional: spec.optional === true, fallback: spec.default, fill }
}

function readKind(spec: DetailedParameter, what: string): Pick<Parameter, 'schema' | 'fill'> {
  if ('type' in spec) return { schema: { type: scalar(spec.type, what) }, fill: undefined }
  if ('object' in spec) return readObject(spec.object, what)
  if ('array' in spec) {
    const { schema: items, fill } = read(spec.array, what)
    return {
      schema: { type: 'array', items },
      fill: fill && ((value) => (value as readonly unknown[]).map(fill)),
    }
  }
  const values: unknown = spec.enum
  const plain = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'
  if (!Array.isArray(values) || values.length === 0 || !values.every(plain)) {
    throw new TellurionError('invalid_schema', `${what} needs at least one string or number in its enum.`)
  }
  return { schema: { enum: values as readonly Json[] }, fill: undefined }
}

function scalar(name: unknown, what: string): string {
  if (typeof name === 'string' && scalars.includes(name)) return name
  const hint = typeof name === 'string' ? suggestion(name, scalars) : ` Known: ${scalars.join(', ')}.`
  throw new TellurionError(
    'invalid_schema',
    `${what} has the unknown type ${JSON.stringify(name) ?? String(name)}.${hint}`,
  )
}
