// Agents over MCP: each is a tool that makes a durable run and waits for it. A client that goes cancels nothing; one that
// takes its call back does. `getRun` and `cancelRun` are for runs that outlived their call.

import type { CallToolResult, Tool } from '@modelcontextprotocol/server'
import { Agent, TellurionError } from 'tellurion'
import type { JsonObject, TurnResource } from 'tellurion/protocol'
import type { RunEvent, RunHandle, Runtime } from 'tellurion/runtime'
import { createToolbox } from 'tellurion/tool'
import { z } from 'zod'
import type { McpCall, McpTool } from './mcp-tool.ts'
import { errorResult } from './mcp-tool.ts'
import type { McpSetting } from './mcp-setting.ts'
import { owns } from './own.ts'
import { ownerOfSession } from './submission.ts'
import { turnOf } from './turn.ts'

const id = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/)

const askInput = z.strictObject({
  input: z.string().min(1).describe('What the agent is asked to do, in plain words, with everything it needs to know.'),
  session: id
    .exactOptional()
    .describe('A conversation of your own to go on with, which is made when it is not there. Default: none is kept.'),
})
const runInput = z.strictObject({ run: id.describe('The id of a run, as a call of an agent gave it.') })

const outputSchema = drawn(
  z.object({
    run: z.string(),
    session: z.string(),
    status: z.enum(['succeeded', 'waiting', 'cancelled', 'failed', 'running']),
    text: z.string(),
    output: z.unknown().exactOptional(),
    interactions: z.array(z.object({ id: z.string(), kind: z.string(), prompt: z.string() })),
    error: z.object({ code: z.string(), message: z.string() }).exactOptional(),
  }),
  'output',
)

/** The agents, and what is done with their runs; nothing where no agent is offered. */
export function agentTools(setting: McpSetting): McpTool[] {
  const { offer, runtime } = setting
  if (runtime === undefined || offer.agents.size === 0) return []
  const asked = [...offer.agents].map(([name, about]): McpTool => ({
    listing: listed(name, about ?? describe(runtime, name), askInput),
    call: async (call) => {
      const { input, session } = read(askInput, call.input, name)
      return waited(await begin(setting, call, { agent: name, input, session }), { setting, runtime, call })
    },
  }))
  return [
    ...asked,
    {
      listing: {
        ...listed('getRun', 'Waits for a run that a call of an agent began, and gives its result.', runInput),
        annotations: { readOnlyHint: true, openWorldHint: false },
      },
      call: async (call) => {
        const { run } = read(runInput, call.input, 'getRun')
        return waited(await ownRunOf(runtime, call, run), {
          setting,
          runtime,
          call: { ...call, isTakenBack: () => false },
        })
      },
    },
    {
      listing: {
        ...listed('cancelRun', 'Cancels a run that a call of an agent began; what it has done stays.', runInput),
        annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
      },
      call: async (call) => {
        const run = await ownRunOf(runtime, call, read(runInput, call.input, 'cancelRun').run)
        await run.cancel()
        return waited(run, { setting, runtime, call })
      },
    },
  ]
}

function listed(name: string, description: string, input: z.ZodType): Tool {
  return {
    name,
    description,
    inputSchema: drawn(input, 'input') as Tool['inputSchema'],
    outputSchema: outputSchema as Tool['inputSchema'],
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  }
}

function describe(runtime: Runtime, name: string): string {
  const agent = runtime.agents.get(name)
  const tools = (agent instanceof Agent ? agent.toolbox : createToolbox(agent.tools))?.names() ?? []
  const has = tools.length === 0 ? '' : ` Its tools: ${tools.slice(0, 30).join(', ')}${tools.length > 30 ? ', …' : ''}.`
  return `Asks the agent '${name}', which works by itself and answers in words.${has}`
}

/** Makes the run, in a session of the one who asks. Throws `unknown_session` for one of another user. */
async function begin(
  { runtime }: McpSetting,
  { identity, signal }: McpCall,
  { agent, input, session }: { agent: string; input: string; session: string | undefined },
): Promise<RunHandle> {
  if (signal.aborted) throw new TellurionError('aborted', 'The call was taken back before the run was made.')
  const user = session === undefined ? identity.user : await ownerOfSession(runtime!, identity, session)
  return runtime!.submit(agent, input, {
    user,
    ...(session === undefined ? {} : { session }),
    ...(identity.tenant === undefined ? {} : { tenant: identity.tenant }),
  })
}

