// Where requests may come from, as an operator writes it. What could never match what a browser sends is a mistake, and
// said to be one.

import { networkInterfaces } from 'node:os'
import { TellurionError } from 'tellurion'
import type { Network } from './setting.ts'

const host = /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/
const origin = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/

/** Names and origins in the form in which requests have them. Throws `invalid_option`. */
export function networkOf({ hosts = [], origins = [] }: Partial<Network> = {}): Network {
  return { hosts: hosts.map(hostOf), origins: origins.map(originOf) }
}

/** What `Host` may say of an address that is listened on: itself, or each of this machine where it is all of them. */
export function namesOf(address: string): readonly string[] {
  const isAll = address === '0.0.0.0' || address === '::' || address === '[::]'
  const own = Object.values(networkInterfaces()).flatMap((all) => all?.map((each) => each.address) ?? [])
  return (isAll ? [address, ...own] : [address]).map((each) => {
    const name = each.toLowerCase()
    return name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
  })
}

function hostOf(given: string): string {
  const name = given.toLowerCase()
  if (host.test(name)) return name
  const text = `'${given}' is no host that a request could name: write a name alone, such as agents.example.com.`
  throw new TellurionError('invalid_option', text)
}

function originOf(given: string): string {
  const text = given.toLowerCase().replace(/\/$/, '')
  // Browsers leave out the usual port.
  if (origin.test(text) && URL.canParse(text)) return /^https?:/.test(text) ? new URL(text).origin : text
  const why = 'write scheme and host alone, such as https://app.example.com'
  throw new TellurionError('invalid_option', `'${given}' is no origin of pages: ${why}.`)
}
