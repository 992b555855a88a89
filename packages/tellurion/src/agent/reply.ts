// A reply taken into the world, in one synchronous block: the message, its calls, what it cost, or why there is none.

import { errorData, TellurionError, type ErrorData } from '../error/error.ts'
import { toolCallsOf, type AssistantMessage, type ToolCallPart } from '../message/message.ts'
import type { ModelFailure, ModelReply } from '../port/model.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Terminal } from '../world/lifecycle.ts'
import type { World } from '../world/world.ts'
import { Budget, Output, PendingToolCalls, ToolResults, TurnUsage, type PendingToolCall } from './component.ts'
import { say } from './conversation.ts'
import { checkOutput } from './output.ts'
import { Plan } from './plan-component.ts'
import { addUsage, noUsage } from './usage.ts'

/** What came back from one ask. */
export interface Reply {
  readonly reply: ModelReply
  readonly model: string
  readonly streams: boolean
  readonly tick: number
  /** Who asked: a failure says so. */
  readonly system: string
  /** How a failure of the model is told, where not as it is. */
  readonly explain?: (error: ErrorData) => ErrorData
}

/** Keeps a reply. A failed one keeps what came as a partial message and puts `Failure` on the entity. */
export function takeReply(world: World, entity: Entity, given: Reply): void {
  const { reply, streams } = given
  switch (reply.status) {
    case 'finished':
      takeFinished(world, entity, { ...given, reply })
      return
    case 'aborted':
      keepPartial(world, entity, reply.message)
      if (streams) world.emit({ type: 'stream.ended', entity })
      return
    case 'failed':
      keepPartial(world, entity, reply.message)
      if (streams) world.emit({ type: 'stream.ended', entity, failure: reply.failure })
      if (reply.failure.code === 'provider_exhausted') world.set(entity, Terminal, { reason: 'provider_exhausted' })
      else fail(world, entity, given, (given.explain ?? asItIs)(failureData(reply.failure)))
      return
    default:
      reply satisfies never
  }
}

function takeFinished(
  world: World,
  entity: Entity,
  given: Reply & { readonly reply: Extract<ModelReply, { status: 'finished' }> },
): void {
  const { reply, model, streams, tick } = given
  const message = keep(world, entity, reply.message)
  const { usage, finishReason, responseId } = reply
  const spent = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  const calls = toolCallsOf(message)
  world.set(entity, TurnUsage, {
    ...spent,
    steps: spent.steps + 1,
    usage: addUsage(spent.usage, usage),
    finishReason,
    ...(calls.length === 0 ? {} : { toolCalls: (spent.toolCalls ?? 0) + calls.length }),
  })
  const replied = { type: 'model.replied', entity, model: reply.model ?? model, usage, finishReason } as const
  world.emit(responseId === undefined ? replied : { ...replied, responseId })
  if (streams) world.emit({ type: 'stream.ended', entity, message })
  if (calls.length > 0) {
    openCalls(world, entity, { calls, tick })
    const error = overdrawn(world, entity)
    if (error !== undefined) fail(world, entity, given, error)
  } else if (world.has(entity, Output) && world.get(entity, Plan)?.completed !== false) {
    const error = checkOutput(world, entity, message)
    if (error !== undefined) fail(world, entity, given, error)
  }
}

/** Makes the calls pending. Their keys are made here, once, and stored: no other call of any run has the same. */
function openCalls(
  world: World,
  entity: Entity,
  { calls, tick }: { calls: readonly ToolCallPart[]; tick: number },
): void {
  const makeKey = world.findResource<(entity: Entity, index: number) => string>('callKey')
  const runId = world.findResource<string>('runId') ?? 'run'
  const pending = calls.map((call, index): PendingToolCall => {
    const { toolCallId, toolName, input, invalidInput } = call
    const key = makeKey?.(entity, index) ?? `${runId}-${entity}-${tick}-${index}`
    const open = { toolCallId, toolName, input, key }
    return invalidInput === undefined ? open : { ...open, invalidInput }
  })
  world.remove(entity, ToolResults)
  world.set(entity, PendingToolCalls, pending)
  for (const { toolCallId, toolName, input } of pending) {
    world.emit({ type: 'tool.called', entity, toolCallId, toolName, input })
  }
}

/** Why the calls of this reply may not run any more: the budget has no room for so many. */
function overdrawn(world: World, entity: Entity): ErrorData | undefined {
  const limit = world.get(entity, Budget)?.limits.toolCalls
  const wanted = world.get(entity, TurnUsage)?.toolCalls ?? 0
  if (limit === undefined || wanted <= limit) return undefined
  const message = `The budget of ${limit} tool calls does not allow this reply, which takes it to ${wanted}.`
  return { code: 'budget_exceeded', message, retryable: false, data: { limit: 'toolCalls', allowed: limit, wanted } }
}

function keepPartial(world: World, entity: Entity, message: AssistantMessage | undefined): void {
  if (message !== undefined) keep(world, entity, message)
}

function asItIs(error: ErrorData): ErrorData {
  return error
}

function fail(world: World, entity: Entity, { system, tick }: Reply, error: ErrorData): void {
  world.set(entity, Failure, { error, system, tick })
}

function failureData({ code, message, retryable, data, kind, status, model }: ModelFailure): ErrorData {
  const more = { kind, ...(status === undefined ? {} : { status }), ...(model === undefined ? {} : { model }), ...data }
  try {
    return { code, message: message.toWellFormed(), retryable, data: more }
  } catch (error) {
    return errorData(error, code)
  }
}

/** Appends a reply, mended where a world would refuse it or its calls could not be told apart. */
function keep(world: World, entity: Entity, message: AssistantMessage): AssistantMessage {
  try {
    const told = distinct(toolCallsOf(message)) ? message : mended(message)
    say(world, entity, told)
    return told
  } catch (error) {
    if (!(error instanceof TellurionError) || error.code !== 'invalid_value') throw error
    const told = mended(message)
    say(world, entity, told)
    return told
  }
}

/** The message with well-formed text, arguments that are plain JSON, and calls with ids of their own. */
function mended(message: AssistantMessage): AssistantMessage {
  if (typeof message.content === 'string') return { ...message, content: message.content.toWellFormed() }
  const ids = new Set<string>()
  return {
    ...message,
    content: message.content.map((part) => {
      if (part.type === 'tool-call') return mendedCall(part, ids)
      return jsonProblem(part) === undefined ? part : { type: part.type, text: part.text.toWellFormed() }
    }),
  }
}

/** Ids are opaque, but printable and short enough to be bound anywhere. */
const idPattern = /^[\x20-\x7e]{1,256}$/

function distinct(calls: readonly ToolCallPart[]): boolean {
  if (calls.length <= 1) return calls.every(({ toolCallId }) => idPattern.test(toolCallId))
  const ids = new Set<string>()
  for (const { toolCallId } of calls) if (idPattern.test(toolCallId)) ids.add(toolCallId)
  return ids.size === calls.length
}

function mendedCall(call: ToolCallPart, ids: Set<string>): ToolCallPart {
  const base = idPattern.test(call.toolCallId) ? call.toolCallId.slice(0, 240) : 'call'
  let toolCallId = base
  for (let count = 2; ids.has(toolCallId); count++) toolCallId = `${base}_${count}`
  ids.add(toolCallId)
  if (jsonProblem(call) === undefined) return { ...call, toolCallId }
  const toolName = call.toolName.toWellFormed()
  const invalidInput = (call.invalidInput ?? JSON.stringify(call.input) ?? '').slice(0, 10_000).toWellFormed()
  return { type: 'tool-call', toolCallId, toolName, input: null, invalidInput }
}
