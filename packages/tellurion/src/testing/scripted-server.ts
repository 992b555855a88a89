// A server that answers as it is told, without a socket: for tests of clients and of pages that use one. It speaks the
// protocol's routes; what it is not told about is answered 404.

import { raceAbort } from '../abort/abort.ts'
import type { ErrorResource, EventResource } from '../protocol/resource.ts'
import { routes, type RouteName } from '../protocol/route.ts'

/** A request as it came: its route, and what stands in its path. */
export interface ScriptedRequest {
  readonly name: RouteName
  readonly parameters: Readonly<Record<string, string>>
  readonly request: Request
}

/** What a route answers: a response, or JSON with 200, or nothing with 204. */
export type ScriptedAnswer = (asked: ScriptedRequest) => unknown

/** A server that answers as it is told, and what it was asked. */
export interface ScriptedServer {
  /** Stands in for `fetch`. Rejects, as that does, when the request's signal aborts. */
  readonly fetch: (request: Request) => Promise<Response>
  readonly requests: readonly ScriptedRequest[]
}

/** Makes one from what its routes answer. */
export function scriptedServer(answers: Readonly<Partial<Record<RouteName, ScriptedAnswer>>>): ScriptedServer {
  const requests: ScriptedRequest[] = []
  const answer = async (request: Request): Promise<Response> => {
    const asked = routeOf(request)
    if (asked === undefined) return refusal(404, 'unknown_route')
    requests.push(asked)
    const given = await answers[asked.name]?.(asked)
    if (given instanceof Response) return given
    if (given !== undefined) return Response.json(given)
    return answers[asked.name] === undefined ? refusal(404, 'unknown_route') : new Response(null, { status: 204 })
  }
  return { requests, fetch: (request) => raceAbort(answer(request), request.signal) }
}

/** A failed request in the protocol's shape. */
export function refusal(
  status: number,
  code: string,
  { retryable = false, headers = {} }: { readonly retryable?: boolean; readonly headers?: Record<string, string> } = {},
): Response {
  const body: ErrorResource = { error: { code, message: `It is ${code}.`, retryable, requestId: 'req_1' } }
  return Response.json(body, { status, headers })
}

/** How a stream of events ends: as HTTP wants it, broken, or not at all. */
export type StreamEnding = 'close' | 'cut' | 'hang'

/** A stream of events in pieces of a size, after `bytes` bytes of which it ends. */
export function eventStreamOf(
  events: readonly EventResource[],
  options: { readonly ending?: StreamEnding; readonly bytes?: number; readonly piece?: number } = {},
): Response {
  const { ending = 'close', bytes, piece = 4096 } = options
  const text = events.map(
    (event) => `${event.seq === undefined ? '' : `id: ${event.seq}\n`}data: ${JSON.stringify(event)}\n\n`,
  )
  const whole = new TextEncoder().encode(`: hello\n\n${text.join('')}`).subarray(0, bytes)
  let sent = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (sent < whole.length) {
          controller.enqueue(whole.slice(sent, sent + piece))
          sent += piece
        } else if (ending === 'close') controller.close()
        else if (ending === 'cut') controller.error(new TypeError('terminated'))
        return sent < whole.length || ending !== 'hang' ? undefined : new Promise<void>(() => {})
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

const patterns = Object.entries(routes).map(([name, { method, path }]) => ({
  name: name as RouteName,
  method,
  pattern: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
  fixed: !path.includes('{'),
}))

function routeOf(request: Request): ScriptedRequest | undefined {
  const { pathname } = new URL(request.url)
  // A fixed path goes before one with parameters: `/runs/import` is no run.
  for (const { name, method, pattern } of [...patterns].sort((a, b) => Number(b.fixed) - Number(a.fixed))) {
    const found = method === request.method ? pattern.exec(pathname) : null
    if (found === null) continue
    const parameters = Object.fromEntries(
      Object.entries(found.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]),
    )
    return { name, parameters, request }
  }
  return undefined
}
