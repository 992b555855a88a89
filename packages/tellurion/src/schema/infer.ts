// What a schema's values look like to TypeScript: inferred from Standard Schemas, pairs and JSON Schema literals.
// Types only. JSON Schema keywords that have no counterpart in TypeScript are left to the check at run time.

import type { Json, JsonObject } from './json.ts'
import type { StandardSchema } from './standard.ts'

/** A Standard Schema with the JSON Schema that its own library cannot make, such as valibot's. */
export interface SchemaPair<Output = unknown> {
  readonly schema: StandardSchema<Output>
  readonly jsonSchema: JsonObject
}

/** Whatever describes data: a Standard Schema (zod, valibot, arktype…), a pair, or a JSON Schema object. */
export type Schema<Output = unknown> = StandardSchema<Output> | SchemaPair<Output> | JsonObject

/** The type of a schema's valid values. A JSON Schema is read when it is a literal; otherwise its values are `Json`. */
export type InferSchema<S> = S extends { readonly '~standard': infer Standard }
  ? InferStandard<Standard>
  : S extends { readonly schema: { readonly '~standard': infer Standard }; readonly jsonSchema: unknown }
    ? InferStandard<Standard>
    : InferJsonSchema<S>

type InferStandard<Standard> = Standard extends { readonly types?: infer Types }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : unknown
  : unknown

/** The type that a JSON Schema literal describes. */
export type InferJsonSchema<S> = string extends keyof S
  ? Json
  : S extends { readonly const: infer Value }
    ? Value
    : S extends { readonly enum: readonly (infer Value)[] }
      ? Value
      : S extends { readonly anyOf: readonly (infer Option)[] }
        ? InferOption<Option>
        : S extends { readonly oneOf: readonly (infer Option)[] }
          ? InferOption<Option>
          : S extends { readonly type: infer Type }
            ? InferType<S, Type extends readonly (infer Each)[] ? Each : Type>
            : Json

type InferOption<Option> = Option extends unknown ? InferJsonSchema<Option> : never

type InferType<S, Type> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'array'
          ? S extends { readonly items: infer Item }
            ? InferJsonSchema<Item>[]
            : Json[]
          : Type extends 'object'
            ? S extends { readonly properties: infer Properties }
              ? InferProperties<Properties, S extends { readonly required: readonly (infer Name)[] } ? Name : never>
              : JsonObject
            : Json

type InferProperties<Properties, Required> = Flat<
  { -readonly [Name in keyof Properties & Required]: InferJsonSchema<Properties[Name]> } & {
    -readonly [Name in Exclude<keyof Properties, Required>]?: InferJsonSchema<Properties[Name]>
  }
>

type Flat<T> = { [Name in keyof T]: T[Name] }
