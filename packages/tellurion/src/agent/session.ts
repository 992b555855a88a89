// Sessions: a conversation in memory that remembers. One turn at a time.

import { TellurionError } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { Messages, UserInput } from '../message/message.ts'
import type { Schema } from '../schema/infer.ts'
import type { Artifacts } from '../tool/artifact.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { AgentStream } from './agent-stream.ts'
import { Conversation } from './component.ts'
import { artifactsOf } from './configuration.ts'
import { answer, type Answer } from './interaction.ts'
import { openInteractions, type AgentResult } from './result.ts'
import { runTurn, type OutputOf, type Turn, type TurnOptions } from './turn.ts'

/** How a waiting turn goes on after an answer. */
export interface AnswerOptions {
  /** Who answered. Default `user`. */
  readonly by?: string
  readonly abortSignal?: AbortSignal | undefined
}

/** A chat that remembers, made by `agent.session()`. */
export class Session {
  /** The world behind it, for whoever looks under the hood. Between turns it may be read and written. */
  readonly world: World
  readonly entity: Entity
  readonly #agent: string
  #busy = false
  #last: TurnOptions<Schema | undefined> = {}

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

  /** Says something and waits for the end of the turn. Rejects when it failed; waiting and cancelled resolve. */
  generate<S extends Schema | undefined = undefined>(
    input: UserInput,
    options: TurnOptions<S> = {},
  ): Promise<AgentResult<OutputOf<S>>> {
    return this.#turn({ options, streams: false, input }) as Promise<AgentResult<OutputOf<S>>>
  }

  /** Says something; the turn can be watched, awaited, or both. */
  stream<S extends Schema | undefined = undefined>(
    input: UserInput,
    options: TurnOptions<S> = {},
  ): AgentStream<OutputOf<S>> {
    const turn = { options, streams: true, input }
    return new AgentStream(this.world, () => this.#turn(turn) as Promise<AgentResult<OutputOf<S>>>)
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

  async #answered(
    id: string,
    given: Answer,
    { by, abortSignal, streams }: AnswerOptions & { streams: boolean },
  ): Promise<AgentResult<unknown>> {
    this.#refuseIfBusy()
    answer(this.world, id, given, by === undefined ? {} : { by })
    return this.#turn({ options: { ...this.#last, abortSignal }, streams })
  }

  async #turn(turn: Pick<Turn, 'options' | 'streams'> & { input?: UserInput }): Promise<AgentResult<unknown>> {
    this.#refuseIfBusy()
    this.#busy = true
    this.#last = turn.options
    try {
      return await runTurn({ ...turn, world: this.world, entity: this.entity, agent: this.#agent })
    } finally {
      this.#busy = false
    }
  }

  #refuseIfBusy(): void {
    if (!this.#busy) return
    throw new TellurionError('already_running', 'This session is in the middle of a turn; await its result first.')
  }
}
