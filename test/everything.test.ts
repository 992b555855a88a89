// Every system in one world: random worlds with all of them, people who answer or do not, crashes after random commits, and
// sessions that are undone, restored and forked in between. Whatever happens, the laws of worlds hold and the run ends.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError, user } from 'tellurion'
import { answer, Conversation, openInteractions, PendingToolCalls, Session, Steering } from 'tellurion/agent'
import { macrotask } from 'tellurion/testing'
import { defineSystem, restore, run, snapshot, type Delta, type Entity, type System, type World } from 'tellurion/world'
import { answerTo, begin, bind, cast, components, dress, faults, pick, watch, type Cast } from './everything.ts'

/** What a promise comes to, while a virtual clock goes on. */
async function settled<T>(promise: Promise<T>, { setup: { clock } }: Cast): Promise<T> {
  let over = false
  const settle = (): void => void (over = true)
  promise.then(settle, settle)
  while (!over) {
    await clock.runAll()
    await macrotask()
  }
  return promise
}

/** Runs to an end, answering what is asked; `commit` sees every delta. */
async function wind(world: World, played: Cast, commit: (delta: Delta) => void): Promise<string> {
  const { random, clock } = played.setup
  for (let stretch = 0; stretch < 60; stretch++) {
    const stop = await settled(
      run(world, {
        main: 1 as Entity,
        maxTicks: 80,
        clock,
        sink: async (delta) => commit(JSON.parse(JSON.stringify(delta)) as Delta),
      }),
      played,
    )
    if (stop.reason !== 'waiting') return stop.reason
    for (const { id, kind } of openInteractions(world)) {
      if (random() < 0.1 && stop.due !== undefined) continue
      try {
        answer(world, id, answerTo(kind, random))
      } catch (error) {
        // Agents that keep no permissions take no answer that is to stand.
        if (!(error instanceof TellurionError) || error.code !== 'invalid_answer') throw error
        answer(world, id, 'approve')
      }
    }
    if (stop.due !== undefined) await clock.advance(Math.max(0, stop.due - clock.now()))
  }
  return 'never'
}

/** One course of a seed, whole or cut off after a commit: how it ended, what it came to, and what was wrong. */
async function course(seed: number, cutAfter = Infinity, more: readonly System[] = []) {
  const played = cast(seed, { more })
  const { world, empty } = begin(played)
  const failures = watch(world)
  const journal: Delta[] = [JSON.parse(JSON.stringify(world.takeDelta())) as Delta]
  let ended = await wind(world, played, (delta) => {
    if (journal.length > cutAfter) throw new Error('cut')
    journal.push(delta)
  }).catch((error: unknown) => (String(error).includes('cut') ? 'cut' : Promise.reject(error)))
  let last = world
  if (ended === 'cut') {
    last = restore(empty, { components: components(played.agents), deltas: journal })
    bind(last, played.resources)
    for (const agent of played.agents) agent.bindTo(last)
    failures.push(...watch(last))
    ended = await wind(last, played, () => {})
  } else {
    const replayed = restore(empty, { components: components(played.agents), deltas: journal })
    assert.deepEqual(
      snapshot(replayed),
      JSON.parse(JSON.stringify(snapshot(last))),
      `seed ${seed}: the journal says other`,
    )
  }
  return { ended, commits: journal.length, wrong: faults(last, played.agents, failures), state: snapshot(last) }
}

const seeds = Number(process.env['EVERYTHING_SEEDS'] ?? 60)
const endings = new Map<string, number>()

describe('every system in one world', () => {
  for (let from = 1; from <= seeds; from += 20) {
    test(`seeds ${from} to ${from + 19}: every run ends, and no law is broken`, async () => {
      for (let seed = from; seed < from + 20; seed++) {
        const { ended, commits, wrong } = await course(seed)
        assert.deepEqual(wrong, [], `seed ${seed}`)
        assert.notEqual(ended, 'never', `seed ${seed}`)
        endings.set(ended, (endings.get(ended) ?? 0) + 1)
        const cut = await course(seed, 1 + (seed % Math.max(1, commits - 1)))
        assert.deepEqual(cut.wrong, [], `seed ${seed}, cut off`)
        assert.notEqual(cut.ended, 'never', `seed ${seed}, cut off`)
      }
    })
  }

  test('the same seed comes to the same world', async () => {
    for (const seed of [3, 14, 15]) assert.deepEqual((await course(seed)).state, (await course(seed)).state)
  })

  test('a system that breaks a law is caught', async () => {
    const rude = defineSystem({
      name: 'rude',
      priority: 4.5,
      query: [PendingToolCalls, Conversation],
      each: (entity, world) => world.append(entity, Conversation, user('Me first!')),
    })
    const clumsy = defineSystem({
      name: 'clumsy',
      query: [PendingToolCalls],
      each() {
        throw new Error('oops')
      },
    })
    for (const [system, law] of [
      [rude, /between a call and its result/],
      [clumsy, /clumsy: /],
    ] as const) {
      let caught = ''
      for (let seed = 1; seed <= 20; seed++) caught += (await course(seed, Infinity, [system])).wrong.join('\n')
      assert.match(caught, law)
    }
  })

  test('the courses are of many kinds', () => {
    assert.ok(endings.size >= 2, [...endings.keys()].join(', '))
  })
})

