// The wire of Anthropic's messages. It asks for API version 2023-06-01, the one that still takes `temperature` and
// `topP`, and that all proxies know; the header `anthropic-version` chooses another.

import { createAnthropicEncoder, type AnthropicTarget } from './anthropic-request.ts'
import { AnthropicReply } from './anthropic-reply.ts'
import { turnSeed } from './call-id.ts'
import type { Wire } from './wire.ts'

/** The wire of one model. */
export function anthropicWire(target: AnthropicTarget): Wire {
  return {
    path: '/v1/messages',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'anthropic-version': '2023-06-01',
    },
    encode: createAnthropicEncoder(target),
    reader: (request, context) => new AnthropicReply(target.vendor, turnSeed(request.messages), context),
  }
}
