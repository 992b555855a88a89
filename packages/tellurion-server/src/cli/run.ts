// `tellurion run "question"`: one turn, its text on standard output, everything else beside it.

import { TellurionError, type AgentResult, type Event } from 'tellurion'
import type { ExitCode } from './fault.ts'
import { exactJson } from '../terminal/inert.ts'
import { onInterrupt } from './interrupt.ts'
import { lateLines } from './late-lines.ts'
import { readQuestion } from './question.ts'
import { Screen } from './screen.ts'
import { setUp, type AgentFlags, type Host } from './setting.ts'
import { turnView } from './turn-view.ts'
import { runTurn } from './turn.ts'

/** Options of `run`. */
export interface RunFlags extends AgentFlags {
  readonly json?: boolean
}

/** Asks one question; `-` reads it from standard input. 0 succeeded, 130 cancelled; rejects when the turn failed. */
export async function runQuestion(words: readonly string[], flags: RunFlags, host: Host): Promise<ExitCode> {
  const question = await readQuestion(words, host)
  const { agent, trace } = await setUp(flags, host)
  const remarks = new Screen(host.stderr, host.env)
  const interrupt = onInterrupt(host)
  const lines = lateLines(host, interrupt.now)
  const show = flags.json === true ? jsonLines(host) : turnView(new Screen(host.stdout, host.env), remarks)
  const watch = (event: Event): void => {
    trace(event)
    show(event)
  }
  try {
    const desk = { screen: remarks, lines }
    const result = await runTurn(agent.session(), question, { watch, desk, signal: interrupt.signal })
    if (flags.json === true) host.stdout.write(`${exactJson(resultLine(result))}\n`)
    return result.status === 'cancelled' ? 130 : 0
  } catch (error) {
    if (flags.json === true && error instanceof TellurionError) {
      const result = error.result as AgentResult<unknown> | undefined
      host.stdout.write(`${exactJson({ ...resultLine(result), status: 'failed', error: error.toJSON() })}\n`)
    }
    throw error
  } finally {
    interrupt.close()
    lines?.close()
  }
}

function jsonLines(host: Host): (event: Event) => void {
  return (event) => void host.stdout.write(`${exactJson(event)}\n`)
}

/** The last line of `--json`. */
function resultLine(result: AgentResult<unknown> | undefined): object {
  if (result === undefined) return { type: 'result' }
  const { status, text, steps, usage, finishReason, stopReason } = result
  return { type: 'result', status, text, steps, usage, finishReason, stopReason }
}
