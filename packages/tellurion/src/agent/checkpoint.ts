// Checkpoint: labels ticks while a world runs, so that they can be gone back to by name.

import { defineSystem } from '../world/system.ts'
import { setLabel } from './checkpoint-label.ts'
import { Checkpoint } from './component.ts'

/**
 * Labels ticks: the one in which it meets a `wish`, and those that `every` divides. A tick in which nothing changes is
 * none and gets no label, so a world with labels comes to rest like one without. Opt-in. Priority 90.
 */
export const checkpoint = defineSystem({
  name: 'checkpoint',
  priority: 90,
  query: [Checkpoint],
  each(entity, world, { tick, changed }) {
    const { wish, every } = world.require(entity, Checkpoint)
    if (wish !== undefined) setLabel(world, entity, { label: wish, tick })
    else if (every !== undefined && changed && tick % every === 0)
      setLabel(world, entity, { label: `tick-${tick}`, tick })
  },
})
