// A server to ask by hand: agents that do as they are told, people with different rights, and each answer checked against
// what the OpenAPI document says of it.

import assert from 'node:assert/strict'
import { Validator, type Schema } from '@cfworker/json-schema'
import { Agent, textOf, tool } from 'tellurion'
import { todoTools } from 'tellurion/agent'
import type { JsonObject, RouteName } from 'tellurion/protocol'
import { createRuntime, memory, type BackendOpener, type Runtime } from 'tellurion/runtime'
import { macrotask, scriptedModel, type Script } from 'tellurion/testing'
import type { Tools } from 'tellurion/tool'
import { createLog } from 'tellurion/trace'
import { createServer, type Server, type ServerOptions } from '../packages/tellurion-server/src/server/server.ts'
import { routeOf } from './route-of.ts'

/** People: what they may do. `look` is ada's too, but may only look. */
export const people = {
  ada: { user: 'ada', token: 'the-token-of-ada-0123456789', scopes: ['write'] },
  look: { user: 'ada', token: 'the-token-that-looks-0123456', scopes: ['read'] },
  bob: { user: 'bob', token: 'the-token-of-bob-0123456789', scopes: ['write'] },
  root: { user: 'root', token: 'the-token-of-root-012345678', scopes: ['admin'] },
} as const

/** Who asks: somebody, nobody, or somebody with a token that nobody has. */
export type Asker = keyof typeof people | 'nobody' | 'stranger'

/** What is asked. */
export interface Question {
  readonly as?: Asker
  readonly body?: unknown
  /** As it is sent, in the place of `body`. */
  readonly raw?: BodyInit
  readonly headers?: Readonly<Record<string, string>>
}

/** What was answered. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The JSON that came, if it was some. */
  readonly json: never
  readonly text: string
  readonly code: string | undefined
}

/** A server, and its lines of log. */
export interface ServerDesk {
  readonly server: Server
  readonly runtime: Runtime
  readonly lines: string[]
  readonly document: JsonObject
  /** Routes that were answered with success. */
  readonly answered: ReadonlySet<RouteName>
  /** Asks, and holds the answer to the document. */
  ask(method: string, path: string, question?: Question): Promise<Answer>
  /** Makes a run of ada and waits until it rests. */
  ran(input: string, more?: object): Promise<{ readonly id: string; readonly session: string }>
  close(): Promise<void>
}

