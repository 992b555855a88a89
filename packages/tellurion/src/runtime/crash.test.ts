// What comes while a run leaves its worker is not lost: input when it is given back or fails, a cancel when it ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { macrotask } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
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
    // The runner has closed its books: all is done but the end.
    if (commit.end?.to === 'succeeded') await cancel?.()
    return go()
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

test('a turn without tools is three commits: its reply, its tick, and its end', async () => {
  const commits: Commit[] = []
  const store = await lastingStore((commit, go) => {
    commits.push(commit)
    return go()
  })
  await using runtime = await createRuntime({
    store,
    agents: [new Agent({ name: 'guide', model: scriptedModel(['Hi.', 'Hi again.']) })],
  })
  for (const turn of [1, 2]) {
    commits.length = 0
    const run = await runtime.submit('guide', 'Hello', { session: 's' })
    assert.equal((await run.outcome()).result.status, 'succeeded')
    assert.deepEqual(
      commits.map(({ finished, end }) => [finished, end?.to]),
      [
        [false, undefined],
        [true, undefined],
        [false, 'succeeded'],
      ],
    )
    // Each turn has a hundred ticks of its own, however many came before.
    assert.equal((await run.at(turn)).header.runTicks, 1)
    assert.equal((await run.at(await run.lastTick())).header.tick, turn)
  }
})

test('a run that is being taken while the runtime closes is not left held', async () => {
  const store = await lastingStore()
  const backend = await store()
  const careful = tool({
    description: 'Asks',
    inputSchema: { type: 'object' },
    needsApproval: true,
    execute: () => 'ok',
  })
  const model = scriptedModel([{ calls: [{ toolName: 'careful', input: {} }] }])
  const agents = [new Agent({ name: 'guide', model, tools: { careful } })]
  const worker = await createRuntime({ store, agents })
  const { id } = await worker.submit('guide', 'Go')
  assert.equal((await worker.run(id).result()).status, 'waiting')
  await worker.close()

  // Somebody cancels from a process that does not work, and goes at once.
  const gate = Promise.withResolvers<void>()
  const beginAttempt: typeof backend.store.beginAttempt = async (run, claim) => {
    await gate.promise
    return backend.store.beginAttempt(run, claim)
  }
  const slow: Backend = { ...backend, store: { ...backend.store, beginAttempt } }
  const desk = await createRuntime({ store: async () => slow, agents, work: false })
  await desk.run(id).cancel()
  let over = false
  const closed = desk.close().then(() => (over = true))
  for (let turn = 0; turn < 5; turn++) await macrotask()
  assert.ok(!over, 'it closed under a run that it was taking')
  gate.resolve()
  await closed
  assert.equal((await backend.store.getRun(id))?.status, 'cancelled')
})

test('a cancel that an attempt had seen when it lost its run is heeded by the next one', async () => {
  const careful = tool({
    description: 'Asks',
    inputSchema: { type: 'object' },
    needsApproval: true,
    execute: () => 'ok',
  })
  const make = () => {
    const model = scriptedModel([{ calls: [{ toolName: 'careful', input: {} }] }, 'Done.'])
    return [new Agent({ name: 'guide', model, tools: { careful } })]
  }
  let cancel: (() => Promise<void>) | undefined
  let died: 'no' | 'now' | 'once' = 'no'
  const store = await lastingStore(async (commit, go) => {
    // It is cancelled while it parks, so it may not park; what it then writes comes through, but not its end.
    if (commit.end?.to === 'waiting') await cancel?.()
    if (commit.end?.to === 'cancelled' && died === 'no') died = 'now'
    return died === 'now' ? { status: 'fenced' } : go()
  })
  const patience = { lease: 40, heartbeat: 10 }
  const first = await createRuntime({ store, agents: make(), patience })
  const run = await first.submit('guide', 'Go', { delay: 5 })
  cancel = () => run.cancel()
  while (died === 'no') await macrotask()
  await first.close()
  died = 'once'
  await using second = await createRuntime({ store, agents: make(), patience })
  assert.equal((await second.run(run.id).result()).status, 'cancelled')
})
