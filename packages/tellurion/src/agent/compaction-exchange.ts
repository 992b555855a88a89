// What a compaction leaves as it is: where the newest exchanges begin, and which messages before them stay word for word.

import { textOf, type Message } from '../message/message.ts'
import type { LogView } from '../world/log.ts'

/**
 * The place where the newest `keep` exchanges begin. An exchange is one reply of the model with the messages that it
 * answers and the results of its calls; what has not been answered yet is never older than the last of them.
 */
export function recentStart(conversation: LogView<Message>, keep: number): number {
  let start = conversation.length
  let replies = 0
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)!
    if (isReply(message)) {
      if (replies === keep) break
      replies++
      start = index
    } else if (message.role !== 'tool') start = index
  }
  return start
}

function isReply(message: Message): boolean {
  return message.role === 'assistant' && message.partial !== true
}

/**
 * The messages before `end` that stay word for word: system text, the message that began the present turn, and the newest
 * one of the user where it stands there. `from` is where the turn began.
 */
export function keptBefore(
  conversation: LogView<Message>,
  end: number,
  from: number | undefined,
): ReadonlySet<Message> {
  const kept = new Set<Message>()
  for (let index = 0; index < end; index++) {
    const message = conversation.at(index)!
    if (message.role === 'system') kept.add(message)
  }
  const first = from === undefined || from >= end ? undefined : conversation.at(from)
  if (first !== undefined && isRequest(first)) kept.add(first)
  const newest = newestRequest(conversation)
  if (newest !== undefined && newest.index < end) kept.add(newest.message)
  return kept
}

function newestRequest(conversation: LogView<Message>): { index: number; message: Message } | undefined {
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)!
    if (isRequest(message)) return { index, message }
  }
  return undefined
}

const isRequest = (message: Message): boolean => message.role === 'user' && !isSummary(message)

/** How a message begins that stands in the place of others. */
export const summaryOpening = '<summary of="the earlier conversation"'

/** Whether a message is what a compaction has put in the place of others. */
export function isSummary(message: Message): boolean {
  return message.role === 'user' && textOf(message).startsWith(summaryOpening)
}
