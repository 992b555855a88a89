// Routes of the Model Context Protocol: one path, whose requests the MCP server answers for the one who asks.

import { z } from 'zod'
import { operation } from './operation.ts'
import type { Call } from './setting.ts'

const handle = ({ setting, request, identity }: Call): Promise<Response> => setting.mcp.handle(request, { identity })

const answer = z
  .looseObject({ jsonrpc: z.literal('2.0') })
  .meta({ id: 'JsonRpcAnswer', description: 'An answer of JSON-RPC 2.0, or several.' })

/** What is wrong with a message is said as JSON-RPC says it, what is wrong with a request as everywhere. */
const failure = z
  .looseObject({ error: z.looseObject({ code: z.union([z.int(), z.string()]), message: z.string() }) })
  .meta({ id: 'McpFailure' })

const refused = { 400: failure, 404: failure, 406: failure, 409: failure, 413: failure, 415: failure } as const

/** A message of a client. */
export const mcpMessage = operation('mcpMessage', {
  answer,
  media: ['text/event-stream'],
  others: { ...refused, 202: undefined },
  handle,
})

/** What the server says by itself, and what a broken stream has missed. */
export const mcpStream = operation('mcpStream', {
  media: ['text/event-stream'],
  others: { ...refused, 405: failure },
  handle,
})

/** The end of a session. */
export const mcpEnd = operation('mcpEnd', { status: 200, others: refused, handle })
