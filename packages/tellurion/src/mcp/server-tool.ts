// A tool of a server as a tool of ours: the one pipeline checks, asks and bounds, the server does the work. What it says
// of itself is not believed; what it gives back are a stranger's words.

import { TellurionError } from '../error/error.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { issuesText } from '../schema/issue.ts'
import type { EffectOptions, Risk } from '../tool/effects.ts'
import { withOrigin } from '../tool/origin.ts'
import { createTool, type AnyTool, type ToolContext } from '../tool/tool.ts'
import { cleanLine } from './clean-text.ts'
import type { LinkProgress } from './link-request.ts'
import type { Offer } from './offer.ts'
import type { McpServer } from './server.ts'
import { resultValue, structured, type CallResult } from './tool-result.ts'

const defaultTimeout = 30_000
/** Reports of progress of one call that are passed on. */
const maxReports = 1_000

/** Makes the tool of an offer. It works as long as the server offers exactly this. */
export function serverTool(server: McpServer, offer: Offer): AnyTool {
  const { timeout = defaultTimeout, trustAnnotations = false } = server.options
  const tool = createTool({
    description: offer.description,
    inputSchema: shownSchema(offer),
    timeout,
    trust: 'untrusted',
    effects: trustAnnotations ? annotatedEffects(offer.definition.annotations) : unknownEffects,
    execute: (input, context) => call(server, offer, { input: input as JsonObject, context }),
  })
  return withOrigin(tool, `the MCP server ${server.name}`)
}

/** Alone, never again by itself, and whatever could go wrong. */
export const unknownEffects = { mode: 'exclusive', repeat: 'never', risk: ['destructive', 'exfiltrating'] } as const

/** The input's schema in the form that `createTool` takes: what models are shown, and the bounded check. */
function shownSchema({ input }: Offer) {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'mcp',
      validate: (value: unknown) => input.validate(value),
      jsonSchema: { input: () => input.jsonSchema },
    },
  }
}

async function call(
  server: McpServer,
  offer: Offer,
  { input, context }: { readonly input: JsonObject; readonly context: ToolContext },
): Promise<unknown> {
  requireOffered(server, offer)
  const { abortSignal: signal } = context
  let reports = 0
  const onProgress = (progress: LinkProgress): void => {
    if (++reports <= maxReports) context.progress(reportOf(progress))
  }
  const result = (await server.use(
    (link) => {
      // The list may have changed while the connection was made.
      requireOffered(server, offer)
      return link.callTool(offer.definition, input, { signal, timeout: Infinity, onProgress })
    },
    { signal },
  )) as CallResult
  await checkOutput(offer, result)
  return resultValue(result)
}

function requireOffered(server: McpServer, { tool, name, hash }: Offer): void {
  if (server.offers.some((each) => each.tool === tool && each.hash === hash)) return
  const waiting = server.status().quarantined.some((each) => each.tool === tool)
  if (waiting) {
    throw new TellurionError(
      'mcp_quarantined',
      `The tool '${name}' is no longer what was let in; the operator has to accept it first.`,
    )
  }
  throw new TellurionError('unknown_tool', `The MCP server '${server.name}' does not offer '${tool}' any more.`)
}

async function checkOutput({ name, output }: Offer, { structuredContent, isError }: CallResult): Promise<void> {
  if (output === undefined || isError === true) return
  if (structuredContent === undefined) {
    throw new TellurionError('tool_output_invalid', `'${name}' has an outputSchema but gave no structured content.`)
  }
  const { issues } = await output.validate(structured(structuredContent))
  if (issues === undefined) return
  throw new TellurionError(
    'tool_output_invalid',
    `'${name}' gave something else than its outputSchema says: ${issuesText(issues)}`,
  )
}

function reportOf({ progress, total, message }: LinkProgress): Json {
  return {
    progress,
    ...(total === undefined ? {} : { total }),
    ...(message === undefined ? {} : { message: cleanLine(message, 500) }),
  }
}

/** Effects as a server states them, with the protocol's defaults: it writes, destroys, and touches the open world. */
export function annotatedEffects(annotations: JsonObject = {}): EffectOptions {
  const reads = annotations['readOnlyHint'] === true
  const idempotent = annotations['idempotentHint'] === true
  const risk: Risk[] = []
  if (!reads && annotations['destructiveHint'] !== false) risk.push('destructive')
  if (annotations['openWorldHint'] !== false) risk.push('exfiltrating')
  return { mode: reads ? 'read' : 'exclusive', repeat: reads || idempotent ? 'safe' : 'never', risk }
}
