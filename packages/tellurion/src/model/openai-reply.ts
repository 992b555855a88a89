// The answer of a chat completions API, chunk by chunk. Tolerant of what compatible servers leave out or do otherwise:
// calls without index or id, usage anywhere, reasoning under several names, no `[DONE]`.

import type { FinishReason, ModelEvent, Usage } from '../port/model.ts'
import type { JsonObject } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import { createCallIds } from './call-id.ts'
import type { FailureContext } from './failure.ts'
import { RepeatedChunk } from './repeated-chunk.ts'
import { count, isJsonObject, TextPieces, toolCall, type ReplyReader } from './wire.ts'
import { failureFromBody } from './provider-failure.ts'

interface Chunk {
  readonly id?: string | null
  readonly object?: string
  readonly model?: string | null
  readonly choices?: readonly Choice[] | null
  readonly usage?: JsonObject | null
  readonly error?: unknown
}

interface Choice {
  readonly index?: number
  readonly delta?: Delta | null
  readonly message?: Delta | null
  readonly finish_reason?: string | null
}

interface Delta {
  readonly content?: string | readonly ContentPart[] | null
  readonly refusal?: string | null
  readonly reasoning_content?: string | null
  readonly reasoning?: string | null
  readonly tool_calls?: readonly CallDelta[] | null
}

/** Mistral sends reasoning as parts of the content. */
interface ContentPart {
  readonly type?: string
  readonly text?: string
  readonly thinking?: readonly { readonly text?: string }[]
}

interface CallDelta {
  readonly index?: number | null
  readonly id?: string | null
  readonly function?: { readonly name?: string | null; readonly arguments?: string | JsonObject | null } | null
  /** Google's, which must travel back with the call. */
  readonly extra_content?: JsonObject | null
}

interface OpenCall {
  readonly index: number | undefined
  readonly givenId: string
  id: string
  name: string
  text: string
  extra: JsonObject | undefined
}

/** Reads one reply. `seed` makes the ids of calls that come without one; it differs from turn to turn. */
export class OpenAIReply implements ReplyReader {
  readonly #vendor: string
  readonly #context: FailureContext
  readonly #callId: ReturnType<typeof createCallIds>
  readonly #pieces = new TextPieces()
  readonly #repeated = new RepeatedChunk()
  readonly #calls: OpenCall[] = []
  #reasoning = false
  #finishReason: string | undefined
  #refused = false
  #usage: JsonObject | undefined
  #id: string | undefined
  #model: string | undefined

  constructor(vendor: string, seed: () => string, context: FailureContext) {
    this.#vendor = vendor
    this.#context = context
    this.#callId = createCallIds(seed)
  }

  event(data: string, out: ModelEvent[]): void {
    const text = this.#repeated.textOf(data)
    if (text !== undefined) this.#text(text, out)
    else if (data === '[DONE]') this.#finish(out)
    else {
      const chunk = JSON.parse(data) as Chunk | null
      this.#chunk(chunk, out)
      const only = onlyText(chunk)
      if (only !== undefined) this.#repeated.learn(data, { key: 'content', text: only, textIn: contentIn })
    }
  }