/** What people do to a chat. */
const acts = ['say', 'say', 'watch', 'answer', 'answer', 'cancel', 'undo', 'label', 'restore', 'fork', 'steer'] as const

/** One thing that somebody does; says what came of it. */
async function act(session: Session, what: (typeof acts)[number], played: Cast): Promise<string> {
  const { random } = played.setup
  const { world, entity } = session
  const output = { type: 'object', properties: { stops: { type: 'array' } }, required: ['stops'] } as const
  const options = {
    maxTicks: pick(random, [3, 80]),
    resources: played.resources,
    ...(random() < 0.2 ? { output } : {}),
  }
  const [open] = session.interactions
  switch (what) {
    case 'say':
      return (await settled(session.generate('Go on.', options), played)).status
    case 'watch': {
      const stream = session.stream('And show me.', options)
      const seen = async (): Promise<void> => {
        for await (const event of stream) if (event.type === 'run.failed') return
      }
      await settled(Promise.all([seen(), stream.result()]), played)
      return 'watched'
    }
    case 'answer':
      if (open === undefined) return 'nothing to answer'
      return (await settled(session.answer(open.id, answerTo(open.kind, random)), played)).status
    case 'cancel':
      return (await session.generate('Stop.', { ...options, abortSignal: AbortSignal.abort() })).status
    case 'undo':
      await session.undo({ turns: pick(random, [1, 2]) })
      return 'undone'
    case 'label':
      await session.checkpoint('here')
      return 'labelled'
    case 'restore':
      await session.restore('here')
      return 'restored'
    case 'fork': {
      const before = JSON.stringify(snapshot(world))
      const fork = new Session(world.fork(), entity, 'ada')
      await act(fork, 'say', played).catch(() => {})
      assert.equal(JSON.stringify(snapshot(world)), before, 'a fork has changed what it was forked from')
      return 'forked'
    }
    case 'steer':
      world.append(entity, Steering, user('Faster.'))
      return 'steered'
    default:
      return what satisfies never
  }
}

describe('a chat with every system', () => {
  test('is watched, answered, cancelled, undone, restored and forked, and no law is broken', async () => {
    const came = new Map<string, number>()
    for (let seed = 1; seed <= Math.ceil(seeds / 2); seed++) {
      const played = cast(seed)
      const { random } = played.setup
      const session = played.agents[0]!.session()
      bind(session.world, played.resources)
      dress(session.world, session.entity, random)
      const failures = watch(session.world)
      for (let step = 0; step < 12; step++) {
        const what = pick(random, acts)
        const result = await act(session, what, played).catch((error: unknown) => {
          if (error instanceof TellurionError) return error.code
          throw error
        })
        came.set(`${what}: ${result}`, (came.get(`${what}: ${result}`) ?? 0) + 1)
        assert.deepEqual(faults(session.world, played.agents, failures), [], `seed ${seed}, step ${step}: ${what}`)
      }
    }
    for (const kind of ['say: succeeded', 'say: waiting', 'answer: succeeded', 'undo: undone', 'restore: restored'])
      assert.ok((came.get(kind) ?? 0) > 0, `${kind} never came about: ${JSON.stringify([...came])}`)
    const told =
      /invalid_answer|open_tool_calls|unknown_tick|unknown_interaction|run_limit|model_|budget|planning|output/
    for (const kind of came.keys()) {
      const [what = '', result = ''] = kind.split(': ')
      assert.ok(/^[a-z ]+$/.test(result) || told.test(result), `${what} came to ${result}`)
    }
  })
})
