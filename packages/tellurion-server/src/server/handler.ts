// From a request to its answer: admission, checks, the operation, and one form for all that comes out.

import { pathOf as pathTo, routes, type RouteName } from 'tellurion/protocol'
import { createAdmission, type Admission } from './admission.ts'
import { checked, readBody } from './body.ts'
import { failureOf, RequestError } from './failure.ts'
import type { Identity } from './identity.ts'
import { jsonAnswer } from './json-answer.ts'
import type { Operation } from './operation.ts'
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

const pathOf = (request: Request): string => new URL(request.url).pathname

/** Makes what answers requests by the operations of their routes. */
export function createHandler(
  setting: ServerSetting,
  operations: Readonly<Record<RouteName, Operation>>,
  admission: Admission = createAdmission(setting),
): Handler {
  return async (request, options = {}) => {
    const began = setting.clock.monotonic()
    const requestId = requestIdOf(request, setting)
    const log = setting.log.with({ requestId })
    const seen: { route?: RouteName; user?: string } = {}
    let response: Response
    try {
      response = isPreflight(request)
        ? preflight(request, setting, admission)
        : await answer(request, options, { setting, operations, admission, requestId, seen })
    } catch (error) {
      const { status, body, headers } = failureOf(error, requestId, { candid: options.candid === true })
      if (body.error.code.startsWith('store_')) setting.trust.doubted = true
      if (status >= 500) log.error('request.failed', { error: String(error instanceof Error ? error.stack : error) })
      response = jsonAnswer(clean(body, setting), { status, headers })
    }
    if (request.method === 'HEAD') response = new Response(null, response)
    finish(response, request, { setting, requestId })
    const { status } = response
    const duration = Math.round(setting.clock.monotonic() - began)
    log.info('request', { method: request.method, ...seen, status, duration, remote: options.remote })
    return response
  }
}

interface Desk {
  readonly setting: ServerSetting
  readonly operations: Readonly<Record<RouteName, Operation>>
  readonly admission: Admission
  readonly requestId: string
  /** What the log is told. */
  readonly seen: { route?: RouteName; user?: string }
}

async function answer(request: Request, options: HandleOptions, desk: Desk): Promise<Response> {
  const { setting, operations, admission, requestId, seen } = desk
  const { url, method, headers } = request
  const { pathname, searchParams } = new URL(url)
  const { name, identity, parameters } = admission.admit({ method, path: pathname, headers, ...options })
  seen.route = name
  seen.user = identity.user
  if (setting.closing.aborted && routes[name].scope !== 'public') {
    throw new RequestError('runtime_closed', 'The server is closing.')
  }
  const operation = operations[name]
  const call: Call = {
    setting,
    identity,
    requestId,
    request,
    signal: AbortSignal.any([request.signal, setting.closing]),
    parameters: operation.parameters && checked(operation.parameters, parameters, 'path'),
    query: operation.query && checked(operation.query, queryOf(searchParams), 'query'),
    body: await readBody(request, operation, setting.limits[operation.bodyLimit ?? 'body']),
  }
  const given = await operation.handle(call)
  if (given instanceof Response) return given
  if (given === undefined) return new Response(null, { status: operation.status ?? 204 })
  return jsonAnswer(clean(given, setting), {
    status: operation.status ?? 200,
    headers: locationOf(operation, given),
  })
}

/** What goes out, without the secrets that the server knows. */
function clean<T>(value: T, { redactor }: ServerSetting): T {
  return redactor === undefined ? value : redactor.value(value)
}

/** Where what was made is shown. */
function locationOf({ location }: Operation, made: unknown): Record<string, string> {
  if (location === undefined) return {}
  const { id } = made as { readonly id: string }
  return { location: pathTo(location, { run: id, session: id }) }
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

function requestIdOf({ headers }: Request, { ids }: ServerSetting): string {
  const given = headers.get('x-request-id')
  return given !== null && /^[a-zA-Z0-9_-]{1,64}$/.test(given) ? given : ids('req')
}

function isPreflight({ method, headers }: Request): boolean {
  return method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method')
}

/** Headers of requests that other pages may send: those of the interface, and those of MCP. */
const allowedHeaders =
  'authorization, content-type, idempotency-key, last-event-id, x-request-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name'

/** What a browser asks before it lets another page call: only listed origins are told yes. */
function preflight(request: Request, { network }: ServerSetting, admission: Admission): Response {
  if (!network.origins.includes(request.headers.get('origin') ?? '')) {
    throw new RequestError('forbidden', 'This origin may not call the server; list it under the allowed origins.')
  }
  const headers = {
    'access-control-allow-methods': admission.methods(pathOf(request)).join(', '),
    'access-control-allow-headers': allowedHeaders,
    'access-control-max-age': '600',
  }
  return new Response(null, { status: 204, headers })
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
