// The interface as an OpenAPI 3.1 document, written from the schemas that check requests.

import { STATUS_CODES } from 'node:http'
import { routes, type ErrorResource, type JsonObject, type Route, type RouteName } from 'tellurion/protocol'
import { z } from 'zod'
import type { Operation } from './operation.ts'
import { schemaOf } from './schema.ts'
import { jsonObject } from './schema-part.ts'

const errorResource = schemaOf<ErrorResource>()(
  z
    .object({
      error: z.object({
        code: z.string().meta({ description: 'Stable; listed in docs/errors.md.' }),
        message: z.string(),
        retryable: z.boolean().meta({ description: 'Whether the same request may succeed later.' }),
        requestId: z.string().meta({ description: 'The log has it too.' }),
        data: jsonObject.exactOptional(),
      }),
    })
    .meta({ id: 'Failure' }),
)

/** What may go wrong everywhere. */
const failures: Readonly<Record<string, string>> = {
  400: 'Malformed.',
  401: 'No token, or one that nobody has.',
  403: 'The identity, host or origin may not do this.',
  404: 'There is no such thing, or it is another’s.',
  409: 'It does not fit how things stand now.',
  410: 'It is not kept any more.',
  413: 'The body is too large.',
  415: 'The body is no JSON.',
  422: 'It can be read, but does not fit the interface.',
  426: 'The path speaks WebSocket only.',
  429: 'Too much at one time; see Retry-After.',
  500: 'The server failed.',
  503: 'The server is closing, or its store cannot be reached.',
}

/** The nouns that operations are grouped by; what has none of its own is about the server. */
const tags: Readonly<Record<string, string>> = {
  server: 'How the server is, and how it describes itself.',
  sessions: 'Conversations, and the branches that they have.',
  messages: 'Saying something in a session.',
  runs: 'Pieces of work, while they go on and when they have ended.',
  tasks: 'Runs under another name.',
  interactions: 'What waits for a person.',
  agents: 'Who may be asked.',
  tools: 'What agents may do.',
}

/** Routes whose answer takes place only under an Idempotency-Key once. */
const withKey: readonly RouteName[] = ['createRun', 'createTask', 'createMessage', 'streamMessage']

/** The document of some operations. */
export function openApiDocument(operations: Readonly<Record<RouteName, Operation>>, version: string): JsonObject {
  const components: Record<string, unknown> = {}
  const draw = (schema: z.ZodType, io: 'input' | 'output'): JsonObject => drawn(schema, io, components)
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    paths[route.path] ??= {}
    paths[route.path]![route.method.toLowerCase()] = operationObject(name, operations[name], draw)
  }
  draw(errorResource, 'output')
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tellurion',
      version,
      description: 'Runs of agents that must not lose work: make them, watch them, steer them, go back in them.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))),
      responses: failureObjects(),
      headers: {
        'X-Request-Id': { description: 'Of this request; the log has it too.', schema: { type: 'string' } },
      },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token of the server; never in an address.' },
      },
    },
  } as unknown as JsonObject
}

type Draw = (schema: z.ZodType, io: 'input' | 'output') => JsonObject

function operationObject(name: RouteName, operation: Operation, draw: Draw): object {
  const { scope, summary, path } = routes[name]
  const { body, bodyOptional = false, parameters, query } = operation
  const shown = [
    ...parameterObjects(parameters, 'path', draw),
    ...parameterObjects(query, 'query', draw),
    ...(withKey.includes(name) ? [keyHeader] : []),
    ...(name === 'runEvents' ? [lastEventHeader] : []),
  ]
  return {
    operationId: name,
    summary,
    tags: [tagOf(path)],
    'x-scope': scope,
    ...(scope === 'public' ? { security: [] } : {}),
    ...(shown.length === 0 ? {} : { parameters: shown }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: !bodyOptional, content: { 'application/json': { schema: draw(body, 'input') } } } }),
    responses: { ...failuresOf(name, operation), ...othersOf(operation, draw), ...success(operation, draw) },
  }
}

