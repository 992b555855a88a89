// Memory: keeps a conversation within its limit by taking out the oldest whole exchanges.

import type { Message } from '../message/message.ts'
import type { LogView } from '../world/log.ts'
import { defineSystem } from '../world/system.ts'
import { Conversation, ConversationLimit, PendingToolCalls } from './component.ts'

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
    const cut = cutOf(conversation, Math.max(1, Math.floor(max * keep)))
    if (cut.deleteCount <= 0) return
    world.splice(entity, Conversation, cut)
    world.emit({ type: 'conversation.truncated', entity, removedCount: cut.deleteCount })
  },
})

/**
 * What to take out so that about `target` messages stay: the system message and the newest whole exchanges. An exchange
 * that alone is longer keeps its request and its newest replies; calls and their results are never separated.
 */
function cutOf(conversation: LogView<Message>, target: number): { start: number; deleteCount: number } {
  const { length } = conversation
  const start = conversation.at(0)?.role === 'system' ? 1 : 0
  const earliest = Math.max(start, length - (target - start))
  for (let index = earliest; index < length; index++) {
    if (conversation.at(index)?.role === 'user') return { start, deleteCount: index - start }
  }
  // The newest exchange is longer than the target: keep its request, drop from the middle of it.
  const request = lastRequest(conversation, start)
  for (let index = Math.min(earliest + 1, length - 1); index < length; index++) {
    const role = conversation.at(index)?.role
    if (role === 'assistant' && index > request) return { start: request + 1, deleteCount: index - request - 1 }
  }
  return { start, deleteCount: request - start }
}

function lastRequest(conversation: LogView<Message>, start: number): number {
  for (let index = conversation.length - 1; index >= start; index--) {
    if (conversation.at(index)?.role === 'user') return index
  }
  return start
}
