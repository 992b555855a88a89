// A run as a caller holds it: watch it, await it, steer it, go back in it. It is only an id and a runtime; any process
// can make one.

import { agentComponents } from '../agent/component.ts'
import { Conversation } from '../agent/component.ts'
import { LLM } from '../agent/component.ts'
import { userMessage } from '../agent/conversation.ts'
import type { AgentResult } from '../agent/result.ts'
import { noUsage } from '../agent/usage.ts'
import { createChannel } from '../channel/channel.ts'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import type { Message, UserInput } from '../message/message.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import { hasEnded, type RunRecord } from './run.ts'
import type { MailKind } from './run-store.ts'
import type { Setting } from './setting.ts'
import type { Json } from '../schema/json.ts'

/** Stored events that are read at one time. */
const page = 256
/** Events that a reader may be behind before it is dropped. */
const capacity = 10_000
/** How long a reader waits before it looks by itself, in milliseconds. */
const lookAgain = 1000

/** An event of a run. Kept ones have a number and a time; live ones have neither. */
export type RunEvent = Event & { readonly seq?: number; readonly at?: number }

/** A run. */
export class RunHandle {
  readonly id: string
  readonly #setting: Setting
  readonly #wake: (run: string) => void

  constructor(id: string, setting: Setting, wake: (run: string) => void) {
    this.id = id
    this.#setting = setting
    this.#wake = wake
  }

  /** The run as it is stored. Throws `unknown_run`. */
  async record(): Promise<RunRecord> {
    const record = await this.#setting.backend.store.getRun(this.id)
    if (record === undefined) throw new TellurionError('unknown_run', `There is no run '${this.id}'.`)
    return record
  }

  /**
   * The events of the run after number `after` (default 0: from the beginning), and live ones while they happen; ends
   * with the run. Numbers have no gaps. A reader that is 10,000 events behind is dropped with `slow_reader`.
   */
  async *events(options: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<RunEvent, void> {
    const { backend, live, clock } = this.#setting
    const { signal } = options
    let { after = 0 } = options
    const channel = createChannel<RunEvent | 'look'>({ capacity, overflow: 'error', signal })
    const push = (item: RunEvent | 'look'): void => {
      if (channel.closed) return
      try {
        void channel.send(item)
      } catch {
        channel.close(new TellurionError('slow_reader', `This reader was ${capacity} events behind and was dropped.`))
      }
    }
    const stops = [
      live.listen(this.id, push),
      backend.hints.listen((hint) => {
        if (hint.type === 'run' && hint.run === this.id) push('look')
      }),
    ]
    let stopTimer = (): void => {}
    const lookLater = (): void => {
      stopTimer = clock.timer(lookAgain, () => {
        push('look')
        lookLater()
      })
    }
    lookLater()
    try {
      push('look')
      for await (const item of channel) {
        if (item !== 'look') {
          yield item
          continue
        }
        const ended = hasEnded((await this.record()).status)
        for (;;) {
          const stored = await backend.store.readEvents(this.id, { after, limit: page })
          for (const { seq, at, event } of stored) {
            after = seq
            yield { ...(event as Event), seq, at }
          }
          if (stored.length < page) break
        }
        if (ended) return
      }
    } finally {
      stopTimer()
      for (const stop of stops) stop()
    }
  }

  /**
   * How the run ended, or that it waits for a person. Rejects with the run's error when it failed or timed out;
   * `error.result` holds what there is.
   */
  async result(options: { signal?: AbortSignal } = {}): Promise<AgentResult<unknown>> {
    for (;;) {
      const record = await this.#settled(options.signal)
      const result = await this.#resultOf(record)
      if (record.status !== 'failed' && record.status !== 'timed_out') return result
      const error = TellurionError.from(
        record.error ?? { code: 'run_failed', message: `Run ${this.id} failed.`, retryable: false },
      )
      error.result = result
      throw error
    }
  }

  /** Says something in the middle of the work; it is taken in at the next safe point. */
  async steer(input: UserInput): Promise<void> {
    await this.#send('steer', userMessage(input) as unknown as Json)
  }

  /** Stops the run after its present tick, until `resume`. */
  async pause(): Promise<void> {
    await this.#send('pause', null)
  }

  async resume(): Promise<void> {
    await this.#send('resume', null)
  }

  /** Ends the run as cancelled; what it has is kept. Does nothing when it has ended. */
  async cancel(): Promise<void> {
    const sent = await this.#mail('cancel', null, 'cancel')
    if (sent === 'ended' || sent === 'duplicate') return
    this.#wake(this.id)
  }

  /** The world after tick `tick` of the run's branch, free to be looked at and played with. Throws `unknown_tick`. */
  async at(tick: number): Promise<World> {
    const { branch } = await this.record()
    return worldAt(this.#setting, branch, tick)
  }

  async #send(kind: MailKind, payload: Json): Promise<void> {
    const sent = await this.#mail(kind, payload, this.#setting.ids(kind))
    if (sent !== 'ended') return
    throw new TellurionError('invalid_transition', `Run ${this.id} has ended; send what you want to say as a new run.`)
  }

  async #mail(kind: MailKind, payload: Json, id: string): Promise<'sent' | 'duplicate' | 'ended'> {
    const { backend, clock } = this.#setting
    const sent = await backend.store.send({ run: this.id, id, kind, payload, now: clock.now() })
    if (sent === 'unknown') throw new TellurionError('unknown_run', `There is no run '${this.id}'.`)
    backend.hints.send({ type: 'run', run: this.id })
    backend.hints.send({ type: 'queue' })
    return sent
  }

