// Hosts as an operator writes them: `example.com`, `*.example.com`, `localhost:8080`, `[::1]:8080`. A pattern without a
// port stands for every port that requests may use at all.

import { TellurionError } from '../error/error.ts'
import { parseAddress } from './address.ts'

/** A host, or all hosts under a name, with a port or with any. */
export interface HostPattern {
  /** Lower case, without a dot at the end; an IPv6 address in brackets. */
  readonly host: string
  /** Whether it stands for every name that ends in `.host`, and not for `host` itself. */
  readonly under: boolean
  readonly port: number | undefined
}

/** Reads a pattern. Throws `invalid_option`; `what` says whose it is. */
export function parseHostPattern(text: string, what: string): HostPattern {
  const [, star, rest = ''] = /^(\*\.)?(.*)$/s.exec(String(text)) ?? []
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/s.exec(rest) ?? []
  const url = `http://${name}/`
  const host = /[/?#@\\\s%*]/.test(name) || name === '' || !URL.canParse(url) ? undefined : hostOf(new URL(url))
  const number = port === undefined ? undefined : Number(port)
  const isNumber = host !== undefined && parseAddress(host) !== undefined
  if (host === undefined || (number !== undefined && (number === 0 || number > 65_535)) || (star && isNumber)) {
    throw new TellurionError(
      'invalid_option',
      `${what}: ${JSON.stringify(text)} is no host; write 'example.com', '*.example.com', '127.0.0.1:8080' or '[::1]:8080'.`,
    )
  }
  return { host, under: star !== undefined, port: number }
}

/** The host of a URL in the form of patterns. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/\.$/, '')
}

/** The port of a URL, also where it is the scheme's own. */
export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
}

/** Whether a URL's host and port are those of a pattern. */
export function matchesHost(url: URL, { host, under, port }: HostPattern): boolean {
  if (port !== undefined && port !== portOf(url)) return false
  return under ? hostOf(url).endsWith(`.${host}`) : hostOf(url) === host
}
