// Stop conditions: when a turn should end although the model would go on.

import { TellurionError } from '../error/error.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { Conversation, TurnUsage } from './component.ts'
import type { AgentConfiguration, StopCondition } from './configuration.ts'
import { newestCalls } from './conversation.ts'
import { noUsage } from './usage.ts'

/** True once the turn has made `count` model calls. The name is the field's word for them. */
export function isStepCount(count: number): StopCondition {
  if (!Number.isInteger(count) || count < 1) {
    throw new TellurionError('invalid_option', `isStepCount takes a positive integer, got ${count}.`)
  }
  return ({ steps }) => steps >= count
}

/** True when the newest reply called the tool of that name. */
export function hasToolCall(toolName: string): StopCondition {
  return ({ toolCalls }) => toolCalls.some((call) => call.toolName === toolName)
}

/** Whether the turn's own conditions say that enough has been done. They are asked between model calls only. */
export function shouldStop(world: World, entity: Entity, { stopWhen }: AgentConfiguration): boolean {
  if (stopWhen === undefined || stopWhen.length === 0) return false
  const { steps, usage } = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  if (steps === 0) return false
  const toolCalls = newestCalls(world.require(entity, Conversation))
  return stopWhen.some((condition) => condition({ steps, usage, toolCalls }))
}
