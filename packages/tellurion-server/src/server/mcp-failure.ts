// What goes wrong in a program's prompts and resources, as a client of MCP is told it.

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'
import { TellurionError } from 'tellurion'
import type { Log } from 'tellurion/trace'

/** Longest content of a prompt or a resource, in characters or bytes. */
const longest = 16_000_000

/** What `work` gives. What it throws goes to the log, and to the client only in words that are meant for it. */
export async function guarded<T>(log: Log, what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    log.warn('mcp.failed', { what, error: String(error) })
    const words = error instanceof TellurionError ? error.message : 'The server failed; its log has the reason.'
    throw new ProtocolError(ProtocolErrorCode.InternalError, words)
  }
}

/** The content, unless it is longer than may be given out. */
export function bounded<T extends { readonly length: number }>(content: T, what: string): T {
  if (content.length <= longest) return content
  throw new TellurionError('invalid_value', `${what} is longer than this server gives out.`)
}
