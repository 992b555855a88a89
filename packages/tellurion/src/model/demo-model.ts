// The demo model: a deterministic program behind the port of models, for trying things out without a key. It really
// calls the tools it is offered; it understands five kinds of request and says so when it meets another.

import { sleep, systemClock, type Clock } from '../clock/clock.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import { textOf, toolCallsOf, type Message, type ToolMessage } from '../message/message.ts'
import type { FinishReason, Model, ModelEvent, ModelRequest, ToolSpec } from '../port/model.ts'
import { answerTo, introduction, withoutTool } from './demo-answer.ts'
import { callFor, readAsks, type Ask } from './demo-ask.ts'
import { failure } from './failure.ts'
import { estimateRequestTokens, estimateTokens } from './token-estimate.ts'

/** How the demo model behaves. */
export interface DemoModelOptions {
  /** Milliseconds before each word. Default 0: at once. */
  readonly delay?: number
  readonly clock?: Clock
}

const name = 'tellurion/demo'

/**
 * Makes the built-in demo model. From plain English it calls a calculator, a clock, a tool that lists and one that reads
 * files, one that waits, found among the offered tools by their names, or any tool by name (`use weather {"place": "Oslo"}`); several
 * requests in one text are parallel calls. Results become sentences, streamed word by word; usage is an estimate. The
 * same request always gives the same reply. Structured output it refuses with `model_validation`. Throws
 * `unknown_option` and `invalid_option`.
 */
export function demoModel(options: DemoModelOptions = {}): Model {
  const { delay = 0, clock = systemClock } = options
  for (const key of Object.keys(options)) {
    if (key === 'delay' || key === 'clock') continue
    const hint = suggestion(key, ['delay', 'clock'])
    throw new TellurionError('unknown_option', `The demo model has no option '${key}'.${hint}`)
  }
  if (!(delay >= 0 && delay < Infinity)) {
    throw new TellurionError('invalid_option', `delay must be milliseconds, 0 or more, not ${delay}.`)
  }
  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    for (const event of reply(request)) {
      if (delay > 0 && event.type === 'text.delta') await sleep(delay, { clock, signal }).catch(() => {})
      if (signal?.aborted) {
        yield { type: 'aborted' }
        return
      }
      yield event
    }
  }
  return { name, stream: (request, { signal } = {}) => stream(request, signal) }
}

function* reply(request: ModelRequest): Generator<ModelEvent> {
  if (request.output !== undefined) {
    yield refusal('the built-in demo model cannot give structured output: connect a real model')
    return
  }
  const plan = planOf(request)
  if (plan.calls.length === 0 && isForced(request)) {
    yield refusal('the built-in demo model found nothing in the request to call a tool for, and a call is required')
    return
  }
  let outputTokens = 0
  let finishReason: FinishReason = 'stop'
  for (const word of plan.text.match(/\s*\S+/g) ?? []) {
    const next = outputTokens + estimateTokens(word)
    if (next > (request.maxOutputTokens ?? Infinity)) {
      finishReason = 'length'
      break
    }
    outputTokens = next
    yield { type: 'text.delta', text: word }
  }
  for (const [index, { toolName, input }] of plan.calls.entries()) {
    outputTokens += estimateTokens(toolName + JSON.stringify(input))
    const toolCallId = `demo_${request.messages.length}_${index}`
    yield { type: 'tool.call', call: { type: 'tool-call', toolCallId, toolName, input } }
    finishReason = 'tool-calls'
  }
  const inputTokens = estimateRequestTokens(request)
  yield { type: 'finish', finishReason, usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens } }
}

interface Plan {
  readonly text: string
  readonly calls: readonly NonNullable<ReturnType<typeof callFor>>[]
}

/** What to say and do next: calls as long as requests are open, then what came of them. */
function planOf(request: ModelRequest): Plan {
  const tools = toolsOf(request)
  const turn = newestTurn(request.messages)
  const asks = readAsks(
    turn.text,
    tools.map((tool) => tool.name),
  )
  const served = asks.flatMap((ask) => {
    const call = callFor(ask, tools)
    return call === undefined ? [] : [{ ask, call }]
  })
  const open = served.slice(turn.calls)
  if (open.length > 0) {
    const calls = (request.parallelToolCalls === false ? open.slice(0, 1) : open).map(({ call }) => call)
    return { text: '', calls }
  }
  const lines = served.flatMap(({ ask }, index) => {
    const result = turn.results[index]
    return result === undefined ? [] : [answerTo(ask, result)]
  })
  const rest = asks.filter((ask) => !served.some((each) => each.ask === ask))
  if (rest.length > 0) lines.push(withoutTool(rest))
  // Results of calls that this model did not make: a conversation begun with another one.
  if (lines.length === 0) for (const result of turn.results) lines.push(answerTo(foreign(result), result))
  return { text: lines.length === 0 ? introduction(tools) : lines.join('\n'), calls: [] }
}

function foreign({ toolName }: ToolMessage): Ask {
  return { kind: 'tool', subject: toolName, at: 0 }
}

/** The newest text of a person, and what has happened since. */
function newestTurn(messages: ModelRequest['messages']): { text: string; calls: number; results: ToolMessage[] } {
  const since: Message[] = []
  let text = ''
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages.at(index)
    if (message?.role === 'user') {
      text = textOf(message)
      break
    }
    if (message !== undefined) since.unshift(message)
  }
  const calls = since.reduce((sum, message) => sum + toolCallsOf(message).length, 0)
  return { text, calls, results: since.filter((message) => message.role === 'tool') }
}

function toolsOf({ tools = [], toolChoice = 'auto' }: ModelRequest): readonly ToolSpec[] {
  if (toolChoice === 'none') return []
  return typeof toolChoice === 'object' ? tools.filter((tool) => tool.name === toolChoice.tool) : tools
}

function isForced({ toolChoice = 'auto' }: ModelRequest): boolean {
  return toolChoice !== 'auto' && toolChoice !== 'none'
}

function refusal(message: string): ModelEvent {
  return { type: 'error', failure: failure('validation', `${message}.`, { model: name }) }
}
