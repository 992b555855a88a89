// An `Agent` as the work of a run: its systems tick, and mail becomes messages, decisions and wishes of its entity.

import type { Agent } from '../agent/agent.ts'
import { ticksUnder } from '../agent/budget-limits.ts'
import { tighter } from '../agent/tighter.ts'
import { Budget, Conversation, Output, Steering, Streaming, ToolRegistry, TurnUsage } from '../agent/component.ts'
import { hear, userMessage } from '../agent/conversation.ts'
import { answer } from '../agent/interaction.ts'
import { resultOf, type AgentResult } from '../agent/result.ts'
import { taint } from '../agent/taint.ts'
import { askAgain, closeCalls } from '../agent/tool-results.ts'
import { noUsage } from '../agent/usage.ts'
import { retract } from '../agent/user-input.ts'
import type { UserMessage } from '../message/message.ts'
import type { Entity } from '../world/entity.ts'
import { Halted, Terminal } from '../world/lifecycle.ts'
import type { Stop } from '../world/runner.ts'
import type { World } from '../world/world.ts'
import type { ForkPayload, InputPayload } from './inbox.ts'
import { checkOf } from './output-check.ts'
import type { RunRecord } from './run.ts'
import type { Work } from './work.ts'

/** An agent of this library as the work of a run. */
export function agentWork(agent: Agent): Work {
  return {
    name: agent.name,
    maxTicks: (world, entity) => ticksUnder(world.get(entity, Budget)?.limits),
    components: agent.components,
    bindTo: (world) => agent.bindTo(world),
    spawn: (world) => agent.spawn(world),
    input: (world, entity, payload) => input(world, entity, payload, agent),
    goOn: (world, entity, fork) => goOn(world, entity, fork, agent),
    steer,
    retry: (world, entity) => begin(world, entity, { from: fromOf(world, entity), agent }),
    answer: (world, _entity, { interaction, answer: given, by }) =>
      answer(world, interaction, given, { by, orOnce: true }),
    result: agentResult,
  }
}

function input(world: World, entity: Entity, payload: InputPayload, agent: Agent): void {
  const { input: said, output, bounded, tools, taint: read } = payload
  leaveOpen(world, entity)
  const from = world.require(entity, Conversation).length
  hear(world, entity, userMessage(said))
  begin(world, entity, { from, agent })
  if (tools !== undefined) world.set(entity, ToolRegistry, { names: tools })
  if (read !== undefined) taint(world, entity, read)
  if (output === undefined) world.remove(entity, Output)
  else world.set(entity, Output, { name: 'output', schema: output, repairs: 0, ...(bounded && { bounded }) })
}

/** Calls that were open are closed, questions are asked again, and what is new is said. */
function goOn(world: World, entity: Entity, { input: said }: ForkPayload, agent: Agent): void {
  const from = fromOf(world, entity)
  if (said === undefined) {
    askAgain(world, entity)
    retract(world, entity, { again: true })
  } else {
    leaveOpen(world, entity)
    hear(world, entity, userMessage(said))
  }
  world.remove(entity, Terminal)
  world.remove(entity, Halted)
  world.pause(false)
  begin(world, entity, { from, agent })
}

/** What another run left open, in a past that was gone back to or when it was cut short, nobody works on any more. */
function leaveOpen(world: World, entity: Entity): void {
  closeCalls(world, entity, { forked: true })
  retract(world, entity)
  world.pause(false)
}

function fromOf(world: World, entity: Entity): number {
  return world.get(entity, TurnUsage)?.from ?? 0
}

function begin(world: World, entity: Entity, { from, agent }: { from: number; agent: Agent }): void {
  const { id: run, limits } = world.resource<RunRecord>('run')
  world.set(entity, TurnUsage, { steps: 0, usage: noUsage, from, run })
  if (agent.limits === undefined && limits === undefined) world.remove(entity, Budget)
  else world.set(entity, Budget, { limits: tighter(agent.limits, limits) })
  world.set(entity, Streaming, { enabled: true })
}

function steer(world: World, entity: Entity, message: UserMessage): void {
  world.append(entity, Steering, message)
  world.remove(entity, Terminal)
  world.remove(entity, Halted)
}

/** How the present turn of an entity ended; also where the agent itself is not known. */
export async function agentResult(world: World, entity: Entity, stop: Stop): Promise<AgentResult<unknown>> {
  const { from = 0 } = world.get(entity, TurnUsage) ?? {}
  const asked = world.get(entity, Output)
  const output = asked === undefined ? undefined : checkOf(asked)
  return resultOf({ world, entity, stop, from, output })
}
