// What is promised of the past: every tick can be read and forked, events have no gaps from any cursor, and values come
// back as they went in.

import type { RunStore } from '../runtime/run-store.ts'
import type { EventRecord } from '../event/event.ts'
import type { Json } from '../schema/json.ts'
import type { BackendCase } from './backend-bench.ts'
import {
  begin,
  beginAgain,
  draftCommit,
  draftRun,
  draftSnapshot,
  itemsOfState,
  refused,
  same,
} from './run-store-draft.ts'

/** Commits `count` rows of one tick each, a snapshot every `every` rows. */
async function grow(store: RunStore, id: string, { count, every }: { count: number; every: number }): Promise<void> {
  const run = await begin(store, id)
  for (let seq = 0; seq < count; seq++) {
    const items = Array.from({ length: seq + 1 }, (_, index) => `${id}.${index}`)
    const snapshot = (seq + 1) % every === 0 ? { snapshot: draftSnapshot(items, seq + 1) } : {}
    await store.commit(draftCommit({ ...run, events: seq }, { seq, items: [items.at(-1)!], ...snapshot }))
  }
}

async function at(store: RunStore, branch: string, tick: number): Promise<readonly Json[] | undefined> {
  const state = await store.load(branch, { tick })
  return state && itemsOfState(state)
}

/** Values that break stores which put texts together, trust keys, or count in bytes. */
const hostile: readonly Json[] = [
  "'; DROP TABLE run; --",
  '"\\\u0000\u001f\u2028 \ud83c\udf0d \ud800 lone',
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "": 2, "a.b": 3}') as Json,
  [{ type: 'item.noted' }, { item: [0, 3, 0] }],
  [{}, { item: ['__proto__'] }],
  [[0, 3, 0]],
  { 0: 'zero', length: 5 },
  [],
  {},
  null,
  '',
  0,
  -1.5e300,
  false,
  'long '.repeat(20_000),
]

