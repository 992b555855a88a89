// Components: the kinds of data an entity can carry. A value is replaced as a whole, a log grows.

import { TellurionError } from '../error/error.ts'
import type { StandardSchema } from '../schema/standard.ts'
import type { LogView } from './log.ts'
import { checkName } from './value.ts'

/** What a declaration may add to a name: a schema that is checked at each write, a version, and how to come to it. */
export interface ComponentOptions<T> {
  /** A positive integer; raise it when the shape changes. Default 1. */
  readonly version?: number
  /** Brings a stored value (of a log: one item) from `fromVersion` to the current version. Must be pure. */
  readonly migrate?: (stored: unknown, fromVersion: number) => T
}

interface Declaration<Stored> {
  readonly name: string
  /** Dense number of this declaration in this process; worlds use it as an index. Not stored anywhere. */
  readonly index: number
  readonly version: number
  readonly migrate: ((stored: unknown, fromVersion: number) => Stored) | undefined
  /** Throws `invalid_value` when the declaration's schema does not accept `value`. */
  readonly check: ((value: unknown) => void) | undefined
}

/** A component whose value is JSON and is replaced, never mutated. Call it to pair it with a first value. */
export interface ValueComponent<T> extends Declaration<T> {
  readonly kind: 'value'
  (value: T): ComponentInit
}

/** A component whose value is a growing sequence of JSON items. Call it to pair it with first items. */
export interface LogComponent<T> extends Declaration<T> {
  readonly kind: 'log'
  (items?: readonly T[]): ComponentInit
}

/** Any component, as lists of them hold it. */
export interface Component extends Declaration<unknown> {
  readonly kind: 'value' | 'log'
}

/** What reading a component gives. */
export type ReadOf<C> = C extends LogComponent<infer T> ? LogView<T> : C extends ValueComponent<infer T> ? T : never

/** A component with its first value, as `world.spawn` takes it. */
export interface ComponentInit {
  readonly component: Component
  readonly value: unknown
}

let declared = 0

function declaration<T>(
  name: string,
  schema: StandardSchema<T> | undefined,
  options: ComponentOptions<T>,
): Declaration<T> {
  checkName('component', name)
  const { version = 1, migrate } = options
  if (!Number.isInteger(version) || version < 1) {
    throw new TellurionError('invalid_option', `Component ${name}: version must be a positive integer, got ${version}.`)
  }
  return {
    name,
    index: declared++,
    version,
    migrate,
    check: schema === undefined ? undefined : (value) => checkSchema(name, schema, value),
  }
}

function checkSchema(name: string, schema: StandardSchema, value: unknown): void {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) {
    result.catch(() => {})
    throw new TellurionError('invalid_schema', `Component ${name}: its schema is asynchronous; use a synchronous one.`)
  }
  const issue = result.issues?.[0]
  if (issue === undefined) return
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
  throw new TellurionError('invalid_value', `Component ${name}${path === '' ? '' : `, at ${path}`}: ${issue.message}.`)
}

/**
 * Declares a value component. With a schema every write is checked against it; transforms are not applied. Throws
 * `invalid_name` and `invalid_option`.
 */
export function defineComponent<T>(
  name: string,
  schema?: StandardSchema<T>,
  options: ComponentOptions<T> = {},
): ValueComponent<T> {
  return declare('value', declaration(name, schema, options)) as ValueComponent<T>
}

/** Declares a log component; schema and `migrate` are about one item. Throws `invalid_name` and `invalid_option`. */
export function defineLog<T>(
  name: string,
  schema?: StandardSchema<T>,
  options: ComponentOptions<T> = {},
): LogComponent<T> {
  return declare('log', declaration(name, schema, options)) as LogComponent<T>
}

/** The function that is a component. A computed key names it: `name` defined anew would make reading any field slow. */
function declare<T>(kind: 'value' | 'log', { name, ...fields }: Declaration<T>): unknown {
  const first = kind === 'log' ? Object.freeze([]) : undefined
  const { [name]: component } = { [name]: (value: unknown = first) => ({ component, value }) }
  for (const [key, value] of Object.entries({ ...fields, kind })) {
    Object.defineProperty(component, key, { value, enumerable: true })
  }
  return component
}
