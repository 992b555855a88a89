// Four worker processes share one SQLite file and are killed at random, two hundred times, while runs keep coming.
// TELLURION_KILLS says how often; a machine that is busy with other things kills for 35 seconds and says how often it was.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../packages/tellurion/src/clock/clock.ts'
import { systemRandom } from '../packages/tellurion/src/id/random.ts'
import { openCrew } from './crash-crew.ts'

const kills = Number(process.env['TELLURION_KILLS'] ?? 200)
const runsPerKill = 10
const budget = 35_000

test(`${kills} times kill -9 on 4 workers loses nothing and doubles nothing`, async (context) => {
  const crew = await openCrew({ lease: 800, slowest: 120 })
  try {
    const began = systemClock.monotonic()
    await Promise.all([crew.hire(), crew.hire(), crew.hire(), crew.hire()])
    let unknown = 0
    let killed = 0
    for (; killed < kills && systemClock.monotonic() - began < budget; killed++) {
      const calls = killed % 5 === 0 ? ['never', 'keyed'] : killed % 2 === 0 ? ['keyed', 'keyed'] : ['keyed']
      await crew.submit(runsPerKill, calls)
      await pause(systemRandom() * 100)
      const victim = crew.workers[Math.floor(systemRandom() * crew.workers.length)]!
      victim.kill('SIGKILL')
      void crew.hire()
      while (crew.workers.length > 4) await pause(5)
      if (killed % 10 === 0) unknown += await crew.answer()
    }
    await crew.drained(60_000)
    const seconds = ((systemClock.monotonic() - began) / 1000).toFixed(1)
    const { runs, lost, gapped, doubled, again, repeated } = await crew.inspect()
    context.diagnostic(
      `${runs} runs, ${killed} kills in ${seconds} s: lost ${lost}, gapped ${gapped}, doubled ${doubled}; ` +
        `calls made again under their key ${again}, never-calls repeated ${repeated}, asked about ${unknown} or more`,
    )
    assert.deepEqual({ lost, gapped, doubled, repeated }, { lost: 0, gapped: 0, doubled: 0, repeated: 0 })
    assert.equal(runs, killed * runsPerKill)
    assert.ok(again > 0 || killed < 50, 'no kill met a call at work, so this test showed nothing')
  } finally {
    await crew.close()
  }
})
