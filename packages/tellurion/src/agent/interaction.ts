// Answers: what a person says to an interaction, turned into a decision. An answer is taken once.

import { suggestion, TellurionError } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { Decision } from '../tool/decide.ts'
import type { Entity } from '../world/entity.ts'
import { Wait } from '../world/lifecycle.ts'
import type { World } from '../world/world.ts'
import { PendingToolCalls } from './component.ts'
import { openInteractions } from './result.ts'

/** What a person may answer to an approval. */
export type Answer = 'approve' | 'deny' | { readonly deny: string }

/**
 * Answers an open interaction of a world; the next run acts on it. `by` names who answered. Throws
 * `unknown_interaction` for one that is not open (any more), `invalid_answer` for an answer that does not fit.
 */
export function answer(world: World, id: string, given: Answer, options: { readonly by?: string } = {}): void {
  const { by = 'user' } = options
  const open = openInteractions(world)
  const interaction = open.find((each) => each.id === id)
  if (interaction === undefined) {
    const hint = suggestion(
      String(id),
      open.map((each) => each.id),
    )
    throw new TellurionError('unknown_interaction', `No open interaction has the id '${id}'.${hint}`)
  }
  const decision = decisionOf(given, by)
  const entity = interaction.entity as Entity
  decideCall(world, entity, { interaction, decision })
  const rest = (world.get(entity, Wait) ?? []).filter((wait) => wait.id !== id)
  if (rest.length > 0) world.set(entity, Wait, rest)
  else world.remove(entity, Wait)
  world.emit({ type: 'interaction.answered', entity, id, by })
}

function decisionOf(given: Answer, by: string): Decision {
  if (given === 'approve') return { verdict: 'allow', by }
  if (given === 'deny') return { verdict: 'deny', reason: 'the user denied it', by }
  if (typeof given === 'object' && given !== null && typeof given.deny === 'string') {
    return { verdict: 'deny', reason: given.deny.toWellFormed(), by }
  }
  throw new TellurionError('invalid_answer', "Answer an approval with 'approve', 'deny' or { deny: reason }.")
}

/** Puts the decision into the call that was asked about: this call, with exactly the arguments the person saw. */
function decideCall(
  world: World,
  entity: Entity,
  { interaction, decision }: { interaction: Interaction; decision: Decision },
): void {
  const { toolCallId, inputHash } = interaction
  world.update(entity, PendingToolCalls, (calls) =>
    calls.map((call) => {
      if (call.toolCallId !== toolCallId) return call
      if (call.decision?.verdict !== 'ask' || call.decision.inputHash !== inputHash) {
        throw new TellurionError(
          'invalid_answer',
          `The call of '${call.toolName}' is not the one that was asked about.`,
        )
      }
      return { ...call, decision }
    }),
  )
  if (decision.verdict === 'allow') {
    world.emit({ type: 'tool.approved', entity, toolCallId: toolCallId ?? '', by: decision.by })
  } else if (decision.verdict === 'deny') {
    world.emit({ type: 'tool.denied', entity, toolCallId: toolCallId ?? '', reason: decision.reason, by: decision.by })
  }
}
