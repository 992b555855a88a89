// A server to try the client on: one agent that does as it is told, asked in the same process or over a socket.

import { Agent, textOf, tool } from 'tellurion'
import { createClient, type Client } from 'tellurion/client'
import { createRuntime, memory, type BackendOpener } from 'tellurion/runtime'
import { scriptedModel, type Script } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { createServer, type Server } from 'tellurion-server/server'

/** How the client comes to the server. */
export type Way = 'handle' | 'socket'

/** A server and what asks it. */
export interface ClientDesk {
  /** Of `ada`, who may do everything. */
  readonly client: Client
  /** Of somebody else, who may only look. */
  readonly reader: Client
  readonly server: Server
  readonly baseURL: string
  /** Resolves when the tool `hold` is at work. */
  held(): Promise<void>
  /** Lets it go on. */
  release(): void
  close(): Promise<void>
}

const token = 'the-token-of-ada-0123456789'
const readerToken = 'the-token-of-bob-0123456789'

/** Opens one. `port` takes the place of one that was closed. */
export async function openDesk(
  way: Way,
  { store = memory(), port = 0 }: { readonly store?: BackendOpener; readonly port?: number } = {},
): Promise<ClientDesk> {
  const held: (() => void)[] = []
  let news = Promise.withResolvers<void>()
  const guide = guideAgent((go) => {
    held.push(go)
    news.resolve()
  })
  const runtime = await createRuntime({ store, agents: [guide], patience: { grace: 100 } })
  const server = createServer({
    runtime,
    identities: [
      { user: 'ada', token, scopes: ['admin'] },
      { user: 'bob', token: readerToken, scopes: ['read'] },
    ],
    log: createLog({ level: 'error', write: () => {} }),
    version: '9.9.9',
  })
  const baseURL = way === 'socket' ? (await server.listen({ port })).url : 'http://localhost'
  const fetching = way === 'socket' ? {} : { fetch: (request: Request) => server.handle(request) }
  return {
    client: createClient({ baseURL, token, ...fetching }),
    reader: createClient({ baseURL, token: readerToken, ...fetching }),
    server,
    baseURL,
    held: () => news.promise,
    release() {
      news = Promise.withResolvers<void>()
      for (const go of held.splice(0)) go()
    },
    close: () => server.close({ grace: 1000 }),
  }
}

/** Calls the tool that the newest message names, fails when told to, else repeats what was said. */
const obey: Extract<Script, (...args: never) => unknown> = ({ messages }) => {
  const last = messages.at(-1)
  if (last === undefined) return 'Nothing.'
  if (last.role === 'tool') return `Then: ${textOf(last)}`
  const said = textOf(last)
  const [toolName = '', what = ''] = said.split(' ')
  if (toolName === 'fail') return { kind: 'validation', code: 'model_validation', message: 'No.', retryable: false }
  return ['hold', 'remove'].includes(toolName) ? { calls: [{ toolName, input: { what } }] } : `You said: ${said}`
}

function guideAgent(onHold: (go: () => void) => void): Agent {
  const inputSchema = {
    type: 'object',
    properties: { what: { type: 'string' } },
    required: ['what'],
    additionalProperties: false,
  } as const
  return new Agent({
    name: 'guide',
    model: scriptedModel(obey, { chunkSize: 3 }),
    tools: {
      hold: tool({
        description: 'Waits until it is let go',
        inputSchema,
        effects: 'read',
        execute: (_input, { abortSignal }) =>
          new Promise<string>((resolve, reject) => {
            onHold(() => resolve('let go'))
            abortSignal.addEventListener('abort', () => reject(new Error('stopped')))
          }),
      }),
      remove: tool({
        description: 'Removes something',
        inputSchema,
        needsApproval: true,
        effects: 'write',
        execute: ({ what }) => `${what} is gone`,
      }),
    },
  })
}
