// Sessions: a conversation in memory that remembers. One turn at a time.

import { TellurionError } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { Messages, UserInput } from '../message/message.ts'
import type { Schema } from '../schema/infer.ts'
import type { Artifacts } from '../tool/artifact.ts'
import type { Entity } from '../world/entity.ts'
import { History, keepState, putBack } from '../world/history.ts'
import type { World } from '../world/world.ts'
import { AgentStream } from './agent-stream.ts'
import { saveCheckpoint, restoreCheckpoint, type Checkpoints } from './checkpoint-label.ts'
import { Checkpoint, Conversation } from './component.ts'
import { artifactsOf, clockOf } from './configuration.ts'
import { refuseOpenCalls, userMessage } from './conversation.ts'
import { answer, type Answer } from './interaction.ts'
import { openInteractions } from './open-interaction.ts'
import type { AgentResult } from './result.ts'
import { runTurn, type Turn } from './turn.ts'
import { checkTurnOptions, type OutputOf, type TurnOptions } from './turn-options.ts'

/** How a waiting turn goes on after an answer. */
export interface AnswerOptions {
  /** Who answered. Default `user`. */
  readonly by?: string
  readonly abortSignal?: AbortSignal | undefined
}

/** Turns that can be undone. */
const maxTurns = 100

/** A chat that remembers, made by `agent.session()`. */
export class Session {
  /** The world behind it, for whoever looks under the hood. Between turns it may be read and written. */
  readonly world: World
  readonly entity: Entity
  readonly #agent: string
  #busy = false
  #last: TurnOptions<Schema | undefined> = {}
  /** How things stood when each turn began that can be undone, oldest first. */
  #turns: readonly ReturnType<typeof keepState>[] = []
  #history: History | undefined

  constructor(world: World, entity: Entity, agent: string) {
    this.world = world
    this.entity = entity
    this.#agent = agent
  }

  /** What has been said, oldest first. */
  get messages(): Messages {
    return this.world.require(this.entity, Conversation)
  }

  /** What waits for a person. */
  get interactions(): readonly Interaction[] {
    return openInteractions(this.world)
  }

  /** Tool results that were too long for the conversation, whole, by the hash that the result names. */
  get artifacts(): Artifacts {
    return artifactsOf(this.world)
  }

  /** The labels of ticks that `restore` can go back to. */
  get checkpoints(): Checkpoints {
    return this.world.get(this.entity, Checkpoint)?.labels ?? {}
  }

  /** Says something and waits for the end of the turn. Rejects when it failed; waiting and cancelled resolve. */
  generate<S extends Schema | undefined = undefined>(
    input: UserInput,
    options: TurnOptions<S> = {},
  ): Promise<AgentResult<OutputOf<S>>> {
    return this.#asked(input, options, false) as Promise<AgentResult<OutputOf<S>>>
  }

  /** Says something; the turn can be watched, awaited, or both. */
  stream<S extends Schema | undefined = undefined>(
    input: UserInput,
    options: TurnOptions<S> = {},
  ): AgentStream<OutputOf<S>> {
    return new AgentStream(this.world, () => this.#asked(input, options, true) as Promise<AgentResult<OutputOf<S>>>)
  }

  /**
   * Answers an open interaction and goes on with the turn that waits for it; `Output` is that turn's. Throws `unknown_interaction` and
   * `invalid_answer`; then nothing has changed.
   */
  async answer<Output = undefined>(
    id: string,
    given: Answer,
    options: AnswerOptions = {},
  ): Promise<AgentResult<Output>> {
    return this.#answered(id, given, { ...options, streams: false }) as Promise<AgentResult<Output>>
  }

  /** Like `answer`, to be watched. */
  streamAnswer<Output = undefined>(id: string, given: Answer, options: AnswerOptions = {}): AgentStream<Output> {
    const going = { ...options, streams: true }
    return new AgentStream(this.world, () => this.#answered(id, given, going) as Promise<AgentResult<Output>>)
  }

  /**
   * Goes back by `turns` (default 1), to how things stood before they began; what was done outside stays done. Throws
   * `unknown_tick` when there are not so many, and `already_running` in the middle of a turn.
   */
  async undo(options: { readonly turns?: number } = {}): Promise<void> {
    const { turns = 1 } = options
    this.#refuseIfBusy()
    const first = this.#turns.at(-turns)
    if (first === undefined || !Number.isInteger(turns) || turns < 1) {
      throw new TellurionError('unknown_tick', `This session has ${this.#turns.length} turns to undo, not ${turns}.`)
    }
    const { world, entity } = this
    putBack(world, first)
    const { tick } = world.header
    this.#forget(tick)
    world.emit({ type: 'checkpoint.restored', entity, tick, timestamp: clockOf(world).now() })
  }

  /** Labels how things stand now, for `restore`; the same label again moves. Resolves with the tick. Throws `invalid_name`. */
  async checkpoint(label: string): Promise<number> {
    this.#refuseIfBusy()
    return saveCheckpoint(this.world, this.entity, { label, history: this.#past() })
  }

  /** Goes back to what `checkpoint`, or the system of that name, labelled. Throws `unknown_tick` and `already_running`. */
  async restore(label: string): Promise<void> {
    this.#refuseIfBusy()
    this.#forget(restoreCheckpoint(this.world, this.entity, { label, history: this.#past() }))
  }

  /** Turns that began at a tick or after it have not been. */
  #forget(tick: number): void {
    this.#turns = this.#turns.filter(({ header }) => header.tick < tick)
    this.#history?.forget(tick)
  }

  #past(): History {
    return (this.#history ??= new History(this.world))
  }

  async #asked(
    said: UserInput,
    options: TurnOptions<Schema | undefined>,
    streams: boolean,
  ): Promise<AgentResult<unknown>> {
    this.#refuseIfBusy()
    checkTurnOptions(options)
    const input = userMessage(said)
    refuseOpenCalls(this.world, this.entity)
    this.#last = options
    this.#begin()
    return this.#turn({ options, streams, input })
  }

  /** Keeps what `undo` goes back to. A turn that ended before its first tick is undone with the next. */
  #begin(): void {
    if (this.#turns.at(-1)?.header.tick === this.world.header.tick) return
    this.#history?.keep()
    this.#turns = [...this.#turns.slice(-maxTurns + 1), keepState(this.world)]
  }

  async #answered(
    id: string,
    given: Answer,
    { by, abortSignal, streams }: AnswerOptions & { streams: boolean },
  ): Promise<AgentResult<unknown>> {
    this.#refuseIfBusy()
    const going = { ...this.#last, abortSignal }
    checkTurnOptions(going)
    answer(this.world, id, given, by === undefined ? {} : { by })
    return this.#turn({ options: going, streams })
  }

  #turn(turn: Pick<Turn, 'options' | 'streams' | 'input'>): Promise<AgentResult<unknown>> {
    const { world, entity } = this
    const history = world.systemNames().includes('checkpoint') ? this.#past() : undefined
    this.#busy = true
    const result = runTurn({ ...turn, world, entity, agent: this.#agent, history })
    const end = (): void => void (this.#busy = false)
    result.then(end, end)
    return result
  }

  #refuseIfBusy(): void {
    if (!this.#busy) return
    throw new TellurionError('already_running', 'This session is in the middle of a turn; await its result first.')
  }
}
