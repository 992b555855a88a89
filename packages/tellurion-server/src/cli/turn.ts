// One turn of a chat, watched: from a question to its end, through every approval on the way.

import { TellurionError, type AgentResult, type Event } from 'tellurion'
import type { Session } from 'tellurion/agent'
import { maxModelCalls } from '../demo/demo-agent.ts'
import { askApproval, type Desk } from './approval.ts'

/** What a turn needs beside its question. */
export interface TurnContext {
  /** Sees each event as it comes. */
  readonly watch: (event: Event) => void
  readonly desk: Desk
  readonly signal: AbortSignal
}

/**
 * Asks and answers until the turn is over. A cancelled turn resolves. Rejects with the run's error, and with `run_limit`
 * when the model would not stop calling tools.
 */
export async function runTurn(session: Session, question: string, context: TurnContext): Promise<AgentResult<unknown>> {
  const { watch, desk, signal } = context
  let stream = session.stream<undefined>(question, { abortSignal: signal }) as ReturnType<Session['streamAnswer']>
  for (;;) {
    for await (const event of stream) watch(event)
    const result = await stream.result()
    const [interaction] = result.interactions
    if (result.stopReason === 'stop_when') throw endless(result)
    if (result.status !== 'waiting' || interaction === undefined) return result
    const answer = await askApproval(interaction, desk)
    stream = session.streamAnswer(interaction.id, answer, { abortSignal: signal })
  }
}

function endless(result: AgentResult<unknown>): TellurionError {
  const message = `The model still called tools after ${maxModelCalls} model calls and was stopped: ask for less at once, or try another model.`
  return Object.assign(new TellurionError('run_limit', message), { result })
}
