// Routes of messages: say something in a session, and wait for the turn or watch it.

import type { NewMessageRequest } from 'tellurion/protocol'
import type { RunHandle } from 'tellurion/runtime'
import { operation } from './operation.ts'
import { newMessageRequest } from './schema-message.ts'
import { turnResource } from './schema-run.ts'
import type { Call } from './setting.ts'
import { messageStream } from './stream.ts'
import { newSession, submit } from './submission.ts'
import { turnOf } from './turn.ts'

/** What was said becomes a run, in the session that is named or in a new one. */
async function said(call: Call<unknown, unknown, NewMessageRequest>): Promise<RunHandle> {
  const { content: input, session_id, agent } = call.body
  return submit(call, { agent, input, session: session_id ?? newSession(call) })
}

/** Says something and waits for the turn. */
export const createMessage = operation('createMessage', {
  body: newMessageRequest,
  answer: turnResource,
  handle: async (call) => turnOf(call, await said(call), call.setting.limits.wait),
})

/** Says something and watches the turn. */
export const streamMessage = operation('streamMessage', {
  body: newMessageRequest,
  media: ['text/event-stream'],
  handle: async (call) => messageStream(call, await said(call)),
})
