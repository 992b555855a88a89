// A model with a deadline. When it passes, the work itself is aborted and the reply ends with a failure of kind
// `timeout`. Time in which the reader thinks counts for `total`, never for `idle`.

import { childController } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import type { Model, ModelEvent, ModelRequest } from '../port/model.ts'
import { asModel, type AnyModel } from './any-model.ts'
import { ask } from './ask.ts'
import { failure } from './failure.ts'

/** Deadlines in milliseconds; at least one of the two. */
export interface TimeoutOptions {
  /** From the moment the reply is asked for until its end. */
  readonly total?: number
  /** The longest silence: before the first event, and between two. */
  readonly idle?: number
  readonly clock?: Clock
}

/** A model whose replies end with a `timeout` failure when they take too long. */
export function timeout(model: AnyModel, options: TimeoutOptions): Model {
  const inner = asModel(model)
  const { total, idle, clock = systemClock } = options
  if (total === undefined && idle === undefined) {
    throw new TellurionError('invalid_option', "A timeout needs 'total', 'idle' or both, in milliseconds.")
  }
  for (const [name, value] of Object.entries({ total, idle })) {
    if (value === undefined || value > 0) continue
    throw new TellurionError('invalid_option', `'${name}' must be a number of milliseconds above 0, not ${value}.`)
  }

  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    const { controller, detach } = childController(signal)
    let late: string | undefined
    const expire = (what: string): void => {
      late ??= what
      controller.abort()
    }
    const cancelTotal = total === undefined ? () => {} : clock.timer(total, () => expire(`no whole reply in ${total}`))
    const silence = idle === undefined ? undefined : watchSilence(idle, clock, () => expire(`nothing came for ${idle}`))
    try {
      const events = ask(inner, request, controller.signal)
      for (;;) {
        silence?.begin()
        const { done, value: event } = await events.next()
        silence?.end()
        if (done) return
        const expired = event.type === 'aborted' && late !== undefined && !signal?.aborted
        yield expired ? { type: 'error', failure: failure('timeout', `${late} ms`, { model: inner.name }) } : event
      }
    } finally {
      cancelTotal()
      silence?.close()
      detach()
      // Left early, or done: either way nothing of this call may go on.
      controller.abort()
    }
  }

  return { name: inner.name, stream: (request, { signal }) => stream(request, signal) }
}

/**
 * Watches stretches of silence with one timer for many of them: it is not set anew for every event, but looks, when it
 * fires, how long the present silence has lasted.
 */
function watchSilence(limit: number, clock: Clock, expire: () => void): Record<'begin' | 'end' | 'close', () => void> {
  let since: number | undefined
  let cancel: (() => void) | undefined
  const look = (): void => {
    cancel = undefined
    if (since === undefined) return
    const rest = limit - (clock.monotonic() - since)
    if (rest <= 0) expire()
    else cancel = clock.timer(rest, look)
  }
  return {
    begin() {
      since = clock.monotonic()
      cancel ??= clock.timer(limit, look)
    },
    end() {
      since = undefined
    },
    close() {
      cancel?.()
    },
  }
}
