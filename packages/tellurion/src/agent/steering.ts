// Steering: what was said in the middle of the work joins the conversation at the next safe point, when no call is open.

import { defineSystem } from '../world/system.ts'
import { Conversation, PendingToolCalls, Steering } from './component.ts'
import { hear } from './conversation.ts'

/** Moves what has been said meanwhile into the conversation. Priority -15. */
export const steering = defineSystem({
  name: 'steering',
  priority: -15,
  query: [Steering, Conversation],
  without: [PendingToolCalls],
  each(entity, world) {
    for (const message of world.require(entity, Steering)) hear(world, entity, message)
    world.remove(entity, Steering)
  },
})
