// One turn of a chat, watched: from a question to its end, through everything a person is asked on the way.

import { TellurionError } from 'tellurion'
import type { Client } from 'tellurion/client'
import type { EventResource, InteractionResource, TurnResource } from 'tellurion/protocol'
import { askPerson, type Desk } from './approval.ts'

/** Where a turn takes place. */
export interface Chatting {
  readonly client: Client
  readonly session: string
  /** Default the server's first agent. */
  readonly agent?: string | undefined
}

/** What a turn needs beside its question. */
export interface TurnContext {
  /** Sees each event as it comes. */
  readonly watch: (event: EventResource) => void
  readonly desk: Desk
  /** Cancels the run. */
  readonly signal: AbortSignal
}

/** How long a server may take to stop a run, in milliseconds. */
const stopPatience = 10_000

/**
 * Asks and answers until the turn is over. A cancelled turn resolves. Rejects with the run's error, with `run_limit` when
 * the model would not stop calling tools, and with `aborted` when the server does not say that it stopped.
 */
export async function runTurn(chat: Chatting, question: string, context: TurnContext): Promise<TurnResource> {
  const { client, session, agent } = chat
  const { watch, desk, signal } = context
  const leaving = new AbortController()
  const turn = client.runs.start(
    { input: question, session, ...(agent === undefined ? {} : { agent }) },
    { signal: leaving.signal },
  )
  const stop = (): void => void stopped(turn.id, { client, leaving })
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  try {
    let events: AsyncIterable<EventResource> = turn
    for (let after = 0; ;) {
      for await (const event of events) {
        after = event.seq ?? after
        watch(event)
      }
      const run = await turn.id
      const result = await client.runs.result(run, { signal: leaving.signal })
      const [interaction] = result.interactions
      if (result.stopReason === 'stop_when') throw endless(result)
      if (result.status !== 'waiting' || interaction === undefined) return result
      await answered({ run, ...interaction }, { client, desk, signal })
      events = client.runs.events(run, { after, until: 'settled', signal: leaving.signal })
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Cancels a run; reads no further when the server does not do that in time. */
async function stopped(
  run: Promise<string>,
  { client, leaving }: { readonly client: Client; readonly leaving: AbortController },
): Promise<void> {
  const late = new TellurionError(
    'aborted',
    'The server did not say that the run has stopped; it may still be at work.',
  )
  AbortSignal.timeout(stopPatience).addEventListener('abort', () => leaving.abort(late))
  try {
    await client.runs.cancel(await run)
  } catch {
    leaving.abort(late)
  }
}

/** Gives the answer of a person, unless somebody else was first. */
async function answered(
  { run, ...interaction }: Omit<InteractionResource, 'agent' | 'session'>,
  { client, desk, signal }: { readonly client: Client; readonly desk: Desk; readonly signal: AbortSignal },
): Promise<void> {
  const answer = await askPerson(interaction, desk)
  if (signal.aborted) return
  try {
    await client.interactions.answer(interaction.id, answer, { run })
  } catch (error) {
    if (!(error instanceof TellurionError) || error.code !== 'unknown_interaction') throw error
  }
}

function endless(result: TurnResource): TellurionError {
  const message = `The model still called tools after ${result.steps} model calls and was stopped: ask for less at once, or try another model.`
  return Object.assign(new TellurionError('run_limit', message), { result })
}
