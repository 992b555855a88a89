// A socket to an address that has been checked. The address is connected to as it is: nothing is resolved again, no proxy of
// the environment is asked, and a certificate is checked against the host's name.

import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTLS, rootCertificates } from 'node:tls'
import { abortReason } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { parseAddress } from './address.ts'
import { shown } from './egress-rule.ts'
import { hostOf, portOf } from './host-pattern.ts'

/** How many addresses of a host are tried, and for how many milliseconds each but the last. */
const mostAddresses = 4
const attemptTime = 2_500

/** How one is connected to. */
export interface ConnectOptions {
  /** Certificates to trust beside the platform's, in PEM. */
  readonly ca: readonly string[]
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A socket to the first of a host's addresses that answers. Rejects with `egress_failed`, or the signal's reason. */
export async function connectFirst(
  url: URL,
  addresses: readonly string[],
  { ca, clock, signal }: ConnectOptions,
): Promise<Socket> {
  let failure: unknown
  const tried = addresses.slice(0, mostAddresses)
  for (const address of tried) {
    const attempt = new AbortController()
    // One that is silent, as IPv6 is where it leads nowhere, must not use up the time of the others.
    const disarm = clock.timer(address === tried.at(-1) ? Infinity : attemptTime, () => attempt.abort(silence))
    try {
      return await connectOnce(url, address, { ca, signal: AbortSignal.any([signal, attempt.signal]) })
    } catch (error) {
      if (signal.aborted) throw abortReason(signal)
      failure = error
    } finally {
      disarm()
    }
  }
  const message = `${shown(url)} could not be connected to: ${reasonOf(failure)}.`
  throw new TellurionError('egress_failed', message, { cause: failure, retryable: true })
}

const silence = new Error('no answer')

function connectOnce(
  url: URL,
  address: string,
  { ca, signal }: { readonly ca: readonly string[]; readonly signal: AbortSignal },
): Promise<Socket> {
  const secure = url.protocol === 'https:'
  const host = hostOf(url)
  const to = { host: address, port: portOf(url) }
  // Names of servers (SNI) are never addresses; a certificate for an address is checked against `host`.
  const servername = parseAddress(host) === undefined ? host : ''
  const socket = secure
    ? connectTLS({ ...to, servername, ALPNProtocols: ['http/1.1'], ...(ca.length === 0 ? {} : { ca: trusted(ca) }) })
    : connectPlain(to)
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      end()
    }
    const onError = (error: Error): void => settle(() => reject(error))
    const onAbort = (): void => {
      settle(() => reject(abortReason(signal)))
      socket.on('error', () => {}).destroy()
    }
    socket.once('error', onError)
    socket.once(secure ? 'secureConnect' : 'connect', () => settle(() => resolve(socket)))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

const trusted = (ca: readonly string[]): string[] => [...rootCertificates, ...ca]

/** Why a connection failed, without the address that was tried: names of a closed network are not for everybody. */
function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : messageOf(error)
}
