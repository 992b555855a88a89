// What is promised of runs and sessions: created once, one live attempt, leases, inboxes, dead letters, lists
// and cleaning up.

import type { RunStore } from '../runtime/run-store.ts'
import type { BackendCase } from './backend-bench.ts'
import {
  begin,
  beginAgain,
  done,
  draftCommit,
  draftRun,
  draftSnapshot,
  finish,
  refused,
  same,
  statusOf,
} from './run-store-draft.ts'

/** The behaviours of runs and sessions. */
export const runBehaviour: readonly BackendCase[] = [
  {
    name: 'a session is created without a run, counted, and deleted with all that is in it, but not under a live run',
    async run(bench) {
      const { store, keyValue } = await bench.open()
      const asked = { id: 's', user: 'ada', newBranch: 'b', now: 1, maxSessions: 1 }
      same((await store.createSession(asked)).status, 'created', 'the session')
      same((await store.createSession({ ...asked, newBranch: 'c' })).status, 'known', 'the same again')
      same((await store.createSession({ ...asked, id: 't', newBranch: 'c' })).status, 'session_limit', 'one more')
      await refused(store.createSession({ ...asked, id: '../s' }), ['invalid_option'], 'a bad id')
      const run = await begin(store, 'r', { session: 's', newBranch: 'd' })
      same(run.branch, 'b', 'the branch of its run')
      await keyValue.set({ scope: 'session', owner: 's' }, 'k', new Uint8Array(1))
      same(await store.deleteSession('s'), 'live', 'under a live run')
      await finish(store, run)
      same(await store.deleteSession('s'), 'deleted', 'afterwards')
      same(await store.getSession('s'), undefined, 'the session')
      same(await store.getRun('r'), undefined, 'its run')
      same(await keyValue.get({ scope: 'session', owner: 's' }, 'k'), undefined, 'its records')
      same(await store.deleteSession('s'), 'unknown', 'once more')
    },
  },
  {
    name: 'one key of a user makes one run, however often and at once it is asked for',
    async run(bench) {
      const { store } = await bench.open()
      const idempotencyKey = "order 7 '; --"
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.createRun(draftRun(`r${index}`, { idempotencyKey }))),
      )
      same(made.filter(({ status }) => status === 'created').length, 1, 'runs created')
      const ids = new Set(made.map((answer) => ('run' in answer ? answer.run.id : '')))
      same(ids.size, 1, 'different runs answered')
      const other = await store.createRun(draftRun('theirs', { idempotencyKey, user: 'bob' }))
      same(other.status, 'created', 'the key of another user')
      same((await store.createRun(draftRun('theirs'))).status, 'known', 'an id that is there')
      same((await store.listRuns({})).length, 2, 'runs')
      same((await store.mail([...ids][0]!, 0)).length, 1, 'items in the inbox')
    },
  },
  {
    name: 'ids and keys of another form are refused',
    async run(bench) {
      const { store } = await bench.open()
      const bad = ['', 'a/b', '../x', 'a b', 'ü', 'x'.repeat(65), "a'--", 'a\0', '__proto__\n']
      for (const id of bad) {
        const what = JSON.stringify(id)
        await refused(store.createRun(draftRun(id)), ['invalid_option'], `run ${what}`)
        await refused(store.createRun(draftRun('r', { session: id })), ['invalid_option'], `session ${what}`)
        await refused(store.createRun(draftRun('r', { user: id })), ['invalid_option'], `user ${what}`)
      }
      for (const idempotencyKey of ['', 'x'.repeat(257), 'a\nb', '\ud800']) {
        await refused(store.createRun(draftRun('r', { idempotencyKey })), ['invalid_option'], 'key')
      }
      same((await store.listRuns({})).length, 0, 'runs')
      for (const id of ['__proto__', 'constructor', '-', 'x'.repeat(64)]) {
        same((await store.createRun(draftRun(id, { session: id, newBranch: id }))).status, 'created', id)
        same((await store.getRun(id))?.id, id, id)
      }
      same(await store.getRun('toString'), undefined, 'a run that is not there')
    },
  },
  {
    name: 'one attempt holds a run, also when many want it at once',
    async run(bench) {
      const { store } = await bench.open()
      await store.createRun(draftRun('r', { availableAt: 50 }))
      const claim = { worker: 'w', now: 49, leaseUntil: 3_000 }
      same(await store.beginAttempt('r', claim), undefined, 'before it may be claimed')
      const tries = Array.from({ length: 20 }, (_, index) =>
        store.beginAttempt('r', { worker: `w${index}`, now: 50, leaseUntil: 3_000, any: true }),
      )
      const held = (await Promise.all(tries)).filter((run) => run !== undefined)
      same(held.length, 1, 'attempts')
      const record = await store.getRun('r')
      same([record?.worker, record?.epoch, record?.startedAt], [held[0]?.worker, 1, 50], 'who holds it')
      same(await store.heartbeat([{ run: 'r', epoch: 1 }], 9_000), [], 'its heartbeat')
      same(await store.beginAttempt('r', { ...claim, now: 8_999 }), undefined, 'within the lease')
      const next = await store.beginAttempt('r', { ...claim, now: 9_000, leaseUntil: 12_000 })
      same([next?.epoch, next?.crashes], [2, 1], 'when the lease has lapsed')
    },
  },
  {
    name: 'a run goes on a branch that is named, or is refused',
    async run(bench) {
      const { store } = await bench.open()
      await finish(store, await begin(store, 'r'))
      await store.fork({ branch: 'b-r', tick: 1, id: 'side', session: 's-r', head: false, now: 0 })
      const made = await store.createRun(draftRun('on-side', { session: 's-r', branch: 'side' }))
      same('run' in made && made.run.branch, 'side', 'the branch')
      const nowhere = draftRun('no', { session: 's-r', branch: 'nowhere' })
      same((await store.createRun(nowhere)).status, 'unknown_branch', 'a branch that is not there')
      const foreign = draftRun('no', { session: 's-new', branch: 'side' })
      same((await store.createRun(foreign)).status, 'unknown_branch', 'a branch of another session')
      same(await store.getSession('s-new'), undefined, 'the session that was not made')
    },
  },
  {
    name: 'of many answers with one id the first wins',
    async run(bench) {
      const { store } = await bench.open()
      await finish(store, await begin(store, 'r'), { to: 'waiting' })
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          store.send({ run: 'r', id: 'answer.i1', kind: 'answer', payload: { by: index }, now: 5 }),
        ),
      )
      same(answers.filter((answer) => answer === 'sent').length, 1, 'answers taken')
      same(answers.filter((answer) => answer === 'duplicate').length, 19, 'answers refused')
      same((await store.mail('r', 1)).length, 1, 'items')
      same(await statusOf(store, 'r'), 'queued', 'the run')
      same(await store.send({ run: 'x', id: 'a', kind: 'input', payload: 0, now: 0 }), 'unknown', 'to nobody')
    },
  },
  {
    name: 'a paused run wakes for resume and cancel alone, a waiting one for anything',
    async run(bench) {
      const { store } = await bench.open()
      for (const kind of ['input', 'steer', 'answer', 'child', 'timer', 'pause', 'resume', 'cancel'] as const) {
        for (const to of ['paused', 'waiting'] as const) {
          const id = `${kind}-${to}`
          await finish(store, await begin(store, id), { to })
          await store.send({ run: id, id: 'm', kind, payload: null, now: 5 })
          const wakes = to === 'waiting' || kind === 'resume' || kind === 'cancel'
          same(await statusOf(store, id), wakes ? 'queued' : to, id)
        }
        const queued = `${kind}-queued`
        await store.createRun(draftRun(queued))
        await store.send({ run: queued, id: 'm', kind, payload: null, now: 5 })
        same(await statusOf(store, queued), kind === 'pause' ? 'paused' : 'queued', queued)
      }
      await store.createRun(draftRun('later', { availableAt: 60_000 }))
      await store.send({ run: 'later', id: 'p', kind: 'pause', payload: null, now: 5 })
      await store.send({ run: 'later', id: 'r', kind: 'resume', payload: null, now: 5 })
      same((await store.getRun('later'))?.availableAt, 60_000, 'a delayed run that was paused keeps its delay')
      await store.send({ run: 'later', id: 'm', kind: 'cancel', payload: null, now: 5 })
      same((await store.getRun('later'))?.availableAt, 5, 'a cancel makes a delayed run claimable')
    },
  },
  {
    name: 'sweep frees lapsed leases and due waits, and nothing else',
    async run(bench) {
      const { store } = await bench.open()
      await begin(store, 'lapsed')
      await begin(store, 'held', { now: 5_000 })
      await finish(store, await begin(store, 'due'), { to: 'waiting', due: 4_000 })
      await finish(store, await begin(store, 'later'), { to: 'waiting', due: 4_001 })
      await finish(store, await begin(store, 'ever'), { to: 'waiting' })
      same([...(await store.sweep(4_000))].sort(), ['due', 'lapsed'], 'freed')
      same(await store.sweep(4_000), [], 'freed again')
      const crashes = async (id: string): Promise<number | undefined> => (await store.getRun(id))?.crashes
      same([await crashes('lapsed'), await crashes('due')], [1, 0], 'crashes')
      same([await statusOf(store, 'held'), await statusOf(store, 'later')], ['running', 'waiting'], 'the others')
    },
  },
  {
    name: 'a clock that is set back keeps nobody from a run that was to begin at once, or whose holder is gone',
    async run(bench) {
      const { store, queue } = await bench.open()
      const before = 1_000_000_000
      await store.createRun(draftRun('new', { now: before, availableAt: before }))
      await store.createRun(draftRun('later', { now: before, availableAt: before + 1 }))
      await begin(store, 'held', { now: before })
      await begin(store, 'mine', { now: 5_000 })
      same(await store.sweep(4_000), ['held'], 'freed')
      same((await store.getRun('held'))?.crashes, 1, 'crashes')
      const claim = { worker: 'w', now: 4_000, leaseUntil: 7_000 }
      same((await store.beginAttempt('new', claim))?.epoch, 1, 'the one that was to begin at once')
      same((await store.beginAttempt('held', claim))?.epoch, 2, 'the one whose holder is gone')
      same(await store.beginAttempt('later', claim), undefined, 'the one that was to wait')
      await queue.remove('later')
    },
  },
  {
    name: 'a run that always loses its worker becomes a dead letter, tells so, and can be tried again',
    async run(bench) {
      const { store } = await bench.open()
      await begin(store, 'parent')
      const child = await begin(store, 'child', { parent: 'parent' })
      await begin(store, 'grandchild', { parent: 'child' })
      let now = 10_000
      const lapse = async (): Promise<void> => {
        now += 10_000
        await store.sweep(now)
      }
      for (let count = 0; count < 60; count++) {
        await lapse()
        await beginAgain(store, 'child', now)
      }
      const alive = await store.getRun('child')
      const kept = await store.commit(draftCommit({ ...child, ...alive, events: 0 }, { seq: 0, items: ['progress'] }))
      same([kept.status, (await store.getRun('child'))?.crashes], ['committed', 0], 'a commit forgets the crashes')
      for (let count = 0; count < 99; count++) {
        await lapse()
        await beginAgain(store, 'child', now)
      }
      same((await store.getRun('child'))?.crashes, 99, 'crashes in a row')
      now += 10_000
      same((await store.sweep(now)).includes('child'), false, 'the last one frees nothing')
      const dead = await store.getRun('child')
      same([dead?.status, dead?.error?.code, dead?.endedAt], ['failed', 'run_crashed', now], 'the dead letter')
      const last = (await store.readEvents('child', { after: 0, limit: 10 })).at(-1)
      same([last?.seq, last?.event.type], [2, 'run.failed'], 'its last event')
      same((await store.mail('parent', 1))[0]?.kind, 'child', 'its parent hears of it')
      same((await store.mail('grandchild', 1))[0]?.kind, 'cancel', 'what worked for it is told to end')
      same(await store.retry('child', now), 'queued', 'another try')
      same(await store.retry('child', now), 'not_failed', 'and another')
      same(await store.retry('nobody', now), 'unknown', 'of nobody')
      const mail = (await store.mail('child', 0)).at(-1)
      same([mail?.kind, mail?.position], ['retry', (await store.getRun('child'))?.mail], 'its mail says so')
      const again = await beginAgain(store, 'child', now)
      same([again.crashes, again.retries, again.events, again.result], [0, 0, 2, undefined], 'the new attempt')
    },
  },
  {
    name: 'named sessions of a user are limited, own ones are not counted',
    async run(bench) {
      const { store } = await bench.open()
      const make = async (id: string, more: Parameters<typeof draftRun>[1] = {}): Promise<string> =>
        (await store.createRun(draftRun(id, { maxSessions: 2, ...more }))).status
      same(await make('a'), 'created', 'the first')
      same(await make('b'), 'created', 'the second')
      same(await make('c'), 'session_limit', 'the third')
      same(await store.getRun('c'), undefined, 'the run that was refused')
      same(await make('d', { ownSession: true }), 'created', 'an own one')
      same(await make('e', { session: 's-a' }), 'created', 'in one that is there')
      same(await make('f', { user: 'bob' }), 'created', 'of another user')
      same(
        (await store.listSessions({ user: 'ada' })).map(({ id }) => id),
        ['s-d', 's-b', 's-a'],
        'sessions',
      )
    },
  },
  {
    name: 'cleaning up takes what is over and old, whole, and leaves the rest',
    async run(bench) {
      const { store, keyValue } = await bench.open()
      for (const id of ['old', 'fresh', 'live']) await begin(store, id, { ownSession: id === 'old' })
      await store.fork({ branch: 'b-old', tick: 0, id: 'f-old', session: 's-old', head: false, now: 0 })
      await store.send({ run: 'old', id: 'm', kind: 'steer', payload: 1, now: 0 })
      const state = draftSnapshot(['x'], 1)
      await store.commit(draftCommit({ ...(await store.getRun('old'))!, events: 0 }, { seq: 0, snapshot: state }))
      await keyValue.set({ scope: 'session', owner: 's-old' }, 'artifact', new Uint8Array([1]))
      await keyValue.set({ scope: 'session', owner: 's-fresh' }, 'artifact', new Uint8Array([2]))
      await finish(store, (await store.getRun('old'))!, done, 100)
      await finish(store, (await store.getRun('fresh'))!, done, 900)
      same(await store.gc({ before: 100, limit: 10 }), 0, 'at the instant of the last touch')
      same(await store.gc({ before: 500, limit: 10 }), 1, 'sessions gone')
      const left = [await store.getRun('old'), await store.load('b-old'), await store.load('f-old')]
      same(
        [...left, await store.getSession('s-old')].filter((thing) => thing !== undefined),
        [],
        'what is left of it',
      )
      same([await store.mail('old', 0), await store.readEvents('old', { after: 0, limit: 9 })], [[], []], 'its rows')
      same(await keyValue.get({ scope: 'session', owner: 's-old' }, 'artifact'), undefined, 'its artifact')
      same((await keyValue.get({ scope: 'session', owner: 's-fresh' }, 'artifact'))?.value[0], 2, 'another artifact')
      same(
        (await store.listRuns({})).map(({ id }) => id),
        ['live', 'fresh'],
        'runs',
      )
      same(await store.gc({ before: 1e12, limit: 10 }), 1, 'later')
      same(await statusOf(store, 'live'), 'running', 'what is live stays')
      const anew = await begin(store, 'old')
      same([anew.epoch, (await store.load('b-old'))?.seq], [1, -1], 'the id can be used again, from the beginning')
      same((await store.commit(draftCommit(anew, { seq: 0 }))).status, 'committed', 'its first commit')
    },
  },
  {
    name: 'lists are filtered, newest first, in pages',
    async run(bench) {
      const { store } = await bench.open()
      for (let index = 0; index < 9; index++) {
        const more = {
          agent: index % 2 === 0 ? 'even' : 'odd',
          user: index < 5 ? 'ada' : 'bob',
          session: `s${index % 3}`,
        }
        await store.createRun(draftRun(`r${index}`, { ...more, ...(index === 8 ? { parent: 'r0' } : {}) }))
      }
      await beginAgain(store, 'r1')
      const ids = async (filter: Parameters<RunStore['listRuns']>[0]): Promise<string> =>
        (await store.listRuns(filter)).map(({ id }) => id.slice(1)).join('')
      same(await ids({}), '876543210', 'all')
      same(await ids({ limit: 3 }), '876', 'the first page')
      same(await ids({ limit: 3, before: 'r6' }), '543', 'the second page')
      same(await ids({ before: 'nobody' }), '', 'after a run that is not there')
      same(await ids({ agent: 'odd', user: 'ada' }), '31', 'of an agent and a user')
      same(await ids({ session: 's2' }), '852', 'of a session')
      same(await ids({ parent: 'r0' }), '8', 'of a parent')
      same(await ids({ status: ['running', 'failed'] }), '1', 'of some states')
      same(await ids({ status: [] }), '', 'of no state')
      same(await ids({ asking: true }), '', 'that ask')
    },
  },
  {
    name: 'a record tells how its run ended',
    async run(bench) {
      const { store } = await bench.open()
      const run = await begin(store, 'r', { now: 3 })
      const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 } as never
      const end = { ...done, result: { text: 'hi' }, usage } as const
      await store.commit(draftCommit(run, { seq: 0, now: 9, ranFor: 6, end }))
      const {
        status,
        result,
        stopReason,
        endedAt,
        createdAt,
        ranFor,
        worker,
        leaseUntil,
        usage: used,
      } = (await store.getRun('r'))!
      same([status, result, stopReason, used], ['succeeded', { text: 'hi' }, 'stop', usage], 'the end')
      same([createdAt, endedAt, ranFor], [3, 9, 6], 'times')
      same([worker, leaseUntil], [undefined, undefined], 'its lease')
      const late = await store.commit(draftCommit({ ...run, events: 0 }, { seq: 1 }))
      same(late.status, 'fenced', 'a commit after the end')
      same(await store.send({ run: 'r', id: 'm', kind: 'steer', payload: 0, now: 0 }), 'ended', 'mail after the end')
    },
  },
]
