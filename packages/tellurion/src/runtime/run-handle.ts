// A run as a caller holds it: watch it, await it, steer it, go back in it. It is only an id and a runtime; any process
// can make one.

import { Conversation } from '../agent/component.ts'
import type { Checkpoints } from '../agent/checkpoint-label.ts'
import { userMessage } from '../agent/conversation.ts'
import type { AgentResult } from '../agent/result.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { Interaction } from '../event/event.ts'
import type { Message, UserInput, UserMessage } from '../message/message.ts'
import { difference, type Difference } from '../world/difference.ts'
import { snapshot } from '../world/snapshot.ts'
import type { World } from '../world/world.ts'
import { entityOf } from './foreign-component.ts'
import { writeCheckpoint, type CheckpointFile } from './checkpoint-file.ts'
import { labelsOf, labelTick, noteRestored, restoredTo, tickAt } from './checkpoint.ts'
import type { ForkPayload } from './inbox.ts'
import {
  branchAt,
  forkPayload,
  isLive,
  messagePlaces,
  outsideEffects,
  placeOf,
  type ForkOptions,
  type MessagePlace,
  type OutsideEffect,
} from './past.ts'
import { claimsOf } from './account.ts'
import { workOn } from './own-work.ts'
import { checkTransition, hasEnded, liveStatuses, type RunRecord } from './run.ts'
import { keptEvents, runEvents, type RunEvent } from './run-events.ts'
import { failureOf, resultOf, spanOf, type RunOutcome } from './run-outcome.ts'
import { askedBy } from './interaction.ts'
import type { MailKind, NewMail } from './run-store.ts'
import type { Setting } from './setting.ts'
import { newestTick, worldAt } from './state.ts'
import { inputFor } from './submission.ts'
import type { Json } from '../schema/json.ts'

/** Live runs of a session that are looked for at one time. */
const mostLive = 1000
/** How long somebody who waits goes without looking by itself, in milliseconds. */
const lookAgain = 1000

/** What a handle needs of its runtime. */
export interface Desk {
  readonly setting: Setting
  /** Works on a run at once, with `any` also on one that waits or is paused; resolves when the attempt is over. */
  take(run: string, options?: { any?: boolean }): Promise<void>
  /** Makes a run that goes on from a branch. */
  goOn(source: RunRecord, branch: string, payload: ForkPayload): Promise<RunHandle>
}

/** A run. */
export class RunHandle {
  readonly id: string
  /** For a fork: the calls after its tick whose effects outside it does not undo. */
  readonly outsideEffects: readonly OutsideEffect[]
  readonly #desk: Desk
  readonly #setting: Setting

  constructor(id: string, desk: Desk, outsideEffects: readonly OutsideEffect[] = []) {
    this.id = id
    this.outsideEffects = outsideEffects
    this.#desk = desk
    this.#setting = desk.setting
  }

  /** The run as it is stored. Throws `unknown_run`. */
  async record(): Promise<RunRecord> {
    const record = await this.#setting.backend.store.getRun(this.id)
    if (record === undefined) throw new TellurionError('unknown_run', `There is no run '${this.id}'.`)
    return record
  }

