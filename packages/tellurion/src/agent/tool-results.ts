// Results of tool calls in the world: kept as they come, moved to the conversation in call order, and made up where a
// call will never have one. Every call has exactly one.

import { textOf, type Message, type ToolCallPart } from '../message/message.ts'
import { errorOutcome, toolMessage, type ToolOutcome } from '../tool/result.ts'
import type { Entity } from '../world/entity.ts'
import { Wait } from '../world/lifecycle.ts'
import type { LogView } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { Children, Conversation, PendingToolCalls, ToolResults, type PendingToolCall } from './component.ts'
import { say } from './conversation.ts'
import type { Spawn } from './spawn.ts'

/** Keeps a result and moves what is ready to the conversation. */
export function takeResult(world: World, entity: Entity, outcome: ToolOutcome): void {
  keep(world, entity, outcome)
  moveFinished(world, entity)
}

function keep(world: World, entity: Entity, outcome: ToolOutcome): void {
  const { toolCallId, toolName, isError, code, artifact, kept } = outcome
  world.append(entity, ToolResults, outcome)
  const content = typeof outcome.content === 'string' ? outcome.content : textOf(toolMessage(outcome))
  const ended = { type: 'tool.ended', entity, toolCallId, toolName, content, isError: isError === true } as const
  if (code === undefined && artifact === undefined && kept === undefined) world.emit(ended)
  else {
    world.emit({
      ...ended,
      ...(code === undefined ? {} : { code }),
      ...(artifact === undefined ? {} : { artifact: artifact.hash }),
      ...(kept === undefined ? {} : { kept }),
    })
  }
}

/**
 * For a past that is gone on from: questions about calls are withdrawn, so that they are asked again under new keys, and
 * calls that were at work are closed.
 */
export function askAgain(world: World, entity: Entity): void {
  const pending = world.get(entity, PendingToolCalls)
  if (pending === undefined) return
  const done = new Set<string>()
  for (const result of world.get(entity, ToolResults) ?? []) done.add(result.toolCallId)
  const makeKey = world.findResource<(entity: Entity, index: number) => string>('callKey')
  const again = pending.map(({ decision, started: _begun, ...call }, index): PendingToolCall => {
    const { toolCallId, toolName } = call
    const key = makeKey?.(entity, index) ?? `${call.key}-again`
    const asks = decision === undefined || (decision.verdict === 'ask' && decision.by !== 'outcome unknown')
    if (asks || done.has(toolCallId)) return { ...call, key }
    keep(
      world,
      entity,
      errorOutcome(partOf(call), 'aborted', `The call of the tool '${toolName}' was cancelled by fork.`),
    )
    return { ...call, key }
  })
  world.set(entity, PendingToolCalls, again)
  moveFinished(world, entity)
  withdraw(world, entity)
  dismissChildren(world, entity, true)
}

/** A result that a person gave, for a call whose outcome nobody else knows. */
export function giveResult(world: World, entity: Entity, toolCallId: string, content: string): void {
  const call = world.require(entity, PendingToolCalls).find((each) => each.toolCallId === toolCallId)
  if (call === undefined) return
  keep(world, entity, { toolCallId, toolName: call.toolName, content })
  moveFinished(world, entity)
}

/**
 * Gives every call that has no result one that says it was cancelled, and withdraws its question: for a turn that has
 * ended, so that the conversation can go on. What works for it ends as well, unless this is a fork.
 */
export function closeCalls(world: World, entity: Entity, { forked = false }: { forked?: boolean } = {}): void {
  const pending = world.get(entity, PendingToolCalls)
  if (pending === undefined) return
  const by = forked ? ' by fork' : ''
  const done = new Set<string>()
  for (const result of world.get(entity, ToolResults) ?? []) done.add(result.toolCallId)
  for (const call of pending) {
    if (done.has(call.toolCallId)) continue
    const text = `The call of the tool '${call.toolName}' was cancelled${by}.`
    keep(world, entity, errorOutcome(partOf(call), 'aborted', text))
  }
  moveFinished(world, entity)
  withdraw(world, entity)
  dismissChildren(world, entity, forked)
}

/** Nobody works for this entity any more; on a fork the children go on for the world that it was forked from. */
function dismissChildren(world: World, entity: Entity, forked: boolean): void {
  const spawn = forked ? undefined : world.findResource<Spawn>('spawn')
  for (const child of world.get(entity, Children) ?? []) {
    if (child.parked !== undefined) world.destroy(child.parked as Entity)
    else if (child.end === undefined) spawn?.cancel(child)
  }
  world.remove(entity, Children)
}

/** Every question about a call of this entity is void now; others may wait for something else. */
function withdraw(world: World, entity: Entity): void {
  const waits = world.get(entity, Wait)
  if (waits === undefined) return
  const left = waits.filter((wait) => !('toolCallId' in wait))
  if (left.length > 0) world.set(entity, Wait, left)
  else world.remove(entity, Wait)
}

/**
 * Moves the finished prefix of the batch to the conversation, in call order; its last result closes the batch. How many
 * have been moved the conversation itself tells: nothing else may follow a reply whose calls are open.
 */
function moveFinished(world: World, entity: Entity): void {
  const pending = world.require(entity, PendingToolCalls)
  const results = world.get(entity, ToolResults)
  let moved = answered(world.require(entity, Conversation))
  for (; moved < pending.length; moved++) {
    const result = resultOfCall(results, pending[moved]!)
    if (result === undefined) return
    say(world, entity, toolMessage(result))
  }
  world.remove(entity, PendingToolCalls)
}

/** The tool messages at the end of a conversation. */
function answered(conversation: LogView<Message>): number {
  let count = 0
  while (conversation.at(conversation.length - 1 - count)?.role === 'tool') count++
  return count
}

/** The result of a call, if it has one. The newest results are the likeliest. */
export function resultOfCall(
  results: LogView<ToolOutcome> | undefined,
  { toolCallId }: PendingToolCall,
): ToolOutcome | undefined {
  for (let index = (results?.length ?? 0) - 1; index >= 0; index--) {
    const result = results?.at(index)
    if (result?.toolCallId === toolCallId) return result
  }
  return undefined
}

/** A pending call as the part of a message that it was. */
export function partOf({ toolCallId, toolName, input, invalidInput }: PendingToolCall): ToolCallPart {
  const part = { type: 'tool-call', toolCallId, toolName, input } as const
  return invalidInput === undefined ? part : { ...part, invalidInput }
}
