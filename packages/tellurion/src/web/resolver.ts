// From a host's name to its addresses, once a connection. A port: the answer is what is checked and connected to, so whoever
// answers differently a second time is not asked a second time.

import { lookup, Resolver as DNSResolver } from 'node:dns/promises'
import { raceAbort, throwIfAborted } from '../abort/abort.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'

/** Gives all addresses of a host, in the order in which to try them. Rejects with `egress_failed` where there are none. */
export type Resolve = (
  host: string,
  options: { readonly signal?: AbortSignal | undefined },
) => Promise<readonly string[]>

/** As the machine resolves names, its hosts file included. */
export const systemResolve: Resolve = async (host, { signal }) => {
  throwIfAborted(signal)
  try {
    const found = await raceAbort(lookup(host, { all: true, order: 'verbatim' }), signal)
    return found.map(({ address }) => address)
  } catch (error) {
    throwIfAborted(signal)
    throw unresolved(host, error)
  }
}

/** Asks these DNS servers, `address` or `address:port`, and nobody else; no hosts file. Throws `invalid_option`. */
export function createResolve(options: { readonly servers: readonly string[] }): Resolve {
  checkOptions('createResolve', options, ['servers'])
  const servers = Array.isArray(options.servers) ? [...(options.servers as string[])] : []
  try {
    if (servers.length === 0) throw new TypeError('there is none')
    new DNSResolver().setServers(servers)
  } catch (error) {
    const problem = `servers must be a list such as ['9.9.9.9', '127.0.0.1:5353']: ${messageOf(error)}.`
    throw new TellurionError('invalid_option', problem)
  }
  return async (host, { signal }) => {
    throwIfAborted(signal)
    const resolver = new DNSResolver({ timeout: 2_000, tries: 2 })
    resolver.setServers(servers)
    const cancel = (): void => resolver.cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      throwIfAborted(signal)
      const found = [four, six].flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
      if (found.length === 0) throw unresolved(host, four.status === 'rejected' ? four.reason : undefined)
      return found
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }
}

function unresolved(host: string, cause: unknown): TellurionError {
  const code = (cause as { code?: unknown } | undefined)?.code
  const because = typeof code === 'string' ? ` (${code})` : ''
  return new TellurionError('egress_failed', `The name ${host} has no address${because}.`, {
    cause,
    retryable: code === 'EAI_AGAIN' || code === 'ETIMEOUT',
  })
}
