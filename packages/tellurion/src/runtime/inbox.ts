// The inbox of one attempt: what came for the run from outside, in order, and how it gets into the world. It is taken in
// at the beginning of a tick and committed together with what came of it: never twice, never lost.

import type { Entity } from '../world/entity.ts'
import { defineSystem } from '../world/system.ts'
import type { System, World } from '../world/world.ts'
import { userMessage } from '../agent/conversation.ts'
import { childEnded } from '../agent/child.ts'
import { TurnUsage, type ChildEnd } from '../agent/component.ts'
import type { Answer } from '../agent/interaction.ts'
import { TellurionError } from '../error/error.ts'
import type { UserInput, UserMessage } from '../message/message.ts'
import type { TaintSource } from '../message/trust.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { Component } from '../world/component.ts'
import type { Operation } from '../world/delta.ts'
import { replay } from './replay.ts'
import type { RunRecord } from './run.ts'
import type { Mail, MailKind, RunStore } from './run-store.ts'

/** What the first item of a run carries. */
export interface InputPayload {
  readonly input: UserInput
  /** JSON Schema of the output, when one was asked for. */
  readonly output?: JsonObject
  /** Whether that schema is a stranger's, as `Output` says. */
  readonly bounded?: true
  /** For a sub-agent: which of its tools it may use. */
  readonly tools?: readonly string[]
  /** For a sub-agent: what its parent had read when it gave the task. */
  readonly taint?: readonly TaintSource[]
  /** For the first run after a session was put back. */
  readonly restored?: Restored
}

/** What the first item of a fork's inbox carries: an edit of the past as operations, and something new to say. */
export interface ForkPayload {
  readonly fork: true
  readonly operations?: readonly Operation[]
  readonly input?: UserInput
  readonly restored: Restored
}

/** What the log says of a past that is gone on from. `timestamp` is wall time in milliseconds. */
export interface Restored {
  readonly label?: string
  readonly tick: number
  readonly timestamp: number
}

/** What tells a live run that a tick of its past was labelled. */
export interface Labelled {
  readonly label: string
  readonly tick: number
  readonly timestamp: number
}

/** What an answer carries. */
export interface AnswerPayload {
  readonly interaction: string
  readonly answer: Answer
  readonly by: string
}

/** What mail wants of the present try, rather than says. */
const wishes: ReadonlySet<MailKind> = new Set(['pause', 'resume', 'cancel'])

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
      // Whoever tries again wants it to go on, whatever was wanted of the try before.
      if (mail.kind === 'retry') this.#waiting = this.#waiting.filter(({ kind }) => !wishes.has(kind))
      this.#waiting.push(mail)
      this.#fetched = mail.position
    }
    return this.cancelled
  }

  /** Whether somebody wants the run to end. */
  get cancelled(): boolean {
    return this.#waiting.some((mail) => mail.kind === 'cancel')
  }

  /** What has not been taken in, up to a cancel: from now on it has. A cancel is read with the end of the run alone. */
  take(): readonly Mail[] {
    const place = this.#waiting.findIndex((mail) => mail.kind === 'cancel')
    const mail = place === -1 ? this.#waiting : this.#waiting.slice(0, place)
    this.#waiting = this.#waiting.slice(mail.length)
    this.read = mail.at(-1)?.position ?? this.read
    return mail
  }

  /** All of it is read: the run ends. */
  close(): void {
    this.#waiting = []
    this.read = this.#fetched
  }

  get empty(): boolean {
    return this.#waiting.length === 0
  }
}

/** What takes mail into a world: each make of agent in its own way. */
export interface Taker {
  input(world: World, entity: Entity, payload: InputPayload): void
  /** Goes on from a fork; its edit has been replayed. */
  goOn(world: World, entity: Entity, fork: ForkPayload): void
  steer(world: World, entity: Entity, message: UserMessage): void
  /** Throws a `TellurionError` for an answer that does not fit or comes too late. */
  answer(world: World, entity: Entity, payload: AnswerPayload): void
  /** Goes on with the turn that failed, for another try: what it may spend is whole again. */
  retry(world: World, entity: Entity): void
}

/** What mail is taken in with. */
export interface Intake {
  readonly inbox: Inbox
  readonly components: readonly Component[]
  readonly taker: Taker
}

/** The system that takes mail in, before all others. */
export function intake(main: Entity, given: Intake): System {
  return defineSystem({ name: 'intake', priority: -1000, run: (world) => takeAll(world, main, given) })
}

/** Takes in what is there. Also called before a run begins: a paused world would not tick to be resumed. */
export function takeAll(world: World, main: Entity, given: Intake): void {
  if (given.inbox.empty) return
  for (const mail of given.inbox.take()) takeIn(world, main, mail, given)
}

/** Whether the present turn of an entity is a run's. Before a run has taken in its input the turn is of an earlier one. */
export function isTurnOf(world: World, entity: Entity, { id, read }: RunRecord): boolean {
  const turn = world.get(entity, TurnUsage)
  // Turns that an older version began do not say whose they are.
  return turn !== undefined && (turn.run === undefined ? read > 0 : turn.run === id)
}

function isFork(payload: Json): payload is Json & ForkPayload {
  return typeof payload === 'object' && payload !== null && 'fork' in payload
}

/** Absent in forks of older versions. */
function tellRestored(world: World, entity: Entity, restored: Restored | undefined): void {
  if (restored !== undefined) world.emit({ type: 'checkpoint.restored', entity, ...restored })
}

/** Takes one item into the world; one that does not fit any more is reported and passed over. */
function takeIn(world: World, entity: Entity, mail: Mail, given: Intake): void {
  const { components, taker } = given
  switch (mail.kind) {
    case 'input':
      if (isFork(mail.payload)) {
        replay(world, mail.payload.operations ?? [], components)
        tellRestored(world, entity, mail.payload.restored)
        taker.goOn(world, entity, mail.payload)
      } else {
        const payload = mail.payload as unknown as InputPayload
        // Said by the run that goes on from there, not by one that was accepted meanwhile and came later.
        if (payload.restored?.tick === world.header.tick) tellRestored(world, entity, payload.restored)
        taker.input(world, entity, payload)
      }
      return
    case 'checkpoint':
      world.emit({ type: 'checkpoint.created', entity, ...(mail.payload as unknown as Labelled) })
      return
    case 'steer':
      taker.steer(world, entity, userMessage(mail.payload as unknown as UserInput))
      return
    case 'answer': {
      const payload = mail.payload as unknown as AnswerPayload
      try {
        taker.answer(world, entity, payload)
      } catch (error) {
        if (!(error instanceof TellurionError)) throw error
        const { interaction: id, by } = payload
        world.emit({ type: 'interaction.refused', id, by, error: error.toJSON() })
      }
      return
    }
    case 'pause':
      world.pause(true)
      return
    case 'resume':
      world.pause(false)
      return
    case 'retry': {
      const run = world.resource<RunRecord>('run')
      // What never began, or what others have followed, is said anew.
      if (isTurnOf(world, entity, run)) taker.retry(world, entity)
      else takeIn(world, entity, { ...mail, kind: 'input', payload: run.input }, given)
      return
    }
    case 'child':
      childEnded(world, mail.payload as unknown as ChildEnd)
      return
    case 'timer':
    case 'cancel':
      // A timer only wakes; a cancel has ended the attempt before it came here.
      return
    default:
      mail.kind satisfies never
  }
}
