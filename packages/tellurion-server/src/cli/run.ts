// `tellurion run "question"`: one turn, its text on standard output, everything else beside it.

import { TellurionError } from 'tellurion'
import type { EventResource, TurnResource } from 'tellurion/protocol'
import { exactJson } from '../terminal/inert.ts'
import { openChat, type ChatFlags } from './chat-place.ts'
import type { ExitCode } from './fault.ts'
import { onInterrupt } from './interrupt.ts'
import { lateLines } from './late-lines.ts'
import { readQuestion } from './question.ts'
import { runView } from './run-view.ts'
import { Screen } from './screen.ts'
import { tracer, type Host } from './setting.ts'
import { runTurn } from './turn.ts'

/** Options of `run`. */
export interface RunFlags extends ChatFlags {
  readonly json?: boolean
}

/** Asks one question; `-` reads it from standard input. 0 succeeded, 130 cancelled; rejects when the turn failed. */
export async function runQuestion(words: readonly string[], flags: RunFlags, host: Host): Promise<ExitCode> {
  const question = await readQuestion(words, host)
  await using place = await openChat(flags, host)
  const trace = tracer(flags, host)
  const remarks = new Screen(host.stderr, host.env)
  const interrupt = onInterrupt(host)
  const lines = lateLines(host, interrupt.now)
  const show = flags.json === true ? jsonLines(host) : runView(new Screen(host.stdout, host.env), remarks)
  const watch = (event: EventResource): void => {
    trace(event)
    show(event)
  }
  try {
    const desk = { screen: remarks, lines }
    const result = await runTurn(place, question, { watch, desk, signal: interrupt.signal })
    if (flags.json === true) host.stdout.write(`${exactJson(resultLine(result))}\n`)
    return result.status === 'cancelled' ? 130 : 0
  } catch (error) {
    if (flags.json === true && error instanceof TellurionError) {
      const result = error.result as TurnResource | undefined
      host.stdout.write(`${exactJson({ ...resultLine(result), status: 'failed', error: error.toJSON() })}\n`)
    }
    throw error
  } finally {
    interrupt.close()
    lines?.close()
  }
}

function jsonLines(host: Host): (event: EventResource) => void {
  return (event) => void host.stdout.write(`${exactJson(event)}\n`)
}

/** The last line of `--json`. */
function resultLine(result: TurnResource | undefined): object {
  if (result === undefined) return { type: 'result' }
  const { status, text, steps, usage, finishReason, stopReason } = result
  return { type: 'result', status, text, steps, usage, finishReason, stopReason }
}
