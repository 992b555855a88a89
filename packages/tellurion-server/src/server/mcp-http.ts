// MCP over streamable HTTP, behind the admission of the server: requests of the revision 2026-07-28 stand alone, those
// of older ones belong to sessions. Who asks is settled before anything comes here.

import { createMcpHandler, isLegacyRequest, isInitializeRequest } from '@modelcontextprotocol/server'
import { readJson } from './body.ts'
import { RequestError } from './failure.ts'
import type { Identity } from './identity.ts'
import type { MakeInstance } from './mcp-instance.ts'
import { createMcpSessions } from './mcp-session.ts'
import type { McpSetting } from './mcp-setting.ts'
import { heldStream } from './stream.ts'

/** Answers requests. */
export interface McpHttp {
  /** Throws what has nothing to do with MCP: `request_too_large`, `unsupported_media_type`, `rate_limited`. */
  handle(request: Request, identity: Identity): Promise<Response>
  close(): Promise<void>
}

/** Who asks, and what is to be done when the answer is over. */
interface Asking {
  readonly identity: Identity
  readonly ends: (() => void)[]
}

/** Makes it. */
export function createMcpHttp(setting: McpSetting, makeInstance: MakeInstance): McpHttp {
  const sessions = createMcpSessions(setting, makeInstance)
  const modern = createMcpHandler(({ authInfo }) => makeInstance(authInfo!.extra!['identity'] as Identity), {
    legacy: 'reject',
    keepAliveMs: 0,
    onerror: (error) => setting.log.debug('mcp.refused', { error: error.message }),
  })

  /** A request of a client with a session, or the one that makes it. */
  const inSession = async (request: Request, parsedBody: unknown, { identity, ends }: Asking): Promise<Response> => {
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : sessions.find(id, identity)
    if (id !== null && known === undefined) return refusal(404, -32_001, 'Session not found')
    if (known === undefined && !isInitializeRequest(parsedBody)) {
      return refusal(400, -32_000, 'Bad Request: Mcp-Session-Id header is required')
    }
    const session = known ?? (await sessions.open(identity))
    session.open++
    ends.push(() => {
      session.open--
      session.used = setting.clock.monotonic()
    })
    const response = await session.transport.handleRequest(request, { parsedBody })
    if (known === undefined && response.ok) sessions.keep(session)
    else if (known === undefined) await session.server.close()
    return response
  }
  const answer = async (request: Request, asking: Asking): Promise<Response> => {
    const { identity } = asking
    if (request.method !== 'POST') return inSession(request, undefined, asking)
    let body: unknown
    try {
      body = await readJson(request, setting.limits.body)
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== 'malformed_request') throw error
      return refusal(400, -32_700, `Parse error: ${error.message}`)
    }
    if (await isLegacyRequest(request, body)) return inSession(request, body, asking)
    const { user: clientId, scopes } = identity
    const authInfo = { token: '', clientId, scopes: [...scopes], extra: { identity } }
    return modern.fetch(request, { parsedBody: body, authInfo })
  }
  return {
    async handle(request, identity) {
      const ends = [setting.seats.take(identity.user)]
      const onEnd = (): void => ends.splice(0).forEach((end) => end())
      try {
        const response = await answer(request, { identity, ends })
        if (isStream(response))
          return heldStream(response, { most: setting.limits.waiting, pulse: setting.pulse, onEnd })
        onEnd()
        return response
      } catch (error) {
        onEnd()
        throw error
      }
    },
    async close() {
      await Promise.all([modern.close(), sessions.close()])
    },
  }
}

function isStream({ body, headers }: Response): boolean {
  return body !== null && (headers.get('content-type') ?? '').startsWith('text/event-stream')
}

function refusal(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })
}
