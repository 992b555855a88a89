// The decision of a call that was asked about: written into this call, for exactly the arguments the person saw.

import { TellurionError } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { Decision } from '../tool/decide.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { PendingToolCalls } from './component.ts'

/** Puts the decision into the call that was asked about: this call, with exactly the arguments the person saw. */
export function decideCall(
  world: World,
  entity: Entity,
  { interaction, decision }: { interaction: Interaction; decision: Decision },
): void {
  const { toolCallId = '', inputHash } = interaction
  world.update(entity, PendingToolCalls, (calls) =>
    calls.map((call) => {
      if (call.toolCallId !== toolCallId) return call
      if (call.decision?.verdict !== 'ask' || call.decision.inputHash !== inputHash) {
        throw new TellurionError(
          'invalid_answer',
          `The call of '${call.toolName}' is not the one that was asked about.`,
        )
      }
      const { started: _begunAgain, ...rest } = call
      return { ...rest, decision }
    }),
  )
  if (decision.verdict === 'allow') world.emit({ type: 'tool.approved', entity, toolCallId, by: decision.by })
  else if (decision.verdict === 'deny') {
    world.emit({ type: 'tool.denied', entity, toolCallId, reason: decision.reason, by: decision.by })
  }
}
