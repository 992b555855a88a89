// What goes wrong with a server, as errors of this library: unreachable, or an answer that is an error. The words of a
// server are cleaned and cut before they stand in a message.

import { TellurionError, messageOf } from '../error/error.ts'
import { cleanLine } from './clean-text.ts'

const maxWords = 500

/** Codes of the protocol's package that say that there was no connection, or no answer. */
const noAnswer = new Set([
  'NOT_CONNECTED',
  'CONNECTION_CLOSED',
  'SEND_FAILED',
  'REQUEST_TIMEOUT',
  'ERA_NEGOTIATION_FAILED',
])

/** JSON-RPC codes as words. */
const protocolCodes: Readonly<Record<number, string>> = {
  [-32700]: 'parse error',
  [-32600]: 'invalid request',
  [-32601]: 'method not found',
  [-32602]: 'invalid parameters',
  [-32603]: 'internal error',
  [-32002]: 'resource not found',
  [-32042]: 'it wants a person to visit an address first',
}

/** The code of a JSON-RPC error that stands for a stream that ended without an answer; made here, not by the server. */
export const brokenStream = -32_099
/** The code of one that stands for an answer that cannot be let in. */
export const unreadableAnswer = -32_098

/** What is being done while a connection is made. */
export const handshake = 'the handshake'

/** Any error around a request as one of ours. `what` was being done: `the call of 'search'`. */
export function mcpFailure(server: string, what: string, error: unknown): TellurionError {
  const known = inChain(error, (each) => each instanceof TellurionError)
  if (known instanceof TellurionError) {
    const unanswered = known.code === 'egress_failed' || known.code === 'egress_timeout'
    return unanswered ? unavailable(server, known.message, known) : known
  }
  const words = cleanLine(messageOf(error), maxWords)
  const { code, status } = codesOf(error)
  if (what === handshake && (code === brokenStream || code === 'CONNECTION_CLOSED'))
    return unavailable(server, 'the connection ended while it was being made', error)
  if (code === brokenStream)
    return unavailable(server, `the connection ended during ${what}; whether it was done is unknown`, error)
  if (typeof code === 'number') {
    const meaning = protocolCodes[code]
    const kind = meaning === undefined ? `error ${code}` : `error ${code} (${meaning})`
    return new TellurionError('mcp_failed', `The MCP server '${server}' answered ${what} with ${kind}: ${words}`, {
      cause: error,
      data: { server, mcpCode: code },
    })
  }
  if (status === 401 || status === 403) {
    const mend = `put what it wants into 'headers' of the server`
    return new TellurionError(
      'mcp_failed',
      `The MCP server '${server}' does not let us in (HTTP ${status}); ${mend}.`,
      {
        cause: error,
        data: { server, status },
      },
    )
  }
  if (code === 'CONNECTION_CLOSED')
    return unavailable(server, `the connection ended during ${what}; whether it was done is unknown`, error)
  if (status !== undefined || noAnswer.has(String(code)) || isNetwork(error)) return unavailable(server, words, error)
  return new TellurionError(
    'mcp_failed',
    `The MCP server '${server}' answered ${what} with what is not MCP: ${words}`,
    {
      cause: error,
      data: { server },
    },
  )
}

/** A server that cannot be reached, or does not answer. */
export function unavailable(server: string, why: string, cause?: unknown): TellurionError {
  return new TellurionError(
    'mcp_unavailable',
    `The MCP server '${server}' is not available: ${why}.`.replace(/\.\.$/, '.'),
    {
      data: { server },
      ...(cause === undefined ? {} : { cause }),
    },
  )
}

/** Whether a server over HTTP has forgotten the session: it did nothing, and wants a new one. */
export function isSessionLost(error: unknown): boolean {
  return codesOf(error).status === 404
}

function codesOf(error: unknown): { code: unknown; status: number | undefined } {
  if (typeof error !== 'object' || error === null) return { code: undefined, status: undefined }
  const { code, data, name } = error as { code?: unknown; data?: { status?: unknown }; name?: unknown }
  if (name === 'UnauthorizedError') return { code: undefined, status: 401 }
  const status = data?.status
  return { code, status: typeof status === 'number' && typeof code === 'string' ? status : undefined }
}

function isNetwork(error: unknown): boolean {
  return (
    inChain(
      error,
      (each) => each instanceof TypeError || typeof (each as NodeJS.ErrnoException).syscall === 'string',
    ) !== undefined
  )
}

function inChain(error: unknown, found: (each: Error) => boolean): Error | undefined {
  let each = error
  for (let depth = 0; depth < 8 && each instanceof Error; depth++) {
    if (found(each)) return each
    each = each.cause
  }
  return undefined
}