  whole(body: JsonObject, out: ModelEvent[]): void {
    this.#chunk(body as Chunk, out)
    if (this.#finishReason !== undefined && out.at(-1)?.type !== 'error') this.#finish(out)
  }

  end(out: ModelEvent[]): void {
    if (this.#finishReason !== undefined) this.#finish(out)
  }

  #chunk(chunk: Chunk | null, out: ModelEvent[]): void {
    if (chunk === null || typeof chunk !== 'object') return
    if ((chunk.error !== undefined && chunk.error !== null) || chunk.object === 'error') {
      out.push({ type: 'error', failure: failureFromBody(chunk, this.#context) })
      return
    }
    if (this.#id === undefined && typeof chunk.id === 'string') this.#id = chunk.id
    if (this.#model === undefined && typeof chunk.model === 'string') this.#model = chunk.model
    if (isJsonObject(chunk.usage)) this.#usage = chunk.usage
    const choice = chunk.choices?.[0]
    if (choice === undefined || (choice.index !== undefined && choice.index > 0)) return
    const delta = choice.delta ?? choice.message
    if (delta) this.#delta(delta, out)
    if (choice.finish_reason) this.#finishReason = choice.finish_reason
  }

  #delta(delta: Delta, out: ModelEvent[]): void {
    const { content } = delta
    const reasoning = delta.reasoning_content ?? delta.reasoning
    if (reasoning) this.#reason(reasoning, out)
    if (typeof content === 'string') this.#text(content, out)
    else if (Array.isArray(content)) for (const part of content as readonly ContentPart[]) this.#part(part, out)
    if (delta.refusal) {
      this.#refused = true
      this.#text(delta.refusal, out)
    }
    if (delta.tool_calls) for (const call of delta.tool_calls) this.#call(call, out)
  }

  #part(part: ContentPart, out: ModelEvent[]): void {
    if (part.thinking) for (const thought of part.thinking) this.#reason(thought.text ?? '', out)
    else if (part.text) this.#text(part.text, out)
  }

  #text(piece: string, out: ModelEvent[]): void {
    if (piece === '') return
    if (this.#reasoning) this.#endReasoning(out)
    const text = this.#pieces.take(piece)
    if (text !== '') out.push({ type: 'text.delta', text })
  }

  #reason(piece: unknown, out: ModelEvent[]): void {
    if (typeof piece !== 'string' || piece === '') return
    this.#reasoning = true
    const text = this.#pieces.take(piece)
    if (text !== '') out.push({ type: 'reasoning.delta', text })
  }

  #endReasoning(out: ModelEvent[]): void {
    if (!this.#reasoning) return
    this.#reasoning = false
    out.push({ type: 'reasoning.end' })
  }

  #call(delta: CallDelta, out: ModelEvent[]): void {
    this.#endReasoning(out)
    const call = this.#openCall(delta)
    const { extra_content: extra } = delta
    if (isJsonObject(extra) && jsonProblem(extra) === undefined) call.extra = extra
    const given = delta.function?.arguments
    const piece = typeof given === 'string' ? given : given == null ? '' : JSON.stringify(given)
    call.text += piece
    if (piece !== '' && call.name !== '') {
      out.push({ type: 'tool.delta', toolCallId: call.id, toolName: call.name, delta: piece })
    }
  }

  /**
   * The call that a delta belongs to. The index decides; a second id under the same index is a second call, for some
   * servers count every call 0. Without index a new id, or a name, begins a call.
   */
  #openCall(delta: CallDelta): OpenCall {
    const index = delta.index ?? undefined
    const givenId = delta.id ?? ''
    const name = delta.function?.name ?? ''
    const calls = this.#calls
    const last = index === undefined ? calls.at(-1) : calls.findLast((call) => call.index === index)
    const goesOn =
      last !== undefined &&
      (givenId === '' || givenId === last.givenId) &&
      (index !== undefined || givenId !== '' || name === '')
    if (goesOn) {
      if (last.name === '') last.name = name
      return last
    }
    const id = this.#callId(givenId, calls.length, `${this.#id ?? ''}/${name}`)
    const call: OpenCall = { index, givenId, id, name, text: '', extra: undefined }
    calls.push(call)
    return call
  }

  #finish(out: ModelEvent[]): void {
    this.#endReasoning(out)
    for (const { id, name, text, extra } of this.#calls) {
      const metadata = extra === undefined ? undefined : { [this.#vendor]: { extra_content: extra } }
      out.push({ type: 'tool.call', call: toolCall(id, name, text, metadata) })
    }
    out.push({
      type: 'finish',
      finishReason: this.#reasonToFinish(),
      usage: usageOf(this.#usage),
      ...(this.#model === undefined ? {} : { model: this.#model.toWellFormed() }),
      ...(this.#id === undefined ? {} : { responseId: this.#id.toWellFormed() }),
    })
  }

  #reasonToFinish(): FinishReason {
    switch (this.#finishReason) {
      case 'length':
      case 'max_tokens':
      case 'model_length':
        return 'length'
      case 'content_filter':
        return 'content-filter'
      case undefined:
      case 'stop':
      case 'eos':
      case 'end_turn':
      case 'tool_calls':
      case 'function_call':
        if (this.#calls.length > 0) return 'tool-calls'
        return this.#refused ? 'content-filter' : 'stop'
      default:
        return 'other'
    }
  }
}

/** The text of a chunk that brings nothing else that is new. */
function onlyText(chunk: Chunk | null): string | undefined {
  const choices = chunk?.choices
  const choice = choices?.[0]
  if (!choice || choice.index || choice.finish_reason || chunk?.usage || !choice.delta) return undefined
  const { content, refusal, reasoning_content, reasoning, tool_calls } = choice.delta
  const more = refusal || reasoning_content || reasoning || tool_calls || chunk?.error || chunk?.object === 'error'
  return typeof content === 'string' && !more ? content : undefined
}

function contentIn(data: string): unknown {
  return onlyText(JSON.parse(data) as Chunk)
}

function usageOf(usage: JsonObject | undefined): Usage {
  if (usage === undefined) return { inputTokens: 0, outputTokens: 0, totalTokens: 0 }
  const input = isJsonObject(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {}
  const output = isJsonObject(usage['completion_tokens_details']) ? usage['completion_tokens_details'] : {}
  const inputTokens = count(usage['prompt_tokens'])
  const outputTokens = count(usage['completion_tokens'])
  const read = count(input['cached_tokens'] ?? usage['prompt_cache_hit_tokens'])
  const written = count(input['cache_write_tokens'] ?? usage['cache_creation_input_tokens'])
  const reasoning = count(output['reasoning_tokens'])
  return {
    inputTokens,
    outputTokens,
    totalTokens: count(usage['total_tokens']) || inputTokens + outputTokens,
    ...(read === 0 ? {} : { cacheReadTokens: read }),
    ...(written === 0 ? {} : { cacheWriteTokens: written }),
    ...(reasoning === 0 ? {} : { reasoningTokens: reasoning }),
  }
}
