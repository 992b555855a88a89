// Which tool calls at the end of a conversation have no result yet: what nothing but results may follow.

import { toolCallsOf, type Messages, type ToolCallPart } from '../message/message.ts'

/** The calls of the newest message without a result, in call order; none when something else was said since. */
export function openCalls(conversation: Messages): readonly ToolCallPart[] {
  const results = new Set<string>()
  for (let index = conversation.length - 1; index >= 0; index--) {
    const message = conversation.at(index)
    if (message?.role === 'tool') results.add(message.toolCallId)
    else if (message === undefined) break
    else return toolCallsOf(message).filter(({ toolCallId }) => !results.has(toolCallId))
  }
  return []
}
