// The answer of Anthropic's messages API, event by event. Blocks of kinds it does not know are read over.

import type { FinishReason, ModelEvent, Usage } from '../port/model.ts'
import type { JsonObject } from '../schema/json.ts'
import { createCallIds } from './call-id.ts'
import type { FailureContext } from './failure.ts'
import { RepeatedChunk } from './repeated-chunk.ts'
import { count, isJsonObject, TextPieces, toolCall, type ReplyReader } from './wire.ts'
import { failureFromBody } from './provider-failure.ts'

interface Block {
  readonly type?: string
  readonly id?: string
  readonly name?: string
  readonly input?: unknown
  readonly text?: string
  readonly thinking?: string
  readonly signature?: string
  readonly data?: string
}

interface StreamEvent {
  readonly type?: string
  readonly index?: number
  readonly message?: { readonly id?: string; readonly model?: string; readonly usage?: JsonObject | null }
  readonly content_block?: Block
  readonly delta?: {
    readonly type?: string
    readonly text?: string
    readonly partial_json?: string
    readonly thinking?: string
    readonly signature?: string
    readonly stop_reason?: string | null
  }
  readonly usage?: JsonObject | null
  readonly error?: unknown
}

const usageFields = [
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'output_tokens_details',
] as const

/** A block that is still growing. */
type OpenBlock =
  | { readonly kind: 'text' | 'other' }
  | { readonly kind: 'call'; readonly id: string; readonly name: string; text: string }
  | { readonly kind: 'thinking'; signature: string; readonly redacted: string | undefined }

/** Reads one reply. `seed` makes the ids of calls that come without one; it differs from turn to turn. */
export class AnthropicReply implements ReplyReader {
  readonly #vendor: string
  readonly #context: FailureContext
  readonly #callId: ReturnType<typeof createCallIds>
  readonly #pieces = new TextPieces()
  readonly #repeated = new RepeatedChunk()
  readonly #blocks = new Map<number, OpenBlock>()
  #calls = 0
  #stopReason: string | undefined
  #usage: Partial<Record<(typeof usageFields)[number], unknown>> = {}
  #id: string | undefined
  #model: string | undefined

  constructor(vendor: string, seed: () => string, context: FailureContext) {
    this.#vendor = vendor
    this.#context = context
    this.#callId = createCallIds(seed)
  }

