// Reasoning: asks the model when there is something to answer, and keeps its reply. One plain turn is one call, however
// many ticks follow.

import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Terminal } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import type { World } from '../world/world.ts'
import { askForReply } from './ask.ts'
import { Conversation, LLM, PendingToolCalls, TurnUsage } from './component.ts'
import { configurationOf, type AgentConfiguration } from './configuration.ts'
import { awaitsReply, newestCalls } from './conversation.ts'
import { Plan } from './plan-component.ts'
import { noUsage } from './usage.ts'

/** Asks the model of each entity whose conversation awaits a reply. Priority 0. */
export const reasoning = defineSystem({
  name: 'reasoning',
  priority: 0,
  query: [LLM, Conversation],
  without: [PendingToolCalls, Halted, Terminal, Failure],
  each(entity, world, context) {
    const conversation = world.require(entity, Conversation)
    if (!awaitsReply(conversation)) return undefined
    // An entity with an unfinished plan belongs to planning, which makes every ask for it.
    if (world.get(entity, Plan)?.completed === false) return undefined
    const configuration = configurationOf(world, entity)
    if (shouldStop(world, entity, configuration)) {
      world.set(entity, Terminal, { reason: 'stop_when' })
      return undefined
    }
    return askForReply(world, entity, { context, configuration, system: 'reasoning' })
  },
})

/** Whether the turn's own conditions say that enough has been done. They are asked between model calls only. */
function shouldStop(world: World, entity: Entity, { stopWhen }: AgentConfiguration): boolean {
  if (stopWhen === undefined || stopWhen.length === 0) return false
  const { steps, usage } = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  if (steps === 0) return false
  const toolCalls = newestCalls(world.require(entity, Conversation))
  return stopWhen.some((condition) => condition({ steps, usage, toolCalls }))
}
