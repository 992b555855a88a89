// The past that is not kept any more: dropped by the worker when its time has come, and said to be gone.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { sleep, systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { textOf } from '../message/message.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import type { RunEvent } from './run-events.ts'
import type { RunHandle } from './run-handle.ts'
import { createRuntime } from './runtime.ts'
import type { RuntimeOptions } from './runtime-options.ts'

const day = 86_400_000
const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

/** Answers at a length that makes a snapshot due every few turns. */
const talker = (): Agent =>
  new Agent({ name: 'talker', model: scriptedModel(({ messages }) => `${messages.length} `.repeat(6_000)) })

async function grow(options: Partial<RuntimeOptions>, material: (typeof materials)[number]) {
  let late = 0
  const clock = { ...systemClock, now: () => systemClock.now() + late }
  const runtime = await createRuntime({
    store: backendPlace(material),
    agents: [talker()],
    patience: { idle: 1_000 * day, heartbeat: 2 },
    ports: { clock },
    ...options,
  })
  const chat = runtime.session('talker', { id: 's' })
  const runs: RunHandle[] = []
  for (let turn = 0; turn < 12; turn++) {
    const said = chat.stream(`turn ${turn}`)
    await said.result()
    runs.push(await said.run)
  }
  /** Lets time pass, and the worker clean up at its next beats. */
  const pass = async (time: number, options: { gone?: true } = {}): Promise<void> => {
    late += time
    await sleep(20)
    const first = runs[0]!
    while (
      options.gone === true &&
      (await eventsOf(first).then(
        () => true,
        () => false,
      ))
    )
      await sleep(5)
  }
  return { pass, runtime, chat, runs }
}

async function eventsOf(run: RunHandle, after = 0): Promise<RunEvent[]> {
  const found: RunEvent[] = []
  for await (const event of run.events({ after })) found.push(event)
  return found
}

for (const material of materials) {
  describe(`retention on ${material}`, () => {
    test('drops what is older than it should be kept, and no more', async () => {
      const { pass, runtime, chat, runs } = await grow({ retention: { past: 7 * day } }, material)
      await using _runtime = runtime
      const [first, last] = [runs[0]!, runs.at(-1)!]
      const end = await last.lastTick()
      const whole = (await chat.messages()).map(textOf)
      await pass(6 * day)
      assert.equal((await last.at(1)).header.tick, 1, 'not yet')
      await pass(2 * day, { gone: true })
      await assert.rejects(last.at(1), code('unknown_tick'))
      await assert.rejects(first.fork({ tick: 0 }), code('unknown_tick'))
      assert.deepEqual((await chat.messages()).map(textOf), whole, 'the conversation stands')
      assert.equal((await last.at(end)).header.tick, end)
      assert.equal((await first.record()).status, 'succeeded')

      const gone = await first
        .events()
        .next()
        .catch((error: TellurionError) => error)
      assert.ok(gone instanceof TellurionError && gone.code === 'events_dropped')
      const { events } = await first.record()
      assert.deepEqual(gone.data, { oldest: events + 1 })
      assert.deepEqual(await eventsOf(first, events), [])
      await assert.rejects(first.log(), code('events_dropped'))
      assert.deepEqual(await first.log({ after: events }), [])
      assert.equal((await eventsOf(last)).length, (await last.record()).events)

      assert.match((await chat.generate('and on')).text, /^25 /)
      await chat.undo()
      assert.deepEqual((await chat.messages()).map(textOf), whole)
    })

    test('in the middle of a run names the oldest event that is kept', async () => {
      const { pass, runtime, runs } = await grow({ retention: { past: day } }, material)
      await using _runtime = runtime
      await pass(2 * day, { gone: true })
      const kept: number[] = []
      for (const run of runs) {
        const { events } = await run.record()
        for (let after = 0; after <= events; after++) {
          const read = await eventsOf(run, after).catch((error: TellurionError) => error)
          if (!(read instanceof TellurionError)) {
            assert.deepEqual(
              read.map(({ seq }) => seq),
              Array.from({ length: events - after }, (_, index) => after + index + 1),
            )
            kept.push(read.length)
            break
          }
          assert.ok(Number(read.data?.['oldest']) > after + 1)
        }
      }
      assert.equal(kept.length, runs.length)
      assert.ok(kept.some((count) => count === 0) && kept.some((count) => count > 3))
    })

    test('keeps everything where nothing else is said', async () => {
      const { pass, runtime, runs } = await grow({}, material)
      await using _runtime = runtime
      await pass(400 * day)
      assert.equal((await runs[0]!.at(1)).header.tick, 1)
      assert.ok((await eventsOf(runs[0]!)).length > 3)
    })
  })
}
