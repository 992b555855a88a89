// Names under which tools of servers are offered: `server_tool`, valid for every model. A server's name holds no `_`, so
// the first one tells where the server ends, and no two servers can meet in one name.

import { createHash } from 'node:crypto'
import { TellurionError } from '../error/error.ts'

const serverPattern = /^[a-zA-Z][a-zA-Z0-9-]{0,29}$/
const longest = 64

/** Throws `invalid_name` for a name that no server may have. */
export function checkServerName(name: string): void {
  if (serverPattern.test(name)) return
  throw new TellurionError(
    'invalid_name',
    `${JSON.stringify(name.slice(0, 80).toWellFormed())} is no name for an MCP server: use 1 to 30 letters, digits and '-', with a letter first.`,
  )
}

/**
 * The name under which a tool is offered. One that is too long, or has characters that models do not take, gets the
 * beginning of its hash, so that different tools keep different names.
 */
export function offeredName(server: string, tool: string): string {
  const clean = tool.replaceAll(/[^a-zA-Z0-9_-]/g, '_')
  const name = `${server}_${clean}`
  if (clean === tool && tool !== '' && name.length <= longest) return name
  const hash = createHash('sha256').update(tool).digest('hex').slice(0, 8)
  return `${name.slice(0, longest - hash.length - 1)}_${hash}`
}
