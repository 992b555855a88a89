// Streams: a turn that can be watched or awaited, or both. Whoever falls too far behind is dropped; the run never is.

import { Feed } from '../channel/feed.ts'
import { TellurionError } from '../error/error.ts'
import type { Event, EventOf } from '../event/event.ts'
import type { World } from '../world/world.ts'
import { parsePartialJson } from './partial-json.ts'
import type { AgentResult } from './result.ts'

/** Events that a reader may be behind before it is dropped. */
const capacity = 10_000
/** From so many on, pieces of text are joined before they are handed on. */
const crowded = 1_000

/**
 * A running turn. It began when it was made and goes on whether anybody reads or not. It can be iterated once: by its
 * events, its texts or its partial outputs.
 */
export class AgentStream<Output = undefined> implements AsyncIterable<Event> {
  readonly #events: AsyncIterable<Event>
  readonly #result: Promise<AgentResult<Output>>

  /** Begins `start` and watches `world` until it ends. */
  constructor(world: World, start: () => Promise<AgentResult<Output>>) {
    const feed = new Feed<Event>(capacity)
    let merged: EventOf<'text.delta'> | undefined
    const flush = (): void => {
      if (merged === undefined) return
      const delta = merged
      merged = undefined
      feed.push(delta)
    }
    const unsubscribe = world.on('*', (event) => {
      if (feed.closed) return
      try {
        // A burst of text is joined: it says the same, and nobody is dropped for it. Its end always follows.
        if (event.type === 'text.delta' && feed.size >= crowded) {
          if (merged !== undefined && merged.entity !== event.entity) flush()
          merged = merged === undefined ? event : { ...merged, text: merged.text + event.text }
          return
        }
        flush()
        feed.push(event)
      } catch {
        const text = `This reader was ${capacity} events behind and was dropped; the run goes on: await result().`
        feed.close(new TellurionError('slow_reader', text))
      }
    })
    const end = (): void => {
      unsubscribe()
      feed.close()
    }
    this.#events = feed
    this.#result = start()
    // The failure belongs to whoever asks for the result; nobody else has to.
    this.#result.then(end, end)
  }

  [Symbol.asyncIterator](): AsyncIterator<Event> {
    return this.#events[Symbol.asyncIterator]()
  }

  /** How the turn ended: the same value, or the same error, as `generate` gives. */
  result(): Promise<AgentResult<Output>> {
    return this.#result
  }

  /**
   * The text as it comes. A reader of texts cannot take back what it has seen: when the reply begins anew behind its
   * back, and when the turn fails, it throws.
   */
  async *texts(): AsyncGenerator<string, void> {
    let shown = false
    for await (const event of this) {
      if (event.type === 'text.delta') {
        shown = true
        yield event.text
      } else if (event.type === 'stream.restarted' && shown) {
        throw TellurionError.from({ ...event.failure, message: `The reply was cut off: ${event.failure.message}` })
      }
    }
    await this.#result
  }

  /**
   * The output as far as it has come; ends with the whole. Values are not validated. Past a hundred characters it is
   * looked at with every hundredth part that joins it, so that a long one costs no more a character than a short one.
   */
  async *partialOutputs(): AsyncGenerator<unknown, void> {
    let text = ''
    let looked = 0
    let last: string | undefined
    for await (const event of this) {
      if (event.type === 'stream.started' || event.type === 'stream.restarted') [text, looked] = ['', 0]
      if (event.type === 'text.delta') text += event.text
      else if (event.type !== 'stream.ended') continue
      if (event.type === 'text.delta' && (text.length - looked) * 100 < text.length) continue
      looked = text.length
      const value = parsePartialJson(text)
      const shown = JSON.stringify(value)
      if (value === undefined || shown === last) continue
      last = shown
      yield value
    }
    await this.#result
  }
}
