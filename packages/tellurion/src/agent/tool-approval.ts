// Tool approval: the end of a person's time to answer. Nobody answering in time is one denial.

import { Halted, Terminal, Wait } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import { PendingToolCalls } from './component.ts'
import { decideCall } from './call-decision.ts'
import { close, openInteractions } from './open-interaction.ts'
import { clockOf } from './configuration.ts'

/** Denies the calls whose question was not answered in time. Priority 4: before tools run. */
export const toolApproval = defineSystem({
  name: 'toolApproval',
  priority: 4,
  query: [PendingToolCalls, Wait],
  without: [Halted, Terminal],
  each(entity, world) {
    const now = clockOf(world).now()
    for (const interaction of openInteractions(world)) {
      const { id, due, toolCallId, child } = interaction
      if (
        interaction.entity !== entity ||
        child !== undefined ||
        toolCallId === undefined ||
        due === undefined ||
        due > now
      )
        continue
      close(world, entity, id)
      world.emit({ type: 'interaction.expired', entity, id })
      const decision = { verdict: 'deny', reason: 'nobody approved it in time', by: 'timeout' } as const
      decideCall(world, entity, { interaction, decision })
    }
  },
})
