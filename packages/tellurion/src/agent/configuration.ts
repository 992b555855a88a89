// Configuration: what an agent is beside its state. It holds functions and schemas, is bound as a resource and read at
// call time by the agent's name; none of it is ever stored in a world.

import { systemClock, type Clock } from '../clock/clock.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import type { ToolCallPart } from '../message/message.ts'
import type { Model, PriceFunction, Usage } from '../port/model.ts'
import type { CompiledSchema } from '../schema/schema.ts'
import type { Approval } from '../tool/approval.ts'
import type { Permissions } from '../tool/permission.ts'
import type { Artifacts } from '../tool/artifact.ts'
import { memoryArtifacts } from '../tool/memory-artifacts.ts'
import { createSchedule, type Schedule } from '../tool/schedule.ts'
import type { AnyTool } from '../tool/tool.ts'
import { createPathLocks, type PathLocks } from '../tool/path-lock.ts'
import { canonicalPath } from '../tool/path.node.ts'
import { createToolbox, isToolbox, type Toolbox } from '../tool/toolbox.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { LLM } from './component.ts'

/** What a stop condition may look at, between two model calls of a turn. */
export interface TurnState {
  /** Model calls of this turn so far. */
  readonly steps: number
  readonly usage: Usage
  /** The tool calls of the newest reply. */
  readonly toolCalls: readonly ToolCallPart[]
}

/** Says whether the turn should end instead of asking the model again. */
export type StopCondition = (turn: TurnState) => boolean

/** What makes a world's entity into a certain agent. Live; bound under the agent's name in the resource `agents`. */
export interface AgentConfiguration {
  readonly instructions?: string | (() => string | Promise<string>)
  readonly tools?: Toolbox
  readonly approval?: Approval
  readonly safeMode?: boolean
  readonly permissions?: Permissions
  readonly stopWhen?: readonly StopCondition[]
  /** What a model call costs, for budgets. */
  readonly price?: PriceFunction
}

const none: AgentConfiguration = Object.freeze({})
const boxes = new WeakMap<object, Toolbox>()

/**
 * The configuration of an entity: its agent's entry, or what is bound to the world directly (`tools`, `approval`,
 * `safeMode`, `permissions`). Throws `unknown_resource`.
 */
export function configurationOf(world: World, entity: Entity): AgentConfiguration {
  const agent = world.get(entity, LLM)?.agent
  if (agent !== undefined) {
    const agents = world.resource<Readonly<Record<string, AgentConfiguration>>>('agents')
    const found = agents[agent]
    if (found === undefined) {
      throw new TellurionError(
        'unknown_resource',
        `No agent is named '${agent}'.${suggestion(agent, Object.keys(agents))}`,
      )
    }
    return found
  }
  const tools = world.findResource<Readonly<Record<string, AnyTool>> | Toolbox>('tools')
  const approval = world.findResource<Approval>('approval')
  const safeMode = world.findResource<boolean>('safeMode')
  const permissions = world.findResource<Permissions>('permissions')
  if (tools === undefined && approval === undefined && safeMode === undefined && permissions === undefined) return none
  return {
    ...(tools === undefined ? {} : { tools: toolboxOf(tools) }),
    ...(approval === undefined ? {} : { approval }),
    ...(safeMode === undefined ? {} : { safeMode }),
    ...(permissions === undefined ? {} : { permissions }),
  }
}

/** A record of tools as a toolbox, made once a record. */
function toolboxOf(tools: Readonly<Record<string, AnyTool>> | Toolbox): Toolbox {
  if (isToolbox(tools)) return tools
  let box = boxes.get(tools)
  if (box === undefined) boxes.set(tools, (box = createToolbox(tools)))
  return box
}

/**
 * The schedule of a world's tool calls, bound at first use: what runs alone runs alone in its world, while locks on
 * paths hold between all worlds that share the resource `locks`.
 */
export function scheduleOf(world: World): Schedule {
  const bound = world.findResource<Schedule>('schedule')
  if (bound !== undefined) return bound
  const locks = world.findResource<PathLocks>('locks')
  const schedule = createSchedule(locks === undefined ? {} : { locks })
  world.bind('schedule', schedule)
  return schedule
}

/** Locks on paths as the file system spells them, relative to where the process stands. */
export function createFileLocks(): PathLocks {
  return createPathLocks((path) => canonicalPath(path, '.'))
}

/** The clock of a world: the one that is bound, or the machine's. */
export function clockOf(world: World): Clock {
  return world.findResource<Clock>('clock') ?? systemClock
}

/** Where results past their bound are kept, bound at first use: in memory, as long as the world lives. */
export function artifactsOf(world: World): Artifacts {
  const bound = world.findResource<Artifacts>('artifacts')
  if (bound !== undefined) return bound
  const artifacts = memoryArtifacts()
  world.bind('artifacts', artifacts)
  return artifacts
}

/** The model bound under this name. Throws `unknown_model` with the nearest name. */
export function modelOf(world: World, name: string): Model {
  const models = world.resource<Readonly<Record<string, Model>>>('models')
  const model = Object.hasOwn(models, name) ? models[name] : undefined
  if (model !== undefined) return model
  throw new TellurionError('unknown_model', `No model is bound as '${name}'.${suggestion(name, Object.keys(models))}`)
}

/** The check of the final text that the turn was started with, when it was started in this process. */
export function outputOf(world: World): CompiledSchema | undefined {
  return world.findResource<CompiledSchema>('output')
}
