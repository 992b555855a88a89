// What is promised of retention: what goes lies before a snapshot, belongs to runs that have ended, and is nobody's past;
// what stays reads as it did, and what went is said to be gone.

import type { RunStore } from '../runtime/run-store.ts'
import type { Json } from '../schema/json.ts'
import type { BackendCase } from './backend-bench.ts'
import { begin, beginAgain, draftCommit, draftSnapshot, itemsOfState, same } from './run-store-draft.ts'

const end = { to: 'succeeded', stopReason: 'stop' } as const

interface Stretch {
  readonly rows: number
  /** A snapshot after each row whose number this divides. Default 5. */
  readonly every?: number
  /** Wall time of the first row; each is written a millisecond after the one before it. Default 0. */
  readonly now?: number
  readonly open?: true
}

/** A run of so many rows on the branch of its session, with one event and one item a row. */
async function stretch(store: RunStore, id: string, { rows, every = 5, now = 0, open }: Stretch): Promise<void> {
  const run = await begin(store, id, { session: 's', newBranch: 'b' })
  const state = (await store.load(run.branch))!
  const items = [...itemsOfState(state)]
  for (let row = 0; row < rows; row++) {
    const seq = state.seq + 1 + row
    items.push(`${id}.${seq}`)
    const snapshot = seq % every === 0 ? { snapshot: draftSnapshot(items, seq + 1) } : {}
    const last = row === rows - 1 && open === undefined ? { end } : {}
    const commit = { seq, tick: seq + 1, items: [items.at(-1)!], now: now + seq, ...snapshot, ...last }
    await store.commit(draftCommit({ ...run, events: row }, commit))
  }
}

/** Drops everything that may go, some rows at a time; how many went. */
async function pruneAll(store: RunStore, before: number, limit = 1_000): Promise<number> {
  let dropped = 0
  for (;;) {
    const count = await store.prune({ before, limit })
    if (count > limit) throw new Error(`${count} rows went at once, more than ${limit}`)
    dropped += count
    if (count === 0) return dropped
  }
}

/** The ticks of a branch that can still be read, each checked to be as it was. */
async function readable(store: RunStore, branch: string, last: number): Promise<readonly number[]> {
  const ticks: number[] = []
  const whole = itemsOfState((await store.load(branch))!)
  for (let tick = 0; tick <= last; tick++) {
    const state = await store.load(branch, { tick })
    if (state === undefined) continue
    same(itemsOfState(state), whole.slice(0, tick), `${branch} after tick ${tick}`)
    ticks.push(tick)
  }
  return ticks
}

