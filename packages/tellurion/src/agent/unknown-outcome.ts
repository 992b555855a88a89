// A call that began in an attempt that died, and must never begin again by itself: only a person can know what became of it.

import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { PendingToolCalls, type PendingToolCall } from './component.ts'
import { ask } from './open-interaction.ts'

/** Asks a person what became of a call. Never a second execution. */
export function askOutcome(world: World, entity: Entity, { toolCallId, toolName, input, key }: PendingToolCall): void {
  const prompt = `The outcome of ${toolName} is unknown: the process stopped while it ran. Run it again?`
  const decision = { verdict: 'ask', prompt, inputHash: '', by: 'outcome unknown' } as const
  world.update(entity, PendingToolCalls, (calls) =>
    calls.map((each) => (each.key === key ? { ...each, decision } : each)),
  )
  const id = `outcome-${world.header.tick}-${key}`
  ask(world, entity, { id, kind: 'outcome', entity, prompt, toolCallId, toolName, input, inputHash: '' })
}
