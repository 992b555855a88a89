// `tellurion runs answer`: what a person says to a run that waits, from any terminal, days later.

import { TellurionError, type Interaction } from 'tellurion'
import type { Answer } from 'tellurion/agent'
import type { Client } from 'tellurion/client'
import type { InteractionResource } from 'tellurion/protocol'
import { UsageError, type ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { atDesk, findRun, shortId, type DeskFlags, type RunDesk } from './run-desk.ts'
import type { Host } from './setting.ts'

/** Options of `runs answer`. */
export interface AnswerFlags extends DeskFlags {
  /** Who answers; a server knows that by itself. */
  readonly by?: string
  readonly interaction?: string
}

/** Answers the open interaction of a run; `id` may also be the interaction's own. */
export async function answerRun(
  words: readonly [string, ...string[]],
  flags: AnswerFlags,
  host: Host,
): Promise<ExitCode> {
  const [id, ...said] = words
  const { by = 'user' } = flags
  const work = async (desk: RunDesk): Promise<ExitCode> => {
    const { client, runtime, remarks, out, tell } = desk
    if (runtime === undefined && flags.by !== undefined) {
      throw new UsageError('--by is for a store; a server knows by the token who answers.')
    }
    const { run, interaction } = await openQuestion(client, id, flags.interaction)
    const answer = readAnswer(said, interaction)
    try {
      await client.interactions.answer(interaction.id, answer, { run })
    } catch (error) {
      throw (await lateness(client, run, interaction.id)) ?? error
    }
    const after = runtime === undefined ? '' : "; a worker goes on with it ('tellurion worker')"
    tell(await client.runs.get(run), () => remarks.note(`${shortId(run, out)} is answered${after}.`))
    return 0
  }
  return atDesk(flags, host, work, by)
}

interface Question {
  readonly run: string
  readonly interaction: Interaction
}

async function openQuestion(client: Client, id: string, named: string | undefined): Promise<Question> {
  if (named === undefined) {
    const open = await openOf(client, id)
    if (open !== undefined) return { run: open.run, interaction: open }
  }
  const { id: run, interactions, status } = await findRun(client, id)
  if (named !== undefined) {
    const interaction = interactions.find((each) => each.id === named)
    if (interaction !== undefined) return { run, interaction }
    throw (await lateness(client, run, named)) ?? unknown(`Run ${run} does not ask '${inertLine(named)}'.`)
  }
  if (interactions.length === 1) return { run, interaction: interactions[0]! }
  if (interactions.length === 0) throw unknown(`Run ${run} is ${status} and asks nothing.`)
  const ids = interactions.map((each) => each.id).join(', ')
  throw unknown(`Run ${run} asks ${interactions.length} things; answer one by its id: ${ids}.`)
}

/** The open interaction of an id. */
async function openOf(client: Client, id: string): Promise<InteractionResource | undefined> {
  for await (const interaction of client.interactions.list()) if (interaction.id === id) return interaction
  return undefined
}

/** Why an interaction of a run is not open any more, if its events say so. */
async function lateness(client: Client, run: string, id: string): Promise<TellurionError | undefined> {
  const { events } = await client.runs.get(run)
  if (events === 0) return undefined
  for await (const event of client.runs.events(run)) {
    if (event.type === 'interaction.answered' && event.id === id) {
      return unknown(`Interaction ${id} was answered by ${inertLine(event.by)}.`)
    }
    if (event.type === 'interaction.expired' && event.id === id) return unknown(`Interaction ${id} has expired.`)
    if ((event.seq ?? 0) >= events) return undefined
  }
  return undefined
}

function unknown(message: string): TellurionError {
  return new TellurionError('unknown_interaction', message)
}

/** What the words mean for an interaction of its kind. */
function readAnswer(words: readonly string[], { kind, choices }: Interaction): Answer {
  const [first = '', ...rest] = words
  const text = words.join(' ').trim()
  if (kind === 'question') {
    if (text === '') throw new UsageError('There is no answer: write it behind the id.')
    return choices === undefined ? { text } : { choice: text }
  }
  const verdict = first.toLowerCase()
  const reason = rest.join(' ').trim()
  if (verdict === 'deny') return reason === '' ? 'deny' : { deny: reason }
  if (verdict === 'approve' && reason === '') return 'approve'
  if (kind === 'outcome' && text !== '') return { text }
  throw new UsageError("Answer with 'approve', 'deny' or 'deny REASON'.")
}
