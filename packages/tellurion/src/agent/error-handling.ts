// Error handling: the end of every failure. It is logged, shown as an event, and halts the entity until new input
// comes, so that a refused key is one model call and not a hundred.

import type { Log } from '../port/log.ts'
import { Failure, Halted } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import { clockOf } from './configuration.ts'

/** Turns `Failure` into `Halted`, and lifts what is halted only until a time that has come. Priority 99. */
export const errorHandling = defineSystem({
  name: 'errorHandling',
  priority: 99,
  run(world) {
    if (world.count(Failure) > 0) {
      const log = world.findResource<Log>('log')
      for (const [entity, [{ error, system }]] of world.query(Failure)) {
        log?.error(error.message, { code: error.code, system, entity })
        world.emit({ type: 'failure.occurred', entity, error, system })
        world.remove(entity, Failure)
        world.set(entity, Halted, { error })
      }
    }
    if (world.count(Halted) === 0) return
    const { now } = clockOf(world)
    for (const [entity, [{ retryAt }]] of world.query(Halted)) {
      if (retryAt !== undefined && retryAt <= now()) world.remove(entity, Halted)
    }
  },
})
