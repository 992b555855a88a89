// The loop of a model and its tools as an agent of any make: ask, perform the calls, ask again. The conversation is its
// whole state, so it goes on after a crash where it stood: no reply is asked for twice, no kept result made again.

import { estimateCall } from '../agent/budget.ts'
import { abortReason } from '../abort/abort.ts'
import { TellurionError, suggestion } from '../error/error.ts'
import { textOf, type Message, type ToolCallPart } from '../message/message.ts'
import { asModel, type AnyModel } from '../model/any-model.ts'
import { collect } from '../model/collect.ts'
import { failureError } from '../model/failure.ts'
import type { Model } from '../port/model.ts'
import { decide } from '../tool/decide.ts'
import { errorOutcome, toolMessage, type ToolOutcome } from '../tool/result.ts'
import type { ExecuteOptions, Tools } from '../tool/toolbox.ts'
import type { AgentRuntime, RunContext, RunResult } from './agent-runtime.ts'
import { openCalls } from './open-calls.ts'

/** What makes a tool calling agent. */
export interface ToolCallingOptions {
  readonly key: string
  /** A model of this library or any AI SDK model. */
  readonly model: AnyModel
  readonly tools?: Tools
  readonly instructions?: string
  /** Most model calls for one input. Default 20. */
  readonly maxSteps?: number
}

/** How often each call that must not be repeated has been begun, by its key. */
interface Begun {
  readonly begun: { readonly [key: string]: number }
}

const known = ['key', 'model', 'tools', 'instructions', 'maxSteps']

/**
 * Makes an agent that asks the model until it calls no more tools. Tools that need approval ask a person; so does a call
 * that must not be repeated and whose outcome a crash has hidden. Throws `invalid_option` and `unknown_option`.
 */
export function toolCallingAgent(options: ToolCallingOptions): AgentRuntime {
  for (const each of Object.keys(options)) {
    if (known.includes(each)) continue
    throw new TellurionError(
      'unknown_option',
      `A tool calling agent has no option '${each}'.${suggestion(each, known)}`,
    )
  }
  const { key, tools, instructions, maxSteps = 20 } = options
  const model = asModel(options.model)
  return {
    key,
    ...(tools === undefined ? {} : { tools }),
    async run(context) {
      for (;;) {
        const { messages } = context
        const newest = messages.at(-1)
        if (openCalls(messages).length > 0) await performAll(context)
        else if (newest?.role === 'assistant') return { output: textOf(newest) }
        else if (stepsOf(messages) >= maxSteps) return tooMany(maxSteps)
        else await askModel(context, model, instructions)
      }
    },
  }
}

/**
 * Runs one call through the context's tools and tells of it: `tool.called`, then `tool.ended`. Never rejects but when
 * the run should end.
 */
export async function executeWithEvents(
  context: Pick<RunContext, 'tools' | 'emit' | 'signal'>,
  call: ToolCallPart,
  options: ExecuteOptions = {},
): Promise<ToolOutcome> {
  const { toolCallId, toolName, input, invalidInput } = call
  context.emit({ type: 'tool.called', toolCallId, toolName, input })
  const outcome = await context.tools.execute(toolName, invalidInput ?? input, { toolCallId, ...options })
  const { code, artifact, kept, isError = false } = outcome
  if (context.signal.aborted) throw abortReason(context.signal)
  context.emit({
    type: 'tool.ended',
    toolCallId,
    toolName,
    content: textOf(toolMessage(outcome)),
    isError,
    ...(code === undefined ? {} : { code }),
    ...(artifact === undefined ? {} : { artifact: artifact.hash }),
    ...(kept === undefined ? {} : { kept }),
  })
  return outcome
}