/** Opens one. */
export async function openServerDesk(
  options: Partial<ServerOptions> & { readonly store?: BackendOpener } = {},
): Promise<ServerDesk> {
  const { store = memory(), runtime = await deskRuntime(store), ...rest } = options
  const lines: string[] = []
  const log = createLog({ level: 'debug', write: (line) => lines.push(line) })
  const server = createServer({ runtime, identities: Object.values(people), log, version: '9.9.9', ...rest })
  const document = (await (await server.handle(new Request('http://localhost/openapi.json'))).json()) as JsonObject
  const answered = new Set<RouteName>()

  const ask = async (method: string, path: string, question: Question = {}): Promise<Answer> => {
    const { as = 'ada', body, raw, headers = {} } = question
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(as === 'nobody'
          ? {}
          : { authorization: `Bearer ${as === 'stranger' ? 'nobody-has-this-token' : people[as].token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined && raw === undefined ? {} : { body: raw ?? JSON.stringify(body), duplex: 'half' }),
    } as RequestInit)
    const response = await server.handle(request)
    const text = await response.text()
    const isJson = method !== 'HEAD' && response.headers.get('content-type') === 'application/json'
    const json = isJson ? JSON.parse(text) : undefined
    const route = routeOf(method, new URL(request.url).pathname)
    if (route !== undefined) check(document, { route, status: response.status, json })
    if (route !== undefined && response.ok) answered.add(route)
    assert.match(response.headers.get('x-request-id') ?? '', /^[\w-]{1,64}$/)
    return { status: response.status, headers: response.headers, json: json as never, text, code: json?.error?.code }
  }
  return {
    server,
    runtime,
    lines,
    document,
    answered,
    ask,
    async ran(input, more = {}) {
      const { json } = await ask('POST', '/api/v1/runs', { body: { input, ...more } })
      const run: { id: string; session: string } = json
      await runtime
        .run(run.id)
        .result()
        .catch(() => {})
      return run
    },
    close: () => server.close({ grace: 1000 }),
  }
}

function deskRuntime(store: BackendOpener): Promise<Runtime> {
  const tools = deskTools()
  const model = scriptedModel(obey, { chunkSize: 3 })
  const agents = ['guide', 'other'].map((name) => new Agent({ name, model, tools }))
  return createRuntime({ store, agents, retry: { maxRetries: 0 } })
}

/** Waits until something is so; fails after a few seconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let turn = 0; turn < 5000; turn++) {
    if (await holds()) return
    await macrotask()
  }
  assert.fail(`it never came to be: ${what}`)
}

/** Holds a JSON answer to the document: the status is named there, and the body is as it says. */
function check(
  document: JsonObject,
  { route, status, json }: { route: RouteName; status: number; json: unknown },
): void {
  const operation = operationsOf(document).find(({ operationId }) => operationId === route)
  assert.ok(operation, `${route} is in the document`)
  const named = operation.responses[String(status)]
  assert.ok(named, `${route} answers ${status}, which the document does not name`)
  const { $ref } = named as { $ref?: string }
  const components = document['components'] as JsonObject
  const response = ($ref === undefined ? named : (components['responses'] as JsonObject)[$ref.split('/').at(-1)!]) as {
    content?: { 'application/json'?: { schema: object } }
  }
  const schema = response.content?.['application/json']?.schema
  if (json === undefined) return
  assert.ok(schema, `${route} answers ${status} with JSON, which the document does not say`)
  const { valid, errors } = validatorOf(schema, components).validate(json)
  assert.ok(valid, `${route} ${status}: ${JSON.stringify(errors.slice(-2))} in ${JSON.stringify(json).slice(0, 500)}`)
}

const validators = new WeakMap<object, Validator>()

function validatorOf(schema: object, components: JsonObject): Validator {
  let validator = validators.get(schema)
  if (validator === undefined) {
    validator = new Validator({ ...schema, components } as Schema, '2020-12', false)
    validators.set(schema, validator)
  }
  return validator
}

/** The operations of a document. */
export function operationsOf(
  document: JsonObject,
): readonly { readonly operationId: string; readonly responses: Readonly<Record<string, object>> }[] {
  const paths = document['paths'] as never as Record<string, Record<string, never>>
  return Object.values(paths).flatMap((methods) => Object.values(methods))
}

/** Calls the tool that the newest message names, fails when told to, else repeats what was said. */
const obey: Extract<Script, (...args: never) => unknown> = ({ messages }) => {
  const last = messages.at(-1)
  if (last === undefined) return 'Nothing.'
  if (last.role === 'tool') return `Then: ${textOf(last)}`
  const said = textOf(last)
  const [toolName = '', ...words] = said.split(' ')
  if (toolName === 'fail') return { kind: 'validation', code: 'model_validation', message: 'No.', retryable: false }
  if (toolName === 'todo') return { calls: [{ toolName: 'addTodos', input: { todos: [{ title: words.join(' ') }] } }] }
  const called = ['hold', 'remove', 'look'].includes(toolName)
  return called ? { calls: [{ toolName, input: { what: words.join(' ') } }] } : `You said: ${said}`
}

function deskTools(): Tools {
  const inputSchema = {
    type: 'object',
    properties: { what: { type: 'string' } },
    required: ['what'],
    additionalProperties: false,
  } as const
  const look = tool({
    description: 'Looks at something',
    inputSchema,
    effects: 'read',
    execute: ({ what }) => `a ${what}`,
  })
  const hold = tool({
    description: 'Holds until it is stopped',
    inputSchema,
    effects: 'read',
    execute: (_input, { abortSignal }) =>
      new Promise<string>((_resolve, reject) => {
        abortSignal.addEventListener('abort', () => reject(new Error('stopped')))
      }),
  })
  const remove = tool({
    description: 'Removes something',
    inputSchema,
    needsApproval: true,
    effects: 'write',
    execute: ({ what }) => `${what} is gone`,
  })
  return [{ look, hold, remove }, todoTools()]
}
