// A child worked on where its call was made: a world of its own that ticks inside the parent's tick. When it must wait
// for a person it is parked as data in the parent's world, and its questions become the parent's.

import { childController } from '../abort/abort.ts'
import { errorData, TellurionError, type ErrorData } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { Entity } from '../world/entity.ts'
import { Wait } from '../world/lifecycle.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World, type SystemContext } from '../world/world.ts'
import { statementOf, type Spent } from './budget.ts'
import { tighter } from './tighter.ts'
import {
  agentComponents,
  Budget,
  Children,
  ChildWorld,
  Streaming,
  Taint,
  ToolRegistry,
  TurnUsage,
  type BudgetLimits,
  type Child,
  type ChildEnd,
} from './component.ts'
import { artifactsOf, clockOf } from './configuration.ts'
import { userMessage } from './conversation.ts'
import { answer, type Answer } from './interaction.ts'
import type { AgentResult } from './result.ts'
import { runTurn } from './turn.ts'
import type { Inhabitant } from './world-tool.ts'

/** What the worlds of children share with their parent's. */
const shared = ['clock', 'ids', 'log', 'locks', 'random', 'user', 'caps'] as const

const main = 1 as Entity

/** A child, and who it is. */
export interface ChildWork {
  readonly child: Child
  readonly agent: Inhabitant
  readonly context: SystemContext
}

/** Works on a child until it ends; undefined when it waits for a person and is parked. */
export async function workOnChild(world: World, entity: Entity, work: ChildWork): Promise<ChildEnd | undefined> {
  const { child, agent, context } = work
  const goesOn = child.parked !== undefined
  const own = goesOn ? revive(world, entity, work) : furnish(world, work)
  const clock = clockOf(world)
  const { controller, detach } = childController(context.signal)
  const late = new TellurionError('tool_timeout', `The agent '${child.agent}' did not end in time.`)
  const stopTimer =
    child.due === undefined
      ? undefined
      : clock.timer(Math.max(0, child.due - clock.now()), () => controller.abort(late))
  const streams = world.get(entity, Streaming)?.enabled === true
  if (streams) relay(own, { to: world, entity, child })
  let result: AgentResult<unknown> | undefined
  let error: ErrorData | undefined
  try {
    result = await runTurn({
      world: own,
      entity: main,
      agent: agent.name,
      options: { abortSignal: controller.signal, resources: { runId: child.id } },
      streams,
      ...(goesOn ? {} : { input: userMessage(child.prompt) }),
    })
  } catch (thrown) {
    error = errorData(thrown, 'run_failed')
    result = thrown instanceof TellurionError ? (thrown.result as AgentResult<unknown> | undefined) : undefined
  } finally {
    stopTimer?.()
    detach()
  }
  if (result?.status === 'waiting' && !controller.signal.aborted) {
    park(world, entity, { child, own, interactions: result.interactions })
    return undefined
  }
  return {
    run: child.id,
    status: controller.signal.reason === late ? 'timed_out' : statusOf(result, error),
    text: result?.text ?? '',
    ...(error === undefined ? {} : { error }),
    ...spentIn(own),
  }
}

/** The end of a child whose time is over and at which nobody works: it waits for a person, or was restored. */
export function endLate(world: World, { child, agent }: ChildWork): ChildEnd {
  const end = { run: child.id, status: 'timed_out', text: '', modelCalls: 0 } as const
  if (child.parked === undefined) return end
  const place = child.parked as Entity
  const own = restoreChild(world, place, agent)
  world.destroy(place)
  return { ...end, ...spentIn(own) }
}

function spentIn(own: World): Spent & Pick<ChildEnd, 'taint'> {
  const { usage } = own.get(main, TurnUsage) ?? {}
  const taint = own.get(main, Taint) ?? []
  return { ...(usage === undefined ? {} : { usage }), ...statementOf(own, main), taint }
}

function statusOf(result: AgentResult<unknown> | undefined, error: ErrorData | undefined): ChildEnd['status'] {
  if (error !== undefined) return 'failed'
  return result?.status === 'succeeded' ? 'succeeded' : 'cancelled'
}

/** A fresh world with the child's agent. */
function furnish(world: World, { child, agent }: ChildWork): World {
  const own = new World({ components: agentComponents })
  bind(own, world, agent)
  const entity = agent.spawn(own)
  limitChild(own, entity, { own: agent.limits, limits: child.limits, tools: child.tools })
  if (child.taint !== undefined) own.set(entity, Taint, child.taint)
  return own
}

/** Narrows an agent's entity to what a child may spend and use. */
export function limitChild(
  world: World,
  entity: Entity,
  given: { own: BudgetLimits | undefined; limits: BudgetLimits; tools: readonly string[] | undefined },
): void {
  const { own, limits, tools } = given
  world.set(entity, Budget, { limits: tighter(own, limits) })
  if (tools !== undefined) world.set(entity, ToolRegistry, { names: tools })
}

function bind(own: World, world: World, agent: Inhabitant): void {
  for (const name of shared) {
    const resource = world.findResource(name)
    if (resource !== undefined) own.bind(name, resource)
  }
  own.bind('artifacts', artifactsOf(world))
  agent.bindTo(own)
}

/** The world of a parked child, with the answers that have come for it. */
function revive(world: World, entity: Entity, { child, agent }: ChildWork): World {
  const { parked, answers = [], ...rest } = child
  const place = parked as Entity
  const own = restoreChild(world, place, agent)
  world.destroy(place)
  replaceChild(world, entity, rest)
  bind(own, world, agent)
  for (const { interaction, answer: given, by } of answers)
    answer(own, interaction, given as Answer, { by, orOnce: true })
  return own
}

function restoreChild(world: World, place: Entity, { components }: Inhabitant): World {
  return restore(world.require(place, ChildWorld).snapshot, { components: [...agentComponents, ...components] })
}

/** Keeps the world of a child as data, and asks its questions as the parent's. */
function park(
  world: World,
  entity: Entity,
  { child, own, interactions }: { child: Child; own: World; interactions: readonly Interaction[] },
): void {
  const place = world.spawn(ChildWorld({ snapshot: snapshot(own) }))
  replaceChild(world, entity, { ...child, parked: place })
  const mirrored = interactions.map((interaction) => ({ ...interaction, entity, child: child.id }))
  world.set(entity, Wait, [...(world.get(entity, Wait) ?? []), ...mirrored])
  for (const interaction of mirrored) world.emit({ type: 'interaction.requested', entity, interaction })
}

/** Writes a child of an entity anew. */
export function replaceChild(world: World, entity: Entity, child: Child): void {
  world.update(entity, Children, (children) => children.map((each) => (each.id === child.id ? child : each)))
}

/** Shows what happens in a child to whoever watches its parent. */
function relay(own: World, { to, entity, child }: { to: World; entity: Entity; child: Child }): void {
  const { toolCallId, agent, id } = child
  own.on('*', (event) => to.emit({ type: 'child.progress', entity, toolCallId, child: id, agent, event }))
}
