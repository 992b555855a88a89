// W3, streaming: 2,000 deltas from the model to somebody who reads them.

import { Agent } from 'tellurion'
import type { Message } from 'tellurion'
import type { Model } from 'tellurion/model'
import { deltaModel } from '../instant-model.ts'
import { microsecondsPer } from '../measure.ts'
import { expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const count = 2000

async function perDelta(scale: Scale, read: () => Promise<string>): Promise<Figures> {
  expectEqual((await read()).length, count * 5)
  return { delta: await microsecondsPer(count, scale, read) }
}

interface Entry {
  readonly seq: number
  readonly type: string
  readonly text: string
}

/** An honest stream: an event log, an abort check, usage, and a queue between the run and its reader. */
class HonestStream implements AsyncIterableIterator<Entry> {
  readonly log: Entry[] = []
  tokens = 0
  readonly #queue: Entry[] = []
  #next = 0
  #ended = false
  #wake: ((result: IteratorResult<Entry>) => void) | undefined

  async run(model: Model, messages: Message[], signal: AbortSignal): Promise<void> {
    this.#emit('run.started', '')
    let text = ''
    for await (const event of model.stream({ messages }, { signal })) {
      signal.throwIfAborted()
      if (event.type === 'text.delta') {
        text += event.text
        this.#emit('text.delta', event.text)
      } else if (event.type === 'finish') {
        this.tokens += event.usage.totalTokens
        break
      }
    }
    messages.push({ role: 'assistant', content: text })
    this.#emit('run.succeeded', text)
    this.#ended = true
    this.#wake?.({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Entry>> {
    const value = this.#queue[this.#next]
    if (value !== undefined) {
      this.#next++
      return Promise.resolve({ done: false, value })
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => (this.#wake = resolve))
  }

  #emit(type: string, text: string): void {
    const entry = { seq: this.log.length + 1, type, text }
    this.log.push(entry)
    const wake = this.#wake
    if (wake === undefined) this.#queue.push(entry)
    else {
      this.#wake = undefined
      wake({ done: false, value: entry })
    }
  }
}

export default {
  title: 'W3  2,000 deltas to a reader',
  metrics: [{ name: 'delta', unit: 'µs a delta', better: 'lower', floor: 'honest' }],
  cells: {
    loop: (scale) => {
      const model = deltaModel(count)
      return perDelta(scale, async () => {
        let text = ''
        for await (const event of model.stream({ messages: [] }, {})) {
          if (event.type === 'text.delta') text += event.text
        }
        return text
      })
    },
    honest: (scale) => {
      const model = deltaModel(count)
      return perDelta(scale, async () => {
        const stream = new HonestStream()
        const run = stream.run(model, [{ role: 'user', content: 'Tell.' }], new AbortController().signal)
        let text = ''
        for await (const event of stream) if (event.type === 'text.delta') text += event.text
        await run
        return text
      })
    },
    tellurion: (scale) => {
      const agent = new Agent({ name: 'bench', model: deltaModel(count) })
      return perDelta(scale, async () => {
        const stream = agent.stream('Tell.')
        let text = ''
        for await (const event of stream) if (event.type === 'text.delta') text += event.text
        expectEqual((await stream.result()).text.length, text.length)
        return text
      })
    },
  },
  targets: [{ cell: 'tellurion', metric: 'delta', over: 'honest', most: 1.5 }],
} satisfies Workload
