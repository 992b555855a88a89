// The wire of OpenAI's chat completions, which most vendors and local servers speak.

import { createOpenAIEncoder, type OpenAITarget } from './openai-request.ts'
import { OpenAIReply } from './openai-reply.ts'
import { turnSeed } from './call-id.ts'
import type { Wire } from './wire.ts'

/** The wire of one model. */
export function openAIWire(target: OpenAITarget): Wire {
  return {
    path: '/chat/completions',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    encode: createOpenAIEncoder(target),
    reader: (request, context) => new OpenAIReply(target.vendor, turnSeed(request.messages), context),
  }
}
