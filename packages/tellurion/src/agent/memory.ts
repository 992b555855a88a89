// Memory: keeps a conversation within its limit by taking out the oldest whole exchanges.

import type { Message } from '../message/message.ts'
import type { LogView } from '../world/log.ts'
import { defineSystem } from '../world/system.ts'
import { Conversation, ConversationLimit, PendingToolCalls } from './component.ts'
import { cut, type Cut } from './conversation.ts'

/** The limit of a conversation that names none. */
const defaultMax = 100

/** Trims conversations past their limit. Priority 10. */
export const memory = defineSystem({
  name: 'memory',
  priority: 10,
  query: [Conversation],
  without: [PendingToolCalls],
  each(entity, world) {
    const { max, keep = 0.8 } = world.get(entity, ConversationLimit) ?? { max: defaultMax }
    const conversation = world.require(entity, Conversation)
    if (max === null || conversation.length <= max) return
    const oldest = cutOf(conversation, max, Math.max(1, Math.floor(max * keep)))
    const removedCount = oldest.deleteCount - oldest.items.length
    if (removedCount <= 0) return
    cut(world, entity, oldest)
    world.emit({ type: 'conversation.truncated', entity, removedCount })
  },
})

/**
 * What to take out so that about `target` messages stay: the system message and the newest whole exchanges. An exchange
 * that is itself longer than `max` keeps its request and its newest replies. Calls and results are never separated.
 */
function cutOf(conversation: LogView<Message>, max: number, target: number): Cut {
  const { length } = conversation
  const start = conversation.at(0)?.role === 'system' ? 1 : 0
  const earliest = Math.max(start, length - (target - start))
  const next = find(conversation, 'user', earliest)
  if (next !== undefined) return { start, deleteCount: next - start, items: [] }
  const request = lastRequest(conversation, start)
  const whole = { start, deleteCount: Math.max(0, request - start), items: [] }
  if (request >= 0 && start + length - request <= max) return whole
  const reply = find(conversation, 'assistant', Math.max(earliest + 1, request + 2))
  if (reply === undefined) return whole
  return { start, deleteCount: reply - start, items: request < 0 ? [] : [conversation.at(request)!] }
}

function find(conversation: LogView<Message>, role: Message['role'], from: number): number | undefined {
  for (let index = from; index < conversation.length; index++) {
    if (conversation.at(index)?.role === role) return index
  }
  return undefined
}

function lastRequest(conversation: LogView<Message>, start: number): number {
  for (let index = conversation.length - 1; index >= start; index--) {
    if (conversation.at(index)?.role === 'user') return index
  }
  return -1
}
