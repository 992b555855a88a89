// A durable chat: the shape of `agent.session()`, kept in a store. Its turns are runs, one after another.

import type { Answer } from '../agent/interaction.ts'
import type { AgentResult } from '../agent/result.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { Interaction } from '../event/event.ts'
import type { Message, UserInput } from '../message/message.ts'
import type { Schema } from '../schema/infer.ts'
import type { Checkpoints } from '../agent/checkpoint-label.ts'
import { labelsOf, labelTick, tickAt, type Past } from './checkpoint.ts'
import { askedBy } from './interaction.ts'
import { isLive } from './past.ts'
import type { RunEvent } from './run-events.ts'
import type { RunHandle } from './run-handle.ts'
import type { RunRecord } from './run.ts'
import type { Setting } from './setting.ts'
import { worldAt } from './state.ts'
import type { World } from '../world/world.ts'

/** What one turn may bring besides its input. */
export interface DurableTurnOptions {
  readonly output?: Schema
  readonly priority?: number
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}

/** What a session needs of its runtime. */
export interface SessionDesk {
  submit(input: UserInput, options: DurableTurnOptions): Promise<RunHandle>
  /** Runs on the session's present branch, newest first. */
  runs(limit: number): Promise<readonly RunRecord[]>
  messages(): Promise<readonly Message[]>
  run(id: string): RunHandle
  answer(id: string, given: Answer, by: string | undefined): Promise<string>
  /** What the session stands on. Throws `unknown_tick` before its first run. */
  past(): Promise<Past>
  readonly setting: Setting
}

/** A durable chat, made by `runtime.session(agent, { id })`. Any process may hold one of the same id. */
export class DurableSession {
  readonly id: string
  readonly #desk: SessionDesk

  constructor(id: string, desk: SessionDesk) {
    this.id = id
    this.#desk = desk
  }

  /** Says something and waits for the end of the turn, as `run.result()` does. Turns queue behind each other. */
  async generate(input: UserInput, options: DurableTurnOptions = {}): Promise<AgentResult<unknown>> {
    const run = await this.#desk.submit(input, options)
    return run.result(options.signal === undefined ? {} : { signal: options.signal })
  }

  /** Says something; the turn can be watched, awaited, or both. */
  stream(input: UserInput, options: DurableTurnOptions = {}): DurableTurn {
    return new DurableTurn(this.#desk.submit(input, options), options.signal)
  }

  /** Answers an interaction of this session and waits for what comes of it. Throws `unknown_interaction`. */
  async answer(
    id: string,
    given: Answer,
    options: { by?: string; signal?: AbortSignal } = {},
  ): Promise<AgentResult<unknown>> {
    const run = await this.#desk.answer(id, given, options.by)
    return this.#desk.run(run).result(options.signal === undefined ? {} : { signal: options.signal })
  }

  /** The runs that stand in it, newest first, at most `limit` (default 100) of its newest 1,000. */
  runs(limit = 100): Promise<readonly RunRecord[]> {
    return this.#desk.runs(limit)
  }

  /** The world as it stands after the newest commit, free to be played with. Throws `unknown_tick` for no session. */
  async world(): Promise<World> {
    const { branch } = await this.#desk.past()
    return worldAt(this.#desk.setting, branch)
  }

  /** What waits for a person, in the turns of this session and what works for them. */
  async interactions(): Promise<readonly Interaction[]> {
    const { store } = this.#desk.setting.backend
    const asked = await Promise.all((await this.#desk.runs(100)).map((run) => askedBy(store, run)))
    return asked.flat()
  }

  /** What has been said, oldest first, as it stands after the newest commit. */
  messages(): Promise<readonly Message[]> {
    return this.#desk.messages()
  }

  /**
   * Goes back by `turns` (default 1): later ones go on from there. Throws `run_live` while a turn is under way, unless
   * `cancel` ends it first, and `unknown_tick` when there are not so many.
   */
  async undo(options: { turns?: number; cancel?: boolean } = {}): Promise<void> {
    checkOptions('undo', options, ['turns', 'cancel'])
    const { turns = 1, cancel = false } = options
    if (!Number.isInteger(turns) || turns < 1)
      throw new TellurionError('unknown_tick', `turns is a whole number from 1, not ${String(turns)}.`)
    const undone = await this.#desk.runs(turns)
    const [newest, oldest] = [undone[0], undone.at(-1)]
    if (newest === undefined || oldest === undefined || undone.length < turns) {
      throw new TellurionError('unknown_tick', `Session ${this.id} has ${undone.length} turns to undo, not ${turns}.`)
    }
    if (oldest.firstTick === 0) return this.#withdraw(undone, cancel)
    await this.#desk.run(newest.id).undo({ to: oldest.firstTick - 1, cancel })
  }

  /** Ends turns that never began, so there is nothing to go back from. */
  async #withdraw(turns: readonly RunRecord[], cancel: boolean): Promise<void> {
    const runs = turns.map(({ id }) => this.#desk.run(id))
    if (!cancel) throw isLive(runs[0]!.id)
    for (const run of runs) await run.cancel()
    for (const run of runs) await run.outcome()
  }

  /** Labels how things stand after the newest finished tick; the same label again moves. Throws `invalid_name`. */
  async checkpoint(label: string): Promise<number> {
    const { setting, past, runs } = this.#desk
    const [newest] = await runs(1)
    return labelTick(setting, await past(), { label, run: newest?.id })
  }

  /** The labels that `restore` can go back to. */
  async checkpoints(): Promise<Checkpoints> {
    return labelsOf(this.#desk.setting, await this.#desk.past())
  }

  /** Goes back to a label; later turns go on from there. Throws `unknown_tick`, and `run_live` as `undo` does. */
  async restore(label: string, options: { cancel?: boolean } = {}): Promise<void> {
    await tickAt(this.#desk.setting, await this.#desk.past(), label)
    const [newest] = await this.#desk.runs(1)
    await (newest && this.#desk.run(newest.id).undo({ ...options, to: label }))
  }
}

/** A turn that is under way. It goes on whether anybody reads or not. */
export class DurableTurn implements AsyncIterable<RunEvent> {
  /** The run of this turn, once it was accepted. */
  readonly run: Promise<RunHandle>
  readonly #signal: AbortSignal | undefined

  constructor(run: Promise<RunHandle>, signal: AbortSignal | undefined) {
    this.run = run
    this.#signal = signal
    // The failure belongs to whoever asks for it.
    run.catch(() => {})
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void> {
    yield* (await this.run).events({ recent: true, ...(this.#signal === undefined ? {} : { signal: this.#signal }) })
  }

  /** How the turn ended. */
  async result(): Promise<AgentResult<unknown>> {
    return (await this.run).result(this.#signal === undefined ? {} : { signal: this.#signal })
  }
}
