import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { systemClock } from '../clock/clock.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { defineComponent } from '../world/component.ts'
import { snapshot } from '../world/snapshot.ts'
import { defineSystem } from '../world/system.ts'
import type { Backend } from './backend.ts'
import { memory } from './backend/memory/memory.ts'
import type { StoredState } from './run-store.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { createShelf } from './shelf.ts'
import { revive } from './revival.ts'

const version1 = defineComponent<{ n: number }>('Counted')
const version2 = defineComponent<{ n: number; from: number }>('Counted', undefined, {
  version: 2,
  migrate: (old, from) => ({ n: (old as { n: number }).n, from }),
})

/** An agent that counts its ticks in either version. */
function counter(component: typeof version1 | typeof version2): Agent {
  const count = defineSystem({
    name: 'count',
    priority: 500,
    run(world, { changed }) {
      if (!changed) return
      const old = world.get(1 as never, component as typeof version2) ?? { n: 0, from: 2 }
      world.set(1 as never, component as typeof version2, { ...old, n: old.n + 1 })
    },
  })
  const model = scriptedModel(Array.from({ length: 50 }, (_, index) => `Answer ${index}.`))
  return new Agent({ name: 'counter', model, systems: [count] })
}

/** A backend that outlives its runtimes, and what it was asked to load. */
async function sharedBackend(): Promise<{ backend: Backend; loads: (StoredState | undefined)[] }> {
  const opened = await memory()({ clock: systemClock })
  const loads: (StoredState | undefined)[] = []
  const store = {
    ...opened.store,
    async load(...asked: Parameters<Backend['store']['load']>) {
      const state = await opened.store.load(...asked)
      loads.push(state)
      return state
    },
    close: async () => {},
  }
  return { backend: { ...opened, store, close: async () => {} }, loads }
}

function open(backend: Backend, component: typeof version1 | typeof version2 = version1): Promise<Runtime> {
  const state = { components: [component] }
  return createRuntime({ store: async () => backend, agents: [counter(component)], state })
}

async function say(runtime: Runtime, content: string): Promise<string> {
  const run = await runtime.submit('counter', content, { session: 's' })
  const { result, error } = await run.outcome()
  return error?.message ?? result.status
}

test('a session that goes on here is read on, not read again', async () => {
  const { backend, loads } = await sharedBackend()
  await using runtime = await open(backend)
  for (let turn = 0; turn < 6; turn++) equal(await say(runtime, `say ${turn}`), 'succeeded')
  deepEqual(
    loads.map((state) => state?.since !== undefined),
    [false, true, true, true, true, true],
  )
  ok(loads.slice(1).every((state) => state!.rows.length < 6))
  const messages = await runtime.session('counter', { id: 's' }).messages()
  equal(messages.length, 12)
})

test('what another process has written meanwhile is read on, too', async () => {
  const { backend } = await sharedBackend()
  await using here = await open(backend)
  await say(here, 'one')
  {
    await using there = await open(backend)
    await say(there, 'two')
    await say(there, 'three')
  }
  await say(here, 'four')
  const messages = await here.session('counter', { id: 's' }).messages()
  deepEqual(
    messages.filter(({ role }) => role === 'user').map(({ content }) => content),
    ['one', 'two', 'three', 'four'],
  )
})

test('what the shelf opens is what the whole journal says, and what is done to it stays with whoever does it', async () => {
  const { backend } = await sharedBackend()
  await using runtime = await open(backend)
  const components = [...new Set([...counter(version1).components, version1])]
  const setting = { components, retired: [] }
  const shelf = createShelf(backend.store, setting)
  for (let turn = 0; turn < 5; turn++) {
    await say(runtime, `say ${turn}`)
    const { branch } = (await runtime.getSession('s'))!
    const whole = (await backend.store.load(branch))!
    for (let again = 0; again < 2; again++) {
      const { revive: bring, ...standing } = (await shelf.open(branch))!
      const { seq, snapshotBytes, tailBytes } = whole
      deepEqual(standing, { seq, tick: whole.rows.at(-1)!.tick, snapshotBytes, tailBytes })
      const { world } = bring()
      deepEqual(snapshot(world), snapshot(revive(whole, setting)))
      world.set(1 as never, version1, { n: -1 })
    }
  }
  equal(await shelf.open('nowhere'), undefined)
})

test('a session that is too large for the shelf, or whose journal has a newer snapshot, is read whole', async () => {
  const { backend, loads } = await sharedBackend()
  await using runtime = await open(backend)
  const long = 'x'.repeat(50_000)
  for (let turn = 0; turn < 6; turn++) equal(await say(runtime, `${turn} ${long}`), 'succeeded')
  ok(loads.some((state) => state?.snapshot !== undefined))
  const messages = await runtime.session('counter', { id: 's' }).messages()
  deepEqual(
    messages.filter(({ role }) => role === 'user').map(({ content }) => String(content)[0]),
    ['0', '1', '2', '3', '4', '5'],
  )
})

test('a session that was migrated goes on, here and in the next process', async () => {
  const { backend } = await sharedBackend()
  const counted = async (runtime: Runtime, component: typeof version1 | typeof version2): Promise<unknown> => {
    const [run] = await runtime.runs({ session: 's', limit: 1 })
    const handle = runtime.run(run!.id)
    return (await handle.at(await handle.lastTick())).get(1 as never, component as typeof version2)
  }
  {
    await using old = await open(backend, version1)
    for (let turn = 0; turn < 3; turn++) equal(await say(old, `say ${turn}`), 'succeeded')
    deepEqual(await counted(old, version1), { n: 3, from: 2 })
  }
  for (const wanted of [5, 7]) {
    await using young = await open(backend, version2)
    for (let turn = 0; turn < 2; turn++) equal(await say(young, `say ${turn}`), 'succeeded')
    deepEqual(await counted(young, version2), { n: wanted, from: 1 })
  }
})
