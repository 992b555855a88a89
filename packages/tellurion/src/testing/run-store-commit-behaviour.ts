// What commits promise: all or nothing, by the holder of the run alone, at the next place alone, and never past mail.

import { seededRandom } from '../id/random.ts'
import type { RunEnd, RunStore } from '../runtime/run-store.ts'
import type { Json } from '../schema/json.ts'
import type { BackendCase } from './backend-bench.ts'
import {
  begin,
  beginAgain,
  draftCommit,
  draftRun,
  draftSnapshot,
  itemsOfState,
  noted,
  refused,
  same,
} from './run-store-draft.ts'

const ends: readonly RunEnd[] = [
  { to: 'waiting' },
  { to: 'waiting', due: 9_000 },
  { to: 'paused' },
  { to: 'succeeded', stopReason: 'stop' },
  { to: 'failed', stopReason: 'failed', error: { code: 'run_failed', message: 'no', retryable: false } },
  { to: 'cancelled', stopReason: 'cancelled' },
  { to: 'timed_out', stopReason: 'timeout' },
]

async function everything(store: RunStore, run: string, branch: string): Promise<Json> {
  const events = await store.readEvents(run, { after: 0, limit: 10_000 })
  const [state, mail] = [await store.load(branch), await store.mail(run, 0)]
  return JSON.parse(JSON.stringify([await store.getRun(run), events, state, mail])) as Json
}