  /** Waits until the run has ended or a person is asked. */
  async #settled(signal: AbortSignal | undefined): Promise<RunRecord> {
    let record = await this.record()
    const settled = (): boolean =>
      hasEnded(record.status) || (record.status === 'waiting' && record.interactions.length > 0)
    if (settled()) return record
    for await (const event of this.events({ after: record.events, ...(signal === undefined ? {} : { signal }) })) {
      if (event.seq === undefined) continue
      record = await this.record()
      if (settled()) return record
    }
    return this.record()
  }

  async #resultOf(record: RunRecord): Promise<AgentResult<unknown>> {
    const stored = (record.result ?? {}) as unknown as Partial<AgentResult<unknown>> & { from?: number; to?: number }
    const { from, to, ...rest } = stored
    const messages = from === undefined ? [] : await this.#messages(record, from, to)
    const status = statusOf(record)
    const stopReason = record.stopReason ?? (status === 'waiting' ? 'waiting' : record.status)
    const empty = { text: '', output: undefined, steps: 0, usage: record.usage ?? noUsage, finishReason: undefined }
    return { ...empty, ...rest, status, stopReason, messages, interactions: record.interactions }
  }

  async #messages(record: RunRecord, from: number, to: number | undefined): Promise<readonly Message[]> {
    const world = await worldAt(this.#setting, record.branch)
    for (const [entity, [llm]] of world.query(LLM)) {
      if (llm.agent === record.agent) return world.get(entity, Conversation)?.slice(from, to) ?? []
    }
    return []
  }
}

function statusOf({ status }: RunRecord): AgentResult['status'] {
  switch (status) {
    case 'succeeded':
    case 'cancelled':
      return status
    case 'failed':
    case 'timed_out':
      return 'failed'
    default:
      return 'waiting'
  }
}

/** The world of a branch, now or after a tick, without any agent bound to it. Throws `unknown_tick`. */
export async function worldAt(
  { backend, components, retired }: Setting,
  branch: string,
  tick?: number,
): Promise<World> {
  const state = await backend.store.load(branch, tick === undefined ? {} : { tick })
  if (state === undefined) {
    throw new TellurionError('unknown_tick', `Branch ${branch} has no state after tick ${tick ?? 'now'} (any more).`)
  }
  const deltas = state.rows.map(({ operations, versions }) => ({
    operations,
    records: [],
    ...(versions === undefined ? {} : { versions }),
  }))
  const options = { components: [...agentComponents, ...components], retired, deltas }
  return restore(state.snapshot ?? snapshot(new World()), options)
}
