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

/** A chat that remembers, made by `agent.session()`. */
export class Session {
  /** The world behind it, for whoever looks under the hood. Between turns it may be read and written. */
  readonly world: World
  readonly entity: Entity
  readonly #agent: string
  #busy = false
  #last: TurnOptions<Schema | undefined> = {}
  /** Length of the conversation when the last turn began. */
  #from = 0

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
    this.#from = this.messages.length
    return this.#turn({ options, streams, input })
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

  async #turn(turn: Pick<Turn, 'options' | 'streams' | 'input'>): Promise<AgentResult<unknown>> {
    this.#busy = true
    try {
      const { world, entity } = this
      return await runTurn({ ...turn, world, entity, agent: this.#agent, from: this.#from })
    } finally {
      this.#busy = false
    }
  }

  #refuseIfBusy(): void {
    if (!this.#busy) return
    throw new TellurionError('already_running', 'This session is in the middle of a turn; await its result first.')
  }
}