async function askModel(context: RunContext, model: Model, instructions: string | undefined): Promise<void> {
  const { messages, tools, signal, emit, say } = context
  emit({ type: 'model.called', model: model.name })
  const request = {
    messages,
    ...(instructions === undefined ? {} : { system: instructions }),
    ...(tools.names().length === 0 ? {} : { tools: tools.specs() }),
  }
  // Counted with the reply, in the same moment: nobody else can take what it leaves.
  const release = context.reserve(estimateCall({ request, model: model.name, price: undefined }))
  const reply = await collect(model.stream(request, { signal }), (event) => {
    if (signal.aborted) return
    if (event.type === 'text.delta' || event.type === 'reasoning.delta') emit({ ...event })
  })
  release()
  if (reply.status === 'aborted') throw abortReason(signal)
  if (reply.status === 'failed') throw failureError(reply.failure)
  const { usage, finishReason, message } = reply
  emit({ type: 'model.replied', model: model.name, usage, finishReason })
  await say(message)
}

/** Performs what is open, together as far as effects allow; results join the conversation in call order. */
async function performAll(context: RunContext): Promise<void> {
  const { messages } = context
  const place = messages.findLastIndex((message) => message.role === 'assistant')
  const calls = openCalls(messages).map((call) => ({ call, key: `${context.runId}.${place}.${call.toolCallId}` }))
  const { begun = {} } = (context.state ?? {}) as unknown as Partial<Begun>
  const approvals = await Promise.all(calls.map((each) => approval(context, each)))
  const verdicts = await Promise.all(calls.map((each) => verdict(context, each, begun[each.key])))
  const begins = calls.filter(
    ({ call }, index) =>
      verdicts[index] === 'run' &&
      approvals[index] !== 'deny' &&
      context.tools.get(call.toolName)?.effects.repeat === 'never',
  )
  // That it begins is kept first: should the process die meanwhile, nobody starts it a second time by himself.
  if (begins.length > 0) {
    const counts = begins.map(({ key }) => [key, (begun[key] ?? 0) + 1] as const)
    await context.checkpoint({ begun: { ...begun, ...Object.fromEntries(counts) } })
  }
  const outcomes = calls.map(async ({ call, key }, index): Promise<ToolOutcome> => {
    if (approvals[index] === 'deny') return errorOutcome(call, 'tool_denied', `The user denied ${call.toolName}.`)
    if (verdicts[index] === 'failed') return unknownOutcome(call)
    return executeWithEvents(context, call, { approved: approvals[index] === 'approve', idempotencyKey: key })
  })
  // The first that rejects ends the call of `run`; the others must not be missed.
  for (const ended of outcomes) ended.catch(() => {})
  for (const ended of outcomes) await context.say(toolMessage(await ended))
}

interface Keyed {
  readonly call: ToolCallPart
  readonly key: string
}

/** What a person says to a call that asks; undefined for one that does not. */
async function approval(context: RunContext, { call, key }: Keyed): Promise<string | undefined> {
  const { decision } = await decide(call, { toolbox: context.tools, taint: context.taint })
  if (decision.verdict !== 'ask') return undefined
  return context.ask({ id: `approve.${key}`, prompt: decision.prompt, choices: ['approve', 'deny'] })
}

/** Whether a call runs. When it was begun and has no result, only a person can know what became of it. */
async function verdict(context: RunContext, { call, key }: Keyed, begun = 0): Promise<string> {
  if (begun === 0) return 'run'
  const what = `The outcome of ${call.toolName} is unknown: the process stopped while it ran.`
  const choices = ['run', 'failed']
  return context.ask({ id: `outcome.${key}.${begun}`, prompt: `${what} Run it again, or take it for failed?`, choices })
}

function unknownOutcome(call: ToolCallPart): ToolOutcome {
  return errorOutcome(call, 'tool_failed', `The outcome of '${call.toolName}' is unknown: the process stopped.`)
}

/** Replies since the newest input. */
function stepsOf(messages: readonly Message[]): number {
  const input = messages.findLastIndex((message) => message.role === 'user')
  return messages.slice(input + 1).filter((message) => message.role === 'assistant').length
}

function tooMany(maxSteps: number): RunResult {
  const message = `The model was asked ${maxSteps} times and still calls tools: raise maxSteps.`
  return { output: null, error: { code: 'run_limit', message, retryable: false } }
}
