// Routing: the routes of the protocol as an application of Hono's. What comes meets what is registered here in this order, so
// the order says who is asked what: whence, whether everybody may, who, and only then where to.

import { Hono } from 'hono'
import { routes, type RouteName } from 'tellurion/protocol'
import type { Admission, Approach } from './admission.ts'
import { RequestError } from './failure.ts'
import type { Identity } from './identity.ts'
import type { ServerSetting } from './setting.ts'

/** Somebody who may use a route stands before it. */
export interface Arrival {
  readonly route: RouteName
  readonly identity: Identity
  /** What stands in the path, decoded. Throws `malformed_request`. */
  parameters(): Record<string, string>
}

/** A request on its way: a request for an answer, or for a WebSocket. */
export interface Visit extends Pick<Approach, 'remote' | 'identity'> {
  /** What it is answered with where it may arrive. */
  arrive(arrival: Arrival): Promise<Response>
}

/** The routes. */
export type Routes = Hono<{ Bindings: Visit; Variables: { approach: Approach; identity: Identity } }>

/** Makes the routes; nothing is answered but preflights: what may not arrive is thrown, for whoever sent it here. */
export function createRoutes({ closing }: Pick<ServerSetting, 'closing'>, admission: Admission): Routes {
  // A path is met as it was sent: what is encoded in it belongs to one segment.
  const app: Routes = new Hono({ getPath: ({ url }) => new URL(url).pathname })
  const paths = methodsByPath()
  app.use(({ env: { remote, identity }, req, set }, next) => {
    const approach = { path: req.path, headers: req.raw.headers, remote, identity }
    admission.reach(approach)
    set('approach', approach)
    return next()
  })
  for (const [path, methods] of paths) {
    app.options(path, async ({ req }, next) => (isPreflight(req.raw) ? preflight(methods) : next()))
  }
  for (const { route, method, path } of entries.filter(({ isPublic }) => isPublic)) {
    app.on(method, path, ({ env, var: { approach } }) =>
      env.arrive({ route, identity: admission.guest(approach), parameters: () => ({}) }),
    )
  }
  app.use(({ var: { approach }, set }, next) => {
    set('identity', admission.identify(approach))
    return next()
  })
  for (const { route, method, path } of entries.filter(({ isPublic }) => !isPublic)) {
    app.on(method, path, ({ env, req, var: { identity } }) => {
      admission.pass(identity, route)
      if (closing.aborted) throw new RequestError('runtime_closed', 'The server is closing.')
      return env.arrive({ route, identity, parameters: () => (checkPath(req.path), req.param()) })
    })
  }
  for (const [path, methods] of paths) {
    const allow = methods.join(', ')
    app.all(path, () => {
      throw new RequestError('method_not_allowed', `This path takes ${allow}.`, { allow })
    })
  }
  app.notFound(() => {
    throw new RequestError('unknown_route', 'There is nothing under this path; /docs lists what there is.')
  })
  app.onError((error) => {
    throw error
  })
  return app
}

/** The routes with their paths as Hono writes them. */
const entries = (Object.keys(routes) as RouteName[]).map((route) => {
  const { method, path, scope } = routes[route]
  return { route, method, path: path.replaceAll(/\{(\w+)\}/g, ':$1'), isPublic: scope === 'public' }
})

/** The methods that each path takes, sorted. */
function methodsByPath(): Map<string, string[]> {
  const paths = new Map<string, string[]>()
  for (const { method, path } of entries) {
    const more = method === 'GET' ? ['GET', 'HEAD'] : [method]
    paths.set(path, [...(paths.get(path) ?? []), ...more].sort())
  }
  return paths
}

/** Refuses what Hono would leave as it is. */
function checkPath(path: string): void {
  try {
    decodeURIComponent(path)
  } catch {
    throw new RequestError('malformed_request', 'The path is not well encoded.')
  }
}

function isPreflight({ headers }: Request): boolean {
  return headers.has('origin') && headers.has('access-control-request-method')
}

/** Headers of requests that other pages may send: those of the interface, and those of MCP. */
const allowedHeaders =
  'authorization, content-type, idempotency-key, last-event-id, x-request-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name'

/** What a browser asks before it lets another page call; only listed origins come so far. */
function preflight(methods: readonly string[]): Response {
  const headers = {
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': allowedHeaders,
    'access-control-max-age': '600',
  }
  return new Response(null, { status: 204, headers })
}
