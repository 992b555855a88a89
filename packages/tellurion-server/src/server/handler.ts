// From a request to its answer: its route, checks, the operation, one form for what goes wrong, and what every answer carries.

import { pathOf, type RouteName } from 'tellurion/protocol'
import { createAdmission } from './admission.ts'
import { checked, readBody } from './body.ts'
import { failureOf } from './failure.ts'
import type { Identity } from './identity.ts'
import { cleaned, jsonAnswer } from './json-answer.ts'
import type { Operation } from './operation.ts'
import { createRoutes, type Arrival, type Routes } from './routing.ts'
import type { Call, ServerSetting } from './setting.ts'

/** What goes with a request besides itself. */
export interface HandleOptions {
  /** The address it comes from. */
  readonly remote?: string
  /** Whom the embedding program vouches for: no token is asked for. */
  readonly identity?: Identity
  /** Whether it is the program itself that asks: then answers tell the reasons of what failed inside. Default false. */
  readonly candid?: boolean
}

/** Answers a request; never throws. */
export type Handler = (request: Request, options?: HandleOptions) => Promise<Response>

/** Makes what answers requests by the operations of their routes. */
export function createHandler(
  setting: ServerSetting,
  operations: Readonly<Record<RouteName, Operation>>,
  routes: Routes = createRoutes(setting, createAdmission(setting)),
): Handler {
  return async (request, options = {}) => {
    const began = setting.clock.monotonic()
    const requestId = requestIdOf(request, setting)
    const log = setting.log.with({ requestId })
    const seen: { route?: RouteName; user?: string } = {}
    const arrive = (arrival: Arrival): Promise<Response> => {
      seen.route = arrival.route
      seen.user = arrival.identity.user
      return perform(operations[arrival.route], { arrival, request, requestId, setting })
    }
    let response: Response
    try {
      response = await routes.fetch(request, { remote: options.remote, identity: options.identity, arrive })
    } catch (error) {
      const { status, body, headers } = failureOf(error, requestId, { candid: options.candid === true })
      if (body.error.code.startsWith('store_')) setting.trust.doubted = true
      if (status >= 500) log.error('request.failed', { error: String(error instanceof Error ? error.stack : error) })
      response = jsonAnswer(cleaned(body, setting), { request, status, headers })
    }
    if (request.method === 'HEAD') response = new Response(null, response)
    finish(response, request, { setting, requestId })
    const { status } = response
    const duration = Math.round(setting.clock.monotonic() - began)
    log.info('request', { method: request.method, ...seen, status, duration, remote: options.remote })
    return response
  }
}

interface Errand {
  readonly arrival: Arrival
  readonly request: Request
  readonly requestId: string
  readonly setting: ServerSetting
}

/** Checks what was asked, does it, and answers. */
async function perform(operation: Operation, { arrival, request, requestId, setting }: Errand): Promise<Response> {
  const call: Call = {
    setting,
    identity: arrival.identity,
    requestId,
    request,
    signal: AbortSignal.any([request.signal, setting.closing]),
    parameters: operation.parameters && checked(operation.parameters, arrival.parameters(), 'path'),
    query: operation.query && checked(operation.query, queryOf(new URL(request.url).searchParams), 'query'),
    body: await readBody(request, operation, setting.limits[operation.bodyLimit ?? 'body']),
  }
  const given = await operation.handle(call)
  if (given instanceof Response) return given
  if (given === undefined) return new Response(null, { status: operation.status ?? 204 })
  return jsonAnswer(cleaned(given, setting), {
    request,
    status: operation.status ?? 200,
    headers: locationOf(operation, given),
  })
}

/** Each name once, or as a list where it comes several times. */
function queryOf(parameters: URLSearchParams): Record<string, string | string[]> {
  const query = Object.create(null) as Record<string, string | string[]>
  for (const name of new Set(parameters.keys())) {
    const all = parameters.getAll(name)
    query[name] = all.length === 1 ? all[0]! : all
  }
  return query
}

/** Where what was made is shown. */
function locationOf({ location }: Operation, made: unknown): Record<string, string> {
  if (location === undefined) return {}
  const { id } = made as { readonly id: string }
  return { location: pathOf(location, { run: id, session: id }) }
}

function requestIdOf({ headers }: Request, { ids }: ServerSetting): string {
  const given = headers.get('x-request-id')
  return given !== null && /^[a-zA-Z0-9_-]{1,64}$/.test(given) ? given : ids('req')
}

/** What every answer carries. */
function finish(
  { headers }: Response,
  request: Request,
  { setting, requestId }: { setting: ServerSetting; requestId: string },
): void {
  headers.set('x-request-id', requestId)
  // A connection that would be kept would keep the server.
  if (setting.closing.aborted) headers.set('connection', 'close')
  for (const [name, value] of Object.entries(securityHeaders)) if (!headers.has(name)) headers.set(name, value)
  const origin = request.headers.get('origin')
  if (setting.network.origins.length > 0) headers.append('vary', 'origin')
  if (origin === null || !setting.network.origins.includes(origin)) return
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-expose-headers', 'x-request-id, x-run-id, retry-after, location, mcp-session-id')
}

const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}
