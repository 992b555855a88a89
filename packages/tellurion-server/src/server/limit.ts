// Every cap of the server in one table: what it counts, and what happens when it is reached. What enforces a cap reads it
// from here, and the route of limits shows it.

import { TellurionError } from 'tellurion'
import { maxWaiting } from 'tellurion/protocol'

const cap = (value: number, unit: string, overflow: string) => ({ value, unit, overflow })

/** The caps with their defaults. */
export const caps = {
  body: cap(1_048_576, 'bytes of a request body', '413 request_too_large'),
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
  frame: cap(1_048_576, 'bytes of a WebSocket frame', 'close code 1009'),
  page: cap(1000, 'items of a page', '422 invalid_request'),
  wait: cap(300_000, 'milliseconds that a request waits for the end of a run', 'answers how the run stands'),
} as const

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
