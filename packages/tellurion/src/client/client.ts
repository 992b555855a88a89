// A client: everything a server offers, by its nouns, over `fetch` and WebSocket. It keeps nothing but how to ask.

import { suggestion, TellurionError } from '../error/error.ts'
import type { ToolCallRequest } from '../protocol/request.ts'
import type {
  AgentResource,
  Answer,
  HealthResource,
  InteractionResource,
  LimitResource,
  RunResource,
  StatsResource,
  ToolCallResource,
  ToolResource,
} from '../protocol/resource.ts'
import { retryPolicy, type RetryPolicy } from '../retry/backoff.ts'
import type { JsonObject } from '../schema/json.ts'
import { createCaller, type CallerOptions, type CallOptions } from './caller.ts'
import { pagesOf, type Pages } from './pages.ts'
import { remoteRuns, type RemoteRuns } from './run.ts'
import { openSocket, type RemoteSocket, type SocketConstructor } from './socket.ts'
import { remoteSessions, type RemoteSessions } from './session.ts'

/** How a client is made. */
export interface ClientOptions extends CallerOptions {
  /** The address of the server, such as `http://127.0.0.1:8000`; a path before the routes is kept. */
  readonly baseURL: string
  /** Sent as bearer token. */
  readonly token?: string
  /** Default the global one. `(request) => server.handle(request)` asks a server in the same process. */
  readonly fetch?: CallerOptions['fetch'] & {}
  /** Default the global one. */
  readonly WebSocket?: SocketConstructor
  /** What a single request is tried again by; default as `withRetry`. Only what is safe to repeat is. */
  readonly retry?: Partial<RetryPolicy>
  /** How long a broken stream is made anew: default 20 times in a row, with waits up to 10 s. */
  readonly reconnect?: Partial<RetryPolicy>
}

/** What waits for a person. */
export interface RemoteInteractions {
  /** Across runs; of one agent. */
  list(query?: { readonly agent?: string }, options?: CallOptions): Pages<InteractionResource>
  /** Answers, once: the first answer wins. `run` spares the server a search. Gives the run that asked. */
  answer(id: string, answer: Answer, options?: CallOptions & { readonly run?: string }): Promise<RunResource>
}

/** The tools of all agents. */
export interface RemoteTools {
  list(options?: CallOptions): Pages<ToolResource>
  /** Calls one by hand. */
  call(request: ToolCallRequest, options?: CallOptions): Promise<ToolCallResource>
}

/** A server, seen from elsewhere. */
export interface Client {
  readonly runs: RemoteRuns
  readonly sessions: RemoteSessions
  readonly interactions: RemoteInteractions
  readonly agents: { list(options?: CallOptions): Pages<AgentResource> }
  readonly tools: RemoteTools
  health(options?: CallOptions): Promise<HealthResource>
  stats(options?: CallOptions): Promise<StatsResource>
  /** Every cap of the server, and what happens when it is reached. */
  limits(options?: CallOptions): Promise<readonly LimitResource[]>
  metrics(options?: CallOptions): Promise<JsonObject>
  /** Opens a WebSocket; the signal closes it. */
  socket(options?: CallOptions): RemoteSocket
}

const known = ['baseURL', 'token', 'fetch', 'WebSocket', 'retry', 'reconnect', 'ports']

/** Makes a client. Nothing is sent before the first call. Throws `unknown_option`, `invalid_option`. */
export function createClient(options: ClientOptions): Client {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new TellurionError('unknown_option', `createClient has no option '${key}'.${suggestion(key, known)}`)
  }
  const caller = createCaller(options)
  const policy = retryPolicy({ maxRetries: 20, initialWait: 250, maxWait: 10_000, ...options.reconnect })
  const runs = remoteRuns(caller, policy)
  return {
    runs,
    sessions: remoteSessions(caller, runs),
    interactions: {
      list: (query = {}, { signal } = {}) =>
        pagesOf((cursor) => caller.call('listInteractions', { query: { ...query, cursor }, signal })),
      answer: (interaction, answer, { run, signal } = {}) =>
        caller.call('answerInteraction', {
          parameters: { interaction },
          body: { answer, ...(run === undefined ? {} : { run }) },
          signal,
        }),
    },
    agents: {
      list: ({ signal } = {}) => pagesOf((cursor) => caller.call('listAgents', { query: { cursor }, signal })),
    },
    tools: {
      list: ({ signal } = {}) => pagesOf((cursor) => caller.call('listTools', { query: { cursor }, signal })),
      call: (body, { signal } = {}) => caller.call('callTool', { body, signal }),
    },
    health: ({ signal } = {}) => caller.call('health', { signal }),
    stats: ({ signal } = {}) => caller.call('stats', { signal }),
    limits: async ({ signal } = {}) => (await caller.call('limits', { signal })).items,
    metrics: ({ signal } = {}) => caller.call('metrics', { signal }),
    socket: (call) => openSocket({ caller, make: options.WebSocket, policy }, call),
  }
}
