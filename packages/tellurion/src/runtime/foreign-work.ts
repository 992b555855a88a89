// Agents of any make as the work of a run: one system that calls `run`, and ends the call when the run must wait. What
// it decides it decides from components alone, so it may be called again after any commit.

import { childController } from '../abort/abort.ts'
import { agentComponents, Budget, Conversation, Output, Steering, TurnUsage } from '../agent/component.ts'
import { hear, say, userMessage } from '../agent/conversation.ts'
import { checkAnswer } from '../agent/interaction.ts'
import { close } from '../agent/open-interaction.ts'
import { resultOf, type AgentResult } from '../agent/result.ts'
import { taint } from '../agent/taint.ts'
import { noUsage } from '../agent/usage.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError, type ErrorData } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { UserMessage } from '../message/message.ts'
import { issuesText } from '../schema/issue.ts'
import type { Json } from '../schema/json.ts'
import { errorOutcome, toolMessage } from '../tool/result.ts'
import { createToolbox } from '../tool/toolbox.ts'
import type { Entity } from '../world/entity.ts'
import { Halted, Terminal, Wait } from '../world/lifecycle.ts'
import type { Stop } from '../world/runner.ts'
import { defineSystem } from '../world/system.ts'
import type { System, SystemContext, World } from '../world/world.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import {
  Foreign,
  foreignComponents,
  Kept,
  Outcome,
  Questions,
  spawnForeign,
  Steps,
  StepState,
} from './foreign-component.ts'
import { heed, openContext } from './foreign-context.ts'
import { givenBack, thrown, type GivenBack } from './foreign-result.ts'
import type { AnswerPayload, ForkPayload, InputPayload } from './inbox.ts'
import { openCalls } from './open-calls.ts'
import { checkOf } from './output-check.ts'
import type { RunRecord } from './run.ts'
import type { Work } from './work.ts'
import { clockOf } from '../agent/configuration.ts'

/** How long a call of `run` that should end may take to clean up, in milliseconds. */
const grace = 100

/** An agent of any make as the work of a run. */
export function foreignWork(agent: AgentRuntime): Work {
  return {
    name: agent.key,
    // A tick here is a call of `run`: it bounds itself.
    maxTicks: () => null,
    components: [...agentComponents, ...foreignComponents],
    bindTo(world) {
      world.addSystem(lapse)
      world.addSystem(calling(agent))
    },
    spawn: (world) => spawnForeign(world, agent.key),
    input,
    goOn,
    steer,
    answer,
    retry: (world, entity) => begin(world, entity, world.get(entity, TurnUsage)?.from ?? 0),
    result,
  }
}

/** Questions whose time has come are answered as they said. */
const lapse = defineSystem({
  name: 'lapse',
  priority: -20,
  query: [Foreign, Wait],
  each(entity, world) {
    const now = clockOf(world).now()
    for (const { id, due } of world.require(entity, Wait)) {
      if (due === undefined || due > now) continue
      const { otherwise = '' } = world.get(entity, Questions)?.find((question) => question.id === id) ?? {}
      settle(world, entity, id, otherwise)
      world.emit({ type: 'interaction.expired', entity, id })
    }
  },
})

/** The system that calls the agent: once, until it has given its result or must end the call. */
function calling(agent: AgentRuntime): System {
  return defineSystem({
    name: 'foreign',
    priority: 0,
    query: [Foreign, Conversation],
    without: [Wait, Halted, Terminal],
    each(entity, world, context) {
      const outcome = world.get(entity, Outcome)
      if (outcome !== undefined && outcome.failed !== true) return undefined
      return call(agent, world, { entity, context })
    },
  })
}