/** The behaviours of the past. */
export const pastBehaviour: readonly BackendCase[] = [
  {
    name: 'every tick reads back as it was, with and without snapshots',
    async run(bench) {
      const { store } = await bench.open()
      await grow(store, 'r', { count: 40, every: 7 })
      for (let tick = 0; tick <= 40; tick++) {
        const wanted = Array.from({ length: tick }, (_, index) => `r.${index}`)
        same(await at(store, 'b-r', tick), wanted, `tick ${tick}`)
      }
      for (const tick of [41, -1, 1.5, Number.NaN]) same(await at(store, 'b-r', tick), undefined, `tick ${tick}`)
      same(await store.load('nowhere'), undefined, 'no branch')
    },
  },
  {
    name: 'a long branch opens from its newest snapshot',
    async run(bench) {
      const { store } = await bench.open()
      await grow(store, 'r', { count: 250, every: 60 })
      const state = await store.load('b-r')
      same([state?.seq, state?.rows.length, state?.snapshot?.header.tick], [249, 10, 240], 'what is read')
      same((state?.snapshotBytes ?? 0) > 0 && (state?.tailBytes ?? 0) > 0, true, 'its sizes are told')
    },
  },
  {
    name: 'who knows a state is given no more than what came behind it, or all where that is not enough',
    async run(bench) {
      const { store } = await bench.open()
      await grow(store, 'r', { count: 20, every: 7 })
      const whole = (await store.load('b-r'))!
      for (let since = -1; since <= 21; since++) {
        const state = (await store.load('b-r', { since }))!
        // Rows 6 and 13 have the newest snapshots.
        if (since < 13 || since > 19) same(state, whole, `whole, for who knows row ${since}`)
        else {
          const { rows, seq, snapshot, ...rest } = state
          const own = whole.rows.filter((row) => row.seq > since)
          same([rows, seq, snapshot, rest.since], [own, 19, undefined, since], `behind row ${since}`)
          same([rest.snapshotBytes, rest.tailBytes > 0], [0, since < 19], 'their bytes alone')
        }
      }
      same((await store.load('b-r', { tick: 15, since: 14 }))?.since, undefined, 'a tick is read whole')
      await store.fork({ branch: 'b-r', tick: 16, id: 'f', session: 's-r', head: false, now: 0 })
      same((await store.load('f', { since: 14 }))?.since, undefined, 'what another branch has written')
      same((await store.load('f', { since: 15 }))?.rows, [], 'a branch that has written nothing')
    },
  },
  {
    name: 'a fork at any tick shares the past and goes its own way',
    async run(bench) {
      const { store } = await bench.open()
      await grow(store, 'r', { count: 12, every: 5 })
      const end = { to: 'succeeded', stopReason: 'stop' } as const
      await store.commit(draftCommit({ ...(await store.getRun('r'))!, events: 12 }, { seq: 12, tick: 12, end }))
      for (let tick = 0; tick <= 12; tick++) {
        const id = `f${tick}`
        const branch = await store.fork({ branch: 'b-r', tick, id, session: 's-r', head: true, now: 0 })
        same(typeof branch, 'object', `fork at ${tick}`)
        const past = Array.from({ length: tick }, (_, index) => `r.${index}`)
        const run = await begin(store, `on-${tick}`, { session: 's-r' })
        same(run.branch, id, 'new runs go on the head')
        const seq = (await store.load(id))!.seq + 1
        await store.commit(draftCommit(run, { seq, tick: tick + 1, items: [`own ${tick}`], end }))
        same(await at(store, id, tick + 1), [...past, `own ${tick}`], `the fork of ${tick}`)
        same(await at(store, id, tick), past, `the past of the fork of ${tick}`)
        const deep = { branch: id, tick: tick + 1, id: `${id}-deep`, session: 's-r', head: false, now: 0 }
        same(typeof (await store.fork(deep)), 'object', 'a fork of a fork')
        same(await at(store, `${id}-deep`, tick + 1), [...past, `own ${tick}`], 'the fork of the fork')
      }
      same((await at(store, 'b-r', 12))?.length, 12, 'the source')
      same((await store.listBranches('s-r')).length, 27, 'branches')
    },
  },
  {
    name: 'a session may begin with a state, and has no past before it',
    async run(bench) {
      const { store } = await bench.open()
      const state = draftSnapshot(['x', 'y'], 7)
      same((await store.createRun(draftRun('r', { state }))).status, 'created', 'the run')
      const again = await store.createRun(draftRun('other', { session: 's-r', newBranch: 'c', state }))
      same([again.status, await store.getRun('other')], ['session_exists', undefined], 'into a session that is there')
      const run = await beginAgain(store, 'r')
      same([run.firstTick, run.epoch, run.events], [8, 1, 0], 'where it begins')
      const begun = await store.load('b-r')
      same([begun?.snapshot, begun?.rows.length], [state, 0], 'the state')
      const seq = begun!.seq + 1
      same((await store.commit(draftCommit(run, { seq: seq + 1, tick: 8 }))).status, 'conflict', 'a gap')
      same((await store.commit(draftCommit(run, { seq, tick: 8, items: ['z'] }))).status, 'committed', 'the next row')
      same(await at(store, 'b-r', 7), ['x', 'y'], 'the first tick')
      same(await at(store, 'b-r', 8), ['x', 'y', 'z'], 'the next')
      for (const tick of [0, 6, 9]) same(await at(store, 'b-r', tick), undefined, `tick ${tick}`)
      const fork = { branch: 'b-r', tick: 7, id: 'f', session: 's-r', head: false, now: 0 }
      same(typeof (await store.fork(fork)), 'object', 'a fork of the first tick')
      same(await store.fork({ ...fork, id: 'g', tick: 0 }), undefined, 'a fork of what was before')
      same(await at(store, 'f', 7), ['x', 'y'], 'the fork')
      same((await store.readEvents('r', { after: 0, limit: 9 })).length, 1, 'events')
      const torn = { ...state, header: { ...state.header, tick: -1 } }
      await refused(store.createRun(draftRun('torn', { state: torn })), ['invalid_snapshot'], 'a state without a tick')
    },
  },
  {
    name: 'a fork is refused where it cannot be',
    async run(bench) {
      const { store } = await bench.open()
      await grow(store, 'r', { count: 3, every: 9 })
      const fork = { branch: 'b-r', tick: 2, id: 'f', session: 's-r', head: false, now: 0 }
      same(await store.fork({ ...fork, tick: 4 }), undefined, 'a tick that is not there')
      same(await store.fork({ ...fork, branch: 'nowhere' }), undefined, 'a branch that is not there')
      await store.createRun(draftRun('stranger'))
      same(await store.fork({ ...fork, session: 's-stranger' }), undefined, 'another session')
      same(await store.fork({ ...fork, head: true }), 'live', 'the head while a run is live')
      await refused(store.fork({ ...fork, id: 'no/path' }), ['invalid_option'], 'an id that is none')
      same(typeof (await store.fork(fork)), 'object', 'beside the head')
      await refused(store.fork(fork), ['duplicate_name'], 'an id that is taken')
      same((await store.getSession('s-r'))?.branch, 'b-r', 'the head')
    },
  },
  {
    name: 'rows since a tick come in order, through forks',
    async run(bench) {
      const { store } = await bench.open()
      await grow(store, 'r', { count: 6, every: 4 })
      await store.fork({ branch: 'b-r', tick: 4, id: 'f', session: 's-r', head: false, now: 0 })
      const seqs = async (branch: string, afterTick: number, limit: number): Promise<readonly number[]> =>
        (await store.readRows(branch, { afterTick, limit })).map(({ seq }) => seq)
      same(await seqs('f', 1, 100), [1, 2, 3], 'of the fork')
      same(await seqs('b-r', 1, 100), [1, 2, 3, 4, 5], 'of the source')
      same(await seqs('b-r', 0, 2), [0, 1], 'a page')
      same(await seqs('b-r', 6, 10), [], 'at the head')
      same(await seqs('b-r', 9, 10), [], 'beyond')
    },
  },
  {
    name: 'events have no gap and no repeat from any cursor with any limit',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      let events = 0
      for (let seq = 0; seq < 30; seq++) {
        const items = Array.from({ length: (seq * 7) % 5 }, (_, index) => events + index + 1)
        await store.commit(draftCommit({ ...run, events }, { seq, items }))
        events += items.length
      }
      for (let after = 0; after <= events; after += 3) {
        for (const limit of [1, 7, 1_000]) {
          const found = await store.readEvents('r', { after, limit })
          const wanted = Array.from({ length: Math.min(limit, events - after) }, (_, index) => after + index + 1)
          same(
            found.map(({ seq, event }) => [seq, (event as { item?: number }).item]),
            wanted.map((seq) => [seq, seq]),
            `after ${after}, at most ${limit}`,
          )
        }
      }
      same(await store.readEvents('nobody', { after: 0, limit: 5 }), [], 'of no run')
    },
  },
  {
    name: 'events of a run that was tried again leave out those of the runs between',
    async run(bench) {
      const { store } = await bench.open()
      const error = { code: 'run_failed', message: 'no', retryable: false } as const
      const failed = await begin(store, 'a', { session: 's', newBranch: 'b' })
      const end = { to: 'failed', stopReason: 'failed', error } as const
      await store.commit(draftCommit(failed, { seq: 0, items: ['a1', 'a2'], end }))
      const other = await begin(store, 'o', { session: 's' })
      for (let seq = 1; seq < 9; seq++) {
        const last = seq === 8 ? { end: { to: 'succeeded', stopReason: 'stop' } as const } : {}
        await store.commit(draftCommit({ ...other, events: seq - 1 }, { seq, items: [`o${seq}`], ...last }))
      }
      same(await store.retry('a', 5), 'queued', 'another try')
      const again = await beginAgain(store, 'a', 5)
      same(again.events, 2, 'events so far')
      await store.commit(draftCommit(again, { seq: 9, items: ['a3'] }))
      for (const after of [0, 1, 2, 3]) {
        const found = await store.readEvents('a', { after, limit: 10 })
        const wanted = ['a1', 'a2', 'a3'].slice(after)
        same(
          found.map(({ event }) => (event as { item?: string }).item),
          wanted,
          `after ${after}`,
        )
      }
      same((await store.readEvents('o', { after: 6, limit: 10 })).length, 2, 'the other run')
    },
  },
  {
    name: 'hostile values come back as they went in, in every place',
    async run(bench) {
      const { store } = await bench.open()
      for (const [index, value] of hostile.entries()) {
        const what = `value ${index}`
        const metadata = { value, "key'; --": 1 }
        const run = await begin(store, `r${index}`, { input: value, metadata })
        const record = await store.getRun(run.id)
        same([record?.input, record?.metadata], [value, metadata], `${what}: input and metadata`)
        const twin = JSON.parse(JSON.stringify(value)) as Json
        const events = [
          { type: 'item.noted', item: twin },
          { type: 'odd.shape', item: { inside: twin }, more: [twin], 0: twin },
        ] as unknown as EventRecord[]
        const operations = [['append', 1, 'Log', [value]] as const, ['set', 1, "C'", { deep: [value] }] as const]
        await store.commit(draftCommit(run, { seq: 0, operations, events }))
        const stored = await store.readEvents(run.id, { after: 0, limit: 5 })
        same(
          stored.map(({ event }) => event),
          events,
          `${what}: events`,
        )
        same((await store.load(run.branch))?.rows[0]?.operations, operations, `${what}: operations`)
        await store.send({ run: run.id, id: `id ' ${index}`, kind: 'steer', payload: value, now: 0 })
        same((await store.mail(run.id, 1))[0]?.payload, value, `${what}: mail`)
        const end = { to: 'succeeded', stopReason: 'stop', result: value } as const
        const state = draftSnapshot([value], 1)
        await store.commit(draftCommit({ ...run, events: 2, mail: 2 }, { seq: 1, end, snapshot: state }))
        same((await store.getRun(run.id))?.result, value, `${what}: result`)
        same((await store.load(run.branch))?.snapshot, state, `${what}: snapshot`)
      }
      same(({} as { polluted?: boolean }).polluted, undefined, 'the prototype of all objects')
    },
  },
  {
    name: 'an event that repeats what its row says is stored once',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      const text = 'x'.repeat(4_000)
      const message = { role: 'assistant', content: [{ type: 'text', text }] }
      const events = [
        { type: 'message.added', entity: 1, message: JSON.parse(JSON.stringify(message)) as Json },
        { type: 'tool.ended', entity: 1, content: text },
      ] as unknown as EventRecord[]
      const operations = [['append', 1, 'Conversation', [message]]] as const
      const result = await store.commit(draftCommit(run, { seq: 0, operations, events }))
      same(result.status === 'committed' && result.bytes < 4_400, true, `bytes (${JSON.stringify(result)})`)
      const stored = await store.readEvents('r', { after: 0, limit: 5 })
      same(
        stored.map(({ event }) => event),
        events,
        'the events',
      )
    },
  },
]
