// A model that says what it was told to say: replies in order, no network, no clock unless a delay is asked for. It
// costs well under a microsecond an event, so that a benchmark measures what is around it.

import { raceAbort } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { sleep, systemClock } from '../clock/clock.ts'
import type { AssistantMessage, AssistantPart, Messages } from '../message/message.ts'
import { isLast } from '../model/ask.ts'
import { failure, failureFromError } from '../model/failure.ts'
import type { FinishReason, Model, ModelEvent, ModelFailure, ModelRequest, Usage } from '../port/model.ts'
import type { Json } from '../schema/json.ts'

/** A reply in the short form: reasoning, text and tool calls, in this order. Calls without an id get `call_1` and so on. */
export interface ScriptedTurn {
  readonly reasoning?: string
  readonly text?: string
  readonly calls?: readonly { readonly toolName: string; readonly input: Json; readonly toolCallId?: string }[]
  readonly usage?: Usage
  readonly finishReason?: FinishReason
}

/** One reply: text, a short form, a whole message, a failure, or the very events. */
export type ScriptedReply =
  | string
  | ScriptedTurn
  | AssistantMessage
  | ModelFailure
  | { readonly events: readonly ModelEvent[] }

/** What is given for one call: a reply, or a function of the request that makes one. */
export type Script =
  | ScriptedReply
  | ((
      request: ModelRequest,
      options: { readonly signal: AbortSignal | undefined; readonly call: number },
    ) => ScriptedReply | Promise<ScriptedReply>)

/** How a scripted model speaks. */
export interface ScriptedModelOptions {
  /** Default `test/scripted`. */
  readonly name?: string
  /** Splits text, reasoning and arguments into deltas of so many characters, never inside one. Default: not at all. */
  readonly chunkSize?: number
  /** Milliseconds before each event. Default 0: at once. */
  readonly delay?: number
  /** Whether `requests` keeps what was asked. Default true. */
  readonly keepRequests?: boolean
  readonly clock?: Clock
}

/** A scripted model, and what it has seen. */
export interface ScriptedModel extends Model {
  /** The requests so far, each as it was when it came. */
  readonly requests: readonly ModelRequest[]
  /** How often it was asked. */
  readonly calls: number
}

/**
 * Makes a model that gives `replies` in order; a single function answers every call. When none is left the reply is an
 * `error` with code `provider_exhausted`. Where no usage is given, each event counts as one output token and the input
 * as none.
 */
export function scriptedModel(
  replies: readonly Script[] | Extract<Script, (...args: never) => unknown>,
  options: ScriptedModelOptions = {},
): ScriptedModel {
  const { name = 'test/scripted', chunkSize = Infinity, delay = 0, keepRequests = true, clock = systemClock } = options
  const composer = new Composer(name, chunkSize)
  // What does not depend on the request is laid out now, so that giving it costs nothing.
  const prepared =
    typeof replies === 'function'
      ? undefined
      : replies.map((reply) => (typeof reply === 'function' ? reply : composer.compose(reply)))
  const requests: ModelRequest[] = []
  let calls = 0

  const take: Take = (request, signal) => {
    const call = calls++
    if (keepRequests) requests.push({ ...request, messages: kept(request.messages) })
    const reply = typeof replies === 'function' ? replies : prepared?.[call]
    if (reply === undefined) return [{ type: 'error', failure: exhausted(name, call) }]
    return typeof reply === 'function' ? composeLater(reply, request, { signal, call }) : reply
  }
  const composeLater = async (
    reply: Extract<Script, (...args: never) => unknown>,
    request: ModelRequest,
    context: { signal: AbortSignal | undefined; call: number },
  ): Promise<readonly ModelEvent[]> => {
    try {
      return composer.compose(await raceAbort(Promise.resolve(reply(request, context)), context.signal))
    } catch (error) {
      if (context.signal?.aborted) return [{ type: 'aborted' }]
      return [{ type: 'error', failure: failureFromError(error, { model: name }) }]
    }
  }

  const wait = delay === 0 ? undefined : (signal: AbortSignal | undefined) => sleep(delay, { clock, signal })
  return {
    name,
    requests,
    get calls() {
      return calls
    },
    stream: (request, { signal }) => new Reply(() => take(request, signal), signal, wait),
  }
}

type Take = (
  request: ModelRequest,
  signal: AbortSignal | undefined,
) => readonly ModelEvent[] | Promise<readonly ModelEvent[]>
type Result = IteratorResult<ModelEvent>

const over: Result = { done: true, value: undefined }

/** Gives events one by one. An iterator by hand: an async generator costs three times as much an event. */
class Reply implements AsyncIterableIterator<ModelEvent> {
  readonly #take: () => readonly ModelEvent[] | Promise<readonly ModelEvent[]>
  readonly #signal: AbortSignal | undefined
  readonly #wait: ((signal: AbortSignal | undefined) => Promise<void>) | undefined
  #events: readonly ModelEvent[] | undefined
  #index = 0
  #ended = false

