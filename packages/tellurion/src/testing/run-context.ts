// A run context for tests of agents of any make: it records what the agent emits and keeps, answers its questions, and
// can cancel it. It is the runtime's own context, on a world in memory.

import { systemClock, type Clock } from '../clock/clock.ts'
import { Conversation } from '../agent/component.ts'
import { TellurionError } from '../error/error.ts'
import type { EventRecord } from '../event/event.ts'
import { user, type Message } from '../message/message.ts'
import type { Question, RunContext } from '../runtime/agent-runtime.ts'
import { Foreign, spawnForeign } from '../runtime/foreign-component.ts'
import { openContext } from '../runtime/foreign-context.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { createToolbox, type Tools } from '../tool/toolbox.ts'
import type { Entity } from '../world/entity.ts'
import { World } from '../world/world.ts'

/** What a test gives. Everything has a default: run id `run_test`, empty input, no tools. */
export interface TestContextOptions {
  readonly runId?: string
  readonly input?: Json
  readonly messages?: readonly Message[]
  readonly metadata?: JsonObject
  readonly tools?: Tools
  readonly clock?: Clock
  /** What a person answers, by the id or the prompt of the question. Any other question ends the call of `run`. */
  readonly answers?: Readonly<Record<string, string>>
  /** The call of `run` before this one: its checkpoint, steps and messages are there, and input stays what it was. */
  readonly resumes?: TestContext
}

/** A `RunContext` that remembers. */
export interface TestContext extends RunContext {
  /** What was emitted, in order. */
  readonly events: readonly (EventRecord & Readonly<Record<string, unknown>>)[]
  /** The states that were kept, in order. */
  readonly checkpoints: readonly Json[]
  /** What a person was asked and had not answered. */
  readonly questions: readonly Question[]
  /** Aborts the context's signal, as cancelling the run would. */
  cancel(): void
}

const worlds = new WeakMap<TestContext, World>()
const entity = 1 as Entity

/** Makes a context. Like the real one it refuses events and states that are not plain JSON, with `invalid_value`. */
export function createTestContext(options: TestContextOptions = {}): TestContext {
  const { runId = 'run_test', metadata = {}, clock = systemClock, answers = {}, tools } = options
  const controller = new AbortController()
  const events: (EventRecord & Readonly<Record<string, unknown>>)[] = []
  const checkpoints: Json[] = []
  const questions: Question[] = []
  const world = worldOf(options)
  const { context } = openContext(world, entity, {
    runId,
    metadata,
    clock,
    tools: createToolbox(tools),
    signal: controller.signal,
    park: () => controller.abort(new TellurionError('aborted', 'The run waits for an answer.')),
  })
  const test: TestContext = Object.defineProperties({} as TestContext, {
    ...Object.getOwnPropertyDescriptors(context),
    ...Object.getOwnPropertyDescriptors({
      events,
      checkpoints,
      questions,
      emit(event: EventRecord & Readonly<Record<string, unknown>>) {
        context.emit(event)
        events.push(structuredClone(event))
      },
      checkpoint(state: Json) {
        const kept = context.checkpoint(state)
        checkpoints.push(structuredClone(state))
        return kept
      },
      ask(question: Question) {
        const answer = answers[question.id ?? question.prompt]
        if (answer !== undefined) return Promise.resolve(answer)
        questions.push(question)
        return context.ask(question)
      },
      cancel: () => controller.abort(),
    }),
  })
  worlds.set(test, world)
  return test
}

function worldOf({ input = '', messages, resumes }: TestContextOptions): World {
  const before = resumes === undefined ? undefined : worlds.get(resumes)
  if (before !== undefined) return before.fork()
  const world = new World()
  spawnForeign(world, 'test')
  world.set(entity, Foreign, { agent: 'test', input })
  const said = messages ?? (typeof input === 'string' && input !== '' ? [user(input)] : [])
  world.append(entity, Conversation, ...said)
  return world
}
