// What a running agent of any make holds: its context, as writes to its entity. It ends with the call of `run` that it
// was made for; what is tried through it later reaches nobody.

import { abortReason, raceAbort } from '../abort/abort.ts'
import { reserve, type Amounts } from '../agent/budget.ts'
import { Budget, Conversation, Steering, Taint, TurnUsage } from '../agent/component.ts'
import { artifactsOf } from '../agent/configuration.ts'
import { say } from '../agent/conversation.ts'
import { ask } from '../agent/open-interaction.ts'
import { taintByResult } from '../agent/taint.ts'
import { addUsage, noUsage } from '../agent/usage.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import type { Event, EventRecord } from '../event/event.ts'
import { isBuiltIn } from '../event/kind.ts'
import type { Message } from '../message/message.ts'
import { messagesProblem } from '../message/message-check.ts'
import type { TaintSource, Trust } from '../message/trust.ts'
import type { Usage } from '../port/model.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { ToolOutcome } from '../tool/result.ts'
import type { ExecuteOptions, Toolbox } from '../tool/toolbox.ts'
import type { Entity } from '../world/entity.ts'
import { own } from '../world/value.ts'
import type { World } from '../world/world.ts'
import type { Question, RunContext, StepLog } from './agent-runtime.ts'
import { isUsage } from './foreign-result.ts'
import { openCalls } from './open-calls.ts'
import { Foreign, Kept, Questions, Steps, StepState } from './foreign-component.ts'

/** How long an event may wait for a commit of its own, in milliseconds. */
const eventDelay = 100

/** Results that a tool had no part in. */
const neverRan: readonly string[] = ['unknown_tool', 'tool_input_invalid', 'tool_denied', 'aborted']

/** What a context stands on besides its entity. */
export interface ContextOptions {
  readonly runId: string
  readonly metadata: JsonObject
  readonly tools: Toolbox
  readonly clock: Clock
  /** Aborts when the call of `run` should end. */
  readonly signal: AbortSignal
  /** Saves everything pending; in memory there is nothing to save. */
  readonly commit?: (() => void | Promise<void>) | undefined
  /** Takes mail in; called where the agent is at a safe point. */
  readonly takeIn?: (() => void) | undefined
  /** Ends the call of `run`: the run waits, or is paused. */
  readonly park: () => void
}

/** A context, and the end of it. */
export interface OpenContext {
  readonly context: RunContext
  close(): void
}

/** Makes the context of one call of `run`. */
export function openContext(world: World, entity: Entity, options: ContextOptions): OpenContext {
  const desk = new Desk(world, entity, options)
  const { runId, metadata, tools, clock, signal } = options
  const results = { artifacts: artifactsOf(world), recall: world.findResource('durable') === true }
  const context: RunContext = {
    runId,
    metadata,
    clock,
    signal,
    input: world.require(entity, Foreign).input,
    tools: watched(withDefaults(tools, { signal, clock, runId, user: world.findResource('user'), results }), desk),
    steps: desk.steps(),
    get taint() {
      return desk.taint
    },
    get messages() {
      return world.require(entity, Conversation).toArray()
    },
    get state() {
      return world.get(entity, Kept)?.state
    },
    checkpoint: (state) => desk.checkpoint(state),
    say: (...messages) => desk.say(messages),
    emit: (event) => desk.emit(event),
    ask: (question) => desk.ask(question),
    reserve: (amounts) => desk.reserve(amounts),
  }
  return { context, close: () => desk.close() }
}

/** The same tools, called by hand with these options unless others are given. */
export function withDefaults(tools: Toolbox, defaults: ExecuteOptions): Toolbox {
  return { ...tools, execute: (name, args, options) => tools.execute(name, args, { ...defaults, ...options }) }
}

/** The same tools; each call is counted first, and whose words it gave is noted. */
function watched(tools: Toolbox, desk: Desk): Toolbox {
  return {
    ...tools,
    execute: async (name, args, options) => {
      desk.countCall()
      const outcome = await tools.execute(name, args, { taint: desk.taint, ...options })
      desk.note(outcome, { input: args, trust: tools.get(name)?.trust })
      return outcome
    },
  }
}

