// Open interactions: what a world asks a person, as waits of its entities. Answers are `interaction.ts`.

import type { Interaction } from '../event/event.ts'
import type { Entity } from '../world/entity.ts'
import { Wait } from '../world/lifecycle.ts'
import type { World } from '../world/world.ts'

/** Opens a question to a person. */
export function ask(world: World, entity: Entity, interaction: Interaction): void {
  world.set(entity, Wait, [...(world.get(entity, Wait) ?? []), interaction])
  world.emit({ type: 'interaction.requested', entity, interaction })
}

/** Withdraws a question: it is not open any more. */
export function close(world: World, entity: Entity, id: string): void {
  const rest = (world.get(entity, Wait) ?? []).filter((wait) => wait.id !== id)
  if (rest.length > 0) world.set(entity, Wait, rest)
  else world.remove(entity, Wait)
}

/** What waits for a person, in the order of entities. */
export function openInteractions(world: World): readonly Interaction[] {
  const found: Interaction[] = []
  for (const [, [waits]] of world.query(Wait)) {
    for (const wait of waits) if (isInteraction(wait)) found.push(wait)
  }
  return found
}

function isInteraction(wait: { readonly kind: string }): wait is Interaction {
  return wait.kind === 'approval' || wait.kind === 'question' || wait.kind === 'outcome'
}
