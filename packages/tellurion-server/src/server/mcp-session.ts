// MCP sessions of clients of the revisions up to 2025-11-25: each belongs to one user, and to others it is not there. They
// are bounded, and end when nobody asked for a while.

import { WebStandardStreamableHTTPServerTransport, type Server } from '@modelcontextprotocol/server'
import { RequestError } from './failure.ts'
import type { Identity } from './identity.ts'
import { createMcpEventLog } from './mcp-event-log.ts'
import type { MakeInstance } from './mcp-instance.ts'
import type { McpSetting } from './mcp-setting.ts'

/** A session. */
export interface McpSession {
  readonly id: string
  readonly user: string
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly server: Server
  /** When it was last asked for, on the clock. */
  used: number
  /** Requests and streams that are open. */
  open: number
}

/** The sessions of a server. */
export interface McpSessions {
  /** Makes one, which is kept when its first request was answered. Throws `rate_limited` when all of a user are at work. */
  open(identity: Identity): Promise<McpSession>
  keep(session: McpSession): void
  /** The session of a user. Undefined for what is not there, also when it is another's. */
  find(id: string, identity: Identity): McpSession | undefined
  readonly size: number
  close(): Promise<void>
}

/** Makes the table of sessions. */
export function createMcpSessions(setting: McpSetting, makeInstance: MakeInstance): McpSessions {
  const { clock, ids, limits } = setting
  const sessions = new Map<string, McpSession>()
  let stopSweep: (() => void) | undefined

  /** Looks as often as is needed to end a session at most a tenth of the time too late. */
  const sweepLater = (): void => {
    stopSweep ??= clock.timer(Math.max(1, limits.mcpIdle / 10), () => {
      stopSweep = undefined
      const before = clock.monotonic() - limits.mcpIdle
      for (const session of sessions.values()) if (session.open === 0 && session.used <= before) void end(session)
      if (sessions.size > 0) sweepLater()
    })
  }
  const end = ({ id, server }: McpSession): Promise<void> => {
    sessions.delete(id)
    return server.close().catch(() => {})
  }
  const makeRoom = (user: string): void => {
    const own = [...sessions.values()].filter((each) => each.user === user)
    if (own.length < limits.mcpSessions) return
    const idle = own.filter(({ open }) => open === 0).sort((a, b) => a.used - b.used)[0]
    if (idle !== undefined) return void end(idle)
    throw new RequestError('rate_limited', `You have ${limits.mcpSessions} MCP sessions at work; end one first.`)
  }
  return {
    async open(identity) {
      const { user } = identity
      makeRoom(user)
      const id = ids('mcp')
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => id,
        eventStore: createMcpEventLog(limits.mcpReplay),
        // Streams are held, and beat, as all streams of the server.
        keepAliveMs: 0,
        retryInterval: 1000,
      })
      Object.assign(transport, { onclose: () => void sessions.delete(id) })
      const server = makeInstance(identity)
      await server.connect(transport)
      return { id, user, transport, server, used: clock.monotonic(), open: 0 }
    },
    keep(session) {
      sessions.set(session.id, session)
      sweepLater()
    },
    find(id, { user }) {
      const session = sessions.get(id)
      if (session === undefined || session.user !== user) return undefined
      session.used = clock.monotonic()
      return session
    },
    get size() {
      return sessions.size
    },
    async close() {
      stopSweep?.()
      await Promise.all([...sessions.values()].map(end))
    },
  }
}
