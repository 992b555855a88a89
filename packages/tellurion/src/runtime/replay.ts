// Replaying recorded operations as writes of a world's own, so that they join its pending delta.

import { TellurionError } from '../error/error.ts'
import type { Component, LogComponent, ValueComponent } from '../world/component.ts'
import type { Operation } from '../world/delta.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'

/** Writes what the operations say. The world must be in the state they were recorded from. Throws `unknown_component`. */
export function replay(world: World, operations: readonly Operation[], components: readonly Component[]): void {
  const named = (name: string): Component => {
    const found = components.find((component) => component.name === name)
    if (found !== undefined) return found
    throw new TellurionError(
      'unknown_component',
      `${name} is not declared: pass it to createRuntime in state.components.`,
    )
  }
  for (const operation of operations) {
    switch (operation[0]) {
      case 'spawn':
        world.spawn()
        break
      case 'destroy':
        world.destroy(operation[1] as Entity)
        break
      case 'set':
        world.set(operation[1] as Entity, named(operation[2]) as ValueComponent<unknown>, operation[3])
        break
      case 'remove':
        world.remove(operation[1] as Entity, named(operation[2]))
        break
      case 'append':
        world.append(operation[1] as Entity, named(operation[2]) as LogComponent<unknown>, ...operation[3])
        break
      case 'splice': {
        const [, entity, name, start, deleteCount, items] = operation
        world.splice(entity as Entity, named(name) as LogComponent<unknown>, { start, deleteCount, items })
        break
      }
      case 'header':
        // The runner keeps its own books.
        break
      default:
        operation satisfies never
    }
  }
}
