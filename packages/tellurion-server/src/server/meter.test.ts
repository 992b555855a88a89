import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Agent } from 'tellurion'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { systemClock } from 'tellurion/world'
import { createMeter } from './meter.ts'

const log = createLog({ level: 'error', write: () => {} })
const open = () => {
  const agent = new Agent({ name: 'guide', model: scriptedModel(() => 'Hello!') })
  return createRuntime({ store: memory(), agents: [agent] })
}

describe('createMeter', () => {
  it('counts what runs did, each event once, however often it is asked', async () => {
    await using runtime = await open()
    const meter = createMeter({ runtime, clock: systemClock, log })
    for (let index = 0; index < 3; index++) await (await runtime.submit('guide', 'Hi')).result()
    const [first, again] = [await meter.summary(), await meter.summary()]
    assert.deepEqual([first.runs.started, first.runs.succeeded, first.modelCalls], [3, 3, 3])
    assert.deepEqual({ ...again, perMinute: null }, { ...first, perMinute: null })
    await (await runtime.submit('guide', 'Hi')).result()
    assert.equal((await meter.summary()).runs.succeeded, 4)
    meter.close()
  })

  it('counts a run once, whatever is heard of it after its end', async () => {
    await using runtime = await open()
    const meter = createMeter({ runtime, clock: systemClock, log })
    const run = await runtime.submit('guide', 'Hi', { session: 's' })
    await run.result()
    await meter.summary()
    await run.checkpoint('x')
    const { runs, modelCalls } = await meter.summary()
    assert.deepEqual([runs.started, runs.succeeded, modelCalls], [1, 1, 1])
    meter.close()
  })

  it('counts nothing of before', async () => {
    await using runtime = await open()
    const run = await runtime.submit('guide', 'Hi', { session: 's' })
    await run.result()
    const later = { ...systemClock, now: () => systemClock.now() + 1000 }
    const meter = createMeter({ runtime, clock: later, log })
    await run.checkpoint('x')
    const { runs, modelCalls } = await meter.summary()
    assert.deepEqual([runs.started, runs.succeeded, modelCalls], [0, 0, 0])
    meter.close()
  })

  it('passes over a run that is gone', async () => {
    await using runtime = await open()
    const meter = createMeter({ runtime, clock: systemClock, log })
    await (await runtime.submit('guide', 'Hi', { session: 's' })).result()
    assert.equal(await runtime.deleteSession('s'), true)
    await (await runtime.submit('guide', 'Hi')).result()
    assert.equal((await meter.summary()).runs.started, 1)
    meter.close()
  })

  it('is silent when it is closed', async () => {
    await using runtime = await open()
    const meter = createMeter({ runtime, clock: systemClock, log })
    meter.close()
    await (await runtime.submit('guide', 'Hi')).result()
    assert.equal((await meter.summary()).runs.started, 0)
  })
})
