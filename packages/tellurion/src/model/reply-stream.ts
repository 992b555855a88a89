// One call of a model over HTTP: sends the request, reads the answer piece by piece, gives out events. Never throws.
// Cancelling ends it at once and destroys the connection; a finished one is left fit for the next call.

import { systemClock, type Clock } from '../clock/clock.ts'
import type { ModelEvent, ModelFailure, ModelRequest } from '../port/model.ts'
import type { JsonObject } from '../schema/json.ts'
import { replyBounds } from './bounds.ts'
import { isHeader } from './endpoint.ts'
import { EventStream } from './event-stream.ts'
import { failure, failureFromError, type FailureContext } from './failure.ts'
import { cannotSend, isJsonObject, type ReplyReader, type Wire } from './wire.ts'
import { failureFromBody, failureFromStatus } from './provider-failure.ts'

/** Where and how a model is asked. */
export interface Endpoint {
  readonly wire: Wire
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof fetch
  readonly context: FailureContext
}

type Result = IteratorResult<ModelEvent, undefined>
type BodyReader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>

const over: Result = { done: true, value: undefined }

/** The events of one call. Nothing is sent before the first is asked for. */
export class ReplyStream implements AsyncIterableIterator<ModelEvent> {
  readonly #endpoint: Endpoint
  readonly #request: ModelRequest
  readonly #signal: AbortSignal | undefined
  readonly #controller = new AbortController()
  readonly #decoder = new TextDecoder()
  readonly #events: EventStream
  #reader: ReplyReader | undefined
  #body: BodyReader | undefined
  /** Events that came and were not asked for yet, from `#at` on. */
  #queue: ModelEvent[] = []
  #at = 0
  #state: 'new' | 'open' | 'ended' | 'over' = 'new'
  #received = 0
  /** Whether there has been any event. */
  #heard = false
  /** What the body is: server-sent events, or text to be read to its end first. Decided by its first character. */
  #form: 'unknown' | 'events' | 'json' | 'error' = 'unknown'
  #text = ''
  #response: Response | undefined
  #waiting: ((result: Result) => void) | undefined
  #pending: Promise<Result> | undefined

  constructor(endpoint: Endpoint, request: ModelRequest, signal: AbortSignal | undefined) {
    this.#endpoint = endpoint
    this.#request = request
    this.#signal = signal
    this.#events = new EventStream(replyBounds.event, (data) => this.#onData(data))
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    if (this.#waiting !== undefined) return (this.#pending ?? Promise.resolve(over)).then(() => this.next())
    if (this.#at < this.#queue.length) return Promise.resolve(this.#take())
    if (this.#state === 'over' || this.#state === 'ended') {
      this.#close()
      return Promise.resolve(over)
    }
    this.#pending = new Promise((resolve) => {
      this.#waiting = resolve
      if (this.#state === 'new') this.#start()
      else this.#read()
    })
    return this.#pending
  }

  return(): Promise<Result> {
    this.#close()
    return Promise.resolve(over)
  }

  #take(): Result {
    const value = this.#queue[this.#at++]
    if (value === undefined) return over
    if (this.#at === this.#queue.length) {
      this.#queue = []
      this.#at = 0
      if (this.#state === 'ended') this.#close()
    }
    return { done: false, value }
  }

  #start(): void {
    this.#state = 'open'
    const signal = this.#signal
    if (signal?.aborted) {
      this.#finish({ type: 'aborted' })
      return
    }
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    const { wire, url, headers, fetch, context } = this.#endpoint
    try {
      const body = wire.encode(this.#request)
      this.#reader = wire.reader(this.#request, context)
      const sent = { ...wire.headers, ...headers, ...checkedHeaders(this.#request.headers) }
      fetch(url, { method: 'POST', headers: sent, body, signal: this.#controller.signal, redirect: 'manual' }).then(
        this.#onResponse,
        this.#onBroken,
      )
    } catch (error) {
      this.#fail(failureFromError(error, context))
    }
  }

  #onResponse = (response: Response): void => {
    if (this.#state !== 'open') {
      response.body?.cancel().catch(() => {})
      return
    }
    this.#response = response
    if (!response.ok) this.#form = 'error'
    if (response.body === null) {
      this.#onEnd()
      this.#settle()
      return
    }
    this.#body = response.body.getReader()
    this.#read()
  }

  #read(): void {
    this.#body?.read().then(this.#onRead, this.#onBroken)
  }

  #onRead = ({ done, value }: { done: boolean; value?: Uint8Array<ArrayBuffer> | undefined }): void => {
    if (this.#state !== 'open') return
    try {
      if (done || value === undefined) this.#onEnd()
      else this.#onPiece(this.#decoder.decode(value, { stream: true }))
    } catch (error) {
      const isSyntax = error instanceof SyntaxError
      this.#fail(
        this.#invalid(isSyntax ? 'it sent an event that is not JSON' : 'what it sent is not shaped like a reply'),
      )
    }
    if (this.#at < this.#queue.length) this.#settle()
    else if (this.#state === 'open') this.#read()
  }

  #onPiece(piece: string): void {
    this.#received += piece.length
    if (this.#received > replyBounds.reply) {
      this.#fail(this.#invalid(`the reply is longer than ${replyBounds.reply} characters`))
      return
    }
    if (this.#form === 'unknown') this.#form = formOf(piece)
    if (this.#form === 'events') {
      if (!this.#events.feed(piece)) {
        this.#fail(this.#invalid(`one event is longer than ${replyBounds.event} characters`))
      }
    } else if (this.#form !== 'unknown') {
      this.#text += piece
      if (this.#form === 'error' && this.#text.length > replyBounds.errorBody) this.#onEnd()
    }
  }

  #onData(data: string): void {
    this.#heard = true
    if (this.#state === 'open' && data !== '') {
      this.#reader?.event(data, this.#queue)
      this.#noteLast()
    }
  }

  /** Whether the reader has pushed the last event. */
  #noteLast(): void {
    const last = this.#queue.at(-1)
    if (last !== undefined && (last.type === 'finish' || last.type === 'error')) {
      this.#state = 'ended'
      this.#detach()
    }
  }

  #onEnd(): void {
    const { context } = this.#endpoint
    const response = this.#response
    if (this.#form === 'error' && response) {
      this.#fail(failureOfResponse(response, this.#text, context))
      return
    }
    if (this.#form === 'json') {
      this.#onWhole()
      return
    }
    this.#events.end()
    this.#endReply(
      this.#heard
        ? failure('network', `the answer${from(context)} was cut off before its end. Try again`, context)
        : this.#invalid(this.#form === 'unknown' ? 'the answer is empty' : 'the answer holds no event'),
    )
  }

