// Children: sub-agents at work for a call. The call stays open until its child has ended; what it may spend is lent from
// the parent's budget, and how it fails stays with it. Loaded by the first call of a sub-agent.

import { messageOf } from '../error/error.ts'
import { errorOutcome, valueOutcome, type ToolOutcome } from '../tool/result.ts'
import type { Entity } from '../world/entity.ts'
import { Wait } from '../world/lifecycle.ts'
import type { SystemContext, World } from '../world/world.ts'
import { lend, settle } from './budget.ts'
import { capsOf } from './caps.ts'
import { endLate, replaceChild, workOnChild } from './child-world.ts'
import { Children, PendingToolCalls, Taint, type Child, type ChildEnd, type PendingToolCall } from './component.ts'
import { artifactsOf, clockOf } from './configuration.ts'
import type { Spawn } from './spawn.ts'
import { excerptOf, taint } from './taint.ts'
import { partOf, takeResult } from './tool-results.ts'
import type { ErrandTool } from './world-tool.ts'

/** Most children of one entity at one time, where no cap says otherwise; more calls wait for a place. */
const fanOut = 5

/** A call of a sub-agent that may run. */
export interface ChildCall {
  readonly call: PendingToolCall
  readonly errand: ErrandTool
  /** The checked arguments. */
  readonly input: unknown
  readonly context: SystemContext
}

/**
 * Begins the child of a call, goes on with one that was begun, or takes in how it ended. Resolves when there is nothing
 * to do for it now. Whatever a child does, the call has a result in the end.
 */
export async function tendChild(world: World, entity: Entity, given: ChildCall): Promise<void> {
  const { call, errand, context } = given
  const known = childOf(world, entity, call)
  if (known === undefined && (world.get(entity, Children)?.length ?? 0) >= (capsOf(world).subAgents ?? fanOut)) return
  const child = known ?? record(world, entity, given)
  if (child === undefined) return context.commit()
  const spawn = world.findResource<Spawn>('spawn')
  if (child.end !== undefined) await close(world, entity, { child, errand, end: endOf(child, child.end) })
  else if (spawn !== undefined) {
    if (isDue(world, child)) giveUp(world, entity, { child, spawn })
    else begin(world, entity, { child, spawn })
  } else {
    const agent = errand.agents.find(({ name }) => name === child.agent)!
    const work = { child, agent, context }
    const end = isDue(world, child) ? endLate(world, work) : await workOnChild(world, entity, work)
    if (end !== undefined) await close(world, entity, { child, errand, end })
  }
  return context.commit()
}

/** Takes note of a child that begins: what it is to do and what it may spend. Undefined when it may not begin. */
function record(world: World, entity: Entity, { call, errand, input }: ChildCall): Child | undefined {
  const { toolCallId, toolName, key } = call
  const id = `c-${key.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(-60)}`
  let wanted: { readonly agent: string; readonly prompt: string }
  try {
    wanted = errand.describe(input as never)
  } catch (error) {
    takeResult(world, entity, errorOutcome(partOf(call), 'tool_failed', messageOf(error)))
    return undefined
  }
  const { budget: asked, tools } = errand
  const timeout = Math.min(errand.timeout, capsOf(world).subAgentTimeout ?? Infinity)
  const parts = world.require(entity, PendingToolCalls).length + 1
  const lent = lend(world, entity, { borrower: id, ...(asked === undefined ? {} : { asked }), parts })
  if ('error' in lent) {
    takeResult(world, entity, errorOutcome(partOf(call), 'budget_exceeded', lent.error.message))
    return undefined
  }
  const read = world.get(entity, Taint)
  const child: Child = {
    id,
    toolCallId,
    agent: wanted.agent,
    prompt: wanted.prompt.toWellFormed(),
    limits: lent.limits,
    ...(tools === undefined ? {} : { tools }),
    ...(read === undefined ? {} : { taint: read }),
    ...(timeout === Infinity ? {} : { due: clockOf(world).now() + timeout }),
  }
  world.set(entity, Children, [...(world.get(entity, Children) ?? []), child])
  world.emit({ type: 'child.spawned', entity, toolCallId, toolName, child: id, agent: child.agent })
  return child
}

/** Hands a child to those who work on children, and waits for it. */
function begin(world: World, entity: Entity, { child, spawn }: { child: Child; spawn: Spawn }): void {
  spawn.begin(child)
  awaitChild(world, entity, child)
}

