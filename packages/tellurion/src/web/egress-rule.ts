// What an operator lets requests reach beside the public internet, and the judgement over a URL and the addresses that its
// host turned out to have. Pure: nothing is asked and nothing is sent here.

import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { inRange, parseAddress, parseRange, type AddressRange } from './address.ts'
import { addressKind, isOwnNetwork } from './address-kind.ts'
import { hostOf, matchesHost, parseHostPattern, portOf, type HostPattern } from './host-pattern.ts'

/** Opens addresses for a host: all that is given must hold. */
export interface EgressRule {
  /** `example.com`, `*.example.com` or an address, with `:port` or without. Default: any host. */
  readonly host?: string
  /** Ranges such as `10.0.0.0/8`. Default: loopback, private and shared ones, and the host where it is an address. */
  readonly addresses?: readonly string[]
}

interface Opening {
  readonly host: HostPattern | undefined
  readonly addresses: readonly AddressRange[] | undefined
}

/** What may be reached. */
export interface EgressPolicy {
  /** Throws `egress_refused` for a URL that is refused whatever its host's address is. */
  checkURL(url: URL): void
  /** Throws `egress_refused` unless every one of a host's addresses may be connected to. */
  checkAddresses(url: URL, addresses: readonly string[]): void
}

/** Names that lead to the machine itself or to its keys, wherever they resolve to. */
const closedNames = ['localhost', 'metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data']

/** Makes a policy out of `allow` and `ports` of `createEgress`. Throws `invalid_option` and `unknown_option`. */
export function createPolicy(allow: readonly (string | EgressRule)[], ports: readonly number[]): EgressPolicy {
  if (!Array.isArray(allow)) {
    throw new TellurionError('invalid_option', "allow must be a list such as ['localhost:8080', '10.0.0.0/8'].")
  }
  if (!Array.isArray(ports)) throw new TellurionError('invalid_option', 'ports must be a list such as [80, 443].')
  for (const port of ports as readonly number[]) checkWhole('each of ports', port, { most: 65_535 })
  const openings = (allow as readonly (string | EgressRule)[]).map(readRule)
  const openFor = (url: URL): Opening[] => openings.filter(({ host }) => host === undefined || matchesHost(url, host))
  return {
    checkURL(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        throw refused(`${shown(url)}: only http and https addresses can be reached`)
      }
      if (url.username !== '' || url.password !== '') {
        throw refused(`${shown(url)}: an address must not hold a user name or a password`)
      }
      const opened = openFor(url)
      if (!ports.includes(portOf(url)) && !opened.some(({ host }) => host?.port !== undefined)) {
        throw refused(`${shown(url)}: port ${portOf(url)} is not one of those that may be used (${ports.join(', ')})`)
      }
      const host = hostOf(url)
      if (opened.length === 0 && (closedNames.includes(host) || host.endsWith('.localhost'))) {
        throw refused(`${shown(url)}: this name leads into the machine or its network, which is closed to requests`)
      }
    },
    checkAddresses(url, addresses) {
      for (const text of addresses) {
        const address = parseAddress(text)
        if (address === undefined) throw refused(`${shown(url)}: its name leads to something that is no address`)
        const kind = addressKind(address)
        if (kind === 'public') continue
        const open = openFor(url).some(({ addresses: ranges }) =>
          ranges === undefined
            ? isOwnNetwork(kind) || parseAddress(hostOf(url)) !== undefined
            : ranges.some((range) => inRange(address, range)),
        )
        if (!open) throw refused(`${shown(url)}: it leads to ${article(kind)} address, which is closed to requests`)
      }
    },
  }
}

/** A URL in an error: where it leads, and nothing that could be a secret. */
export const shown = (url: URL): string => `${url.protocol}//${url.host}`

/** An `egress_refused`. */
export const refused = (message: string): TellurionError => new TellurionError('egress_refused', `${message}.`)

const article = (kind: string): string => `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`

function readRule(rule: string | EgressRule): Opening {
  if (typeof rule === 'string') {
    if (!rule.includes('/')) return { host: parseHostPattern(rule, 'allow'), addresses: undefined }
    return { host: undefined, addresses: [readRange(rule)] }
  }
  checkOptions('a rule of allow', rule, ['host', 'addresses'])
  const { host, addresses } = rule
  if (host === undefined && addresses === undefined) {
    throw new TellurionError('invalid_option', "a rule of allow needs a host, addresses or both: { host: 'intranet' }.")
  }
  return {
    host: host === undefined ? undefined : parseHostPattern(host, 'host in allow'),
    addresses: addresses?.map(readRange),
  }
}

function readRange(text: string): AddressRange {
  const range = typeof text === 'string' ? parseRange(text) : undefined
  if (range !== undefined) return range
  throw new TellurionError(
    'invalid_option',
    `allow: ${JSON.stringify(text)} is no range of addresses; write '10.0.0.0/8', 'fd00::/8' or '127.0.0.1'.`,
  )
}
