// Conversations: the one way to append to them, and what the newest message says about whose turn it is.

import { TellurionError } from '../error/error.ts'
import {
  toolCallsOf,
  type Message,
  type ToolCallPart,
  type UserInput as Input,
  type UserMessage,
  type UserPart,
} from '../message/message.ts'
import { userPartsProblem } from '../message/user-part.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { Entity } from '../world/entity.ts'
import { Halted, Terminal } from '../world/lifecycle.ts'
import type { LogView } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { Budget, Conversation, PendingToolCalls, TurnUsage } from './component.ts'
import { overhear } from './fact-input.ts'
import { taintByFiles } from './taint.ts'

/**
 * Appends a message. While calls are open only their results may follow, so that a call and its result are never
 * separated; anything else throws `open_tool_calls`.
 */
export function say(world: World, entity: Entity, message: Message): void {
  if (message.role !== 'tool') refuseOpenCalls(world, entity)
  world.append(entity, Conversation, message)
  world.emit({ type: 'message.added', entity, message })
}

/** What goes out of a conversation, and what takes its place. */
export interface Cut {
  readonly start: number
  readonly deleteCount: number
  readonly items: readonly Message[]
}

/** Puts messages in the place of others. Where the present turn began moves along. */
export function cut(world: World, entity: Entity, { start, deleteCount, items }: Cut): void {
  const from = world.get(entity, TurnUsage)?.from
  if (from !== undefined && from >= start) {
    const first = world.require(entity, Conversation).at(from)
    const kept = from < start + deleteCount ? items.findIndex((item) => item === first) : -1
    const next = Math.max(start, from - deleteCount) + items.length
    world.update(entity, TurnUsage, (turn) => ({ ...turn, from: kept < 0 ? next : start + kept }))
  }
  world.splice(entity, Conversation, { start, deleteCount, items })
}

/** Throws `open_tool_calls` while calls are open. */
export function refuseOpenCalls(world: World, entity: Entity): void {
  if (!world.has(entity, PendingToolCalls)) return
  throw new TellurionError(
    'open_tool_calls',
    'Tool calls of this conversation are still open: answer their interactions, or let them finish, first.',
  )
}

/** New input from outside: appended, and a reason to go on for an entity that had ended or was halted. */
export function hear(world: World, entity: Entity, input: Input): void {
  const message = userMessage(input)
  say(world, entity, message)
  overhear(world, entity, message)
  taintByFiles(world, entity, message)
  world.remove(entity, Terminal)
  world.remove(entity, Halted)
}

/** A new turn has its whole budget. */
export function renewBudget(world: World, entity: Entity): void {
  const budget = world.get(entity, Budget)
  if (budget?.since !== undefined || budget?.lent !== undefined) world.set(entity, Budget, { limits: budget.limits })
}

/** What a person handed in, as a message that a world can hold. Throws `invalid_option` for anything else. */
export function userMessage(input: Input): UserMessage {
  if (typeof input === 'string') return { role: 'user', content: input.toWellFormed() }
  const message = asMessage(input)
  const problem = contentProblem(message.content) ?? jsonProblem(message)
  if (problem !== undefined) throw new TellurionError('invalid_option', `The input is no message: ${problem}.`)
  return message
}

function asMessage(input: UserMessage | readonly UserPart[]): UserMessage {
  if (isParts(input)) return { role: 'user', content: input }
  if (typeof input === 'object' && input !== null && input.role === 'user') return input
  throw new TellurionError(
    'invalid_option',
    "The input must be a text, a list of parts, or a message { role: 'user', content }.",
  )
}

function contentProblem(content: unknown): string | undefined {
  return typeof content === 'string' ? undefined : userPartsProblem(content)
}

/** The newest message that is whole: a partial reply is not seen. */
export function newestWhole(conversation: LogView<Message>): Message | undefined {
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)
    if (message !== undefined && !(message.role === 'assistant' && message.partial)) return message
  }
  return undefined
}

/** Whether the model has something to answer: the newest whole message is not its own. */
export function awaitsReply(conversation: LogView<Message>): boolean {
  const newest = newestWhole(conversation)
  return newest !== undefined && newest.role !== 'assistant' && newest.role !== 'system'
}

/** The calls of the newest reply, also when their results have come since. */
export function newestCalls(conversation: LogView<Message>): readonly ToolCallPart[] {
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)
    if (message?.role === 'assistant' && !message.partial) return toolCallsOf(message)
    if (message?.role === 'user') break
  }
  return []
}

function isParts(input: Input): input is readonly UserPart[] {
  return Array.isArray(input)
}
