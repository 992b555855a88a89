import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from 'tellurion'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { sleep, systemClock } from 'tellurion/world'
import { createNewsDesk } from './run-news.ts'

const agent = (): Agent => new Agent({ name: 'guide', model: scriptedModel(() => 'Hi', { delay: 30 }) })

describe('news of runs', () => {
  test('are told to all who listen, each once, while somebody does', async () => {
    const runtime = await createRuntime({ store: memory(), agents: [agent()] })
    const desk = createNewsDesk({ runtime, clock: systemClock })
    const before = await runtime.submit('guide', 'Before')
    // What was made in the millisecond in which somebody began to listen is new.
    await sleep(5)
    const heard: [string, string, string][] = []
    const also: string[] = []
    const stop = desk.listen(({ kind, record }) => heard.push([record.id, kind, record.status]))
    const stopOther = desk.listen(({ kind }) => also.push(kind))
    const run = await runtime.submit('guide', 'Hi')
    await Promise.all([run.result(), before.result()])
    const of = (id: string): string[] => heard.flatMap(([each, kind]) => (each === id ? kind : []))
    for (let tries = 0; tries < 3000; tries++) {
      if ([run, before].every(({ id }) => of(id).includes('completed'))) break
      await sleep(10)
    }
    assert.equal(of(run.id)[0], 'created')
    assert.equal(of(run.id).at(-1), 'completed')
    assert.equal(of(run.id).filter((kind) => kind === 'completed').length, 1)
    assert.ok(!of(before.id).includes('created'))
    assert.equal(of(before.id).at(-1), 'completed')
    assert.deepEqual(
      also,
      heard.map(([, kind]) => kind),
    )
    stop()
    stopOther()
    const count = heard.length
    await (await runtime.submit('guide', 'After')).result()
    await sleep(60)
    assert.equal(heard.length, count)
    await runtime.close()
  })

  test('of a run that waits in the queue come when it was made', async () => {
    const runtime = await createRuntime({ store: memory(), agents: [agent()], work: false })
    const desk = createNewsDesk({ runtime, clock: systemClock })
    const heard: string[] = []
    const stop = desk.listen(({ kind, record }) => heard.push(`${kind} ${record.status}`))
    const run = await runtime.submit('guide', 'Hi', { delay: 60_000 })
    while (heard.length === 0) await sleep(5)
    await run.cancel()
    await run.work()
    while (!heard.some((line) => line.startsWith('completed'))) await sleep(5)
    await sleep(20)
    assert.deepEqual(heard, ['created queued', 'completed cancelled'])
    stop()
    await runtime.close()
  })
})