/** Takes into the conversation what was said meanwhile, unless a tool call still waits for its result. */
export function heed(world: World, entity: Entity): void {
  const said = world.get(entity, Steering)
  if (said === undefined || openCalls(world.require(entity, Conversation)).length > 0) return
  const messages = said.toArray()
  world.remove(entity, Steering)
  for (const message of messages) say(world, entity, message)
}

/** The writing half of a context. */
class Desk {
  readonly #world: World
  readonly #entity: Entity
  readonly #options: ContextOptions
  /** How often each list of steps has come to its end in this call of `run`. */
  readonly #finished = new Map<string, number>()
  #stopTimer: (() => void) | undefined
  #closed = false

  constructor(world: World, entity: Entity, options: ContextOptions) {
    this.#world = world
    this.#entity = entity
    this.#options = options
  }

  close(): void {
    this.#closed = true
    this.#stopTimer?.()
  }

  checkpoint(state: Json): Promise<void> {
    if (this.#over !== undefined) return refused(this.#over)
    const number = (this.#world.get(this.#entity, Kept)?.number ?? 0) + 1
    this.#world.set(this.#entity, Kept, { state, number })
    this.#world.emit({ type: 'run.checkpointed', number })
    return this.#commit()
  }

  say(messages: readonly Message[]): Promise<void> {
    if (this.#over !== undefined) return refused(this.#over)
    const problem = jsonProblem(messages) ?? messagesProblem(messages)
    if (problem !== undefined) {
      return refused(new TellurionError('invalid_value', `What is said must be messages: ${problem}.`))
    }
    for (const message of messages) say(this.#world, this.#entity, message)
    return this.#commit()
  }

  /** Never throws for being late: who emits in a callback could not catch it. Until the call has ended it counts. */
  emit(event: EventRecord & Readonly<Record<string, unknown>>): void {
    if (this.#closed) return
    if (/^(run|interaction)\./.test(String(event.type))) {
      throw new TellurionError('invalid_name', `Only the runtime emits ${event.type}; give your event another name.`)
    }
    const { message, usage } = event
    const problem =
      event.type === 'message.added'
        ? messagesProblem([message])
        : event.type === 'model.replied' && usage !== undefined && !isUsage(usage)
          ? 'its usage is none: tokens are numbers from 0'
          : undefined
    if (problem !== undefined) throw new TellurionError('invalid_value', `The event ${event.type}: ${problem}.`)
    const entity = this.#entity
    if (isBuiltIn(event.type)) this.#world.emit({ entity, ...own(event, `Event ${event.type}`) } as unknown as Event)
    else this.#world.emit(event)
    if (event.type === 'model.replied') this.#count(event)
    const { clock, commit } = this.#options
    if (commit === undefined) return
    this.#stopTimer ??= clock.timer(eventDelay, () => {
      this.#stopTimer = undefined
      void commit()
    })
  }

  /** A reply of a model counts for the run. */
  #count({ usage }: EventRecord & { readonly usage?: unknown }): void {
    const turn = this.#world.get(this.#entity, TurnUsage) ?? { steps: 0, usage: noUsage }
    const spent = { ...noUsage, ...(usage as Partial<Usage> | undefined) }
    this.#world.set(this.#entity, TurnUsage, { ...turn, steps: turn.steps + 1, usage: addUsage(turn.usage, spent) })
  }

  reserve(amounts: Partial<Amounts>): () => void {
    const place = reserve(this.#world, this.#entity, { modelCalls: 0, toolCalls: 0, tokens: 0, cost: 0, ...amounts })
    if (place.status === 'refused') throw TellurionError.from(place.error)
    return () => place.release()
  }

  /** Counts a tool call. Throws `budget_exceeded` when the budget has no room for it. */
  countCall(): void {
    this.reserve({ toolCalls: 1 })()
    if (!this.#world.has(this.#entity, Budget)) return
    const turn = this.#world.get(this.#entity, TurnUsage) ?? { steps: 0, usage: noUsage }
    this.#world.set(this.#entity, TurnUsage, { ...turn, toolCalls: (turn.toolCalls ?? 0) + 1 })
  }

  get taint(): readonly TaintSource[] {
    return this.#world.get(this.#entity, Taint) ?? []
  }

  /** Takes note of whose words a call gave. What did not run gave none. */
  note(outcome: ToolOutcome, { input, trust }: { input: Json; trust: Trust | undefined }): void {
    const ran = outcome.code === undefined || !neverRan.includes(outcome.code)
    if (this.#over !== undefined || trust === undefined || !ran) return
    const { toolCallId, toolName } = outcome
    taintByResult(this.#world, this.#entity, { call: { toolCallId, toolName, input }, outcome, trust })
  }

  ask(question: Question): Promise<string> {
    if (this.#over !== undefined) return refused(this.#over)
    const { id, prompt, choices, expires } = question
    const key = id ?? prompt
    const asked = this.#world.get(this.#entity, Questions) ?? []
    const known = asked.find((each) => each.key === key)
    if (known?.answer !== undefined) return Promise.resolve(known.answer)
    if (known === undefined) {
      const { runId, clock } = this.#options
      const interaction = `question-${runId.slice(0, 40)}-${this.#entity}-${asked.length}`
      const otherwise = expires === undefined ? {} : { otherwise: expires.answer }
      this.#world.set(this.#entity, Questions, [...asked, { key, id: interaction, ...otherwise }])
      ask(this.#world, this.#entity, {
        id: interaction,
        kind: 'question',
        entity: this.#entity,
        prompt,
        ...(choices === undefined ? {} : { choices }),
        ...(expires === undefined ? {} : { due: clock.now() + expires.after }),
      })
    }
    return this.#parked()
  }

  steps(): StepLog {
    const world = this.#world
    const entity = this.#entity
    const executionOf = (list: string): number => (this.#finished.get(list) ?? 0) + 1
    return {
      read(list) {
        const execution = executionOf(list)
        const items = world.get(entity, Steps)?.toArray() ?? []
        const done = items.filter((step) => step.list === list && step.execution === execution)
        const shared = world.get(entity, StepState)?.[list]
        const state = shared?.execution === execution ? shared.state : undefined
        return { execution, done: done.map(({ name, result }) => ({ name, result })), state }
      },
      keep: (list, done, state) => {
        if (this.#over !== undefined) return refused(this.#over)
        const execution = executionOf(list)
        const records = done.map(({ name, result }) => ({ list, execution, name, result }))
        world.append(entity, Steps, ...records)
        world.set(entity, StepState, { ...world.get(entity, StepState), [list]: { execution, state } })
        return this.#commit()
      },
      finish: (list) => void this.#finished.set(list, executionOf(list)),
    }
  }

  /** Saves what is pending, and looks at what has come: a safe point. */
  #commit(): Promise<void> {
    const { takeIn, commit, signal } = this.#options
    takeIn?.()
    heed(this.#world, this.#entity)
    const saved = async (): Promise<void> => {
      await commit?.()
      if (signal.aborted) throw abortReason(signal)
      if (this.#world.header.paused) await this.#parked()
    }
    return handled(saved())
  }

  /** Ends the call of `run` once what is under way in this moment has been written; never resolves. */
  #parked(): Promise<never> {
    queueMicrotask(() => this.#options.park())
    return handled(raceAbort(new Promise<never>(() => {}), this.#options.signal))
  }

  /** Why nothing more is kept; undefined while the call lasts. */
  get #over(): Error | undefined {
    const { signal } = this.#options
    if (signal.aborted) return abortReason(signal)
    return this.#closed
      ? new TellurionError('aborted', 'This call of run has ended; nothing more of it is kept.')
      : undefined
  }
}

function refused(reason: Error): Promise<never> {
  return handled(Promise.reject(reason))
}

/** The same promise; that an agent which was left behind does not await it must not end the process. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
