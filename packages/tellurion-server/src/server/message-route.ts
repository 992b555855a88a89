// Routes of messages: say something in a session, and wait for the turn or watch it.

import { createHash } from 'node:crypto'
import type { NewMessageRequest } from 'tellurion/protocol'
import type { RunHandle } from 'tellurion/runtime'
import { operation } from './operation.ts'
import { newMessageRequest } from './schema-message.ts'
import { turnResource } from './schema-run.ts'
import type { Call } from './setting.ts'
import { messageStream } from './stream.ts'
import { submit } from './submission.ts'
import { turnOf } from './turn.ts'

/** What was said becomes a run, in the session that is named or in a new one. */
async function said(call: Call<unknown, unknown, NewMessageRequest>): Promise<RunHandle> {
  const { content: input, session_id, agent } = call.body
  return submit(call, { agent, input, session: session_id ?? newSession(call) })
}

/** The id of a new session: the same for the same request, so that asking twice makes one. */
function newSession({ setting, identity, request }: Pick<Call, 'setting' | 'identity' | 'request'>): string {
  const key = request.headers.get('idempotency-key')
  if (key === null) return setting.ids('session')
  return `session_${createHash('sha256').update(`${identity.user} ${key}`).digest('hex').slice(0, 32)}`
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
