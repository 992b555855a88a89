// One request: its address and headers, what its answer says, and whether it is worth another try. Every part of a client
// asks through here.

import { abortReason, childController, raceAbort } from '../abort/abort.ts'
import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { systemIds, type Ids } from '../id/id.ts'
import { systemRandom, type Random } from '../id/random.ts'
import type { Bodies, Responses } from '../protocol/exchange.ts'
import { pathOf, routes, type RouteName } from '../protocol/route.ts'
import { retryPolicy, type RetryPolicy } from '../retry/backoff.ts'
import { isRetryable, withRetry } from '../retry/retry.ts'
import { noAnswer, refusalOf, unreadable, wasRefused } from './refusal.ts'

/** What `fetch` is to a client: the global one, or a server's `handle` in the same process. */
export type Fetch = (request: Request) => Promise<Response>

/** What a client takes from its surroundings. */
export interface ClientPorts {
  readonly clock?: Clock
  readonly ids?: Ids
  readonly random?: Random
}

/** How the requests of one client are made. */
export interface CallerOptions {
  readonly baseURL: string
  readonly token?: string
  readonly fetch?: Fetch
  readonly retry?: Partial<RetryPolicy>
  readonly ports?: ClientPorts
}

/** What every call of a client takes last. */
export interface CallOptions {
  /** Gives the call up; what it asked for may still happen. */
  readonly signal?: AbortSignal | undefined
}

/** One request to a route. */
export interface Asked<Name extends RouteName> extends CallOptions {
  readonly parameters?: Readonly<Record<string, string | number>>
  readonly query?: object
  readonly body?: Name extends keyof Bodies ? Bodies[Name] : never
  /** Sent as `Idempotency-Key`: the same request twice is one. */
  readonly key?: string
  /** The request may be made twice whatever came of the first: it only reads, or its body names what it makes. */
  readonly repeatable?: boolean
  /** How often it is tried. Default the client's own patience. */
  readonly policy?: RetryPolicy
}

/** One request for a stream. */
export type AskedStream = Asked<RouteName> & { readonly headers: Record<string, string> }

/** What asks. */
export interface Caller {
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly baseURL: string
  readonly token: string | undefined
  /** The JSON that a route answers with; tried again where that is safe. Throws what the server says went wrong. */
  call<Name extends RouteName>(name: Name, asked?: Asked<Name>): Promise<Responses[Name]>
  /** Opens a stream, once; the signal also ends the reading of its body. */
  open(name: RouteName, asked: AskedStream): Promise<Response>
  /** Opens a stream, tried again as a call is. */
  openAgain(name: RouteName, asked: AskedStream): Promise<Response>
}

/** Milliseconds for one try. */
const deadline = 60_000

/** Makes what asks. Throws `invalid_option` for an address or a token that cannot be meant. */
export function createCaller(options: CallerOptions): Caller {
  const { fetch: send = (request) => fetch(request), ports = {} } = options
  const { clock = systemClock, ids = systemIds, random = systemRandom } = ports
  const baseURL = checkedURL(options.baseURL)
  const token = checkedToken(options.token)
  const usual = retryPolicy(options.retry)

  const request = (name: RouteName, asked: Asked<RouteName>, headers: Record<string, string>): Request => {
    const { parameters, query, body, key } = asked
    const { method } = routes[name]
    return new Request(`${baseURL}${pathOf(name, parameters)}${queryOf(query)}`, {
      method,
      headers: {
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(asked.signal === undefined ? {} : { signal: asked.signal }),
      cache: 'no-store',
    })
  }

  /** Sends, and does not take a refusal for an answer. */
  const sent = async (asked: Request): Promise<Response> => {
    let response: Response
    try {
      response = await send(asked)
    } catch (error) {
      throw noAnswer(baseURL, error)
    }
    if (response.ok) return response
    throw await refusalOf(response, clock)
  }

  const read = async (name: RouteName, asked: Asked<RouteName>, accept: string): Promise<string> => {
    const { signal } = asked
    const { controller, detach } = childController(signal)
    const late = noAnswer(baseURL, undefined, deadline)
    const cancel = clock.timer(deadline, () => controller.abort(late))
    try {
      const answer = sent(request(name, { ...asked, signal: controller.signal }, { accept })).then(textOf)
      return await raceAbort(answer, controller.signal)
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal)
      throw controller.signal.aborted ? late : error
    } finally {
      cancel()
      detach()
    }
  }

  const textOf = (response: Response): Promise<string> =>
    response.text().catch((error: unknown) => {
      throw noAnswer(baseURL, error)
    })

  const again = <T>(name: RouteName, asked: Asked<RouteName>, work: () => Promise<T>): Promise<T> => {
    const { signal, key, repeatable = routes[name].method === 'GET', policy = usual } = asked
    const safe = repeatable || key !== undefined
    const retryIf = (error: unknown): boolean => isRetryable(error) && (safe || wasRefused(error))
    return withRetry(work, policy, { clock, random, signal, retryIf })
  }

  return {
    clock,
    ids,
    random,
    baseURL,
    token,
    async call(name, asked = {}) {
      const request = asked as Asked<RouteName>
      const text = await again(name, request, () => read(name, request, 'application/json'))
      return (text === '' ? undefined : parsed(text, baseURL)) as Responses[typeof name]
    },
    async open(name, { headers, ...asked }) {
      const { signal } = asked
      try {
        return await sent(request(name, asked, headers))
      } catch (error) {
        throw signal?.aborted ? abortReason(signal) : error
      }
    },
    openAgain(name, asked) {
      return again(name, asked, () => this.open(name, asked))
    },
  }
}

function parsed(text: string, baseURL: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw unreadable(baseURL, error)
  }
}

/** A query; what is undefined is left out, lists are joined by commas. */
function queryOf(query: object = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

function checkedURL(given: unknown): string {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
  const plain = url !== undefined && url.username + url.password + url.search + url.hash === ''
  if (plain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '')
  throw new TellurionError('invalid_option', "'baseURL' is the address of a server, such as http://127.0.0.1:8000.")
}

function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token
  throw new TellurionError('invalid_option', "'token' must be printable ASCII without spaces.")
}
