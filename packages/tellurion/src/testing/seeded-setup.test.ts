import assert from 'node:assert/strict'
import { test } from 'node:test'
import { user } from '../message/message.ts'
import { complete } from '../model/collect.ts'
import { retry } from '../model/retry.ts'
import { faultyModel } from './faulty-model.ts'
import { scriptedModel } from './scripted-model.ts'
import { seededSetup } from './seeded-setup.ts'

/** When a model with two failures was asked, under one seed. */
async function course(seed: number): Promise<readonly number[]> {
  const { clock, random, ids } = seededSetup(seed, { start: 5_000 })
  assert.deepEqual([ids('run'), ids('run')], ['run_1', 'run_2'])
  const times: number[] = []
  const inner = faultyModel(scriptedModel(['fine']), (call) => {
    times.push(clock.now())
    return call < 2
      ? { fault: 'throw-at-once', error: new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }) }
      : undefined
  })
  const replying = complete(retry(inner, { clock, random }), { messages: [user('hi')] })
  await clock.runAll()
  assert.equal((await replying).status, 'finished')
  return times
}

test('the same seed gives the same course, another seed another', async () => {
  const first = await course(7)
  assert.equal(first.length, 3)
  assert.equal(first[0], 5_000)
  assert.deepEqual(await course(7), first)
  assert.notDeepEqual(await course(8), first)
})
