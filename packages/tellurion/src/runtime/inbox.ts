// The inbox of one attempt: what came for the run from outside, in order, and how it gets into the world. It is taken in
// at the beginning of a tick and committed together with what came of it: never twice, never lost.

import { Halted, Terminal } from '../world/lifecycle.ts'
import type { Entity } from '../world/entity.ts'
import { defineSystem } from '../world/system.ts'
import type { System, World } from '../world/world.ts'
import { Conversation, Output, Steering, Streaming, TurnUsage } from '../agent/component.ts'
import { hear, renewBudget, userMessage } from '../agent/conversation.ts'
import { answer, type Answer } from '../agent/interaction.ts'
import { noUsage } from '../agent/usage.ts'
import { TellurionError } from '../error/error.ts'
import type { UserInput } from '../message/message.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { Component } from '../world/component.ts'
import type { Operation } from '../world/delta.ts'
import { replay } from './replay.ts'
import { askAgain, closeCalls } from '../agent/tool-execution.ts'
import type { Mail, RunStore } from './run-store.ts'

/** What the first item of a run carries. */
export interface InputPayload {
  readonly input: UserInput
  /** JSON Schema of the output, when one was asked for. */
  readonly output?: JsonObject
}

/** What the first item of a fork's inbox carries: an edit of the past as operations, and something new to say. */
export interface ForkPayload {
  readonly fork: true
  readonly operations?: readonly Operation[]
  readonly input?: UserInput
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
export function intake(inbox: Inbox, main: Entity, components: readonly Component[]): System {
  const run = (world: World): void => takeAll(world, main, { inbox, components })
  return defineSystem({ name: 'intake', priority: -1000, run })
}

/** Takes in what is there. Also called before a run begins: a paused world would not tick to be resumed. */
export function takeAll(
  world: World,
  main: Entity,
  { inbox, components }: { inbox: Inbox; components: readonly Component[] },
): void {
  if (inbox.empty) return
  for (const mail of inbox.take()) takeIn(world, main, { mail, components })
}

function isFork(payload: Json): payload is Json & ForkPayload {
  return typeof payload === 'object' && payload !== null && 'fork' in payload
}

/** A fork goes on: calls that were open are closed, questions are asked again, and what is new is said. */
function goOn(world: World, entity: Entity, fork: ForkPayload, components: readonly Component[]): void {
  replay(world, fork.operations ?? [], components)
  const from = world.get(entity, TurnUsage)?.from ?? 0
  if (fork.input === undefined) askAgain(world, entity)
  else {
    closeCalls(world, entity)
    hear(world, entity, userMessage(fork.input))
  }
  world.remove(entity, Terminal)
  world.remove(entity, Halted)
  world.pause(false)
  world.set(entity, TurnUsage, { steps: 0, usage: noUsage, from })
  renewBudget(world, entity)
  world.set(entity, Streaming, { enabled: true })
}

/** Takes one item into the world; one that does not fit any more is reported and passed over. */
function takeIn(
  world: World,
  entity: Entity,
  { mail, components }: { mail: Mail; components: readonly Component[] },
): void {
  switch (mail.kind) {
    case 'input': {
      if (isFork(mail.payload)) {
        goOn(world, entity, mail.payload, components)
        return
      }
      const { input, output } = mail.payload as unknown as InputPayload
      const from = world.require(entity, Conversation).length
      hear(world, entity, userMessage(input))
      world.set(entity, TurnUsage, { steps: 0, usage: noUsage, from })
      renewBudget(world, entity)
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