  constructor(
    take: () => readonly ModelEvent[] | Promise<readonly ModelEvent[]>,
    signal: AbortSignal | undefined,
    wait: ((signal: AbortSignal | undefined) => Promise<void>) | undefined,
  ) {
    this.#take = take
    this.#signal = signal
    this.#wait = wait
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    if (this.#ended) return Promise.resolve(over)
    if (this.#signal?.aborted) return Promise.resolve(this.#abort())
    if (this.#wait) return this.#nextLater()
    if (this.#events === undefined) {
      const events = this.#take()
      if (events instanceof Promise) return this.#nextLater(events)
      this.#events = events
    }
    return Promise.resolve(this.#step(this.#events))
  }

  return(): Promise<Result> {
    this.#ended = true
    return Promise.resolve(over)
  }

  #step(events: readonly ModelEvent[]): Result {
    const event = events[this.#index++]
    if (event === undefined) {
      this.#ended = true
      return over
    }
    if (isLast(event)) this.#ended = true
    return { done: false, value: event }
  }

  #abort(): Result {
    this.#ended = true
    return { done: false, value: { type: 'aborted' } }
  }

  async #nextLater(taking?: Promise<readonly ModelEvent[]>): Promise<Result> {
    try {
      this.#events ??= await (taking ?? this.#take())
      await this.#wait?.(this.#signal)
    } catch {
      // Only a wait rejects, and only because it was cancelled.
      return this.#abort()
    }
    return this.#signal?.aborted ? this.#abort() : this.#step(this.#events)
  }
}

/** Turns replies into events. */
class Composer {
  readonly #name: string
  readonly #chunkSize: number
  #callCount = 0

  constructor(name: string, chunkSize: number) {
    this.#name = name
    this.#chunkSize = chunkSize
  }

  compose(reply: ScriptedReply): readonly ModelEvent[] {
    if (typeof reply === 'string') return this.#whole([{ type: 'text', text: reply }], {})
    if ('events' in reply) return reply.events
    if ('kind' in reply) return [{ type: 'error', failure: { model: this.#name, ...reply } }]
    if ('role' in reply) {
      const { content } = reply
      return this.#whole(typeof content === 'string' ? [{ type: 'text', text: content }] : content, {})
    }
    return this.#whole(this.#parts(reply), reply)
  }

  #parts({ reasoning, text, calls = [] }: ScriptedTurn): AssistantPart[] {
    const parts: AssistantPart[] = []
    if (reasoning !== undefined) parts.push({ type: 'reasoning', text: reasoning })
    if (text !== undefined) parts.push({ type: 'text', text })
    for (const { toolName, input, toolCallId } of calls) {
      parts.push({ type: 'tool-call', toolCallId: toolCallId ?? `call_${++this.#callCount}`, toolName, input })
    }
    return parts
  }

  #whole(parts: readonly AssistantPart[], { usage, finishReason }: ScriptedTurn): readonly ModelEvent[] {
    const events = parts.flatMap((part) => this.#part(part))
    const calls = parts.some((part) => part.type === 'tool-call')
    const outputTokens = events.length
    const counted = usage ?? { inputTokens: 0, outputTokens, totalTokens: outputTokens }
    events.push({ type: 'finish', finishReason: finishReason ?? (calls ? 'tool-calls' : 'stop'), usage: counted })
    return events
  }

  #part(part: AssistantPart): ModelEvent[] {
    switch (part.type) {
      case 'text':
        return chunks(part.text, this.#chunkSize).map((text) => ({ type: 'text.delta', text }))
      case 'reasoning': {
        const { type: _, text: whole, ...rest } = part
        const deltas = chunks(whole, this.#chunkSize).map((text) => ({ type: 'reasoning.delta' as const, text }))
        return [...deltas, { type: 'reasoning.end', ...rest }]
      }
      case 'tool-call': {
        const { toolCallId, toolName } = part
        const pieces = this.#chunkSize === Infinity ? [] : chunks(argumentsOf(part), this.#chunkSize)
        const deltas = pieces.map((delta) => ({ type: 'tool.delta' as const, toolCallId, toolName, delta }))
        return [...deltas, { type: 'tool.call', call: part }]
      }
      default:
        return part satisfies never
    }
  }
}

function argumentsOf(part: Extract<AssistantPart, { type: 'tool-call' }>): string {
  return part.invalidInput ?? JSON.stringify(part.input)
}

function chunks(text: string, size: number): string[] {
  if (text === '') return []
  if (size >= text.length) return [text]
  const characters = Array.from(text)
  const pieces: string[] = []
  for (let at = 0; at < characters.length; at += size) pieces.push(characters.slice(at, at + size).join(''))
  return pieces
}

/** An array may be written to after the call; any other sequence is read-only by contract. */
function kept(messages: Messages): Messages {
  return Array.isArray(messages) ? [...(messages as Messages)] : messages
}

function exhausted(name: string, calls: number): ModelFailure {
  const message = `the script holds ${calls} ${calls === 1 ? 'reply' : 'replies'} and this is call ${calls + 1}`
  return failure('unknown', message, { code: 'provider_exhausted', model: name })
}
