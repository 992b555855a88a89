// The way out: requests that a model or a stranger's page may cause go through one guard. Every hop is judged by the address
// that is really connected to; what may be reached beside the public internet is the operator's word alone.

import { raceAbort, throwIfAborted } from '../abort/abort.ts'
import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { parseAddress } from './address.ts'
import { connectFirst } from './connection.ts'
import { createPolicy, refused, shown, type EgressPolicy, type EgressRule } from './egress-rule.ts'
import { exchange, type Outgoing } from './exchange.ts'
import { hostOf, matchesHost, parseHostPattern, type HostPattern } from './host-pattern.ts'
import { redirected, redirectTarget } from './redirect.ts'
import { systemResolve, type Resolve } from './resolver.ts'
import { encodingsOf, responseBody } from './response-body.ts'

/** What a request may cost. Times are milliseconds, `Infinity` for none. */
export interface EgressLimits {
  /** To resolve, connect and agree on TLS, each hop. Default 10,000. */
  readonly connect?: number
  /** From the request to the head of its response, each hop. Default 30,000. */
  readonly firstByte?: number
  /** Between two pieces of a body. Default 30,000. */
  readonly idle?: number
  /** Everything, from the call to the last byte. Default 60,000. */
  readonly whole?: number
  /** Bytes of a response, as they come and unpacked. Default 10 MiB. */
  readonly bytes?: number
  /** Bytes of a request's body. Default 10 MiB. */
  readonly requestBytes?: number
  /** Bytes of a response's headers. Default 32 KiB. */
  readonly headerBytes?: number
  /** Redirects that are followed. Default 5; 0 for none. */
  readonly redirects?: number
}

/** The options of `createEgress`. */
export interface EgressOptions {
  /**
   * What may be reached beside the public internet: `host`, `*.host` or an address, each with `:port` or without; a range
   * such as `10.0.0.0/8` for whatever host leads there; or `{ host, addresses }`, of which both must hold. A host opens
   * loopback, private and shared addresses, never those of metadata services; a range opens what is in it. Default none.
   */
  readonly allow?: readonly (string | EgressRule)[]
  /** Ports that may be used, beside those of `allow`. Default 80, 443, 8080, 8443. */
  readonly ports?: readonly number[]
  readonly limits?: EgressLimits
  /** Certificates of authorities to trust beside the platform's, in PEM. */
  readonly ca?: readonly string[]
  /** Default: as the machine resolves names. */
  readonly resolve?: Resolve
  readonly clock?: Clock
}

/**
 * Sends a request, as `fetch` does, to where requests may go. Cookies are not kept, proxies of the environment are not
 * used, user names in addresses are refused. Rejects with `egress_refused`, `egress_failed`, `egress_timeout`,
 * `egress_too_large` and the reason of the signal; the body's stream errors with the same.
 */
export interface Egress {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>
  /** The same way out, to these hosts alone, on every hop: `example.com`, `*.example.com`, `localhost:8080`. */
  within(hosts: readonly string[]): Egress
}

/** Everything that a request needs to know. */
interface Way {
  readonly policy: EgressPolicy
  /** Lists of hosts; every hop must be in each of them. */
  readonly within: readonly (readonly HostPattern[])[]
  readonly limits: Required<EgressLimits>
  readonly ca: readonly string[]
  readonly resolve: Resolve
  readonly clock: Clock
}

const mebibyte = 1_048_576
const defaults: Required<EgressLimits> = {
  connect: 10_000,
  firstByte: 30_000,
  idle: 30_000,
  whole: 60_000,
  bytes: 10 * mebibyte,
  requestBytes: 10 * mebibyte,
  headerBytes: 32_768,
  redirects: 5,
}

/** Makes a way out. Throws `invalid_option` and `unknown_option`. */
export function createEgress(options: EgressOptions = {}): Egress {
  checkOptions('createEgress', options, ['allow', 'ports', 'limits', 'ca', 'resolve', 'clock'])
  const { allow = [], ports = [80, 443, 8080, 8443], limits = {}, ca = [] } = options
  const { resolve = systemResolve, clock = systemClock } = options
  checkOptions('limits of createEgress', limits, Object.keys(defaults))
  for (const [name, value] of Object.entries(limits)) {
    if (value !== Infinity || name === 'headerBytes')
      checkWhole(`limits.${name}`, value, { least: name === 'redirects' ? 0 : 1 })
  }
  if (typeof resolve !== 'function') {
    throw new TellurionError('invalid_option', 'resolve must be a function from a host to its addresses.')
  }
  if (!Array.isArray(ca) || !ca.every((each) => typeof each === 'string')) {
    throw new TellurionError('invalid_option', 'ca must be a list of certificates, each as PEM text.')
  }
  const policy = createPolicy(allow, ports)
  return egressOf({ policy, within: [], limits: { ...defaults, ...limits }, ca, resolve, clock })
}

function egressOf(way: Way): Egress {
  const egress = (input: string | URL | Request, init?: RequestInit): Promise<Response> => send(way, input, init)
  return Object.assign(egress, {
    within(hosts: readonly string[]): Egress {
      if (!Array.isArray(hosts)) throw new TellurionError('invalid_option', 'within() takes a list of hosts.')
      const patterns = (hosts as readonly string[]).map((host) => parseHostPattern(host, 'within'))
      return egressOf({ ...way, within: [...way.within, patterns] })
    },
  })
}

