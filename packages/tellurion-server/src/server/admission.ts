// Admission: the one place where it is decided whether a request may go on to its route. Whatever comes to the server
// passes here first, WebSocket upgrades included.

import { routes, type RouteName } from 'tellurion/protocol'
import { RequestError } from './failure.ts'
import { may, type Identity } from './identity.ts'
import { createRate } from './rate.ts'
import type { Network, ServerSetting } from './setting.ts'

/** What is known of a request before it is read. */
export interface Approach {
  readonly path: string
  readonly headers: { get(name: string): string | null }
  /** The address it comes from, where it is known. */
  readonly remote?: string | undefined
  /** Whom the embedding program vouches for; no token is asked for then. */
  readonly identity?: Identity | undefined
}

/** Decides on requests, a question at a time; each throws what is answered instead. */
export interface Admission {
  /** Whether it was meant for this server, and comes from where it may. Throws `forbidden`. */
  reach(approach: Approach): void
  /** Who asks. Throws `unauthenticated`, `rate_limited`. */
  identify(approach: Approach): Identity
  /** Who asks where everybody may. Throws `rate_limited`. */
  guest(approach: Approach): Identity
  /** Whether one may use a route, once more. Throws `forbidden`, `rate_limited`. */
  pass(identity: Identity, route: RouteName): void
}

/** Who uses public routes: nobody, and it may nothing. */
const nobody: Identity = { user: 'nobody', scopes: [] }

/** Makes the admission of a server. */
export function createAdmission(
  setting: Pick<ServerSetting, 'identities' | 'limits' | 'network' | 'clock'>,
): Admission {
  const { identities, limits, network, clock } = setting
  const asked = createRate({ perMinute: limits.requests, burst: limits.burst, clock })
  const refused = createRate({ perMinute: limits.refusals, burst: limits.refusals, clock })
  const count = (who: string): void => {
    const wait = asked.take(who)
    if (wait > 0) throw tooOften('Too many requests', wait)
  }
  return {
    reach({ headers }) {
      checkHost(headers.get('host'), network)
      checkOrigin(headers, network)
    },
    identify(approach) {
      if (approach.identity !== undefined) return approach.identity
      const token = tokenOf(approach)
      const identity = token === undefined ? undefined : identities.find(token)
      if (identity !== undefined) return identity
      const wait = refused.take(approach.remote ?? '')
      if (wait > 0) throw tooOften('Too many requests without a valid token', wait)
      const why = token === undefined ? 'This needs a token' : 'Nobody has this token'
      throw new RequestError('unauthenticated', `${why}: send Authorization: Bearer <token>.`, {
        'www-authenticate': 'Bearer realm="tellurion"',
      })
    },
    guest({ remote, identity = nobody }) {
      // No user has such a name.
      count(`@${remote ?? ''}`)
      return identity
    },
    pass(identity, route) {
      const { scope } = routes[route]
      if (!may(identity, scope)) throw new RequestError('forbidden', `This needs the scope '${scope}'.`)
      count(identity.user)
    },
  }
}

/** The bearer token; for the WebSocket also out of the subprotocols, as browsers can send no other header there. */
function tokenOf({ headers, path }: Approach): string | undefined {
  const [, token] = /^bearer +([\x21-\x7e]{1,512})$/i.exec(headers.get('authorization') ?? '') ?? []
  if (token !== undefined || path !== routes.socket.path) return token
  const offered = headers.get('sec-websocket-protocol') ?? ''
  const [, encoded] = /(?:^|[ ,])bearer\.([\w-]{1,700})(?:$|[ ,])/.exec(offered) ?? []
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString()
}

/** Refuses names that are not the server's: a page elsewhere may have pointed its own name at this address. */
function checkHost(host: string | null, { hosts }: Network): void {
  if (host === null || named(hosts, host)) return
  throw new RequestError('forbidden', 'This server is not called by that Host; list it under the allowed hosts.')
}

/** Refuses requests that pages of other origins make, unless these are listed. */
function checkOrigin(headers: Approach['headers'], network: Network): void {
  const origin = headers.get('origin')
  if (origin === null || network.origins.includes(origin)) return
  const host = headers.get('host')
  if (host !== null && /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, '') === host) return
  throw new RequestError('forbidden', 'This origin may not call the server; list it under the allowed origins.')
}

/** Whether a `Host` is among the names, which may leave out the port. */
function named(hosts: readonly string[], host: string): boolean {
  const name = host.toLowerCase()
  return hosts.includes(name) || hosts.includes(name.replace(/:\d{1,5}$/, ''))
}

function tooOften(what: string, seconds: number): RequestError {
  return new RequestError('rate_limited', `${what}; try again in ${seconds} s.`, { 'retry-after': String(seconds) })
}
