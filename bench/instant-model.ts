// Models that answer at once, the same for the floors and for us: ten tool calls and an answer, an answer alone, or a
// stream of deltas. What they say depends on the request only, so any number of agents share one.

import type { Model, ModelEvent, ModelRequest } from 'tellurion/model'

/** Tool calls of a run. */
export const callsOfRun = 10
/** Model calls of a run: its tool calls, and the answer. */
export const turnsOfRun = callsOfRun + 1

const usage = { inputTokens: 100, outputTokens: 10, totalTokens: 110 }

const answer: readonly ModelEvent[] = [
  { type: 'text.delta', text: 'The sum is 3.' },
  { type: 'finish', finishReason: 'stop', usage },
]

const callTurns: readonly (readonly ModelEvent[])[] = Array.from({ length: callsOfRun }, (_, index) => [
  {
    type: 'tool.call',
    call: { type: 'tool-call', toolCallId: `call_${index}`, toolName: 'add', input: { a: 1, b: 2 } },
  },
  { type: 'finish', finishReason: 'tool-calls', usage },
])

/** Asks for `add` ten times, then answers: a reply and a result join the conversation each time. */
export function toolModel(wait?: (turn: number) => Promise<void>): Model {
  return eventModel(({ messages }) => {
    const turn = (messages.length - 1) / 2
    const events = callTurns[turn] ?? answer
    return wait === undefined ? events : { events, ready: wait(turn) }
  })
}

/** Answers. */
export function answerModel(): Model {
  return eventModel(() => answer)
}

/** Answers in `count` deltas. */
export function deltaModel(count: number): Model {
  const deltas = Array.from({ length: count }, (): ModelEvent => ({ type: 'text.delta', text: 'word ' }))
  const events: readonly ModelEvent[] = [...deltas, { type: 'finish', finishReason: 'stop', usage }]
  return eventModel(() => events)
}

/** Asks once for `count` calls of `wait` in one reply, then answers. */
export function parallelModel(count: number): Model {
  const calls = Array.from({ length: count }, (_, index): ModelEvent => ({
    type: 'tool.call',
    call: { type: 'tool-call', toolCallId: `call_${index}`, toolName: 'wait', input: { index } },
  }))
  const events: readonly ModelEvent[] = [...calls, { type: 'finish', finishReason: 'tool-calls', usage }]
  return eventModel(({ messages }) => (messages.length === 1 ? events : answer))
}

type Given = readonly ModelEvent[] | { readonly events: readonly ModelEvent[]; readonly ready: Promise<void> }

/** A model that gives the events that `choose` finds for a request. */
export function eventModel(choose: (request: ModelRequest) => Given): Model {
  return { name: 'bench/instant', stream: (request) => new Events(choose(request)) }
}

const over: IteratorResult<ModelEvent> = { done: true, value: undefined }

class Events implements AsyncIterableIterator<ModelEvent> {
  readonly #events: readonly ModelEvent[]
  readonly #ready: Promise<void> | undefined
  #next = 0

  constructor(given: Given) {
    this.#events = 'events' in given ? given.events : given
    this.#ready = 'events' in given ? given.ready : undefined
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<ModelEvent>> {
    const value = this.#events[this.#next++]
    const result: IteratorResult<ModelEvent> = value === undefined ? over : { done: false, value }
    if (this.#ready !== undefined && this.#next === 1) return this.#ready.then(() => result)
    return Promise.resolve(result)
  }
}
