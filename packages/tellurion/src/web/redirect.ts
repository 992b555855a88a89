// What is asked next after a redirect, as the Fetch standard has it, and stricter: credentials and bodies stay with the
// origin they were meant for, and nothing goes from https to http.

import { refused, shown } from './egress-rule.ts'
import type { Outgoing } from './exchange.ts'

const statuses = [301, 302, 303, 307, 308]

/** Headers that say nothing about who asks. All others stay with their origin. */
const openHeaders = [
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'range',
  'user-agent',
]

/** Where a response leads, or undefined where it is no redirect. Throws `egress_refused` for a place that is no URL. */
export function redirectTarget(url: URL, status: number, location: string | undefined): URL | undefined {
  if (!statuses.includes(status) || location === undefined) return undefined
  // Header lines are read as Latin-1, and meant as UTF-8.
  const text = Buffer.from(location, 'latin1').toString()
  if (URL.canParse(text, url)) return new URL(text, url)
  throw refused(`${shown(url)} redirects to something that is no address`)
}

/** The request that follows a redirect. Throws `egress_refused`. */
export function redirected(request: Outgoing, status: number, target: URL): Outgoing {
  const { url } = request
  if (url.protocol === 'https:' && target.protocol === 'http:') {
    throw refused(
      `${shown(url)} redirects from https to http, to ${shown(target)}, which anybody on the way could read`,
    )
  }
  let { method, headers, body } = request
  const asGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : status < 303 && method === 'POST'
  if (asGet) {
    method = 'GET'
    body = undefined
    headers = only(headers, (name) => !name.startsWith('content-'))
  }
  if (target.origin !== url.origin) {
    if (body !== undefined) {
      throw refused(`${shown(url)} redirects a body to ${shown(target)}: send it there yourself if it is meant for it`)
    }
    headers = only(headers, (name) => openHeaders.includes(name))
  }
  return { url: target, method, headers, body }
}

const only = (headers: Headers, keep: (name: string) => boolean): Headers =>
  new Headers([...headers].filter(([name]) => keep(name)))
