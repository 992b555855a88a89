// Stored runs outlive upgrades: every state that any version has written loads in this one, by its snapshot and by its
// deltas, is written anew in present versions, and goes on. (G15)

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import {
  foreignAgent,
  goldenAgent,
  goldenComponents,
  playGolden,
  textsOf,
  type GoldenState,
} from '../gate/golden-scene.ts'
import { filesOf, root } from '../gate/source.ts'
import { user, type Agent } from '../packages/tellurion/src/index.ts'
import { Conversation, LLM, Steering, answer, hear, openInteractions } from '../packages/tellurion/src/agent/index.ts'
import { createRuntime, memory } from '../packages/tellurion/src/runtime/index.ts'
import type { AgentRuntime, RunHandle, Runtime } from '../packages/tellurion/src/runtime/index.ts'
import { revive } from '../packages/tellurion/src/runtime/revival.ts'
import type { ScriptedReply } from '../packages/tellurion/src/testing/index.ts'
import {
  Halted,
  World,
  systemClock,
  defineComponent,
  restore,
  run,
  snapshot,
  type Stop,
} from '../packages/tellurion/src/world/index.ts'

const corpus = filesOf('test/golden/*/*.json').map(({ path, text }) => {
  return { name: `${basename(dirname(path))}/${basename(path, '.json')}`, stored: JSON.parse(text) as GoldenState }
})
const { version } = JSON.parse(readFileSync(join(root, 'packages/tellurion/package.json'), 'utf8')) as {
  version: string
}

/** A component of somebody else, two versions later; its sister is gone. */
const Mood = defineComponent<{ readonly value: number; readonly word: string }>('Mood', undefined, {
  version: 2,
  migrate(stored) {
    const { value } = stored as { readonly value: number }
    return { value, word: value > 2 ? 'upset' : 'calm' }
  },
})
const components = [...goldenComponents, Mood]
const retired = ['Diary']

const fromSnapshot = ({ world }: GoldenState): World => restore(world, { components, retired })
const fromRows = ({ state }: GoldenState): World =>
  revive({ ...state, seq: 0, snapshotBytes: 0, tailBytes: 0 }, { components, retired })

/** The newest state of a scene: it is the same in all versions, but for its shapes. */
function newest(scene: string): GoldenState {
  const found = corpus.findLast(({ name }) => name.endsWith(`/${scene}`))
  assert.ok(found, `no version has written the scene ${scene}`)
  return found.stored
}

/** Lets the agent of the scenes go on in a world. */
async function goOn(world: World, replies: readonly ScriptedReply[]): Promise<{ stop: Stop; text: string }> {
  goldenAgent(replies).bindTo(world)
  const [found] = world.query(LLM, Conversation)
  const stop = await run(world, { main: found![0] })
  return { stop, text: textsOf(world).at(-1) ?? '' }
}

/** A runtime of today on whose store a run of then waits for a person. */
async function upgraded(
  stored: GoldenState,
  agent: Agent | AgentRuntime,
): Promise<{ runtime: Runtime; run: RunHandle }> {
  const backend = await memory()({ clock: systemClock })
  const { store } = backend
  const name = 'key' in agent ? agent.key : agent.name
  const whose = { id: 'run_1', agent: name, session: 's', ownSession: false, user: 'u', newBranch: 'b' }
  await store.createRun({ ...whose, input: null, priority: 0, metadata: {}, availableAt: 0, now: 0 })
  await store.beginAttempt('run_1', { worker: 'of old', now: 0, leaseUntil: 1000 })
  const fixed = { run: 'run_1', branch: 'b', epoch: 1, events: [], firstEvent: 1, read: 1, now: 0 }
  const interactions = openInteractions(fromRows(stored))
  const rows = stored.state.rows.map((row, seq) => ({ ...fixed, ...row, run: 'run_1', seq }))
  const parked = { ...rows.at(-1)!, seq: rows.length, operations: [], finished: false, end: { to: 'waiting' as const } }
  for (const row of [...rows, { ...parked, interactions }]) assert.equal((await store.commit(row)).status, 'committed')
  const runtime = await createRuntime({ store: async () => backend, agents: [agent] })
  return { runtime, run: runtime.run('run_1') }
}

