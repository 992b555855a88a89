// A worker looks for what others have lost, whatever becomes of the clock.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../clock/clock.ts'
import { draftRun } from '../testing/run-store-draft.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'

test('a worker whose clock was set back still takes over what a dead one held', async () => {
  const time = virtualClock(10_000_000)
  let shift = 0
  const clock: Clock = { ...time, now: () => time.now() + shift }
  const backend = await memory()({ clock })
  const agent: AgentRuntime = { key: 'echo', run: async () => ({ output: 'done' }) }
  await using runtime = await createRuntime({
    store: async () => backend,
    agents: [agent],
    ports: { clock },
    patience: { lease: 300, heartbeat: 100 },
  })
  await time.advance(500)
  shift = -3_600_000
  const now = clock.now()
  const made = backend.store.createRun(draftRun('r', { input: { input: 'go' }, now, availableAt: now }))
  const begun = backend.store.beginAttempt('r', { worker: 'dead', now, leaseUntil: now + 300 })
  await made
  assert.equal((await begun)?.worker, 'dead')
  for (let step = 0; step < 20; step++) await time.advance(100)
  assert.equal((await runtime.run('r').record()).status, 'succeeded')
})
