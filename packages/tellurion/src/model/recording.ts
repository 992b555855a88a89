// Replies kept as plain JSON and given again: a test talks to a real model once and to its recording ever after.

import type { Message } from '../message/message.ts'
import type { Model, ModelEvent, ModelRequest } from '../port/model.ts'
import type { JsonObject } from '../schema/json.ts'
import { asModel, type AnyModel } from './any-model.ts'
import { ask } from './ask.ts'
import { failure } from './failure.ts'

/** One call: what was asked and every event of the reply. Plain JSON. */
export interface Recording {
  readonly model: string
  /** The request's content: everything but headers, in which keys travel, and ids of messages. `replay` goes by it. */
  readonly request: JsonObject
  readonly events: readonly ModelEvent[]
}

/** Takes recordings: an array, or anything that keeps them. */
export interface RecordingSink {
  push(recording: Recording): unknown
}

/**
 * A model whose replies are pushed to `sink` as they end. Cancelled calls, and replies left early, are not recorded.
 */
export function record(model: AnyModel, sink: RecordingSink): Model {
  const inner = asModel(model)
  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    const content = requestContent(request)
    const events: ModelEvent[] = []
    for await (const event of ask(inner, request, signal)) {
      events.push(event)
      if (event.type === 'finish' || event.type === 'error') {
        sink.push({ model: inner.name, request: content, events })
      }
      yield event
    }
  }
  return { name: inner.name, stream: (request, { signal }) => stream(request, signal) }
}

/**
 * A model that gives recorded replies again: for each request the first one not given yet that was recorded for the
 * same content. When none is left the reply is an `error` with code `provider_exhausted`.
 */
export function replay(recordings: Iterable<Recording>, options: { readonly name?: string } = {}): Model {
  const replies = new Map<string, Recording[]>()
  for (const recording of recordings) {
    const key = contentKey(recording.request)
    const same = replies.get(key)
    if (same) same.push(recording)
    else replies.set(key, [recording])
  }
  const name = options.name ?? replies.values().next().value?.[0]?.model ?? 'replay/empty'
  const given = new Map<string, number>()

  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    const key = contentKey(requestContent(request))
    const count = given.get(key) ?? 0
    const recorded = replies.get(key)
    const recording = recorded?.[count]
    if (recording) given.set(key, count + 1)
    for (const event of recording?.events ?? []) {
      if (signal?.aborted) break
      yield event
    }
    if (signal?.aborted) yield { type: 'aborted' }
    else if (!recording) {
      const message = recorded
        ? `all ${count} replies to this request were given`
        : 'no reply to this request was recorded'
      yield { type: 'error', failure: failure('unknown', message, { code: 'provider_exhausted', model: name }) }
    }
  }
  return { name, stream: (request, { signal }) => stream(request, signal) }
}

/** What of a request decides the reply, as JSON. */
function requestContent(request: ModelRequest): JsonObject {
  const { headers: _, messages, ...rest } = request
  const content = { ...rest, messages: Array.from(messages, withoutId) }
  return JSON.parse(JSON.stringify(content)) as JsonObject
}

function withoutId(message: Message): object {
  const { id: _, ...content } = message
  return content
}

/** Equal content has an equal key, whatever the order in which its fields were written. */
function contentKey(content: JsonObject): string {
  return JSON.stringify(content, (_, value: unknown) => (isObject(value) ? sorted(value) : value))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}