/** The behaviours of commits. */
export const commitBehaviour: readonly BackendCase[] = [
  {
    name: 'a commit writes its row, its events and its inbox position together',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      const result = await store.commit(draftCommit(run, { seq: 0, items: ['a', 'b'], now: 7 }))
      same(result.status, 'committed', 'the result')
      const state = await store.load('b-r')
      same(state && itemsOfState(state), ['a', 'b'], 'the state')
      same([state?.seq, state?.rows[0]?.at, state?.rows[0]?.run], [0, 7, 'r'], 'the row')
      const events = await store.readEvents('r', { after: 0, limit: 10 })
      const wanted = [
        { seq: 1, at: 7, tick: 0, event: noted('a') },
        { seq: 2, at: 7, tick: 0, event: noted('b') },
      ]
      same(events, wanted, 'the events')
      const after = await store.getRun('r')
      same([after?.read, after?.mail, after?.events, after?.status], [1, 1, 2, 'running'], 'the record')
    },
  },
  {
    name: 'a zombie commits nothing in 1,000 tries',
    async run(bench) {
      const { store } = await bench.open()
      const zombie = await begin(store, 'r')
      await store.commit(draftCommit(zombie, { seq: 0, items: ['a'] }))
      await store.sweep(3_000)
      const heir = await beginAgain(store, 'r', 3_000)
      same(heir.epoch > zombie.epoch, true, 'the epoch rises')
      const before = await everything(store, 'r', 'b-r')
      const random = seededRandom(7)
      const tries = Array.from({ length: 1_000 }, (_, index) =>
        store.commit(
          draftCommit(
            { ...heir, epoch: zombie.epoch },
            {
              seq: Math.floor(random() * 4),
              items: [`undead ${index}`],
              ...(random() < 0.3 ? { end: ends[Math.floor(random() * ends.length)]! } : {}),
              ...(random() < 0.3 ? { snapshot: draftSnapshot(['undead'], 1) } : {}),
              ...(random() < 0.3 ? { children: [draftRun(`child-${index}`)] } : {}),
            },
          ),
        ),
      )
      const letIn = (await Promise.all(tries)).filter(({ status }) => status !== 'fenced')
      same(letIn.length, 0, 'zombies let in')
      same(await everything(store, 'r', 'b-r'), before, 'what is stored')
      same((await store.listRuns({ limit: 10 })).length, 1, 'how many runs there are')
      same(await store.heartbeat([{ run: 'r', epoch: zombie.epoch }], 9_000), ['r'], 'the zombie hears that it lost')
    },
  },
  {
    name: 'of many commits for one place one wins',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      for (let seq = 0; seq < 20; seq++) {
        const events = (await store.getRun('r'))!.events
        const rivals = Array.from({ length: 10 }, (_, index) =>
          store.commit(draftCommit({ ...run, events }, { seq, items: [`${seq}.${index}`] })),
        )
        const statuses = (await Promise.all(rivals)).map(({ status }) => status)
        same(statuses.filter((status) => status === 'committed').length, 1, 'winners')
        same(statuses.filter((status) => status === 'conflict').length, 9, 'losers')
      }
      const state = await store.load('b-r')
      same(state?.rows.length, 20, 'rows')
      same((await store.readEvents('r', { after: 0, limit: 100 })).length, 20, 'events')
    },
  },
  {
    name: 'a commit at any other place, or for another branch, is a conflict',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      await begin(store, 'other')
      for (const seq of [1, 2, -1, 4_294_967_295]) {
        same((await store.commit(draftCommit(run, { seq }))).status, 'conflict', `row ${seq}`)
      }
      same((await store.commit(draftCommit(run, { seq: 0, branch: 'b-other' }))).status, 'conflict', 'a foreign branch')
      same((await store.commit(draftCommit(run, { seq: 0, branch: 'nowhere' }))).status, 'conflict', 'no branch')
      same((await store.commit(draftCommit(run, { seq: 0, firstEvent: 3 }))).status, 'conflict', 'a gap in the events')
      same((await store.commit(draftCommit({ ...run, id: 'nobody' }, { seq: 0 }))).status, 'fenced', 'no run')
      same((await store.load('b-r'))?.seq, -1, 'rows of r')
      same((await store.load('b-other'))?.seq, -1, 'rows of the other')
    },
  },
  {
    name: 'a run neither parks nor ends while newer mail is there',
    async run(bench) {
      const { store } = await bench.open()
      for (const [index, end] of ends.entries()) {
        const run = await begin(store, `r${index}`)
        await store.send({ run: run.id, id: 'late', kind: 'steer', payload: 'wait', now: 0 })
        const before = await everything(store, run.id, run.branch)
        const commit = draftCommit(run, { seq: 0, items: ['x'], end, snapshot: draftSnapshot(['x'], 1) })
        same((await store.commit(commit)).status, 'mail', `to ${end.to} with mail`)
        same(await everything(store, run.id, run.branch), before, `what is stored after ${end.to} was refused`)
        same((await store.commit({ ...commit, read: 2 })).status, 'committed', `to ${end.to} when it was read`)
        same((await store.getRun(run.id))?.status, end.to, 'the status')
      }
      const cut = await begin(store, 'cut')
      await store.send({ run: 'cut', id: 'late', kind: 'steer', payload: 'wait', now: 0 })
      const late = { to: 'timed_out', stopReason: 'timed_out' } as const
      const short = draftCommit(cut, { seq: 0, end: late, cut: true })
      same((await store.commit(short)).status, 'committed', 'cut short with mail')
      same(await store.retry('cut', 0), 'queued', 'another try')
      const { read, mail } = await beginAgain(store, 'cut')
      same([read, mail], [1, 3], 'what the next try has read, and has')
      const given = await begin(store, 'given')
      await store.send({ run: 'given', id: 'late', kind: 'steer', payload: 'wait', now: 0 })
      const end = { to: 'queued', availableAt: 5, retried: false } as const
      same((await store.commit(draftCommit(given, { seq: 0, end }))).status, 'committed', 'giving back with mail')
    },
  },
  {
    name: 'mail and an end that come together never miss each other',
    async run(bench) {
      const { store } = await bench.open()
      for (let round = 0; round < 40; round++) {
        const run = await begin(store, `r${round}`)
        const end = ends[round % ends.length]!
        const commit = (): ReturnType<RunStore['commit']> => store.commit(draftCommit(run, { seq: 0, end }))
        const send = (): ReturnType<RunStore['send']> =>
          store.send({ run: run.id, id: 'm', kind: 'cancel', payload: null, now: 0 })
        const both =
          round % 2 === 0 ? await Promise.all([commit(), send()]) : await Promise.all([send(), commit()]).then(swap)
        const [{ status }, sent] = both
        const record = await store.getRun(run.id)
        if (status === 'mail') same([sent, record?.status], ['sent', 'running'], 'refused')
        else if (end.to === 'waiting' || end.to === 'paused') same([sent, record?.status], ['sent', 'queued'], 'parked')
        else same([sent, record?.status], ['ended', end.to], 'ended')
      }
    },
  },
  {
    name: 'a refused commit makes no child, sends nothing and keeps no snapshot',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      await begin(store, 'other')
      const more = {
        children: [draftRun('child', { parent: 'r' })],
        sends: [{ run: 'other', id: 'hello', kind: 'input', payload: 1, now: 0 }],
        snapshot: draftSnapshot(['never'], 1),
        interactions: [{ id: 'i', kind: 'question', entity: 1, prompt: 'really?' }],
      } as const
      same((await store.commit(draftCommit(run, { seq: 1, ...more }))).status, 'conflict', 'a wrong place')
      same((await store.commit(draftCommit({ ...run, epoch: 9 }, { seq: 0, ...more }))).status, 'fenced', 'a zombie')
      same(await store.getRun('child'), undefined, 'the child')
      same((await store.mail('other', 0)).length, 1, 'mail of the other')
      same((await store.load('b-r'))?.snapshot, undefined, 'the snapshot')
      same((await store.getRun('r'))?.interactions, [], 'what waits for a person')
      same((await store.commit(draftCommit(run, { seq: 0, ...more }))).status, 'committed', 'the right place')
      same((await store.getRun('child'))?.parent, 'r', 'the child now')
      same((await store.mail('other', 1))[0]?.id, 'hello', 'mail of the other now')
      same(
        (await store.listRuns({ asking: true })).map(({ id }) => id),
        ['r'],
        'who asks',
      )
      const [state] = [await store.load('b-r')]
      same(state && itemsOfState(state), ['never'], 'the snapshot now')
    },
  },
  {
    name: 'a refused commit hurts none of those that come with it',
    async run(bench) {
      const { store } = await bench.open()
      const runs = await Promise.all(Array.from({ length: 30 }, (_, index) => begin(store, `r${index}`)))
      const results = await Promise.all(
        runs.map((run, index) => {
          const seq = index % 3 === 1 ? 5 : 0
          const end = index % 2 === 0 ? { end: ends[index % ends.length]! } : {}
          return store.commit(draftCommit({ ...run, epoch: index % 3 === 2 ? 9 : 1 }, { seq, items: ['x'], ...end }))
        }),
      )
      const wanted = runs.map((_, index) => ['committed', 'conflict', 'fenced'][index % 3])
      same(
        results.map(({ status }) => status),
        wanted,
        'the results',
      )
      for (const [index, run] of runs.entries()) {
        same((await store.load(run.branch))?.rows.length, index % 3 === 0 ? 1 : 0, `rows of ${run.id}`)
      }
    },
  },
  {
    name: 'versions of components are kept with the operations they belong to',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      await store.commit(draftCommit(run, { seq: 0, versions: { Log: 3 } }))
      await store.commit(draftCommit(run, { seq: 1 }))
      const rows = (await store.load('b-r'))?.rows
      same([rows?.[0]?.versions, rows?.[1]?.versions], [{ Log: 3 }, undefined], 'versions')
    },
  },
  {
    name: 'what a commit writes does not depend on how long the history is',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      const bytes: number[] = []
      for (let seq = 0; seq < 400; seq++) {
        const result = await store.commit(draftCommit({ ...run, events: seq }, { seq, tick: 1_000, items: ['same'] }))
        if (result.status === 'committed') bytes.push(result.bytes)
      }
      same([bytes.length, Math.min(...bytes), Math.max(...bytes)], [400, bytes[0], bytes[0]], 'bytes')
    },
  },
  {
    name: 'what cannot be written is refused whole and hurts nobody',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r')
      const circle: Record<string, unknown> = {}
      circle['self'] = circle
      const bad = draftCommit(run, { seq: 0, operations: [['set', 1, 'C', circle as never]] })
      const [failed, fine] = await Promise.allSettled([store.commit(bad), store.commit(draftCommit(run, { seq: 0 }))])
      same([failed.status, fine.status], ['rejected', 'fulfilled'], 'how they settled')
      const child = draftRun('not allowed!')
      await refused(store.commit(draftCommit(run, { seq: 1, children: [child] })), ['invalid_option'], 'a bad child')
      same((await store.load('b-r'))?.seq, 0, 'the last row')
    },
  },
]

function swap<A, B>([a, b]: readonly [A, B]): [B, A] {
  return [b, a]
}
