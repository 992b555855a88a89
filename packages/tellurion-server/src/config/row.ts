// Rows of the configuration: what each setting is called in a file, in the environment and on the command line, and what
// it means. They stand beside the schema, in a registry of their own; the documentation is made of them.

import { z } from 'zod'

/** What is known of a setting beside its schema. */
export interface Row {
  /** One or two sentences for the operator. */
  readonly meaning: string
  /** Names in the environment; the first that is set counts. */
  readonly variables?: readonly string[]
  /** The option of the command line that sets it. */
  readonly option?: string
  /** Whether its value is never shown. */
  readonly secret?: boolean
  /** What stands in the place of a default where there is none. */
  readonly otherwise?: string
}

/** A setting by its place in the file. */
export interface Setting extends Row {
  readonly path: readonly string[]
  /** The default as it would be written; undefined where there is none. */
  readonly default: unknown
}

const rows = z.registry<Row>()

/** A setting: its schema, what it means, and its names. */
export function setting<S extends z.ZodType>(schema: S, meaning: string, names: Omit<Row, 'meaning'> = {}): S {
  rows.add(schema, { meaning, ...names })
  return schema
}

/** Settings that belong together; all of them may be left out. */
export const group = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, { error: wrongShape }).prefault({} as never)

/** Something other than an object where settings are expected; names that are not known have their own words. */
export const wrongShape: z.core.$ZodErrorMap = ({ code }) =>
  code === 'unrecognized_keys' ? undefined : 'must be an object with settings'

/** All settings of a schema, in its order. */
export function settingsOf(schema: z.ZodType, path: readonly string[] = []): Setting[] {
  const row = rows.get(schema)
  if (row !== undefined) return [{ path, default: defaultOf(schema), ...row }]
  const shape = shapeOf(schema)
  return shape === undefined ? [] : Object.entries(shape).flatMap(([name, inner]) => settingsOf(inner, [...path, name]))
}

/** The names that a schema knows at a place; empty where it knows none. */
export function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const [first, ...rest] = path
  if (first === undefined) return Object.keys(shapeOf(schema) ?? {})
  const inner = typeof first === 'number' ? elementOf(schema) : shapeOf(schema)?.[String(first)]
  return inner === undefined ? [] : namesAt(inner, rest)
}

function shapeOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | undefined {
  const bare = unwrapped(schema)
  return bare instanceof z.ZodObject ? (bare.shape as Record<string, z.ZodType>) : undefined
}

function elementOf(schema: z.ZodType): z.ZodType | undefined {
  const bare = unwrapped(schema)
  return bare instanceof z.ZodArray ? (bare.element as z.ZodType) : undefined
}

function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return unwrapped(schema.unwrap() as z.ZodType)
  return schema
}

function defaultOf(schema: z.ZodType): unknown {
  return schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined
}
