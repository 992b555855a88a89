// Credentials that a model may use and never sees: it names one, and what it stands for is put into a header on the way to
// the hosts that it is for.

import { suggestion, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import { createRedactor } from '../secret/redactor.ts'
import { isRevealing, revealed, type Revealing } from '../secret/secret.ts'
import type { Egress } from './egress.ts'
import { matchesHost, parseHostPattern, type HostPattern } from './host-pattern.ts'

/** Something that opens a service. */
export interface WebCredential {
  /** The hosts that it is sent to: `api.example.com`, `*.example.com`, `localhost:8080`. Without a port by https only. */
  readonly hosts: readonly string[]
  /** The secret itself, or what reveals it, asked for at each request. */
  readonly value: string | Revealing
  /** The header that it is sent in. Default `authorization`. */
  readonly header?: string
  /** What stands before it there. Default `Bearer ` in `authorization`, else nothing. */
  readonly prefix?: string
}

/** A credential on its way to one address. */
export interface CredentialUse {
  readonly header: string
  readonly value: string
  /** The way out to its own hosts alone. */
  readonly way: Egress
  /** A text without the secret in it, where a service sent it back. */
  redact(text: string): string
}

/** The credentials of an operator. */
export interface Credentials {
  /** Each with its hosts, for those who may name them. */
  readonly shown: readonly string[]
  readonly names: readonly string[]
  /** Throws `invalid_option` for a name that there is not, and `egress_refused` for a host that it is not for. */
  use(name: string, url: URL): CredentialUse
}

/** What is shorter cannot be hidden where a service sends it back. */
const shortest = 6

interface Kept {
  readonly hosts: readonly HostPattern[]
  readonly header: string
  readonly prefix: string
  readonly way: Egress
  reveal(): string
}

/** Makes them. Throws `invalid_option` and `unknown_option`; no message holds a secret. */
export function createCredentials(given: Readonly<Record<string, WebCredential>>, egress: Egress): Credentials {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TellurionError(
      'invalid_option',
      "credentials must be given by name: { github: { hosts: ['api.github.com'], value } }.",
    )
  }
  const kept = new Map(Object.entries(given).map(([name, credential]) => [name, checked(name, credential, egress)]))
  const names = [...kept.keys()]
  return {
    names,
    shown: names.map((name) => `${name} (for ${given[name]!.hosts.join(', ')})`),
    use(name, url) {
      const found = kept.get(name)
      if (found === undefined) {
        throw new TellurionError('invalid_option', `There is no credential '${name}'.${suggestion(name, names)}`)
      }
      const matching = found.hosts.filter((host) => matchesHost(url, host))
      if (matching.length === 0) {
        const hosts = given[name]!.hosts.join(', ')
        throw new TellurionError(
          'egress_refused',
          `The credential '${name}' is for ${hosts} only, not for ${url.host}.`,
        )
      }
      // Whoever names a port knows what listens there.
      if (url.protocol !== 'https:' && matching.every(({ port }) => port === undefined)) {
        throw new TellurionError('egress_refused', `The credential '${name}' goes over https only: write https://.`)
      }
      const secret = found.reveal()
      const value = `${found.prefix}${secret}`
      if (secret.trim().length < shortest || !/^[\t\x20-\x7e]+$/.test(value)) {
        const problem = `has fewer than ${shortest} characters, or some that cannot stand in a header`
        throw new TellurionError('invalid_configuration', `The credential '${name}' ${problem}.`)
      }
      return { header: found.header, value, way: found.way, redact: createRedactor([secret]).text }
    },
  }
}

function checked(name: string, credential: WebCredential, egress: Egress): Kept {
  const what = `the credential '${name}'`
  if (!/^[a-zA-Z][\w-]{0,63}$/.test(name)) {
    throw new TellurionError(
      'invalid_option',
      `A credential cannot be called ${JSON.stringify(name)}: use letters, digits, '_' and '-'.`,
    )
  }
  checkOptions(what, credential, ['hosts', 'value', 'header', 'prefix'])
  const { hosts, value, header = 'authorization' } = credential
  const { prefix = header.toLowerCase() === 'authorization' ? 'Bearer ' : '' } = credential
  if (!Array.isArray(hosts) || hosts.length === 0) {
    throw new TellurionError('invalid_option', `${what} needs hosts: the ones that it may be sent to.`)
  }
  if (typeof value !== 'string' && !isRevealing(value)) {
    throw new TellurionError('invalid_option', `${what} needs a value: a text, or an object with reveal().`)
  }
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(header) || typeof prefix !== 'string') {
    throw new TellurionError('invalid_option', `${what} has a header or a prefix that HTTP does not allow.`)
  }
  return {
    hosts: (hosts as readonly string[]).map((host) => parseHostPattern(host, `hosts of ${what}`)),
    header: header.toLowerCase(),
    prefix,
    way: egress.within(hosts),
    reveal: () => revealed(value),
  }
}
