// A stream of model events made into one whole reply. Never rejects for what a model does; costs one string append a
// delta.

import type { AssistantMessage, AssistantPart, ReasoningPart } from '../message/message.ts'
import type { Model, ModelEvent, ModelReply, ModelRequest } from '../port/model.ts'
import { failure, failureFromError, isCancelled } from './failure.ts'

/**
 * Gathers a model's events into its reply; `onEvent` sees each one first. Consecutive text becomes one part, and content
 * that is only text a plain string. `restart` voids what came. A failed or aborted reply keeps what had come as a
 * partial message without tool calls. A stream that ends without a last event is `invalid_reply`, one that throws
 * `model_unknown`. Rejects only when `onEvent` throws.
 */
export async function collect(
  events: AsyncIterable<ModelEvent>,
  onEvent?: (event: ModelEvent) => void,
): Promise<ModelReply> {
  let draft = new Draft()
  let told = true
  try {
    for await (const event of events) {
      if (onEvent !== undefined) {
        told = false
        onEvent(event)
        told = true
      }
      switch (event.type) {
        case 'text.delta':
          if (draft.reasoning !== '') draft.closeReasoning()
          draft.text += event.text
          break
        case 'reasoning.delta':
          if (draft.text !== '') draft.closeText()
          draft.reasoning += event.text
          break
        case 'reasoning.end':
          draft.closeText()
          draft.closeReasoning(event)
          break
        case 'tool.call':
          draft.add(event.call)
          break
        case 'tool.delta':
          break
        case 'restart':
          draft = new Draft()
          break
        case 'finish': {
          const { finishReason, usage, model, responseId } = event
          return {
            status: 'finished',
            message: draft.message(),
            finishReason,
            usage,
            ...(model === undefined ? {} : { model }),
            ...(responseId === undefined ? {} : { responseId }),
          }
        }
        case 'error':
          return { status: 'failed', failure: event.failure, ...draft.partial() }
        case 'aborted':
          return { status: 'aborted', ...draft.partial() }
        default:
          event satisfies never
      }
    }
  } catch (error) {
    if (!told) throw error
    if (isCancelled(error)) return { status: 'aborted', ...draft.partial() }
    return { status: 'failed', failure: failureFromError(error), ...draft.partial() }
  }
  const cut = failure('service', 'the stream of the model ended without a last event', { code: 'invalid_reply' })
  return { status: 'failed', failure: cut, ...draft.partial() }
}

/** Asks a model and waits for the whole reply. Never rejects. */
export async function complete(
  model: Model,
  request: ModelRequest,
  options: { signal?: AbortSignal | undefined } = {},
): Promise<ModelReply> {
  try {
    return await collect(model.stream(request, options))
  } catch (error) {
    return { status: 'failed', failure: failureFromError(error, { model: model.name }) }
  }
}

/** An assistant message while it grows: closed parts, and the one text or reasoning that is still open. */
class Draft {
  text = ''
  reasoning = ''
  #parts: AssistantPart[] | undefined

  closeText(): void {
    if (this.text === '') return
    ;(this.#parts ??= []).push({ type: 'text', text: this.text.toWellFormed() })
    this.text = ''
  }

  closeReasoning(end?: Omit<ReasoningPart, 'type' | 'text'>): void {
    const part = reasoningPart(this.reasoning, end)
    this.reasoning = ''
    if (part !== undefined) (this.#parts ??= []).push(part)
  }

  add(part: AssistantPart): void {
    this.closeText()
    this.closeReasoning()
    if (this.#parts === undefined) this.#parts = [part]
    else this.#parts.push(part)
  }

  message(): AssistantMessage {
    if (this.#parts === undefined && this.reasoning === '') {
      return { role: 'assistant', content: this.text.toWellFormed() }
    }
    this.closeText()
    this.closeReasoning()
    return { role: 'assistant', content: this.#parts ?? '' }
  }

  partial(): { message?: AssistantMessage } {
    this.closeText()
    this.closeReasoning()
    const kept: AssistantPart[] = []
    for (const part of this.#parts ?? []) {
      const last = kept.at(-1)
      if (part.type === 'tool-call') continue
      if (part.type === 'text' && last?.type === 'text')
        kept[kept.length - 1] = { ...last, text: last.text + part.text }
      else kept.push(part)
    }
    const [first] = kept
    if (first === undefined) return {}
    const content = kept.length === 1 && first.type === 'text' ? first.text : kept
    return { message: { role: 'assistant', content, partial: true } }
  }
}

function reasoningPart(text: string, end: Omit<ReasoningPart, 'type' | 'text'> = {}): ReasoningPart | undefined {
  const { signature, redacted, providerMetadata } = end
  if (text === '' && signature === undefined && redacted === undefined && providerMetadata === undefined)
    return undefined
  return {
    type: 'reasoning',
    text: text.toWellFormed(),
    ...(signature === undefined ? {} : { signature }),
    ...(redacted === undefined ? {} : { redacted }),
    ...(providerMetadata === undefined ? {} : { providerMetadata }),
  }
}