async function call(
  agent: AgentRuntime,
  world: World,
  { entity, context }: { entity: Entity; context: SystemContext },
): Promise<void> {
  world.remove(entity, Outcome)
  heed(world, entity)
  const { controller, detach } = childController(context.signal)
  const clock = clockOf(world)
  const { id: runId, metadata } = world.resource<RunRecord>('run')
  let parked = false
  const { context: given, close } = openContext(world, entity, {
    runId,
    metadata,
    tools: createToolbox(agent.tools),
    clock,
    signal: controller.signal,
    commit: context.commit,
    takeIn: () => world.findResource<(world: World) => void>('takeIn')?.(world),
    park() {
      parked = true
      controller.abort(new TellurionError('aborted', 'The run waits; run is called again when it goes on.'))
    },
  })
  try {
    const end = await endOf(
      Promise.resolve().then(() => agent.run(given)),
      controller.signal,
      clock,
    )
    if (end === undefined || parked) return
    if ('result' in end) conclude(world, entity, { agent, result: end.result })
    else if (!context.signal.aborted) halt(world, entity, thrown(end.error))
  } finally {
    close()
    detach()
  }
}

/** How a call of `run` ends; undefined when it should end and does not. */
async function endOf(
  running: Promise<unknown>,
  signal: AbortSignal,
  clock: Clock,
): Promise<{ readonly result: unknown } | { readonly error: unknown } | undefined> {
  const ended = running.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  )
  let stopTimer: (() => void) | undefined
  let onAbort: (() => void) | undefined
  const left = new Promise<undefined>((resolve) => {
    onAbort = () => (stopTimer = clock.timer(grace, () => resolve(undefined)))
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
  const end = await Promise.race([ended, left])
  if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  stopTimer?.()
  return end
}

/** Takes over what the agent gave back. What cannot be kept fails the run: calling it again would not end. */
function conclude(world: World, entity: Entity, { agent, result }: { agent: AgentRuntime; result: unknown }): void {
  try {
    take(world, entity, givenBack(agent.key, result))
  } catch (error) {
    halt(world, entity, thrown(error))
  }
}

function take(world: World, entity: Entity, { output, messages, usage, error }: GivenBack): void {
  const spoken = typeof output === 'string' && output !== '' && error === undefined && isSilent(world, entity)
  for (const message of messages ?? (spoken ? [{ role: 'assistant' as const, content: output }] : [])) {
    say(world, entity, message)
  }
  if (usage !== undefined) world.update(entity, TurnUsage, (turn) => ({ ...turn, usage }))
  world.set(entity, Outcome, { output, ...(error === undefined ? {} : { failed: true as const }) })
  if (error !== undefined) halt(world, entity, error)
}

/** Whether the agent has said nothing since it was last spoken to. */
function isSilent(world: World, entity: Entity): boolean {
  const conversation = world.require(entity, Conversation)
  const { from = 0 } = world.get(entity, TurnUsage) ?? {}
  return conversation.length === from || conversation.at(conversation.length - 1)?.role !== 'assistant'
}

function halt(world: World, entity: Entity, error: ErrorData): void {
  world.set(entity, Halted, { error })
}

/** A new run begins: what the last one kept is gone, what was said stays. */
function input(world: World, entity: Entity, payload: InputPayload): void {
  for (const kept of [Kept, Steps, StepState, Questions, Outcome, Wait]) world.remove(entity, kept)
  world.pause(false)
  const { bounded } = payload
  const given = payload.input as Json
  closeOpen(world, entity)
  const from = world.require(entity, Conversation).length
  world.update(entity, Foreign, (foreign) => ({ ...foreign, input: given }))
  if (isSaid(given)) hear(world, entity, userMessage(payload.input))
  begin(world, entity, from)
  if (payload.taint !== undefined) taint(world, entity, payload.taint)
  if (payload.output === undefined) world.remove(entity, Output)
  else world.set(entity, Output, { name: 'output', schema: payload.output, repairs: 0, ...(bounded && { bounded }) })
}

function begin(world: World, entity: Entity, from: number): void {
  world.remove(entity, Terminal)
  world.remove(entity, Halted)
  const { id: run, limits } = world.resource<RunRecord>('run')
  world.set(entity, TurnUsage, { steps: 0, usage: noUsage, from, run })
  if (limits === undefined) world.remove(entity, Budget)
  else world.set(entity, Budget, { limits })
}

/** Calls that a former run left without a result get one: nothing else may come between. */
function closeOpen(world: World, entity: Entity): void {
  for (const call of openCalls(world.require(entity, Conversation))) {
    say(world, entity, toolMessage(errorOutcome(call, 'aborted', `The call of '${call.toolName}' was cancelled.`)))
  }
}

/** Whether an input is something said, and no other data. */
function isSaid(given: Json): boolean {
  if (typeof given === 'string') return given !== ''
  if (typeof given !== 'object' || given === null) return false
  if (!Array.isArray(given)) return 'role' in given && given.role === 'user' && 'content' in given
  return given.length > 0 && given.every((part: Json) => typeof part === 'object' && part !== null && 'type' in part)
}

/** A fork goes on from what was kept then; what nobody had answered is asked again. */
function goOn(world: World, entity: Entity, fork: ForkPayload): void {
  const answered = world.get(entity, Questions)?.filter((question) => question.answer !== undefined) ?? []
  world.remove(entity, Wait)
  world.remove(entity, Outcome)
  if (world.has(entity, Questions)) world.set(entity, Questions, answered)
  const from = world.get(entity, TurnUsage)?.from ?? 0
  if (fork.input !== undefined) {
    const given = fork.input as Json
    world.update(entity, Foreign, (foreign) => ({ ...foreign, input: given }))
    closeOpen(world, entity)
    if (isSaid(given)) hear(world, entity, userMessage(fork.input))
  }
  world.pause(false)
  begin(world, entity, from)
}

/** What is said in the middle: heeded at the next safe point, also by an agent that has come to its end. */
function steer(world: World, entity: Entity, message: UserMessage): void {
  world.append(entity, Steering, message)
  for (const ended of [Outcome, Terminal, Halted]) world.remove(entity, ended)
}

function answer(world: World, entity: Entity, { interaction: id, answer: given, by }: AnswerPayload): void {
  const open = world.get(entity, Wait)?.find((wait) => wait.id === id) as Interaction | undefined
  if (open === undefined) throw new TellurionError('unknown_interaction', `No open interaction has the id '${id}'.`)
  checkAnswer(open, given)
  const text = typeof given !== 'object' ? '' : 'text' in given ? given.text : 'choice' in given ? given.choice : ''
  settle(world, entity, id, text.toWellFormed())
  world.emit({ type: 'interaction.answered', entity, id, by })
}

function settle(world: World, entity: Entity, id: string, text: string): void {
  close(world, entity, id)
  world.update(entity, Questions, (asked) =>
    asked.map((question) => (question.id === id ? { ...question, answer: text } : question)),
  )
}

async function result(world: World, entity: Entity, stop: Stop): Promise<AgentResult<unknown>> {
  const { from = 0 } = world.get(entity, TurnUsage) ?? {}
  const { output } = world.get(entity, Outcome) ?? {}
  try {
    const whole = {
      ...(await resultOf({ world, entity, stop, from, output: undefined })),
      output,
    } as AgentResult<unknown>
    const text = whole.text === '' && typeof output === 'string' ? output : whole.text
    const asked = world.get(entity, Output)
    if (asked === undefined || whole.status !== 'succeeded') return { ...whole, text }
    const checked = await checkOf(asked).validate(output)
    if (checked.issues === undefined) return { ...whole, text }
    const error = new TellurionError(
      'output_invalid',
      `The output does not match the output schema: ${issuesText(checked.issues)}`,
    )
    error.result = { ...whole, text, status: 'failed' }
    throw error
  } catch (error) {
    if (!(error instanceof TellurionError) || error.result === undefined) throw error
    error.result = { ...(error.result as AgentResult<unknown>), output }
    throw error
  }
}