describe('the golden corpus', () => {
  test('holds what this version writes; `npm run golden` adds it', async () => {
    const names = new Set(corpus.map(({ name }) => name))
    const missing = [...(await playGolden(version)).keys()].filter((name) => !names.has(`${version}/${name}`))
    assert.deepEqual(missing, [])
  })

  for (const { name, stored } of corpus) {
    test(`${name} loads, by its snapshot and by its rows`, () => {
      const world = fromSnapshot(stored)
      assert.deepEqual(textsOf(world), stored.texts)
      assert.deepEqual(snapshot(fromRows(stored)), snapshot(world))
    })

    test(`${name} is written anew in the versions of today`, () => {
      const anew = snapshot(fromSnapshot(stored))
      for (const { name: component, version: present } of components) {
        const column = anew.components[component]
        if (column !== undefined) assert.equal(column.version, present)
      }
      assert.deepEqual(snapshot(restore(JSON.parse(JSON.stringify(anew)), { components })), anew)
      assert.deepEqual(anew.header, stored.world.header)
    })
  }
})

describe('a golden state goes on', () => {
  test('with its conversation', async () => {
    const world = fromRows(newest('chat-with-tools'))
    const [found] = world.query(LLM)
    hear(world, found![0], user('And 3 + 4?'))
    const replies = [{ calls: [{ toolName: 'add', toolCallId: 'n1', input: { a: 3, b: 4 } }] }, 'It is 7.']
    const { stop, text } = await goOn(world, replies)
    assert.deepEqual([stop.reason, text], ['idle', 'It is 7.'])
    assert.ok(textsOf(world).includes('7'))
  })

  test('with an answer to the approval that it waits for', async () => {
    const world = fromRows(newest('pending-approval'))
    const [asked] = openInteractions(world)
    assert.deepEqual(asked?.input, { name: 'old.log' })
    answer(world, asked!.id, 'approve')
    const { stop, text } = await goOn(world, ['Done.'])
    assert.deepEqual([stop.reason, text], ['idle', 'Done.'])
    assert.ok(textsOf(world).includes('removed old.log'))
  })

  test('in a runtime: a stored run is answered after the upgrade', async () => {
    const { runtime, run } = await upgraded(newest('pending-approval'), goldenAgent(['Done.']))
    await using _runtime = runtime
    const [asked] = (await run.result()).interactions
    await runtime.interactions.answer(asked!.id, 'approve')
    for await (const event of run.events())
      if (event.type === 'tool.ended') assert.equal(event.content, 'removed old.log')
    assert.equal((await run.result()).text, 'Done.')
  })

  test('in a runtime: an agent of another make repeats no step', async () => {
    const did: string[] = []
    const agent = foreignAgent((name) => did.push(name))
    const { runtime, run } = await upgraded(newest('foreign-agent'), agent)
    await using _runtime = runtime
    const [asked] = (await run.result()).interactions
    await runtime.interactions.answer(asked!.id, { choice: 'bob' })
    for await (const event of run.events()) if (event.type === 'run.succeeded') break
    assert.equal((await run.result()).output, 'look is done for bob, page 2')
    assert.deepEqual(did, [])
  })

  test('with what was said meanwhile', async () => {
    const world = fromRows(newest('steering'))
    assert.equal(world.query(Steering).length, 1)
    answer(world, openInteractions(world)[0]!.id, { deny: 'not now' })
    const { text } = await goOn(world, ['I keep them.'])
    assert.equal(text, 'I keep them.')
    assert.ok(textsOf(world).includes('but keep the notes'))
    assert.equal(world.query(Steering).length, 0)
  })

  test('with an answer to its question', async () => {
    const world = fromRows(newest('question'))
    const [asked] = openInteractions(world)
    assert.deepEqual(asked?.choices, ['ada', 'bob'])
    answer(world, asked!.id, { choice: 'ada' })
    assert.equal((await goOn(world, ['Hello, Ada.'])).text, 'Hello, Ada.')
  })

  test('halted as it was, until new input comes', async () => {
    const world = fromRows(newest('halted'))
    const [found] = world.query(LLM, Halted)
    assert.equal(found?.[1][1].error?.code, 'model_authentication')
    assert.equal((await goOn(world, ['never said'])).stop.reason, 'failed')
    const again = restore(snapshot(world), { components })
    hear(again, found![0], user('Again, please'))
    assert.equal((await goOn(again, ['Now it works.'])).text, 'Now it works.')
  })

  test('with components of somebody else, migrated, or retired', () => {
    const world = fromRows(newest('own-components'))
    const [found] = world.query(Mood)
    assert.deepEqual(found?.[1][0], { value: 3, word: 'upset' })
    assert.deepEqual(Object.keys(snapshot(world).components).includes('Diary'), false)
    assert.throws(() => restore(newest('own-components').world, { components: goldenComponents }), {
      code: 'unknown_component',
    })
  })

  test('only where each changed shape has its migration', () => {
    const changed = defineComponent('TurnUsage', undefined, { version: 2 })
    const others = components.filter(({ name }) => name !== 'TurnUsage')
    for (const { stored } of corpus) {
      assert.throws(() => restore(stored.world, { components: [...others, changed], retired }), {
        code: 'migration_failed',
      })
    }
  })
})
