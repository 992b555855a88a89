// What comes while a run leaves its worker is not lost: input when it is given back or fails, a cancel when it ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import type { Backend } from './backend.ts'
import { memory } from './backend/memory/memory.ts'
import type { Commit, CommitResult } from './run-store.ts'
import { createRuntime } from './runtime.ts'

/** A store that outlives the runtimes on it, and a hand on each commit. */
async function lastingStore(
  around: (commit: Commit, go: () => Promise<CommitResult>) => Promise<CommitResult> = (_commit, go) => go(),
) {
  const backend = await memory()({ clock: systemClock })
  const store = { ...backend.store, commit: (commit: Commit) => around(commit, () => backend.store.commit(commit)) }
  const lasting: Backend = { ...backend, store, close: async () => {} }
  return async () => lasting
}

test('input that a drained attempt had taken in is taken in again by the next one', async () => {
  const store = await lastingStore()
  const asked = Promise.withResolvers<void>()
  const deaf = scriptedModel(() => {
    asked.resolve()
    return new Promise<never>(() => {})
  })
  const first = await createRuntime({
    store,
    agents: [new Agent({ name: 'guide', model: deaf })],
    patience: { grace: 0 },
  })
  const { id } = await first.submit('guide', 'Hello')
  await asked.promise
  await first.close()
  await using second = await createRuntime({
    store,
    agents: [new Agent({ name: 'guide', model: scriptedModel(['Hi.']) })],
  })
  const { messages, text } = await second.run(id).result()
  assert.equal(text, 'Hi.')
  assert.deepEqual(
    messages.map(({ content }) => content),
    ['Hello', 'Hi.'],
  )
})

test('input of an attempt that fails is taken in again by its retry', async () => {
  let refused = 0
  const store = await lastingStore(async (commit, go) => {
    if (commit.end === undefined && refused++ === 0) {
      throw new TellurionError('store_locked', 'The store is locked.', { retryable: true })
    }
    return go()
  })
  const model = scriptedModel(() => 'Hi.')
  await using runtime = await createRuntime({
    store,
    agents: [new Agent({ name: 'guide', model })],
    retry: { initialWait: 1 },
  })
  const run = await runtime.submit('guide', 'Hello')
  const { messages } = await run.result()
  assert.deepEqual(
    messages.map(({ content }) => content),
    ['Hello', 'Hi.'],
  )
  assert.equal((await run.record()).retries, 1)
})

test('a cancel that is taken before the end is kept: the run does not succeed', async () => {
  let cancel: (() => Promise<void>) | undefined
  const store = await lastingStore(async (commit, go) => {
    const result = await go()
    // The runner closes its books: all is done but the end.
    const closing = commit.operations.some(
      ([kind, header]) => kind === 'header' && (header as { runTicks?: number }).runTicks === 0,
    )
    if (closing) await cancel?.()
    return result
  })
  await using runtime = await createRuntime({
    store,
    agents: [new Agent({ name: 'guide', model: scriptedModel(['Hi.']) })],
  })
  const run = await runtime.submit('guide', 'Go', { delay: 5 })
  cancel = () => run.cancel()
  assert.equal((await run.result()).status, 'cancelled')
  assert.equal((await run.record()).status, 'cancelled')
})