async function send(way: Way, input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
  const { limits, clock } = way
  const url = urlOf(input)
  checkHop(way, url)
  const request = new Request(input instanceof Request ? input : url, init)
  throwIfAborted(request.signal)
  const deadline = new AbortController()
  const disarm = arm(clock, limits.whole, () => {
    deadline.abort(timedOut(`${shown(url)} was not through after ${limits.whole} ms`))
  })
  const signal = AbortSignal.any([request.signal, deadline.signal])
  try {
    const body = await bytesOf(request, limits.requestBytes, signal)
    const { method, redirect } = request
    const first: Outgoing = { url, method, headers: new Headers(request.headers), body }
    return await follow(way, first, { redirect, signal, ended: disarm })
  } catch (error) {
    disarm()
    throw error
  }
}

/** Hop by hop to the last response. */
async function follow(
  way: Way,
  first: Outgoing,
  { redirect, signal, ended }: { redirect: Request['redirect']; signal: AbortSignal; ended: () => void },
): Promise<Response> {
  const { limits, clock } = way
  let outgoing = first
  for (let hops = 0; ; hops++) {
    const { url, method } = outgoing
    const message = await hop(way, outgoing, signal)
    const status = message.statusCode ?? 0
    try {
      if (status < 200 || status > 599) {
        throw new TellurionError(
          'egress_failed',
          `${shown(url)} answered with the status ${status}, which there is not.`,
        )
      }
      const target = redirect === 'manual' ? undefined : redirectTarget(url, status, message.headers.location)
      if (target === undefined) {
        const from = shown(url)
        const bare = method === 'HEAD' || status === 204 || status === 205 || status === 304
        const encodings = bare ? [] : encodingsOf(message.headers['content-encoding'], from)
        const { bytes, idle } = limits
        const stated = Number(message.headers['content-length'])
        if (!bare && stated > bytes) {
          throw new TellurionError('egress_too_large', `The answer of ${from} has ${stated} bytes, more than ${bytes}.`)
        }
        const body = bare ? null : responseBody(message, encodings, { from, bytes, idle, clock, signal, ended })
        if (bare) {
          ended()
          message.destroy()
        }
        return responseOf(message.rawHeaders, body, { url, status, hops, text: message.statusMessage ?? '' })
      }
      message.destroy()
      if (redirect === 'error') throw refused(`${shown(url)} redirects, which this request does not allow`)
      if (hops >= limits.redirects) throw refused(`${shown(first.url)} redirects more than ${limits.redirects} times`)
      checkHop(way, target, url)
      outgoing = redirected(outgoing, status, target)
    } catch (error) {
      message.destroy()
      throw error
    }
  }
}

/** One request to one checked address. */
async function hop({ policy, limits, ca, resolve, clock }: Way, outgoing: Outgoing, signal: AbortSignal) {
  const { url } = outgoing
  const controller = new AbortController()
  const either = AbortSignal.any([signal, controller.signal])
  const late = (what: string, ms: number): (() => void) =>
    arm(clock, ms, () => controller.abort(timedOut(`${shown(url)} ${what} ${ms} ms`)))
  let disarm = late('could not be connected to within', limits.connect)
  try {
    const host = hostOf(url)
    const literal = parseAddress(host) === undefined ? undefined : host.replace(/^\[|\]$/g, '')
    const addresses = literal === undefined ? await raceAbort(resolve(host, { signal: either }), either) : [literal]
    if (addresses.length === 0) throw new TellurionError('egress_failed', `The name ${host} has no address.`)
    policy.checkAddresses(url, addresses)
    const socket = await connectFirst(url, addresses, { ca, clock, signal: either })
    disarm()
    disarm = late('did not answer within', limits.firstByte)
    return await exchange(socket, outgoing, { headerBytes: limits.headerBytes, signal: either })
  } finally {
    disarm()
  }
}

/** Judges a URL before anything is asked of anybody. */
function checkHop({ policy, within }: Way, url: URL, from?: URL): void {
  policy.checkURL(url)
  if (within.every((patterns) => patterns.some((pattern) => matchesHost(url, pattern)))) return
  throw refused(
    from === undefined
      ? `${shown(url)} is not one of the hosts that may be reached here`
      : `${shown(from)} redirects to ${shown(url)}, which is not one of the hosts that may be reached here`,
  )
}

function urlOf(input: string | URL | Request): URL {
  const text = input instanceof Request ? input.url : String(input)
  if (URL.canParse(text)) return new URL(text)
  throw refused(`${JSON.stringify(text.slice(0, 100))} is no address; write 'https://example.com/page'`)
}

async function bytesOf(request: Request, most: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
  if (request.body === null) return undefined
  const chunks: Uint8Array[] = []
  let count = 0
  const reader = request.body.getReader()
  try {
    for (;;) {
      const { done, value } = await raceAbort(reader.read(), signal)
      if (done) return Buffer.concat(chunks)
      count += value.byteLength
      if (count > most) {
        throw new TellurionError('egress_too_large', `The body of the request is longer than ${most} bytes.`)
      }
      chunks.push(value)
    }
  } catch (error) {
    reader.cancel(error).catch(() => {})
    throw error
  }
}

function responseOf(
  rawHeaders: readonly string[],
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  { url, status, hops, text }: { url: URL; status: number; hops: number; text: string },
): Response {
  const headers = new Headers()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    // What follows is the body unpacked, so how it was packed and how long it was then is no longer true.
    if (body !== null && (name === 'content-encoding' || name === 'content-length')) continue
    headers.append(name, rawHeaders[index + 1]!)
  }
  const response = new Response(body, { status, statusText: text.replace(/[^\t\x20-\x7e]/g, ''), headers })
  return Object.defineProperties(response, { url: { value: url.href }, redirected: { value: hops > 0 } })
}

const timedOut = (message: string): TellurionError => new TellurionError('egress_timeout', `${message}.`)

const arm = (clock: Clock, ms: number, fn: () => void): (() => void) =>
  ms === Infinity ? () => {} : clock.timer(ms, fn)
