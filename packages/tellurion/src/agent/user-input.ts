// User input: a question to a person that a system or a program asked, and the end of its patience.

import type { Entity } from '../world/entity.ts'
import { Halted, Terminal } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import type { World } from '../world/world.ts'
import { Conversation, PendingToolCalls, UserInput } from './component.ts'
import { ask, close } from './open-interaction.ts'
import { clockOf } from './configuration.ts'

/**
 * Opens the question of each `UserInput` once; the answer joins the conversation as a message of the user. Without a
 * timeout it waits for ever; with one, it is withdrawn when its time has come. Priority -20.
 */
export const userInput = defineSystem({
  name: 'userInput',
  priority: -20,
  query: [UserInput, Conversation],
  without: [PendingToolCalls, Halted, Terminal],
  each(entity, world, { tick }) {
    const { prompt, timeout, choices, asked } = world.require(entity, UserInput)
    const { now } = clockOf(world)
    if (asked === undefined) {
      const runId = world.findResource<string>('runId') ?? 'run'
      const id = `question-${runId.slice(0, 40)}-${entity}-${tick}`
      const due = timeout === undefined ? {} : { due: now() + timeout }
      world.update(entity, UserInput, (old) => ({ ...old, asked: { id, ...due } }))
      ask(world, entity, {
        id,
        kind: 'question',
        entity,
        prompt,
        ...(choices === undefined ? {} : { choices }),
        ...due,
      })
    } else if (asked.due !== undefined && asked.due <= now()) {
      close(world, entity, asked.id)
      world.remove(entity, UserInput)
      world.emit({ type: 'interaction.expired', entity, id: asked.id })
    }
  },
})

/** Takes back a question that another run asked; with `again` it is asked anew, under an id of its own. */
export function retract(world: World, entity: Entity, { again = false }: { again?: boolean } = {}): void {
  const input = world.get(entity, UserInput)
  if (input?.asked === undefined) return
  const { asked, ...wish } = input
  close(world, entity, asked.id)
  if (again) world.set(entity, UserInput, wish)
  else world.remove(entity, UserInput)
}
