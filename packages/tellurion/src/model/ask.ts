// One call of a model, made safe: whatever the model does, its reader sees exactly one last event, and cancelling is
// answered at once, also by a model that does not listen. Every wrapper reads the model inside it through this.

import type { Model, ModelEvent, ModelRequest } from '../port/model.ts'
import { failure, failureFromError, isCancelled } from './failure.ts'

/** The event that ends a reply: `finish`, `error` or `aborted`. */
export type LastEvent = Extract<ModelEvent, { readonly type: 'finish' | 'error' | 'aborted' }>

/** Whether nothing may follow this event. */
export function isLast(event: ModelEvent): event is LastEvent {
  return event.type === 'finish' || event.type === 'error' || event.type === 'aborted'
}

/**
 * Asks `model` and yields its events. What it throws becomes an `error`, a stream that just ends `invalid_reply`, and
 * what follows a last event is not read. The model is asked when the first event is; leaving the loop lets go of it.
 */
export function ask(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<ModelEvent> {
  return new Call(model, request, signal)
}

type Result = IteratorResult<ModelEvent>

const over: Result = Object.freeze({ done: true, value: undefined })

class Call implements AsyncIterableIterator<ModelEvent> {
  readonly #model: Model
  readonly #request: ModelRequest
  readonly #signal: AbortSignal | undefined
  #source: AsyncIterator<ModelEvent> | undefined
  #ended = false
  /** Whoever waits for the next event. */
  #resolve: ((result: Result) => void) | undefined
  /** A last event that came while nobody waited. */
  #last: LastEvent | undefined

  constructor(model: Model, request: ModelRequest, signal: AbortSignal | undefined) {
    this.#model = model
    this.#request = request
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Result> {
    if (this.#ended) {
      const value = this.#last
      this.#last = undefined
      return Promise.resolve(value === undefined ? over : { done: false, value })
    }
    return new Promise((resolve) => {
      this.#resolve = resolve
      if (this.#signal?.aborted) this.#onAbort()
      else this.#pull()
    })
  }

  return(): Promise<Result> {
    this.#last = undefined
    this.#letGo()
    return Promise.resolve(over)
  }

  #pull(): void {
    try {
      this.#source ??= this.#open()
      this.#source.next().then(this.#onResult, this.#onError)
    } catch (error) {
      this.#onError(error)
    }
  }

  #open(): AsyncIterator<ModelEvent> {
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    return this.#model.stream(this.#request, { signal: this.#signal })[Symbol.asyncIterator]()
  }

  readonly #onResult = (result: Result): void => {
    if (this.#ended) return
    if (result.done) {
      const message = 'the stream of the model ended without a last event'
      this.#end({
        type: 'error',
        failure: failure('service', message, { code: 'invalid_reply', model: this.#model.name }),
      })
    } else if (isLast(result.value)) this.#end(result.value)
    else this.#answer(result)
  }

  readonly #onError = (error: unknown): void => {
    if (this.#ended) return
    if (isCancelled(error, this.#signal)) this.#end({ type: 'aborted' })
    else this.#end({ type: 'error', failure: failureFromError(error, { model: this.#model.name }) })
  }

  readonly #onAbort = (): void => this.#end({ type: 'aborted' })

  #end(event: LastEvent): void {
    this.#letGo()
    if (this.#resolve) this.#answer({ done: false, value: event })
    else this.#last = event
  }

  #answer(result: Result): void {
    const resolve = this.#resolve
    this.#resolve = undefined
    resolve?.(result)
  }

  /** Detaches, and tells the source that nobody reads on. A source that is stuck is not waited for. */
  #letGo(): void {
    if (this.#ended) return
    this.#ended = true
    this.#signal?.removeEventListener('abort', this.#onAbort)
    try {
      this.#source?.return?.().then(undefined, () => {})
    } catch {
      // Its own business: the reply has its last event.
    }
  }
}
