// `tellurion runs answer`: what a person says to a run that waits, from any terminal, days later.

import { TellurionError, type Interaction } from 'tellurion'
import type { Answer } from 'tellurion/agent'
import type { RunHandle, Runtime } from 'tellurion/runtime'
import { UsageError, type ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { atStore, findRun, shortId, type StoreFlags } from './run-desk.ts'
import type { Host } from './setting.ts'

/** Options of `runs answer`. */
export interface AnswerFlags extends StoreFlags {
  readonly by: string
  readonly interaction?: string
}

/** Answers the open interaction of a run; `id` may also be the interaction's own. */
export async function answerRun(
  words: readonly [string, ...string[]],
  flags: AnswerFlags,
  host: Host,
): Promise<ExitCode> {
  const [id, ...said] = words
  return atStore(flags, host, async ({ runtime, remarks, out, tell }) => {
    const { run, interaction } = await openQuestion(runtime, id, flags.interaction)
    const answer = readAnswer(said, interaction)
    try {
      await runtime.interactions.answer(interaction.id, answer, { run: run.id, by: flags.by })
    } catch (error) {
      throw (await lateness(run, interaction.id)) ?? error
    }
    const name = shortId(run.id, out)
    tell(await run.record(), () => remarks.note(`${name} is answered; a worker goes on with it ('tellurion worker').`))
    return 0
  })
}

interface Question {
  readonly run: RunHandle
  readonly interaction: Interaction
}

async function openQuestion(runtime: Runtime, id: string, named: string | undefined): Promise<Question> {
  if (named === undefined) {
    const open = (await runtime.interactions.list()).find((each) => each.id === id)
    if (open !== undefined) return { run: runtime.run(open.run), interaction: open }
  }
  const run = await findRun(runtime, id)
  const { interactions, status } = await run.record()
  if (named !== undefined) {
    const interaction = interactions.find((each) => each.id === named)
    if (interaction !== undefined) return { run, interaction }
    throw (await lateness(run, named)) ?? unknown(`Run ${run.id} does not ask '${inertLine(named)}'.`)
  }
  if (interactions.length === 1) return { run, interaction: interactions[0]! }
  if (interactions.length === 0) throw unknown(`Run ${run.id} is ${status} and asks nothing.`)
  const ids = interactions.map((each) => each.id).join(', ')
  throw unknown(`Run ${run.id} asks ${interactions.length} things; answer one by its id: ${ids}.`)
}

/** Why an interaction of a run is not open any more, if its events say so. */
async function lateness(run: RunHandle, id: string): Promise<TellurionError | undefined> {
  const { events } = await run.record()
  if (events === 0) return undefined
  for await (const event of run.events()) {
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