  event(data: string, out: ModelEvent[]): void {
    const text = this.#repeated.textOf(data)
    if (text !== undefined) {
      this.#text('text.delta', text, out)
      return
    }
    const event = JSON.parse(data) as StreamEvent | null
    const only = textDelta(event)
    if (only !== undefined) this.#repeated.learn(data, { key: 'text', text: only, textIn })
    switch (event?.type) {
      case 'content_block_delta':
        this.#delta(event, out)
        break
      case 'content_block_start':
        this.#startBlock(event.index ?? 0, event.content_block ?? {}, out)
        break
      case 'content_block_stop':
        this.#stopBlock(event.index ?? 0, out)
        break
      case 'message_start':
        this.#id = event.message?.id
        this.#model = event.message?.model
        this.#count(event.message?.usage)
        break
      case 'message_delta':
        this.#count(event.usage)
        if (event.delta?.stop_reason) this.#stopReason = event.delta.stop_reason
        break
      case 'message_stop':
        this.#finish(out)
        break
      default:
        // Pings, and kinds of events that are yet to be invented.
        if (event?.type === 'error' || (event?.error !== undefined && event.error !== null)) {
          out.push({ type: 'error', failure: failureFromBody(event, this.#context) })
        }
    }
  }

  whole(body: JsonObject, out: ModelEvent[]): void {
    const { content, stop_reason: stopReason, usage, id, model } = body
    if (!Array.isArray(content) || typeof stopReason !== 'string') return
    this.#id = typeof id === 'string' ? id : undefined
    this.#model = typeof model === 'string' ? model : undefined
    if (isJsonObject(usage)) this.#count(usage)
    this.#stopReason = stopReason
    for (const block of content as readonly unknown[]) {
      if (!isJsonObject(block)) continue
      this.#startBlock(0, block as Block, out)
      this.#stopBlock(0, out)
    }
    this.#finish(out)
  }

  end(out: ModelEvent[]): void {
    if (this.#stopReason !== undefined) this.#finish(out)
  }

  #startBlock(index: number, block: Block, out: ModelEvent[]): void {
    switch (block.type) {
      case 'text':
        this.#blocks.set(index, { kind: 'text' })
        this.#text('text.delta', block.text, out)
        break
      case 'thinking':
        this.#blocks.set(index, { kind: 'thinking', signature: block.signature ?? '', redacted: undefined })
        this.#text('reasoning.delta', block.thinking, out)
        break
      case 'redacted_thinking':
        this.#blocks.set(index, { kind: 'thinking', signature: '', redacted: block.data })
        break
      case 'tool_use': {
        const { name = '', input } = block
        const whole = isJsonObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : ''
        const id = this.#callId(block.id, this.#calls++, `${this.#id ?? ''}/${name}`)
        this.#blocks.set(index, { kind: 'call', id, name, text: whole })
        break
      }
      default:
        this.#blocks.set(index, { kind: 'other' })
    }
  }

  #delta({ index = 0, delta }: StreamEvent, out: ModelEvent[]): void {
    switch (delta?.type) {
      case 'text_delta':
        this.#text('text.delta', delta.text, out)
        break
      case 'thinking_delta':
        this.#text('reasoning.delta', delta.thinking, out)
        break
      case 'input_json_delta': {
        const block = this.#blocks.get(index)
        const piece = delta.partial_json ?? ''
        if (block?.kind !== 'call' || piece === '') return
        block.text += piece
        out.push({ type: 'tool.delta', toolCallId: block.id, toolName: block.name, delta: piece })
        break
      }
      case 'signature_delta': {
        const block = this.#blocks.get(index)
        if (block?.kind === 'thinking') block.signature += delta.signature ?? ''
        break
      }
      default:
    }
  }

  #text(type: 'text.delta' | 'reasoning.delta', piece: string | undefined, out: ModelEvent[]): void {
    if (!piece) return
    const text = this.#pieces.take(piece)
    if (text !== '') out.push({ type, text })
  }

  #stopBlock(index: number, out: ModelEvent[]): void {
    const block = this.#blocks.get(index)
    this.#blocks.delete(index)
    if (block?.kind === 'call') {
      out.push({ type: 'tool.call', call: toolCall(block.id, block.name, block.text) })
    } else if (block?.kind === 'thinking') {
      const { signature, redacted } = block
      out.push({
        type: 'reasoning.end',
        ...(signature === '' ? {} : { signature: signature.toWellFormed() }),
        ...(redacted === undefined ? {} : { redacted: redacted.toWellFormed() }),
        // Only the vendor that signed it can take it back.
        providerMetadata: { [this.#vendor]: {} },
      })
    }
  }

  /** Later figures replace earlier ones: all of them are sums so far. */
  #count(usage: JsonObject | null | undefined): void {
    if (!usage) return
    for (const field of usageFields) this.#usage[field] = usage[field] ?? this.#usage[field]
  }

  #finish(out: ModelEvent[]): void {
    out.push({
      type: 'finish',
      finishReason: this.#finishReason(),
      usage: usageOf(this.#usage),
      ...(this.#model === undefined ? {} : { model: this.#model.toWellFormed() }),
      ...(this.#id === undefined ? {} : { responseId: this.#id.toWellFormed() }),
    })
  }

  #finishReason(): FinishReason {
    switch (this.#stopReason) {
      case undefined:
      case 'end_turn':
      case 'stop_sequence':
        return 'stop'
      case 'tool_use':
        return 'tool-calls'
      case 'max_tokens':
      case 'model_context_window_exceeded':
        return 'length'
      case 'refusal':
        return 'content-filter'
      default:
        return 'other'
    }
  }
}

function textDelta(event: StreamEvent | null): string | undefined {
  return event?.type === 'content_block_delta' && event.delta?.type === 'text_delta' ? event.delta.text : undefined
}

function textIn(data: string): unknown {
  return textDelta(JSON.parse(data) as StreamEvent)
}

/** Anthropic counts cached input apart; ours includes it. */
function usageOf(usage: Readonly<Partial<Record<(typeof usageFields)[number], unknown>>>): Usage {
  const read = count(usage['cache_read_input_tokens'])
  const written = count(usage['cache_creation_input_tokens'])
  const inputTokens = count(usage['input_tokens']) + read + written
  const outputTokens = count(usage['output_tokens'])
  const details = usage['output_tokens_details']
  const reasoning = isJsonObject(details) ? count(details['thinking_tokens']) : 0
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    ...(read === 0 ? {} : { cacheReadTokens: read }),
    ...(written === 0 ? {} : { cacheWriteTokens: written }),
    ...(reasoning === 0 ? {} : { reasoningTokens: reasoning }),
  }
}
