// What the user says, kept for an entity that remembers facts until they have been extracted: the words that came from
// outside, told apart from those that systems and other agents put into a conversation.

import { textOf, type UserMessage } from '../message/message.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { clockOf } from './configuration.ts'
import { FactExtraction } from './fact-component.ts'

/** Characters that wait; the oldest messages go first. */
const capacity = 12_000

/** Keeps what the user has just said, where anybody is to remember it. */
export function overhear(world: World, entity: Entity, message: UserMessage): void {
  const text = textOf(message).trim()
  if (text === '' || !world.has(entity, FactExtraction)) return
  world.update(entity, FactExtraction, ({ said = [], ...rest }) => {
    let length = 0
    const newest = [...said, text.slice(-capacity).toWellFormed()].toReversed()
    const kept = newest.filter((each) => (length += each.length) <= capacity)
    return { ...rest, said: kept.toReversed(), heard: clockOf(world).now() }
  })
}