const upTo = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** The behaviours of retention. */
export const retentionBehaviour: readonly BackendCase[] = [
  {
    name: 'what lies before the newest snapshot of an ended run goes; head, later ticks and later events stay',
    async run(bench) {
      for (const limit of [1, 3, 1_000]) {
        const { store } = await bench.open()
        await stretch(store, 'r', { rows: 23 })
        const before = await store.load('b')
        same(await pruneAll(store, 1_000, limit), 20, 'rows dropped')
        same(await store.load('b'), before, 'the head')
        same(await readable(store, 'b', 30), upTo(21, 23), 'ticks')
        const events = await store.readEvents('r', { after: 0, limit: 99 })
        same(
          events.map(({ seq, event }) => [seq, (event as { item?: Json }).item]),
          upTo(21, 23).map((seq) => [seq, `r.${seq - 1}`]),
          'events',
        )
        same((await store.getRun('r'))?.events, 23, 'the count of events')
        same(await store.readRows('b', { afterTick: 3, limit: 99 }), [], 'rows since a tick that is gone')
        same((await store.readRows('b', { afterTick: 22, limit: 99 })).length, 1, 'rows since one that is there')
        const fork = { branch: 'b', id: 'f', session: 's', head: false, now: 0 }
        same(await store.fork({ ...fork, tick: 20 }), undefined, 'a fork of what is gone')
        same(await store.fork({ ...fork, tick: 0 }), undefined, 'a fork of the beginning')
        same(typeof (await store.fork({ ...fork, tick: 21 })), 'object', 'a fork of the oldest')
        same(await pruneAll(store, 1_000), 0, 'again')
      }
    },
  },
  {
    name: 'in the middle of dropping, whatever can be read reads as it did',
    async run(bench) {
      const { store } = await bench.open()
      await stretch(store, 'r', { rows: 18 })
      const events = await store.readEvents('r', { after: 0, limit: 99 })
      for (let dropped = 0; (dropped = await store.prune({ before: 1_000, limit: 2 })) > 0;) {
        same(await readable(store, 'b', 20), upTo(16, 18), `ticks after ${dropped} more went`)
        const found = await store.readEvents('r', { after: 0, limit: 99 })
        same(found, events.slice(15), 'events')
      }
    },
  },
  {
    name: 'the branch goes on, and is cut again later',
    async run(bench) {
      const { store } = await bench.open()
      await stretch(store, 'a', { rows: 12 })
      same(await pruneAll(store, 1_000), 10, 'rows of the first run')
      await stretch(store, 'b', { rows: 12 })
      same(await readable(store, 'b', 30), upTo(11, 24), 'ticks')
      same(await pruneAll(store, 1_000), 10, 'rows of both runs')
      same(await readable(store, 'b', 30), upTo(21, 24), 'ticks later')
      same(await store.readEvents('a', { after: 0, limit: 99 }), [], 'events of the first run')
      same((await store.readEvents('b', { after: 0, limit: 99 })).length, 4, 'events of the second run')
    },
  },
  {
    name: 'what is younger stays',
    async run(bench) {
      const { store } = await bench.open()
      await stretch(store, 'r', { rows: 23, now: 100 })
      same(await pruneAll(store, 100), 0, 'nothing is that old')
      same(await pruneAll(store, 112), 10, 'rows before the snapshot that is that old')
      same(await readable(store, 'b', 30), upTo(11, 23), 'ticks')
      same(await pruneAll(store, 115), 5, 'rows before the next')
    },
  },
  {
    name: 'what a live run has written stays, and goes with its end',
    async run(bench) {
      const { store } = await bench.open()
      await stretch(store, 'a', { rows: 8 })
      await stretch(store, 'b', { rows: 15, open: true })
      same(await pruneAll(store, 1_000), 5, 'rows of the run that has ended')
      same((await store.readEvents('b', { after: 0, limit: 99 })).length, 15, 'events of the live run')
      const { events, ...run } = (await store.getRun('b'))!
      await store.commit(draftCommit({ ...run, events }, { seq: 23, tick: 24, end }))
      same(await pruneAll(store, 1_000), 15, 'rows of both')
    },
  },
  {
    name: 'what a live run has written before its first tick ended stays too',
    async run(bench) {
      const { store } = await bench.open()
      await stretch(store, 'a', { rows: 3 })
      const run = await begin(store, 'b', { session: 's' })
      await store.commit(draftCommit(run, { seq: 3, tick: 3, finished: false, items: ['b.3'] }))
      const items = ['a.0', 'a.1', 'a.2', 'b.3', 'b.4']
      const state = { items: ['b.4'], snapshot: draftSnapshot(items, 4) }
      await store.commit(draftCommit({ ...run, events: 1 }, { seq: 4, tick: 4, ...state }))
      await pruneAll(store, 1_000)
      same((await store.readEvents('b', { after: 0, limit: 9 })).length, 2, 'its events')
    },
  },
  {
    name: 'a run that is tried again keeps what it wrote before',
    async run(bench) {
      const { store } = await bench.open()
      const error = { code: 'run_failed', message: 'no', retryable: false } as const
      const failed = await begin(store, 'a', { session: 's', newBranch: 'b' })
      await store.commit(draftCommit(failed, { seq: 0, items: ['a.0'] }))
      const failing = { seq: 1, items: ['a.1'], end: { to: 'failed', stopReason: 'failed', error } as const }
      await store.commit(draftCommit({ ...failed, events: 1 }, failing))
      await stretch(store, 'o', { rows: 15 })
      await store.retry('a', 50)
      await beginAgain(store, 'a', 50)
      same(await pruneAll(store, 1_000), 0, 'while it is live')
      same((await store.readEvents('a', { after: 0, limit: 9 })).length, 2, 'its events')
    },
  },
  {
    name: 'what a fork stands on stays, as long as it has no other ground',
    async run(bench) {
      const { store } = await bench.open()
      await stretch(store, 'r', { rows: 23 })
      await store.fork({ branch: 'b', tick: 13, id: 'f', session: 's', head: true, now: 0 })
      const fork = await store.load('f')
      same(await pruneAll(store, 1_000), 10, 'rows before the snapshot that the fork stands on')
      same(await store.load('f'), fork, 'the head of the fork')
      same(await readable(store, 'f', 30), upTo(11, 13), 'ticks of the fork')
      same(await readable(store, 'b', 30), upTo(11, 23), 'ticks of the source')
      await stretch(store, 'on', { rows: 12 })
      same(await pruneAll(store, 1_000), 7, 'rows of the fork itself')
      same(await readable(store, 'f', 30), [11, 12, 13, ...upTo(21, 25)], 'ticks of the fork later')
      const deep = { branch: 'f', tick: 12, id: 'g', session: 's', head: false, now: 0 }
      same(typeof (await store.fork(deep)), 'object', 'a fork of the past that both share')
      same(itemsOfState((await store.load('g'))!).length, 12, 'its state')
    },
  },
  {
    name: 'a fork of the empty beginning holds nothing back',
    async run(bench) {
      const { store } = await bench.open()
      await stretch(store, 'r', { rows: 12 })
      await store.fork({ branch: 'b', tick: 0, id: 'f', session: 's', head: false, now: 0 })
      same(await pruneAll(store, 1_000), 10, 'rows')
      same(itemsOfState((await store.load('f', { tick: 0 }))!), [], 'the beginning of the fork')
    },
  },
  {
    name: 'without a snapshot nothing goes, and each session is for itself',
    async run(bench) {
      const { store } = await bench.open()
      await stretch(store, 'r', { rows: 4, every: 100 })
      same(await pruneAll(store, 1_000), 0, 'no snapshot')
      const other = await begin(store, 'o')
      await store.commit(draftCommit(other, { seq: 0, items: ['o'], snapshot: draftSnapshot(['o'], 1) }))
      await store.commit(draftCommit({ ...other, events: 1 }, { seq: 1, items: ['p'], end }))
      same(await pruneAll(store, 1_000), 0, 'a snapshot that is the first row')
      same(await readable(store, 'b', 9), upTo(0, 4), 'ticks')
      same(await readable(store, 'b-o', 9), upTo(0, 2), 'ticks of the other')
      same(await store.gc({ before: 1_000, limit: 9 }), 2, 'sessions go as ever')
    },
  },
]
