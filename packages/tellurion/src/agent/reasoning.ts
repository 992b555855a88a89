// Reasoning: asks the model when there is something to answer, and keeps its reply. One plain turn is one call, however
// many ticks follow.

import { Failure, Halted, Terminal } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import { askForReply } from './ask.ts'
import { Conversation, LLM, PendingToolCalls } from './component.ts'
import { configurationOf } from './configuration.ts'
import { awaitsReply } from './conversation.ts'
import { Plan } from './plan-component.ts'
import { shouldStop } from './stop-when.ts'

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