  #onWhole(): void {
    const body = parsed(this.#text)
    if (body === undefined) {
      const what = this.#text.trimStart().startsWith('<') ? 'an HTML page' : 'neither an event stream nor JSON'
      this.#fail(this.#invalid(`it sent ${what}`))
      return
    }
    this.#reader?.whole(body, this.#queue)
    this.#noteLast()
    this.#endReply(
      body['error'] === undefined || body['error'] === null
        ? this.#invalid('the JSON it sent is no reply')
        : failureFromBody(body, this.#endpoint.context),
    )
  }

  /** Ends the reply: as whole if the reader says so, otherwise with `cut`. */
  #endReply(cut: ModelFailure): void {
    if (this.#state !== 'open') return
    this.#reader?.end(this.#queue)
    this.#noteLast()
    if (this.#state === 'open') this.#fail(cut)
  }

  #onBroken = (error: unknown): void => {
    if (this.#state !== 'open') return
    // A connection that breaks after the reply was whole has broken nothing.
    if (this.#form === 'events') this.#endReply(this.#broken(error))
    else this.#fail(this.#broken(error))
    this.#settle()
  }

  #broken(error: unknown): ModelFailure {
    return failureFromError(error, { ...this.#endpoint.context, connection: true })
  }

  #invalid(what: string): ModelFailure {
    const { context } = this.#endpoint
    const message = `${what}${from(context)}. Check that the base URL is an API of the kind this model expects`
    return failure('service', message, { ...context, code: 'invalid_reply' })
  }

  #fail(failed: ModelFailure): void {
    this.#finish({ type: 'error', failure: failed })
  }

  #finish(event: ModelEvent): void {
    this.#queue.push(event)
    this.#state = 'ended'
    this.#controller.abort()
    this.#detach()
    this.#settle()
  }

  #onAbort = (): void => {
    this.#queue = []
    this.#at = 0
    this.#finish({ type: 'aborted' })
  }

  #settle(): void {
    const resolve = this.#waiting
    if (resolve === undefined) return
    this.#waiting = undefined
    this.#pending = undefined
    resolve(this.#take())
  }

  #detach(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  /** Nobody reads on: an unfinished reply is cancelled, a finished one drained so that its connection lives on. */
  #close(): void {
    const state = this.#state
    if (state === 'over') return
    this.#state = 'over'
    this.#queue = []
    this.#at = 0
    this.#detach()
    if (state === 'ended' && this.#body && !this.#controller.signal.aborted) {
      drain(this.#body, this.#controller, this.#endpoint.context.clock)
    } else this.#controller.abort()
    this.#settle()
  }
}

/** A request's own headers in lower case, so that they replace the wire's. Their values may be secrets: none is shown. */
function checkedHeaders(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeader(name, value)) throw cannotSend(`the header '${name}' has a name or value that HTTP does not allow`)
    checked[name.toLowerCase()] = value
  }
  return checked
}

/** An event stream, unless it begins like JSON or HTML. Content types are not to be trusted in this. */
function formOf(piece: string): 'unknown' | 'events' | 'json' {
  const first = piece.trimStart().charAt(0)
  if (first === '') return 'unknown'
  return first === '{' || first === '[' || first === '<' ? 'json' : 'events'
}

function parsed(text: string): JsonObject | undefined {
  try {
    const body = JSON.parse(text) as unknown
    const first = Array.isArray(body) ? (body as readonly unknown[])[0] : body
    return isJsonObject(first) ? first : undefined
  } catch {
    return undefined
  }
}

function from(context: FailureContext): string {
  return context.url === undefined ? '' : ` from ${context.url}`
}

function failureOfResponse(response: Response, text: string, context: FailureContext): ModelFailure {
  const { status, headers, type } = response
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    // Following it would carry the key to another address.
    const target = headers.get('location') ?? 'another address'
    return failure('not_found', `HTTP ${status}${from(context)}: it redirects to ${target}. Set that as the base URL`, {
      ...context,
      status,
    })
  }
  return failureFromStatus(status, text, headers, context)
}

function drain(body: BodyReader, controller: AbortController, clock: Clock = systemClock): void {
  let left: number = replyBounds.rest
  const cancelTimer = clock.timer(replyBounds.restTime, () => controller.abort())
  const readOn = (): void => {
    body.read().then(({ done, value }) => {
      left -= value?.byteLength ?? 0
      if (!done && left > 0) readOn()
      else {
        cancelTimer()
        if (!done) controller.abort()
      }
    }, cancelTimer)
  }
  readOn()
}
