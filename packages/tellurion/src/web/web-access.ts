// How the web tools reach the web: which way out for which host, who asks, and when.

import { TellurionError } from '../error/error.ts'
import type { Risk } from '../tool/effects.ts'
import type { Egress } from './egress.ts'
import { matchesHost, parseHostPattern } from './host-pattern.ts'

/** The way to hosts, with what a request there risks. */
export interface WebAccess {
  /** A host that the operator listed, or any: on the way to a listed one every hop stays within the list. */
  wayTo(url: URL): Egress
  /** What reading an address risks: at a host that is not listed, that the address itself tells a stranger something. */
  readRisk(url: string): readonly Risk[]
}

/** Makes the access of a list of hosts. Throws `invalid_option`. */
export function createWebAccess(egress: Egress, hosts: readonly string[]): WebAccess {
  if (!Array.isArray(hosts)) {
    throw new TellurionError('invalid_option', "hosts must be a list such as ['docs.example.com', '*.example.org'].")
  }
  const patterns = (hosts as readonly string[]).map((host) => parseHostPattern(host, 'hosts'))
  const narrow = egress.within(hosts)
  const isListed = (url: URL): boolean => patterns.some((pattern) => matchesHost(url, pattern))
  return {
    wayTo: (url) => (isListed(url) ? narrow : egress),
    readRisk: (url) => (URL.canParse(url) && isListed(new URL(url)) ? [] : ['exfiltrating']),
  }
}

/** An address that a model gave. Throws `egress_refused` with what to write instead. */
export function addressOf(text: string): URL {
  if (URL.canParse(text)) return new URL(text)
  const example =
    URL.canParse(`https://${text}`) && /^[\w-]+(\.[\w-]+)+([/:?#]|$)/.test(text)
      ? `https://${text}`
      : 'https://example.com/page'
  throw new TellurionError(
    'egress_refused',
    `That is no whole address; write ${JSON.stringify(example.slice(0, 300))}.`,
  )
}
