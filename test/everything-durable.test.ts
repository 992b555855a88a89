// Every system in durable runs, on every material: workers that die after a random commit, people who answer and steer from
// outside, forks of what has ended. Whatever happens, each run ends, and the laws of worlds hold.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { TellurionError } from 'tellurion'
import { createRuntime, hasEnded, memory, type Backend, type BackendOpener, type Runtime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { macrotask, seededSetup } from 'tellurion/testing'
import { systemClock } from 'tellurion/world'
import { answerTo, cast, faults, type Cast } from './everything.ts'

const patience = { lease: 5, heartbeat: 1, grace: 0 }

/** A backend whose first worker dies with its `point`-th commit: the commit is kept, and nobody hears of it. */
function mortal(backend: Backend, point: number): { backend: Backend; isDead: () => boolean } {
  const death = new AbortController()
  let commits = 0
  const store: Backend['store'] = {
    ...backend.store,
    async commit(commit) {
      if (death.signal.aborted) return { status: 'fenced' }
      const result = await backend.store.commit(commit)
      if (++commits < point) return result
      death.abort()
      return { status: 'fenced' }
    },
    heartbeat: async () => [],
    beginAttempt: async (run, claim) => (death.signal.aborted ? undefined : backend.store.beginAttempt(run, claim)),
  }
  const queue: Backend['queue'] = {
    ...backend.queue,
    consume: (consumer, { signal }) =>
      backend.queue.consume(consumer, { signal: AbortSignal.any([signal, death.signal]) }),
  }
  return {
    backend: { ...backend, store, queue, close: async () => {} },
    isDead: () => death.signal.aborted,
  }
}

/** Sees a run to its end, answering whatever it and those who work for it ask. */
async function seeToEnd(
  runtime: Runtime,
  id: string,
  { setup: { random } }: Cast,
  isOver = () => false,
): Promise<string> {
  const run = runtime.run(id)
  for (const end = systemClock.monotonic() + 30_000; systemClock.monotonic() < end && !isOver();) {
    const { status } = await run.record()
    if (hasEnded(status)) return status
    for (const { id: question, kind } of await runtime.interactions.list({})) {
      const said = answerTo(kind, random, { standing: false })
      await runtime.interactions.answer(question, said, { by: 'ada' }).catch((error: unknown) => {
        if (!(error instanceof TellurionError)) throw error
      })
    }
    if (random() < 0.02) await run.steer('And be quick.').catch(() => {})
    await macrotask()
  }
  return 'never'
}

/** The laws of the world of a run as it is now. */
async function wrongIn(runtime: Runtime, id: string, { agents }: Cast): Promise<string[]> {
  const run = runtime.run(id)
  const world = await run.at(await run.lastTick())
  return faults(world, agents, [])
}

/** A seed's run, whose first worker dies after a random commit, and a fork of what it came to. Says how the run ended. */
async function course(seed: number, open: BackendOpener): Promise<string> {
  const { random } = seededSetup(seed)
  const played = cast(seed, { hasty: true })
  const agents = [played.agents[0]!]
  const backend = await open({ clock: systemClock })
  const first = mortal(backend, 1 + Math.floor(random() * 40))
  const lasting: Backend = { ...backend, close: async () => {} }
  await using stack = new AsyncDisposableStack()
  stack.defer(() => backend.close())
  const one = stack.use(await createRuntime({ store: async () => first.backend, agents, patience }))
  const { id } = await one.submit('ada', 'Begin. My name is Ada.', { user: 'ada', session: `s${seed}` })
  let status = await seeToEnd(one, id, played, first.isDead)
  const two = stack.use(await createRuntime({ store: async () => lasting, agents, patience }))
  if (first.isDead()) status = await seeToEnd(two, id, played)
  assert.notEqual(status, 'never', `seed ${seed}`)
  assert.deepEqual(await wrongIn(two, id, played), [], `seed ${seed}`)
  const run = two.run(id)
  const last = await run.lastTick()
  const how = first.isDead() ? `${status} by another` : status
  // A run may fail in its first tick.
  if (last === 0) return how
  const { id: forked } = await run.fork({ tick: 1 + Math.floor(random() * last) })
  assert.notEqual(await seeToEnd(two, forked, played), 'never', `seed ${seed}, forked`)
  assert.deepEqual(await wrongIn(two, forked, played), [], `seed ${seed}, forked`)
  return how
}

const seeds = Number(process.env['EVERYTHING_DURABLE_SEEDS'] ?? 8)

const folder = mkdtempSync(join(tmpdir(), 'everything-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const materials = {
  memory: () => memory(),
  sqlite: (seed: number) => sqlite(join(folder, `${seed}.db`), { synchronous: 'normal' }),
}

for (const [material, open] of Object.entries(materials)) {
  describe(`every system in durable runs on ${material}`, () => {
    test('workers die, others go on, and no law is broken', async () => {
      const ended = new Map<string, number>()
      for (let seed = 1; seed <= seeds; seed++) {
        const how = await course(seed, open(seed))
        ended.set(how, (ended.get(how) ?? 0) + 1)
      }
      assert.ok((ended.get('succeeded by another') ?? 0) > 0, [...ended].join(' '))
    })
  })
}