/** Tells a child to end, and waits until it has: what it has spent it alone knows. */
function giveUp(world: World, entity: Entity, { child, spawn }: { child: Child; spawn: Spawn }): void {
  const { due: _over, ...rest } = child
  const late: Child = { ...rest, late: true }
  spawn.cancel(late)
  replaceChild(world, entity, late)
  dropWaits(world, entity, late.id)
  awaitChild(world, entity, late)
}

function awaitChild(world: World, entity: Entity, { id, toolCallId, due }: Child): void {
  const wait = { id, kind: 'child', toolCallId, ...(due === undefined ? {} : { due }) }
  world.set(entity, Wait, [...(world.get(entity, Wait) ?? []), wait])
}

/** Ends a child: its allowance goes back, what it spent is counted, and its call has its result. */
async function close(
  world: World,
  entity: Entity,
  { child, errand, end }: { child: Child; errand: ErrandTool; end: ChildEnd },
): Promise<void> {
  const call = world.get(entity, PendingToolCalls)?.find(({ toolCallId }) => toolCallId === child.toolCallId)
  const outcome = call === undefined ? undefined : await outcomeOf(world, call, { child, errand, end })
  const left = world.get(entity, Children)?.filter(({ id }) => id !== child.id) ?? []
  if (left.length === 0) world.remove(entity, Children)
  else world.set(entity, Children, left)
  dropWaits(world, entity, child.id)
  // Where nobody knows what was spent, all of it stays lent.
  if (end.modelCalls !== undefined) settle(world, entity, { borrower: child.id, spent: end })
  const { status } = end
  world.emit({ type: 'child.ended', entity, toolCallId: child.toolCallId, child: child.id, status })
  if (outcome === undefined) return
  const { text, taint: read } = end
  taint(world, entity, read ?? [{ level: 'unvouched', kind: 'agent', name: child.agent, excerpt: excerptOf(text) }])
  takeResult(world, entity, outcome)
}

function outcomeOf(
  world: World,
  call: PendingToolCall,
  { child, errand, end }: { child: Child; errand: ErrandTool; end: ChildEnd },
): ToolOutcome | Promise<ToolOutcome> {
  const part = partOf(call)
  const { status, text, error } = end
  const partial = text === '' ? '' : ` What it has so far: ${text}`
  switch (status) {
    case 'succeeded':
      return valueOutcome(part, text, { artifacts: artifactsOf(world), maxLength: errand.maxLength })
    case 'failed': {
      const why = error?.message ?? 'it did not say why'
      return errorOutcome(part, 'tool_failed', `The agent '${child.agent}' failed: ${why}${partial}`)
    }
    case 'cancelled':
      return errorOutcome(part, 'aborted', `The agent '${child.agent}' was cancelled.${partial}`)
    case 'timed_out':
      return errorOutcome(part, 'tool_timeout', `The agent '${child.agent}' did not end in time.${partial}`)
    default:
      return status satisfies never
  }
}

/** Takes note of how a child ended, as mail says it. False when no child of this world has that id. */
export function childEnded(world: World, end: ChildEnd): boolean {
  for (const [entity, [children]] of world.query(Children)) {
    const child = children.find(({ id }) => id === end.run)
    if (child === undefined) continue
    replaceChild(world, entity, { ...child, end })
    dropWaits(world, entity, end.run)
    return true
  }
  return false
}

/** Takes off what an entity waits for because of a child. */
function dropWaits(world: World, entity: Entity, child: string): void {
  const waits = world.get(entity, Wait)
  const left = waits?.filter((wait) => wait.id !== child && !('child' in wait && wait.child === child))
  if (left === undefined || left.length === waits?.length) return
  if (left.length === 0) world.remove(entity, Wait)
  else world.set(entity, Wait, left)
}

function childOf(world: World, entity: Entity, { toolCallId }: PendingToolCall): Child | undefined {
  return world.get(entity, Children)?.find((child) => child.toolCallId === toolCallId)
}

/** One that was told to end because its time was over did not end in time. */
function endOf({ late }: Child, end: ChildEnd): ChildEnd {
  return late === true && end.status === 'cancelled' ? { ...end, status: 'timed_out' } : end
}

function isDue(world: World, { due, late }: Child): boolean {
  return late === true || (due !== undefined && due <= clockOf(world).now())
}