/** Runs, sessions and so on: the noun of a path. */
function tagOf(path: string): string {
  const noun = /^\/api\/v1\/([a-z]+)/.exec(path)?.[1] ?? ''
  return Object.hasOwn(tags, noun) ? noun : 'server'
}

function success({ answer, media = [], status }: Operation, draw: Draw): object {
  const content = {
    ...(answer === undefined ? {} : { 'application/json': { schema: draw(answer, 'output') } }),
    ...Object.fromEntries(media.map((type) => [type, { schema: { type: 'string' } }])),
  }
  const empty = Object.keys(content).length === 0
  const code = status ?? (empty ? 204 : 200)
  const text = code === 101 ? 'The connection speaks WebSocket from now on.' : empty ? 'Done.' : 'What was asked for.'
  return { [code]: { description: text, headers: requestIdHeader, ...(empty ? {} : { content }) } }
}

function othersOf({ others = {} }: Operation, draw: Draw): object {
  return Object.fromEntries(
    Object.entries(others).map(([code, schema]) => [
      code,
      {
        description: STATUS_CODES[code] ?? code,
        headers: requestIdHeader,
        ...(schema === undefined ? {} : { content: { 'application/json': { schema: draw(schema, 'output') } } }),
      },
    ]),
  )
}

function failuresOf(name: RouteName, { body, parameters, query }: Operation): object {
  const open = routes[name].scope === 'public'
  const silent = [
    ...(open ? ['401'] : []),
    ...(name === 'socket' ? [] : ['426']),
    ...(body === undefined ? ['413', '415'] : []),
    ...(body === undefined && parameters === undefined && query === undefined ? ['400', '422'] : []),
    ...(parameters === undefined && body === undefined ? ['404', '409', '410'] : []),
  ]
  const named = Object.keys(failures).filter((code) => !silent.includes(code))
  return Object.fromEntries(named.map((code) => [code, { $ref: `#/components/responses/Failure${code}` }]))
}

/** The answers of failures, by name. */
function failureObjects(): object {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } }
  return Object.fromEntries(
    Object.entries(failures).map(([code, description]) => [
      `Failure${code}`,
      { description, headers: requestIdHeader, content },
    ]),
  )
}

const requestIdHeader = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } }

const keyHeader = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key makes the same request twice one run.',
  schema: { type: 'string', minLength: 1, maxLength: 256 },
}

const lastEventHeader = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'The number of the newest event that is known; goes before `after`.',
  schema: { type: 'integer', minimum: 0 },
}

function parameterObjects(schema: z.ZodType | undefined, place: 'path' | 'query', draw: Draw): object[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = draw(schema, 'input') as unknown as {
    readonly properties?: Readonly<Record<string, { readonly description?: string }>>
    readonly required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }))
}

/** A schema as JSON Schema; what has a name of its own goes to the components. */
function drawn(schema: z.ZodType, io: 'input' | 'output', components: Record<string, unknown>): JsonObject {
  const {
    $schema: _draft,
    $defs = {},
    ...rest
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as {
    readonly $schema?: string
    readonly $defs?: Readonly<Record<string, unknown>>
  }
  for (const [name, definition] of Object.entries($defs)) components[name] = relinked(definition)
  return relinked(rest) as JsonObject
}

/** With references that lead to the components, and no bound that only says how far JavaScript counts. */
function relinked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relinked)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, each]) => !(bounds.includes(key) && Math.abs(each as number) === Number.MAX_SAFE_INTEGER))
      .map(([key, each]) => [
        key,
        key === '$ref' && typeof each === 'string' ? each.replace('#/$defs/', '#/components/schemas/') : relinked(each),
      ]),
  )
}

const bounds: readonly string[] = ['minimum', 'maximum']
