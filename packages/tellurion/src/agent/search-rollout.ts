// Rollouts: one step of a search tried out for real on a fork of the world, with tools that only read and an allowance of
// its own. What it finds is all that is left of it: nothing of the fork is saved, and nothing outside is changed.

import { textOf } from '../message/message.ts'
import type { TaintSource } from '../message/trust.ts'
import type { Usage } from '../port/model.ts'
import { memoryArtifacts } from '../tool/memory-artifacts.ts'
import { createSchedule } from '../tool/schedule.ts'
import type { Entity } from '../world/entity.ts'
import { Wait } from '../world/lifecycle.ts'
import { run, type Stop } from '../world/runner.ts'
import type { SystemContext, World } from '../world/world.ts'
import { lend, spentOf, type Spent } from './budget.ts'
import {
  Budget,
  Children,
  Conversation,
  LLM,
  Output,
  Steering,
  Streaming,
  Taint,
  ToolRegistry,
  TurnUsage,
  UserInput,
} from './component.ts'
import { clockOf, configurationOf } from './configuration.ts'
import { newestWhole } from './conversation.ts'
import { errorHandling } from './error-handling.ts'
import { beginning, stepText } from './plan.ts'
import { Plan, PlanSearch, SearchTree, type PlanValue } from './plan-component.ts'
import { planning } from './planning.ts'
import type { SearchNodeValue } from './search-tree.ts'
import { toolExecution } from './tool-execution.ts'
import { broughtBy } from './world-tool.ts'

/** Most model calls and ticks of one rollout. */
const mostCalls = 5
const mostTicks = 20
/** Characters of what a rollout has found. */
const longestFinding = 1_000

/** Who borrows from the entity's budget for a rollout. The same after a crash: an allowance is set aside once. */
export const borrower = 'tree search'

/** What a rollout is about. */
export interface RolloutTask {
  readonly objective: string
  /** The steps that lead to it, itself last. */
  readonly path: readonly SearchNodeValue[]
  /** The tools it may use: `readTools`. */
  readonly tools: readonly string[]
  /** Model calls that are left to the search. */
  readonly calls: number
  readonly context: SystemContext
}

/** What a rollout has found and spent. */
export interface Rollout {
  readonly observation: string
  /** What it has read that nobody vouches for, with what the entity had read before. */
  readonly taint: readonly TaintSource[]
  readonly spent: Required<Omit<Spent, 'unsettled'>>
}

/**
 * The entity's tools that a rollout may use: those that declare that they only read, and bring nothing of their own to
 * the world. A call that asks a person is left alone.
 */
export function readTools(world: World, entity: Entity): readonly string[] {
  const { tools } = configurationOf(world, entity)
  const names = world.get(entity, ToolRegistry)?.names
  return (tools?.names() ?? []).filter((name) => {
    const tool = tools?.get(name)
    return (
      (names === undefined || names.includes(name)) && tool?.effects.mode === 'read' && broughtBy(tool) === undefined
    )
  })
}

/** Tries a step out. Undefined when it was aborted, or the budget has nothing to lend. Never rejects for what it finds. */
export async function rollOut(world: World, entity: Entity, task: RolloutTask): Promise<Rollout | undefined> {
  const modelCalls = Math.min(task.calls, mostCalls)
  const lent = lend(world, entity, { borrower, asked: { modelCalls } })
  if ('error' in lent) return undefined
  const fork = world.fork()
  isolate(fork, entity)
  prepare(fork, entity, task)
  // What was lent before a crash may be more than the search has left.
  const most = Math.min(modelCalls, lent.limits.modelCalls ?? modelCalls)
  fork.set(entity, Budget, { limits: { ...lent.limits, modelCalls: most } })
  const { signal } = task.context
  const maxTicks = fork.header.runTicks + mostTicks
  const stop = await run(fork, { main: entity, clock: clockOf(world), signal, maxTicks })
  if (signal.aborted) return undefined
  const spent = spentOf(fork, entity)
  const usage: Usage = fork.get(entity, TurnUsage)?.usage ?? { inputTokens: 0, outputTokens: 0, totalTokens: 0 }
  return {
    observation: findingOf(fork, entity, stop),
    taint: fork.get(entity, Taint) ?? [],
    spent: { modelCalls: spent.modelCalls, toolCalls: spent.toolCalls, usage },
  }
}

/** Leaves in a fork what may act in it: this entity, and the systems that carry out a step. */
function isolate(fork: World, entity: Entity): void {
  fork.pause(false)
  for (const name of fork.systemNames()) fork.removeSystem(name)
  for (const system of [planning, toolExecution, errorHandling]) fork.addSystem(system)
  for (const [other] of fork.query(LLM)) if (other !== entity) fork.destroy(other)
  for (const component of [PlanSearch, SearchTree, Output, Streaming, Steering, UserInput, Wait, Children, TurnUsage]) {
    fork.remove(entity, component)
  }
  // How a trial fails is no failure of the run.
  fork.bind('log', undefined)
  fork.bind('reservations', new Map())
  fork.bind('schedule', createSchedule())
  fork.bind('artifacts', memoryArtifacts())
  const place = fork.findResource<string>('runId') ?? 'run'
  fork.bind('callKey', (_owner: Entity, index: number) => `${place}-rollout-${entity}-${fork.header.tick}-${index}`)
}

/** Puts the entity before the step: those that lead to it are done, and have found what they found. */
function prepare(fork: World, entity: Entity, { objective, path, tools }: RolloutTask): void {
  const steps = path.map(({ step }) => ({ description: step }))
  const plan: PlanValue = { objective, steps, current: path.length - 1, completed: false }
  for (const [current, { observation }] of path.slice(0, -1).entries()) {
    fork.append(entity, Conversation, { role: 'user', content: stepText({ ...plan, current }) })
    fork.append(entity, Conversation, { role: 'assistant', content: observation ?? 'Done.' })
  }
  fork.set(entity, Plan, plan)
  fork.set(entity, ToolRegistry, { names: tools })
}

/** What is to be kept of a fork: the reply that finished the step, or why there is none. */
function findingOf(fork: World, entity: Entity, stop: Stop): string {
  if (fork.require(entity, Plan).completed) {
    const reply = newestWhole(fork.require(entity, Conversation))
    return beginning(reply === undefined ? '' : textOf(reply), longestFinding)
  }
  return beginning(`It was not finished: ${stop.error?.message ?? stop.terminal ?? stop.reason}`, longestFinding)
}
