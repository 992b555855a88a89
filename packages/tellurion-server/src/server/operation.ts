// Operations: what each route of the protocol takes, answers and does. The schemas that check a request are those that
// the OpenAPI document is written from, and they are checked against the protocol's types here.

import type { z } from 'zod'
import type { Bodies, Responses, RouteName } from 'tellurion/protocol'
import type { Call } from './setting.ts'

/** The body that a route takes; undefined where it takes none. */
export type BodyOf<Name extends RouteName> = Name extends keyof Bodies ? Bodies[Name] : undefined

/** What a handler gives: what the route answers with, nothing where that is nothing, or the whole response. */
export type Answered<Name extends RouteName> = Response | (Responses[Name] extends undefined ? void : Responses[Name])

/** What one route does, whatever it is about. */
export interface Operation {
  readonly name: RouteName
  readonly parameters?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  /** Whether a request without a body is one with `{}`. */
  readonly bodyOptional?: boolean
  /** The cap of the body; default `body`. */
  readonly bodyLimit?: 'body' | 'checkpoint'
  /** What is answered as JSON; undefined where nothing is, or something else. */
  readonly answer?: z.ZodType
  /** The status when all went well. Default 200, and 204 where nothing is answered. */
  readonly status?: number
  /** The route that shows what was made: its path goes out as `Location`. */
  readonly location?: 'getRun' | 'getSession' | 'getTask'
  /** Other statuses that it answers with: JSON of its own, such as 202 for what is still under way, or nothing. */
  readonly others?: Readonly<Record<number, z.ZodType | undefined>>
  /** Media types besides JSON that the answer may have. */
  readonly media?: readonly string[]
  handle(call: Call): Promise<unknown>
}

/** An operation with the types of its route. */
export interface OperationParts<Name extends RouteName, Parameters, Query> extends Omit<Operation, 'name' | 'handle'> {
  readonly parameters?: z.ZodType<Parameters>
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<BodyOf<Name>>
  readonly answer?: z.ZodType<Responses[Name]>
  /** Gives what is answered, or the whole response. Throws `TellurionError`s, which become answers by their codes. */
  handle(call: Call<Parameters, Query, BodyOf<Name>>): Promise<Answered<Name>>
}

/** Declares the operation of a route: the handler's types follow from the schemas and the protocol. */
export function operation<Name extends RouteName, Parameters = undefined, Query = undefined>(
  name: Name,
  parts: OperationParts<Name, Parameters, Query>,
): Operation {
  return { ...(parts as unknown as Omit<Operation, 'name'>), name }
}
