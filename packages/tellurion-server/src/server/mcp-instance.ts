// The protocol's own end of one client: the vendor's server, with what is offered, on behalf of one identity.

import {
  CLIENT_CAPABILITIES_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  SdkError,
  SdkErrorCode,
  Server,
} from '@modelcontextprotocol/server'
import type {
  CallToolResult,
  ClientCapabilities,
  InputRequiredResult,
  ServerContext,
} from '@modelcontextprotocol/server'
import { jsonProblem, type Json } from 'tellurion/protocol'
import type { Identity } from './identity.ts'
import { agentTools } from './mcp-agent.ts'
import { progressOf } from './mcp-progress.ts'
import { addPrompts, completes } from './mcp-prompt.ts'
import { addResources } from './mcp-resource.ts'
import type { McpSetting } from './mcp-setting.ts'
import { errorResult, thrownResult, toolboxTools, type McpTool } from './mcp-tool.ts'
import { createSeats } from './seat.ts'

/** Makes the end of a client of an identity. */
export type MakeInstance = (identity: Identity) => Server

/** Prepares what all clients share, and gives what makes the end of each. */
export function instances(setting: McpSetting): MakeInstance {
  const { offer, name, version, limits } = setting
  const tools = new Map([...toolboxTools(setting), ...agentTools(setting)].map((tool) => [tool.listing.name, tool]))
  const listings = [...tools.values()].map(({ listing }) => listing)
  const seats = createSeats(limits.mcpCalls, 'calls over MCP at work; wait for one to end')
  const has = {
    ...(tools.size > 0 ? { tools: {} } : {}),
    ...(Object.keys(offer.prompts).length > 0 ? { prompts: {} } : {}),
    ...(Object.keys(offer.resources).length > 0 ? { resources: {} } : {}),
    ...(completes(offer.prompts) ? { completions: {} } : {}),
  }
  return (identity) => {
    const server = new Server(
      { name, version },
      { capabilities: has, ...(offer.instructions === undefined ? {} : { instructions: offer.instructions }) },
    )
    // What a client does wrong it is told itself.
    const onerror = (error: Error): void =>
      setting.log.debug('mcp.error', { user: identity.user, error: error.message })
    Object.assign(server, { onerror })
    if (has.tools !== undefined) {
      server.setRequestHandler('tools/list', () => ({ tools: listings }))
      server.setRequestHandler('tools/call', async ({ params }, context) => {
        const tool = tools.get(params.name)
        if (tool === undefined) throw unknownTool(params.name)
        const give = takeSeat(seats.take, identity.user)
        if (typeof give !== 'function') return give
        try {
          const askable = canAsk(context, server) ? context : undefined
          return await called(tool, params.arguments ?? {}, { setting, identity, context, askable })
        } finally {
          give()
        }
      })
    }
    addPrompts(server, offer.prompts, setting.log)
    addResources(server, offer.resources, setting.log)
    return server
  }
}

interface Calling {
  readonly setting: McpSetting
  readonly identity: Identity
  readonly context: ServerContext
  readonly askable: ServerContext | undefined
}

/** Whether the client says that it can ask the person at it, with a form. */
function canAsk({ mcpReq }: ServerContext, server: Server): boolean {
  const envelope = mcpReq.envelope as Readonly<Record<string, ClientCapabilities | undefined>> | undefined
  const { elicitation } = envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? server.getClientCapabilities() ?? {}
  return elicitation !== undefined && ('form' in elicitation || Object.keys(elicitation).length === 0)
}

async function called(
  tool: McpTool,
  input: unknown,
  { setting, identity, context, askable }: Calling,
): Promise<CallToolResult | InputRequiredResult> {
  const { signal } = context.mcpReq
  const problem = jsonProblem(input)
  if (problem !== undefined) return errorResult('tool_input_invalid', `The arguments cannot be taken: ${problem}.`)
  try {
    const result = await tool.call({
      identity,
      input: input as Json,
      signal,
      isTakenBack: () => signal.aborted && !isGone(signal.reason),
      tellProgress: progressOf(context, setting.redactor),
      askable,
    })
    return setting.redactor?.value(result) ?? result
  } catch (error) {
    setting.log.info('mcp.failed', { user: identity.user, toolName: tool.listing.name, error: String(error) })
    const result = thrownResult(error)
    return setting.redactor?.value(result) ?? result
  }
}

/** Whether a call was aborted because its client went, or its connection ended. */
function isGone(reason: unknown): boolean {
  return reason instanceof SdkError && reason.code === SdkErrorCode.ConnectionClosed
}

function takeSeat(take: (user: string) => () => void, user: string): (() => void) | CallToolResult {
  try {
    return take(user)
  } catch (error) {
    return thrownResult(error)
  }
}

function unknownTool(name: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool '${name.slice(0, 64).toWellFormed()}'.`)
}
