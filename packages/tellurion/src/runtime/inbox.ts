// The inbox of one attempt: what came for the run from outside, in order, and how it gets into the world. It is taken in
// at the beginning of a tick and committed together with what came of it: never twice, never lost.

import { Halted, Terminal } from '../world/lifecycle.ts'
import type { Entity } from '../world/entity.ts'
import { defineSystem } from '../world/system.ts'
import type { System, World } from '../world/world.ts'
import { Conversation, Output, Steering, Streaming, TurnUsage } from '../agent/component.ts'
import { hear, userMessage } from '../agent/conversation.ts'
import { answer, type Answer } from '../agent/interaction.ts'
import { noUsage } from '../agent/usage.ts'
import { TellurionError } from '../error/error.ts'
import type { UserInput } from '../message/message.ts'
import type { JsonObject } from '../schema/json.ts'
import type { Mail, RunStore } from './run-store.ts'

/** What the first item of a run carries. */
export interface InputPayload {
  readonly input: UserInput
  /** JSON Schema of the output, when one was asked for. */
  readonly output?: JsonObject
}

/** What an answer carries. */
export interface AnswerPayload {
  readonly interaction: string
  readonly answer: Answer
  readonly by: string
}

/** The mail of one attempt. */
export class Inbox {
  readonly #store: RunStore
  readonly #run: string
  #waiting: Mail[] = []
  #fetched: number
  /** Position up to which the world has taken in what came. */
  read: number

  constructor(store: RunStore, run: string, read: number) {
    this.#store = store
    this.#run = run
    this.#fetched = read
    this.read = read
  }

  /** Looks for new mail; true when a cancel is among what has not been taken in. */
  async fetch(): Promise<boolean> {
    for (const mail of await this.#store.mail(this.#run, this.#fetched)) {
      if (mail.position <= this.#fetched) continue
      this.#waiting.push(mail)
      this.#fetched = mail.position
    }
    return this.cancelled
  }

  /** Whether somebody wants the run to end. */
  get cancelled(): boolean {
    return this.#waiting.some((mail) => mail.kind === 'cancel')
  }

  /** Everything that has not been taken in; from now on it has. */
  take(): readonly Mail[] {
    const mail = this.#waiting
    this.#waiting = []
    this.read = this.#fetched
    return mail
  }

  get empty(): boolean {
    return this.#waiting.length === 0
  }
}

/** The system that takes mail in, before all others. */
export function intake(inbox: Inbox, main: Entity): System {
  return defineSystem({ name: 'intake', priority: -1000, run: (world) => takeAll(world, main, inbox) })
}

/** Takes in what is there. Also called before a run begins: a paused world would not tick to be resumed. */
export function takeAll(world: World, main: Entity, inbox: Inbox): void {
  if (inbox.empty) return
  for (const mail of inbox.take()) takeIn(world, main, mail)
}

/** Takes one item into the world; one that does not fit any more is reported and passed over. */
function takeIn(world: World, entity: Entity, mail: Mail): void {
  switch (mail.kind) {
    case 'input': {
      const { input, output } = mail.payload as unknown as InputPayload
      const from = world.require(entity, Conversation).length
      hear(world, entity, userMessage(input))
      world.set(entity, TurnUsage, { steps: 0, usage: noUsage, from })
      world.set(entity, Streaming, { enabled: true })
      if (output === undefined) world.remove(entity, Output)
      else world.set(entity, Output, { name: 'output', schema: output, repairs: 0 })
      return
    }
    case 'steer':
      world.append(entity, Steering, userMessage(mail.payload as unknown as UserInput))
      world.remove(entity, Terminal)
      world.remove(entity, Halted)
      return
    case 'answer': {
      const { interaction, answer: given, by } = mail.payload as unknown as AnswerPayload
      try {
        answer(world, interaction, given, { by })
      } catch (error) {
        if (!(error instanceof TellurionError)) throw error
        world.emit({ type: 'interaction.refused', id: interaction, by, error: error.toJSON() })
      }
      return
    }
    case 'pause':
      world.pause(true)
      return
    case 'resume':
      world.pause(false)
      return
    case 'child':
    case 'timer':
    case 'cancel':
      // A timer only wakes; a cancel has ended the attempt before it came here.
      return
    default:
      mail.kind satisfies never
  }
}
