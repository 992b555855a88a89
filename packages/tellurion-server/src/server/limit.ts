// Every cap of the server in one table: what it counts, and what happens when it is reached. What enforces a cap reads it
// from here, and the route of limits shows it.

import { TellurionError } from 'tellurion'
import { heartbeatEvery, maxJsonDepth, maxWaiting, type LimitResource } from 'tellurion/protocol'
import type { Runtime } from 'tellurion/runtime'

const cap = (value: number, unit: string, overflow: string) => ({ value, unit, overflow })

/** The caps with their defaults. */
export const caps = {
  body: cap(1_048_576, 'bytes of a request body', '413 request_too_large'),
  checkpoint: cap(16_777_216, 'bytes of a checkpoint that is brought', '413 request_too_large'),
  headerBytes: cap(16_384, 'bytes of all headers of a request', '431, connection closed'),
  headerCount: cap(100, 'headers of a request', 'further ones are dropped'),
  headerTime: cap(10_000, 'milliseconds until the headers of a request are there', '408, connection closed'),
  requestTime: cap(30_000, 'milliseconds until the whole request is there', '408, connection closed'),
  connections: cap(4096, 'open connections', 'connection closed at once'),
  requests: cap(6000, 'requests a minute of an identity', '429 rate_limited with Retry-After'),
  burst: cap(600, 'requests of an identity at one time', '429 rate_limited with Retry-After'),
  refusals: cap(60, 'requests a minute without a valid token, of an address', '429 rate_limited with Retry-After'),
  streams: cap(1024, 'open streams and sockets of an identity', '429 rate_limited, close code 4429'),
  waiting: cap(
    maxWaiting,
    'bytes that wait for a slow client of a stream or socket',
    'the client is dropped, the run goes on',
  ),
  silence: cap(
    heartbeatEvery,
    'milliseconds that a stream or socket is silent',
    'a heartbeat is sent; a client that has taken nothing meanwhile is dropped',
  ),
  watched: cap(1000, 'runs that one socket watches at one time', 'error frame rate_limited'),
  frame: cap(1_048_576, 'bytes of a WebSocket frame', 'close code 1009'),
  wait: cap(300_000, 'milliseconds that a request waits for the end of a run', 'answers how the run stands'),
  mcpSessions: cap(
    64,
    'MCP sessions of an identity',
    'the one that has been silent longest is closed; 429 rate_limited while all are at work',
  ),
  mcpIdle: cap(
    1_800_000,
    'milliseconds that an MCP session is kept without a request',
    'it is closed, and answers 404',
  ),
  mcpCalls: cap(32, 'calls over MCP of an identity at one time', 'the call answers rate_limited'),
  mcpText: cap(100_000, 'characters of a result over MCP', 'the text is cut, and says so'),
  mcpReplay: cap(1_048_576, 'bytes of an MCP session that are kept for a stream to resume', 'the oldest go first'),
  cancel: cap(
    10_000,
    'milliseconds that cancelling waits for the work to stop',
    'answers 202, the run is still ending',
  ),
} as const

/** Items of a page, at most. */
export const mostItems = 1000

/** Every cap that holds: those of the server, what is fixed, and those of its runtime. */
export function limitResources(limits: Limits, runtime: Runtime): LimitResource[] {
  const { maxConcurrent, maxSessions, eventsBehind, labels, artifactBytes } = runtime.limits
  const rest = {
    page: cap(mostItems, 'items of a page', '422 invalid_request'),
    jsonDepth: cap(maxJsonDepth, 'levels of JSON that comes in', '400 malformed_request'),
    maxConcurrent: cap(maxConcurrent, 'runs at work at one time', 'further ones wait, highest priority first'),
    maxSessions: cap(maxSessions, 'named sessions of a user', '429 session_limit'),
    eventsBehind: cap(
      eventsBehind,
      'events that a reader of a run is behind',
      'the reader is dropped, the run goes on',
    ),
    labels: cap(labels, 'labels of ticks of a session', 'the oldest go first'),
    artifactBytes: cap(artifactBytes, 'bytes of artifacts of a session', 'a result is cut short, the run goes on'),
  }
  return [
    ...Object.entries(caps).map(([name, row]) => ({ ...row, name, limit: limits[name as CapName] })),
    ...Object.entries(rest).map(([name, row]) => ({ ...row, name, limit: row.value })),
  ].map(({ name, limit, unit, overflow }) => ({ name, limit, unit, overflow }))
}

/** The name of a cap. */
export type CapName = keyof typeof caps

/** The caps that hold, by name. */
export type Limits = { readonly [Name in CapName]: number }

/** The caps, with some of them given. Throws `unknown_option` and `invalid_option`. */
export function limitsOf(given: Partial<Limits> = {}): Limits {
  const limits = Object.fromEntries(Object.entries(caps).map(([name, { value }]) => [name, value]))
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(caps, name)) {
      throw new TellurionError('unknown_option', `limits has no '${name}'. Known: ${Object.keys(caps).join(', ')}.`)
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TellurionError(
        'invalid_option',
        `limits.${name} must be a positive whole number, got ${String(value)}.`,
      )
    }
    limits[name] = value
  }
  return limits as Limits
}