  /**
   * The events of the run after number `after` (default 0: from the beginning), and live ones while they happen; ends
   * with the run. Numbers have no gaps. A reader that is 10,000 events behind is dropped with `slow_reader`; what is not
   * kept any more is `events_dropped`, with the number of the oldest that is in `data.oldest`. `recent`: what was live
   * before, in this process, and is remembered comes too, in its place; for who watches what was submitted just now.
   */
  events(options: { after?: number; signal?: AbortSignal; recent?: boolean } = {}): AsyncGenerator<RunEvent, void> {
    return runEvents(this.#setting, this.id, { ...options, record: () => this.record() })
  }

  /**
   * The kept events of the run after number `after` (default 0), at most `limit` (default 256), as they stand now. Throws
   * `events_dropped` as `events` does.
   */
  log(options: { after?: number; limit?: number } = {}): Promise<readonly RunEvent[]> {
    return keptEvents(this.#setting, this.id, { ...options, record: () => this.record() })
  }

  /**
   * How the run ended, or that it waits for a person. Rejects with the run's error when it failed or timed out;
   * `error.result` holds what there is.
   */
  async result(options: { signal?: AbortSignal } = {}): Promise<AgentResult<unknown>> {
    const { record, asked } = await this.#settled(options.signal)
    const result = { ...resultOf(record, asked), messages: await this.#messages(record) }
    const error = failureOf(record)
    if (error === undefined) return result
    error.result = result
    throw error
  }

  /** The same without the messages, which alone make it read the whole session. A run that failed rejects nothing here. */
  async outcome(options: { signal?: AbortSignal } = {}): Promise<RunOutcome> {
    const { record, asked } = await this.#settled(options.signal)
    const error = failureOf(record)
    return { record, result: resultOf(record, asked), ...(error === undefined ? {} : { error: error.toJSON() }) }
  }

  /**
   * Works on this run here, and on those of its sub-agents while it waits for them, without a queue, until it has ended
   * or `signal` aborts: its attempts, its retries, and what comes after an answer. Other workers may have it meanwhile.
   */
  async work(options: { signal?: AbortSignal } = {}): Promise<void> {
    const take = (run: string): Promise<void> => this.#desk.take(run)
    await workOn(this.id, { setting: this.#setting, take, signal: options.signal })
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

  /**
   * Ends the run as cancelled; what it has is kept. One that is queued behind others of its session does not wait for them.
   * Does nothing when it has ended.
   */
  async cancel(): Promise<void> {
    const { ids } = this.#setting
    // One that came too late for a try that failed must not stand in the way of the next one's.
    const sent = await this.#mail('cancel', null, { id: ids('cancel'), aside: ids('b').slice(0, 20) })
    if (sent === 'ended') return
    void this.#desk.take(this.id, { any: true })
  }

  /**
   * Gives a run that failed or timed out another try, with a new allowance out of the present accounts of its user and
   * tenant. Throws `invalid_transition` for any other, `budget_exceeded`, `unknown_run`.
   */
  async retry(): Promise<void> {
    const { backend, clock, budgets } = this.#setting
    const { status, user, tenant } = await this.record()
    const now = clock.now()
    const retried = await backend.store.retry(this.id, now, claimsOf(budgets, { user, tenant, now }))
    if (retried === 'budget') {
      throw new TellurionError('budget_exceeded', `The accounts of run ${this.id} have nothing left for another try.`)
    }
    if (retried !== 'queued') checkTransition(this.id, status, 'queued')
    backend.hints.send({ type: 'queue' })
  }

  /** The world after a tick of the run's branch, by its number or label, free to be played with. Throws `unknown_tick`. */
  async at(tick: number | string): Promise<World> {
    const record = await this.record()
    return worldAt(this.#setting, record.branch, await tickAt(this.#setting, record, tick))
  }

  /**
   * Writes the world after a tick or label, by default the newest, to one file, for `runtime.restore` here or elsewhere.
   * Artifacts of the session are not in it. Throws `unknown_tick` and what `writeCheckpoint` throws.
   */
  async export(path: string, options: { tick?: number | string } = {}): Promise<CheckpointFile> {
    checkOptions('export', options, ['tick'])
    const record = await this.record()
    const { id, agent, user, priority, metadata } = record
    const world = await this.at(options.tick ?? (await newestTick(this.#setting, record.branch)))
    const checkpoint = { snapshot: snapshot(world), run: { id, agent, user, priority, metadata } }
    await writeCheckpoint(path, checkpoint)
    return checkpoint
  }

  /** Labels a finished tick, by default the newest; the same label again moves. Throws `invalid_name`, `unknown_tick`. */
  async checkpoint(label: string, options: { tick?: number } = {}): Promise<number> {
    checkOptions('checkpoint', options, ['tick'])
    return labelTick(this.#setting, await this.record(), { ...options, label, run: this.id })
  }

  /** The labels of the run's past, with their ticks. */
  async checkpoints(): Promise<Checkpoints> {
    return labelsOf(this.#setting, await this.record())
  }

  /** The newest finished tick of the run's branch. */
  async lastTick(): Promise<number> {
    const { branch } = await this.record()
    return newestTick(this.#setting, branch)
  }

  /** What is different between two ticks of the run's branch. Throws `unknown_tick`. */
  async difference(from: number | string, to: number | string): Promise<Difference> {
    return difference(await this.at(from), await this.at(to))
  }

  /**
   * Another run that goes on from after a tick or label, on a branch of its own: calls that were at work are closed,
   * questions are asked again, and this run goes on untouched. Throws `unknown_tick`.
   */
  async fork(options: ForkOptions): Promise<RunHandle> {
    checkOptions('fork', options, ['tick', 'edit', 'input'])
    return this.#branchOff(await this.record(), options, false)
  }

  /**
   * Puts the session back by `ticks` (default 1) finished ticks, or `to` a tick or label: later runs go on from there.
   * Throws `run_live` while a run is live, unless `cancel` ends it first, and `unknown_tick` when there are not so many.
   */
  async undo(
    options: { ticks?: number; to?: number | string; cancel?: boolean } = {},
  ): Promise<{ readonly outsideEffects: readonly OutsideEffect[] }> {
    checkOptions('undo', options, ['ticks', 'to', 'cancel'])
    // Before anything is cancelled for it.
    if (options.cancel === true) await this.#undoneTo(await this.record(), options)
    const record = await this.#calm(options.cancel === true)
    const tick = await this.#undoneTo(record, options)
    const effects = await outsideEffects(this.#setting, record, tick)
    await branchAt(this.#setting, record, { tick, head: true })
    await noteRestored(this.#setting, record, restoredTo(this.#setting, tick, options.to))
    return { outsideEffects: effects }
  }

  /** The tick that an undo goes back to. Throws `unknown_tick`. */
  async #undoneTo(record: RunRecord, { ticks = 1, to }: { ticks?: number; to?: number | string }): Promise<number> {
    const { branch } = record
    const newest = await newestTick(this.#setting, branch)
    const tick = await tickAt(this.#setting, record, to ?? newest - ticks)
    if (tick < 0) throw new TellurionError('unknown_tick', `There are only ${newest} ticks to undo.`)
    if ((await this.#setting.backend.store.load(branch, { tick })) !== undefined) return tick
    throw new TellurionError('unknown_tick', `Branch ${branch} has no tick ${tick}, or not any more.`)
  }

  /** The messages of this run, oldest first, with the ids under which they can be edited and regenerated. */
  messages(): Promise<readonly MessagePlace[]> {
    return messagePlaces(this.#setting, this.id)
  }

  /** Another run in which a message of the user reads differently; later runs of the session go on from it. */
  async edit(message: string, input: UserInput, options: { cancel?: boolean } = {}): Promise<RunHandle> {
    checkOptions('edit', options, ['cancel'])
    const place = await placeOf(this.#setting, this.id, message)
    const { agent } = await this.record()
    return this.#again(place, options, inputFor(this.#setting.registry.find(agent), input))
  }

  /** Another run in which the model answers anew at this message; later runs of the session go on from it. */
  async regenerate(message: string, options: { cancel?: boolean } = {}): Promise<RunHandle> {
    checkOptions('regenerate', options, ['cancel'])
    const place = await placeOf(this.#setting, this.id, message)
    const places = await this.messages()
    const request = places
      .slice(
        0,
        places.findIndex(({ id }) => id === message),
      )
      .findLast(({ message: { role } }) => role === 'user')
    if (place.message.role !== 'assistant' || request === undefined) {
      throw new TellurionError('unknown_message', `Message '${message}' is no reply of the model; edit it instead.`)
    }
    // What was asked in the same tick is not yet part of the past before it.
    const anew = request.tick === place.tick ? (request.message as UserMessage) : undefined
    return this.#again(place, options, anew)
  }

  async #again(place: MessagePlace, options: { cancel?: boolean }, input: UserInput | undefined): Promise<RunHandle> {
    const { tick } = place
    const record = await this.#calm(options.cancel === true)
    return this.#branchOff(record, input === undefined ? { tick } : { tick, input }, true)
  }

  async #branchOff(record: RunRecord, options: ForkOptions, head: boolean): Promise<RunHandle> {
    const { input } = options
    const said = input === undefined ? {} : { input: inputFor(this.#setting.registry.find(record.agent), input) }
    const tick = await tickAt(this.#setting, record, options.tick)
    const payload = await forkPayload(this.#setting, record.branch, {
      ...options,
      ...said,
      restored: restoredTo(this.#setting, tick, options.tick),
    })
    const effects = await outsideEffects(this.#setting, record, tick)
    const branch = await branchAt(this.#setting, record, { tick, head })
    const { id } = await this.#desk.goOn(record, branch, payload)
    return new RunHandle(id, this.#desk, effects)
  }

  /** The run when nothing of its session is live that stands in the way; what is, is cancelled first, or refused. */
  async #calm(cancel: boolean): Promise<RunRecord> {
    const record = await this.record()
    const { store } = this.#setting.backend
    const { branch: head } = (await store.getSession(record.session)) ?? record
    const live = await store.listRuns({ session: record.session, status: liveStatuses, limit: mostLive })
    const inTheWay = live.filter(({ id, branch }) => id === this.id || branch === head || branch === record.branch)
    if (inTheWay.length === 0) return record
    if (!cancel) throw isLive(this.id)
    const runs = inTheWay.map(({ id }) => new RunHandle(id, this.#desk))
    for (const run of runs) await run.cancel()
    for (const run of runs) await run.#settled(undefined)
    // One that was put aside to end is undone where it stood.
    return { ...(await this.record()), branch: record.branch }
  }

  async #send(kind: MailKind, payload: Json): Promise<void> {
    const sent = await this.#mail(kind, payload, { id: this.#setting.ids(kind) })
    if (sent !== 'ended') return
    throw new TellurionError('invalid_transition', `Run ${this.id} has ended; send what you want to say as a new run.`)
  }

  async #mail(
    kind: MailKind,
    payload: Json,
    as: Pick<NewMail, 'id' | 'aside'>,
  ): Promise<'sent' | 'duplicate' | 'ended'> {
    const { backend, clock } = this.#setting
    const sent = await backend.store.send({ run: this.id, kind, payload, now: clock.now(), ...as })
    if (sent === 'unknown') throw new TellurionError('unknown_run', `There is no run '${this.id}'.`)
    backend.hints.send({ type: 'mail', run: this.id })
    backend.hints.send({ type: 'queue' })
    return sent
  }

  /** Waits until the run has ended, or a person is asked by it or by what works for it; or until the signal aborts. */
  async #settled(signal: AbortSignal | undefined): Promise<{ record: RunRecord; asked: readonly Interaction[] }> {
    const { backend, clock } = this.#setting
    let news = Promise.withResolvers<void>()
    const wake = (): void => news.resolve()
    const stopListening = backend.hints.listen((hint) => {
      if (hint.type === 'run' && hint.run === this.id && hint.log !== true) wake()
    }, this.id)
    signal?.addEventListener('abort', wake)
    try {
      for (;;) {
        news = Promise.withResolvers()
        const record = await this.record()
        const asked = hasEnded(record.status) ? [] : await askedBy(backend.store, record)
        const settled = hasEnded(record.status) || (record.status === 'waiting' && asked.length > 0)
        if (settled || signal?.aborted) return { record, asked }
        const stopTimer = clock.timer(lookAgain, wake)
        await news.promise
        stopTimer()
      }
    } finally {
      signal?.removeEventListener('abort', wake)
      stopListening()
    }
  }

  async #messages(record: RunRecord): Promise<readonly Message[]> {
    const { from, to } = spanOf(record)
    if (from === undefined) return []
    const world = await worldAt(this.#setting, record.branch)
    const entity = entityOf(world, record.agent)
    return entity === undefined ? [] : (world.get(entity, Conversation)?.slice(from, to) ?? [])
  }
}
