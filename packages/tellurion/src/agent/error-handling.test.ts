// The end of a failure: logged, shown, halted, and lifted when its time has come.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorData } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import type { Log, LogFields } from '../port/log.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { defineComponent } from '../world/component.ts'
import { Failure, Halted } from '../world/lifecycle.ts'
import { run } from '../world/runner.ts'
import { defineSystem } from '../world/system.ts'
import { World } from '../world/world.ts'
import { errorHandling } from './error-handling.ts'

const Mark = defineComponent<{ readonly bad: boolean }>('Mark')
const error: ErrorData = { code: 'model_service', message: 'down', retryable: true }

/** A log that keeps its lines. */
function keepingLog(): Log & { readonly lines: (readonly [string, LogFields | undefined])[] } {
  const lines: (readonly [string, LogFields | undefined])[] = []
  const line = (message: string, fields?: LogFields): void => void lines.push([message, fields])
  const log = { lines, debug: line, info: line, warn: line, error: line, with: () => log }
  return log
}

const throwing = defineSystem({
  name: 'throwing',
  query: [Mark],
  without: [Halted],
  each(entity, world) {
    if (world.require(entity, Mark).bad) throw new Error('no luck')
  },
})

test('what a system threw is logged once, shown as an event, and halts that entity alone', async () => {
  const log = keepingLog()
  const world = new World({ resources: { log }, systems: [throwing, errorHandling] })
  const well = world.spawn(Mark({ bad: false }))
  const ill = world.spawn(Mark({ bad: true }))
  const events: Event[] = []
  world.on('failure.occurred', (event) => events.push(event))
  assert.deepEqual(await run(world), { reason: 'idle', ticks: 1 })
  const said = { code: 'system_failed', message: 'no luck', retryable: false }
  assert.deepEqual(log.lines, [['no luck', { code: 'system_failed', system: 'throwing', entity: ill }]])
  assert.deepEqual(events, [{ type: 'failure.occurred', entity: ill, error: said, system: 'throwing' }])
  assert.deepEqual(world.get(ill, Halted), { error: said })
  assert.equal(world.has(ill, Failure), false)
  assert.equal(world.has(well, Halted), false)
})

test('an entity that is halted until a time is waited for, and goes on when it has come', async () => {
  const clock = virtualClock(1_000)
  const world = new World({ resources: { clock }, systems: [errorHandling] })
  const entity = world.spawn(Halted({ error, retryAt: 2_000 }))
  assert.deepEqual(await run(world), { reason: 'waiting', due: 2_000, ticks: 0 })
  await clock.advance(1_000)
  assert.deepEqual(await run(world), { reason: 'idle', ticks: 1 })
  assert.equal(world.has(entity, Halted), false)
})

test('a main entity that is halted for good fails the run with its error', async () => {
  const world = new World({ systems: [errorHandling] })
  world.spawn(Failure({ error, system: 'reasoning', tick: 1 }))
  assert.deepEqual(await run(world), { reason: 'failed', error, ticks: 1 })
})
