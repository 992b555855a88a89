// Tools of a toolbox over MCP: listed as clients read them, and called through the one pipeline. What would ask a person
// does not run, for there is none here.

import type { CallToolResult, InputRequiredResult, ServerContext, Tool } from '@modelcontextprotocol/server'
import { TellurionError, type ErrorCode } from 'tellurion'
import type { Json, JsonObject } from 'tellurion/protocol'
import { decide, type AnyTool, type Decided } from 'tellurion/tool'
import { createMcpApprovals, type McpApprovals } from './mcp-approval.ts'
import { blocksOf } from './mcp-content.ts'
import type { TellProgress } from './mcp-progress.ts'
import type { McpSetting } from './mcp-setting.ts'
import type { Identity } from './identity.ts'

/** One call that came in. */
export interface McpCall {
  readonly identity: Identity
  readonly input: Json
  /** Aborts when the client takes the call back, when it has gone, and when the server closes. */
  readonly signal: AbortSignal
  /** Whether the client took the call back: it did not only go. */
  isTakenBack(): boolean
  readonly tellProgress: TellProgress | undefined
  /** The request itself, where the client can ask the person at it. */
  readonly askable: ServerContext | undefined
}

/** A tool as a server holds it. */
export interface McpTool {
  readonly listing: Tool
  call(call: McpCall): Promise<CallToolResult | InputRequiredResult>
}

/** The tools of the toolbox. */
export function toolboxTools(setting: McpSetting): McpTool[] {
  const { toolbox, askClient } = setting.offer
  const approvals = askClient ? createMcpApprovals(setting) : undefined
  return toolbox.specs().map(({ name, description, inputSchema }): McpTool => {
    const tool = toolbox.get(name)!
    const outputSchema = objectSchema(tool)
    return {
      listing: {
        name,
        description,
        inputSchema: inputSchema as Tool['inputSchema'],
        ...(outputSchema === undefined ? {} : { outputSchema: outputSchema as Tool['inputSchema'] }),
        annotations: hintsOf(tool),
      },
      call: async ({ identity, input, signal, tellProgress, askable }) => {
        const toolCallId = setting.ids('call')
        const asked = { type: 'tool-call', toolCallId, toolName: name, input } as const
        const made = await decide(asked, { toolbox, ...setting.offer.authority })
        const { decided, told } = permitted(made, { name, input, identity, askable, approvals })
        if (decided === undefined) return told
        const outcome = await setting.manual.perform(asked, decided, {
          toolbox,
          user: identity.user,
          signal,
          results: { maxLength: setting.limits.mcpText },
          ...(tellProgress === undefined ? {} : { onProgress: tellProgress }),
        })
        setting.log.info('tool.called', { user: identity.user, toolName: name, isError: outcome.isError ?? false })
        const content = blocksOf(outcome.content)
        if (outcome.isError === true) return { content, ...marked(outcome.code ?? 'tool_failed') }
        return outputSchema === undefined ? { content } : structured(name, content, outcome.content)
      },
    }
  })
}

interface Asking extends Pick<McpCall, 'identity' | 'input' | 'askable'> {
  readonly name: string
  readonly approvals: McpApprovals | undefined
}

type Permitted =
  | { readonly decided: Decided; readonly told?: undefined }
  | { readonly decided?: undefined; readonly told: CallToolResult | InputRequiredResult }

/** What was decided, with a person's word where one is asked; or what the client is told instead. */
function permitted(made: Decided, asking: Asking): Permitted {
  const { decision, prepared } = made
  if (decision.verdict !== 'ask') return { decided: made }
  const { name, input, identity, askable: context, approvals } = asking
  const { user } = identity
  const said =
    approvals === undefined || context === undefined
      ? 'unasked'
      : approvals.settle({ user, toolName: name, input, decision, context })
  if (typeof said !== 'string') return { told: said }
  const refused = `The call of '${name}' needs a person's approval, so it did not run.`
  switch (said) {
    case 'allowed':
      return { decided: { decision: { verdict: 'allow', by: user }, ...(prepared === undefined ? {} : { prepared }) } }
    case 'refused':
      return denied(`${refused} It was not given: do not repeat the call, find another way.`)
    case 'unshown':
      return denied(`${refused} Its arguments are too long to be shown to one.`)
    case 'unasked': {
      const mend = 'Ask an agent that has this tool, or have the operator allow such calls by a rule.'
      return denied(`${refused} Nobody can be asked here. ${mend}`)
    }
    default:
      return said satisfies never
  }
}

const denied = (text: string): Permitted => ({ told: errorResult('tool_denied', text) })

/** A result that says what went wrong; its code is under `_meta`. */
export function errorResult(code: ErrorCode, text: string): CallToolResult {
  return { content: [{ type: 'text', text }], ...marked(code) }
}

/** What anything thrown becomes: the words of errors of this library, and of others none. */
export function thrownResult(error: unknown): CallToolResult {
  if (error instanceof TellurionError) return errorResult(error.code, error.message)
  return errorResult('internal_error', 'The server failed; its log has the reason.')
}

function marked(code: ErrorCode): Pick<CallToolResult, 'isError' | '_meta'> {
  return { isError: true, _meta: { 'tellurion/code': code } }
}

/** The schema of what a tool returns, where that is an object: MCP has no other structured results. */
function objectSchema({ output }: AnyTool): JsonObject | undefined {
  return output?.jsonSchema['type'] === 'object' ? output.jsonSchema : undefined
}

/** What the tool returned, as text and as the object it is. */
function structured(name: string, content: CallToolResult['content'], text: unknown): CallToolResult {
  try {
    return { content, structuredContent: JSON.parse(text as string) as JsonObject }
  } catch {
    return errorResult('tool_output_invalid', `The result of '${name}' is longer than this server gives out.`)
  }
}

/** What a client may tell its user of a tool before calling it. */
function hintsOf({ effects: { mode, repeat, risk } }: AnyTool): NonNullable<Tool['annotations']> {
  return {
    readOnlyHint: mode === 'read',
    destructiveHint: risk.includes('destructive'),
    idempotentHint: repeat === 'safe',
    openWorldHint: risk.includes('exfiltrating'),
  }
}
