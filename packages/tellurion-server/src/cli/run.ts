// `tellurion run "question"`: one turn, its text on standard output, everything else beside it.

import { TellurionError, type AgentResult, type Event } from 'tellurion'
import { UsageError, type ExitCode } from './fault.ts'
import { exactJson } from './inert.ts'
import { openLineInput, type LineInput } from './line-input.ts'
import { Screen } from './screen.ts'
import { setUp, type AgentFlags, type Host } from './setting.ts'
import { turnView } from './turn-view.ts'
import { runTurn } from './turn.ts'

/** Options of `run`. */
export interface RunFlags extends AgentFlags {
  readonly json?: boolean
}

/** The longest question from standard input, in bytes. */
const maxQuestion = 1_048_576

/** Asks one question; `-` reads it from standard input. 0 succeeded, 130 cancelled; rejects when the turn failed. */
export async function runQuestion(words: readonly string[], flags: RunFlags, host: Host): Promise<ExitCode> {
  const question = (words.length === 1 && words[0] === '-' ? await readAll(host.stdin) : words.join(' ')).trim()
  if (question === '')
    throw new UsageError("There is no question: give one, or '-' and the question on standard input.")
  const { agent, trace } = await setUp(flags, host)
  const remarks = new Screen(host.stderr, host.env)
  const turn = new AbortController()
  // A second Ctrl-C finds nobody listening and ends the process.
  const onInterrupt = (): void => turn.abort()
  let lines: LineInput | undefined
  if (host.stdin.isTTY && host.stderr.isTTY) lines = lateLines(host, onInterrupt)
  host.on('SIGINT', onInterrupt)
  turn.signal.addEventListener('abort', () => host.off('SIGINT', onInterrupt))
  const show = flags.json === true ? jsonLines(host) : turnView(new Screen(host.stdout, host.env), remarks)
  const watch = (event: Event): void => {
    trace(event)
    show(event)
  }
  try {
    const desk = { screen: remarks, lines }
    const result = await runTurn(agent.session(), question, { watch, desk, signal: turn.signal })
    if (flags.json === true) host.stdout.write(`${exactJson(resultLine(result))}\n`)
    return result.status === 'cancelled' ? 130 : 0
  } catch (error) {
    if (flags.json === true && error instanceof TellurionError) {
      const result = error.result as AgentResult<unknown> | undefined
      host.stdout.write(`${exactJson({ ...resultLine(result), status: 'failed', error: error.toJSON() })}\n`)
    }
    throw error
  } finally {
    host.off('SIGINT', onInterrupt)
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

/** A terminal that is opened when the first line is asked for, and closed behind it. */
function lateLines(host: Host, onInterrupt: () => void): LineInput {
  let open: LineInput | undefined
  return {
    interactive: true,
    async next(prompt, options) {
      open = openLineInput({ stdin: host.stdin, stdout: host.stderr }, () => {
        onInterrupt()
        open?.cancel()
      })
      try {
        return await open.next(prompt, options)
      } finally {
        open.close()
      }
    },
    get typing() {
      return open?.typing ?? false
    },
    cancel: () => open?.cancel(),
    discard: (hint) => open?.discard(hint),
    close: () => open?.close(),
  }
}

async function readAll(stdin: AsyncIterable<string | Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (text.length > maxQuestion) throw new UsageError(`The question is longer than ${maxQuestion} characters.`)
  }
  return text + decoder.decode()
}
