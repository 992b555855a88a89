import assert from 'node:assert/strict'
import { test } from 'node:test'
import { macrotask } from '../../testing/virtual-clock.ts'
import type { Hint } from '../hints.ts'
import { createHintHub } from './hint-hub.ts'

test('equal hints of one moment are told once, and news of a log give way to those that say more', async () => {
  const hub = createHintHub()
  const heard: Hint[] = []
  const stop = hub.listen((hint) => heard.push(hint))
  const sent: readonly Hint[] = [
    { type: 'run', run: 'a', log: true },
    { type: 'run', run: 'a', log: true },
    { type: 'run', run: 'b', log: true },
    { type: 'run', run: 'b' },
    { type: 'run', run: 'c' },
    { type: 'run', run: 'c', log: true },
    { type: 'queue' },
    { type: 'queue' },
  ]
  for (const hint of sent) hub.send(hint)
  await macrotask()
  assert.deepEqual(heard, [
    { type: 'run', run: 'a', log: true },
    { type: 'run', run: 'b' },
    { type: 'run', run: 'c' },
    { type: 'queue' },
  ])
  stop()
  hub.send({ type: 'queue' })
  await macrotask()
  assert.equal(heard.length, 4)
})

test('who listens to one run hears of it alone, until it stops', async () => {
  const hub = createHintHub()
  const heard: Hint[] = []
  const stops = [hub.listen((hint) => heard.push(hint), 'a'), hub.listen(() => {}, 'a')]
  const send = async (): Promise<void> => {
    for (const run of ['a', 'b']) for (const type of ['run', 'mail'] as const) hub.send({ type, run })
    hub.send({ type: 'queue' })
    await macrotask()
  }
  await send()
  assert.deepEqual(heard, [
    { type: 'mail', run: 'a' },
    { type: 'run', run: 'a' },
  ])
  for (const stop of [...stops, ...stops]) stop()
  await send()
  assert.equal(heard.length, 2)
})
