// One turn of a chat, watched: from a question to its end, through every approval on the way.

import type { AgentResult, Event } from 'tellurion'
import type { Session } from 'tellurion/agent'
import { askApproval, type Desk } from './approval.ts'

/** What a turn needs beside its question. */
export interface TurnContext {
  /** Sees each event as it comes. */
  readonly watch: (event: Event) => void
  readonly desk: Desk
  readonly signal: AbortSignal
}

/** Asks and answers until the turn is over. Rejects with the run's error; a cancelled turn resolves. */
export async function runTurn(session: Session, question: string, context: TurnContext): Promise<AgentResult<unknown>> {
  const { watch, desk, signal } = context
  let stream = session.stream<undefined>(question, { abortSignal: signal }) as ReturnType<Session['streamAnswer']>
  for (;;) {
    for await (const event of stream) watch(event)
    const result = await stream.result()
    const [interaction] = result.interactions
    if (result.status !== 'waiting' || interaction === undefined) return result
    const answer = await askApproval(interaction, desk)
    stream = session.streamAnswer(interaction.id, answer, { abortSignal: signal })
  }
}