async function ownRunOf(runtime: Runtime, { identity }: McpCall, id: string): Promise<RunHandle> {
  const run = runtime.run(id)
  const record = await run.record().catch((error: unknown) => {
    if (error instanceof TellurionError && error.code === 'unknown_run') return undefined
    throw error
  })
  if (record !== undefined && owns(identity, record)) return run
  throw new TellurionError('unknown_run', `There is no run '${id}'.`)
}

interface Waiting {
  readonly setting: McpSetting
  readonly runtime: Runtime
  readonly call: McpCall
}

/** Waits for the run, telling how far it is; a call that is taken back cancels it. */
async function waited(run: RunHandle, { setting, call }: Waiting): Promise<CallToolResult> {
  const { signal, tellProgress } = call
  const over = new AbortController()
  const cancel = (): void => {
    if (call.isTakenBack())
      run.cancel().catch((error: unknown) => setting.log.warn('mcp.cancel', { run: run.id, error: String(error) }))
  }
  if (signal.aborted) cancel()
  else signal.addEventListener('abort', cancel, { once: true })
  if (tellProgress !== undefined) void report(run, tellProgress, AbortSignal.any([signal, over.signal]))
  try {
    return resultOf(await turnOf({ setting, signal }, run, setting.limits.wait), setting.limits.mcpText)
  } finally {
    signal.removeEventListener('abort', cancel)
    over.abort()
  }
}

/** Tells the kept events of a run, each with its number, until it ends or nobody waits. */
async function report(run: RunHandle, tell: NonNullable<McpCall['tellProgress']>, signal: AbortSignal): Promise<void> {
  try {
    tell({ progress: 0, message: `run ${run.id}` })
    for await (const event of run.events({ signal })) {
      if (event.seq !== undefined) tell({ progress: event.seq, message: lineOf(event) })
    }
  } catch {
    // Nobody waits any more, or the reader fell behind; the result says how it ended.
  }
}

function lineOf(event: RunEvent): string {
  const tool = event.type === 'tool.called' || event.type === 'tool.ended' ? ` ${event.toolName}` : ''
  return `${event.type}${tool}`
}

/** How a run stands, as a result: words for the model, and the turn as it is. */
function resultOf(turn: TurnResource, most: number): CallToolResult {
  const whole = wordsOf(turn)
  const text =
    whole.length > most
      ? `${whole.slice(0, most).toWellFormed()}\n[cut: ${most} of ${whole.length} characters shown]`
      : whole
  const structuredContent = turnObject(turn, most)
  if (turn.status === 'failed' || turn.status === 'cancelled') {
    return { ...errorResult((turn.error?.code as 'run_failed' | undefined) ?? 'aborted', text), structuredContent }
  }
  return { content: [{ type: 'text', text }], structuredContent }
}

function turnObject(
  { run, session, status, text, output, interactions, error }: TurnResource,
  most: number,
): JsonObject {
  return {
    run,
    session,
    status,
    text: text.slice(0, most).toWellFormed(),
    interactions: interactions.map(({ id, kind, prompt }) => ({ id, kind, prompt })),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  }
}

function wordsOf({ run, status, text, error, interactions }: TurnResource): string {
  const said = text === '' ? '' : `${text}\n\n`
  switch (status) {
    case 'failed':
      return `${said}The run ${run} failed: ${error?.message ?? 'for no reason that is known'}`
    case 'cancelled':
      return `${said}The run ${run} was cancelled.`
    case 'waiting': {
      const asks = interactions.map(({ prompt }) => prompt).join(' ')
      return `${said}The run ${run} waits for a person: ${asks} When somebody has answered it (terminal, web page, or /api/v1/interactions), getRun gives the result.`
    }
    case 'running':
      return `${said}The run ${run} is not over; getRun waits for its result.`
    case 'succeeded':
      return text
    default:
      return status satisfies never
  }
}

/** The input of a call by its schema. Throws `tool_input_invalid`. */
function read<T>(schema: z.ZodType<T>, input: unknown, name: string): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const [first] = result.error.issues
  const where = first?.path.join('.') ?? ''
  const text = `The arguments for '${name}' are not valid: ${where === '' ? '' : `${where}: `}${first?.message ?? ''}.`
  throw new TellurionError('tool_input_invalid', text)
}

function drawn(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _draft, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest as unknown as JsonObject
}
