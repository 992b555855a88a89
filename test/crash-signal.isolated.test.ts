// Workers that are stopped for longer than their lease and go on as zombies, and workers that are told to end at any
// moment: nobody commits for a run that another one holds, and nothing is held by one who is gone.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../packages/tellurion/src/clock/clock.ts'
import { systemRandom } from '../packages/tellurion/src/id/random.ts'
import { openCrew } from './crash-crew.ts'

const clean = { lost: 0, gapped: 0, doubled: 0, repeated: 0 }
const rounds = Number(process.env['TELLURION_SIGNALS'] ?? 20)

describe('signals', () => {
  test('a worker that was stopped past its lease goes on as a zombie whose work is refused', async (context) => {
    const crew = await openCrew({ lease: 400, slowest: 150 })
    try {
      await Promise.all([crew.hire(), crew.hire(), crew.hire()])
      let stopped = 0
      while (stopped < rounds / 2) {
        await crew.submit(20, ['keyed', stopped % 2 === 0 ? 'keyed' : 'never'])
        await pause(systemRandom() * 150)
        const zombie = await crew.busiest()
        stopped++
        zombie.kill('SIGSTOP')
        await pause(400 + systemRandom() * 600)
        zombie.kill('SIGCONT')
        await crew.answer()
      }
      await crew.drained(30_000)
      assert.equal(crew.workers.length, 3, 'a zombie that is refused goes on with other runs')
      // What a zombie finished after another one had taken over: it wrote the end of its call, and the store has the other's.
      let late = 0
      const ends = crew.effects().filter(({ point }) => point === 'end')
      for (const [id, calls] of crew.accepted) {
        const results = (await crew.desk.run(id).result()).messages.filter(({ role }) => role === 'tool')
        assert.equal(results.length, calls.length)
        for (const result of results) {
          if (result.role !== 'tool') continue
          const others = ends.filter(({ run, call }) => run === id && call === result.toolCallId)
          late += Math.max(0, others.length - 1)
        }
      }
      const { lost, gapped, doubled, repeated, ...rest } = await crew.inspect()
      context.diagnostic(
        `${rest.runs} runs, ${stopped} stops past the lease: ${late} results of zombies refused; ` +
          `lost ${lost}, gapped ${gapped}, doubled ${doubled}, never-calls repeated ${repeated}`,
      )
      assert.deepEqual({ lost, gapped, doubled, repeated }, clean)
      assert.ok(late > 0, 'no zombie came back with a result, so this test showed nothing')
    } finally {
      await crew.close()
    }
  })

  test('a worker that is told to end does so, with 0, soon, and holds nothing', async (context) => {
    const crew = await openCrew({ lease: 5000, slowest: 200 })
    try {
      await Promise.all([crew.hire(), crew.hire()])
      let slowest = 0
      for (let round = 0; round < rounds; round++) {
        await crew.submit(10, round % 4 === 0 ? ['never'] : ['keyed', 'keyed'])
        const worker = crew.workers[round % crew.workers.length]!
        await pause(systemRandom() * 150)
        const began = systemClock.monotonic()
        worker.kill('SIGTERM')
        const [code, signal] = (await once(worker, 'exit')) as [number | null, string | null]
        slowest = Math.max(slowest, systemClock.monotonic() - began)
        assert.deepEqual({ code, signal }, { code: 0, signal: null })
        const held = (await crew.desk.runs({ status: ['running'], limit: 1000 })).filter((run) =>
          run.worker?.startsWith(`worker_${worker.pid}-`),
        )
        assert.deepEqual(held, [], 'it left runs behind that it holds')
        await crew.hire()
      }
      await crew.drained(30_000)
      const { lost, gapped, doubled, repeated, runs, again } = await crew.inspect()
      context.diagnostic(
        `${runs} runs, ${rounds} times SIGTERM, slowest end ${Math.round(slowest)} ms: ` +
          `lost ${lost}, gapped ${gapped}, doubled ${doubled}, made again ${again}`,
      )
      assert.deepEqual({ lost, gapped, doubled, repeated }, clean)
      assert.ok(slowest < 10_000)
    } finally {
      await crew.close()
    }
  })
})
