// What every backend does: the one list that a new backend runs. Commits, runs, the past, the queue, hints, random
// courses beside the model; and where the material allows it, opening again and several handles.

import type { Backend } from '../runtime/backend.ts'
import type { RunStore } from '../runtime/run-store.ts'
import { macrotask } from './virtual-clock.ts'
import { until, type BackendBench, type BackendCase } from './backend-bench.ts'
import { accountBehaviour } from './run-store-account-behaviour.ts'
import { commitBehaviour } from './run-store-commit-behaviour.ts'
import { takeCourse } from './run-store-course.ts'
import { begin, beginAgain, draftCommit, draftRun, itemsOfState, same } from './run-store-draft.ts'
import { listBehaviour } from './run-store-list-behaviour.ts'
import { pastBehaviour } from './run-store-past-behaviour.ts'
import { retentionBehaviour } from './run-store-retention-behaviour.ts'
import { runBehaviour } from './run-store-run-behaviour.ts'
import { turnBehaviour } from './run-store-turn-behaviour.ts'

const done = { to: 'succeeded', stopReason: 'stop' } as const

/** Runs a consumer until `work` is over, then stops it and waits for its end. */
async function consuming(
  { queue }: Backend,
  consumer: Parameters<Backend['queue']['consume']>[0],
  work: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const ended = queue.consume(consumer, { signal: stop.signal })
  try {
    await work()
  } finally {
    stop.abort()
    await ended
  }
}

/** Takes a run and ends it at once. */
async function serve({ store }: Backend, id: string, now = 0): Promise<boolean> {
  const run = await store.beginAttempt(id, { worker: 'w', now, leaseUntil: now + 3_000 })
  if (run === undefined) return false
  const seq = ((await store.load(run.branch))?.seq ?? -1) + 1
  const { status } = await store.commit(draftCommit(run, { seq, end: done, now }))
  return status === 'committed'
}

const queueBehaviour: readonly BackendCase[] = [
  {
    name: 'the queue delivers the highest priority first, oldest first inside a priority, and each run once',
    async run(bench) {
      const backend = await bench.open()
      for (let index = 0; index < 12; index++) {
        await backend.store.createRun(draftRun(`r${index}`, { priority: index % 3 }))
      }
      const order: string[] = []
      const deliver = async (id: string): Promise<void> => {
        if (await serve(backend, id, bench.clock.now())) order.push(id)
      }
      await consuming(backend, { capacity: () => 1, deliver }, () => until(() => order.length === 12, 'all runs'))
      const wanted = [2, 5, 8, 11, 1, 4, 7, 10, 0, 3, 6, 9].map((index) => `r${index}`)
      same(order, wanted, 'the order')
    },
  },
  {
    name: 'a consumer never has more than its capacity, which may change, and gets its own agents alone',
    async run(bench) {
      const backend = await bench.open()
      for (let index = 0; index < 10; index++) {
        await backend.store.createRun(draftRun(`r${index}`, { agent: index < 8 ? 'mine' : 'other' }))
      }
      let [open, most, capacity, free] = [0, 0, 2, false]
      const served: string[] = []
      const gates: (() => void)[] = []
      const deliver = async (id: string): Promise<void> => {
        most = Math.max(most, ++open)
        if (!free) await new Promise<void>((resolve) => gates.push(resolve))
        if (await serve(backend, id)) served.push(id)
        open--
      }
      await consuming(backend, { agents: ['mine'], capacity: () => capacity, deliver }, async () => {
        try {
          await until(() => gates.length === 2, 'two runs')
          for (let turn = 0; turn < 20; turn++) await macrotask()
          same([most, gates.length], [2, 2], 'handed out')
          capacity = 5
          gates.shift()?.()
          await until(() => open === 5, 'five runs')
        } finally {
          free = true
          for (const gate of gates) gate()
        }
        await until(() => served.length === 8, 'all of mine')
      })
      same([most, served.length], [5, 8], 'the most at a time, and all')
      same((await backend.store.getRun('r9'))?.status, 'queued', 'a run of another agent')
    },
  },
  {
    name: 'the queue waits for what is not yet available, and for the turn on a branch',
    async run(bench) {
      const backend = await bench.open()
      const now = bench.clock.now()
      await backend.store.createRun(draftRun('later', { availableAt: now + 30_000, priority: 9 }))
      await backend.store.createRun(draftRun('first', { session: 's', newBranch: 'b' }))
      await backend.store.createRun(draftRun('second', { session: 's', priority: 5 }))
      const order: string[] = []
      const deliver = async (id: string): Promise<void> => {
        if (await serve(backend, id, bench.clock.now())) order.push(id)
      }
      await consuming(backend, { capacity: () => 4, deliver }, async () => {
        await until(() => order.length === 2, 'the two of the session')
        same(order, ['first', 'second'], 'the order on the branch')
        await bench.clock.advance(29_000)
        same(order.length, 2, 'before its time')
        await bench.clock.advance(2_000)
        await until(() => order.length === 3, 'the delayed one')
      })
    },
  },
  {
    name: 'a run that a worker does not take is not pressed on it',
    async run(bench) {
      const backend = await bench.open()
      await backend.store.createRun(draftRun('r'))
      let times = 0
      const deliver = async (): Promise<void> => void times++
      await consuming(backend, { capacity: () => 4, deliver }, async () => {
        await until(() => times > 0, 'the first time')
        for (let turn = 0; turn < 200; turn++) await macrotask()
        same(times <= 2, true, `times without any time passing (${times})`)
        await bench.clock.advance(10_000)
        same(times > 2 && times < 30, true, `times in ten seconds (${times})`)
      })
    },
  },
  {
    name: 'a consumer that is stopped waits for what it has handed out',
    async run(bench) {
      const backend = await bench.open()
      await backend.store.createRun(draftRun('r'))
      const gate = Promise.withResolvers<void>()
      let [started, ended] = [false, false]
      const stop = new AbortController()
      const consumer = { capacity: () => 1, deliver: () => ((started = true), gate.promise) }
      const consumed = backend.queue.consume(consumer, { signal: stop.signal }).then(() => (ended = true))
      await until(() => started, 'the delivery')
      stop.abort()
      for (let turn = 0; turn < 20; turn++) await macrotask()
      same(ended, false, 'ended before its work')
      gate.resolve()
      await consumed
    },
  },
  {
    name: 'new work wakes a waiting consumer without any time passing',
    async run(bench) {
      const backend = await bench.open()
      let served = 0
      const deliver = async (id: string): Promise<void> => void ((await serve(backend, id)) && served++)
      await consuming(backend, { capacity: () => 2, deliver }, async () => {
        for (let index = 0; index < 5; index++) {
          await backend.store.createRun(draftRun(`r${index}`))
          await until(() => served === index + 1, `run ${index}`)
        }
      })
    },
  },
  {
    name: 'hints tell of commits and new work, and a listener that throws hurts nobody',
    async run(bench) {
      const { store, hints } = await bench.open()
      const heard: string[] = []
      const deaf = hints.listen(() => {
        throw new Error('not listening')
      })
      const stop = hints.listen((hint) => heard.push(hint.type === 'run' ? hint.run : 'queue'))
      const run = await begin(store, 'r')
      await until(() => heard.includes('queue'), 'work')
      heard.length = 0
      await store.commit(draftCommit(run, { seq: 0 }))
      await until(() => heard.includes('r'), 'the commit')
      heard.length = 0
      await store.send({ run: 'r', id: 'm', kind: 'cancel', payload: null, now: 0 })
      await until(() => heard.includes('r'), 'the mail')
      stop()
      stop()
      deaf()
      heard.length = 0
      hints.send({ type: 'queue' })
      for (let turn = 0; turn < 5; turn++) await macrotask()
      same(heard, [], 'after it stopped listening')
    },
  },
  {
    name: 'a hint of an end says more than that a log has grown',
    async run(bench) {
      const { store, hints } = await bench.open()
      let told = false
      const stop = hints.listen((hint) => (told ||= hint.type === 'run' && hint.run === 'r' && hint.log !== true))
      const run = await begin(store, 'r')
      await store.commit(draftCommit(run, { seq: 0 }))
      for (let turn = 0; turn < 5; turn++) await macrotask()
      told = false
      await store.commit(draftCommit(run, { seq: 1, end: { to: 'succeeded', stopReason: 'idle' } }))
      await until(() => told, 'the end')
      stop()
    },
  },
]

const durableBehaviour: readonly BackendCase[] = [
  {
    name: 'everything acknowledged is there after opening again, and goes on',
    needs: 'reopen',
    async run(bench) {
      let backend = await bench.open()
      for (let round = 0; round < 5; round++) {
        const run = round === 0 ? await begin(backend.store, 'r') : await beginAgain(backend.store, 'r', round * 10_000)
        await backend.store.commit(draftCommit(run, { seq: round, items: [`item ${round}`] }))
        await backend.store.send({ run: 'r', id: `m${round}`, kind: 'steer', payload: round, now: 0 })
        await backend.keyValue.set({ scope: 'global', owner: '' }, `k${round}`, new Uint8Array([round]))
        backend = await bench.reopen!(backend)
        await backend.store.sweep((round + 1) * 10_000)
        const state = await backend.store.load('b-r')
        const wanted = Array.from({ length: round + 1 }, (_, index) => `item ${index}`)
        same(state && itemsOfState(state), wanted, `the state after round ${round}`)
        same((await backend.store.mail('r', 0)).length, round + 2, 'the inbox')
        same((await backend.store.readEvents('r', { after: round, limit: 9 })).length, 1, 'the newest event')
        same((await backend.keyValue.list({ scope: 'global', owner: '' })).length, round + 1, 'records')
      }
    },
  },
  {
    name: 'two handles take random courses as one',
    needs: 'join',
    async run(bench) {
      for (let seed = 1; seed <= 6; seed++) {
        const first = await bench.open()
        const second = await bench.join!(first)
        await takeCourse({ ...first, store: alternating(first.store, second.store) }, { seed, steps: 120 })
        await second.close()
      }
    },
  },
  {
    name: 'two handles at once: one attempt, one winner a place, nothing lost',
    needs: 'join',
    async run(bench) {
      const first = await bench.open()
      const second = await bench.join!(first)
      await first.store.createRun(draftRun('r'))
      const claim = { worker: 'w', now: 0, leaseUntil: 3_000 }
      const held = await Promise.all([first, second].map(({ store }) => store.beginAttempt('r', claim)))
      const run = held.find((record) => record !== undefined)
      same(held.filter((record) => record !== undefined).length, 1, 'attempts')
      for (let seq = 0; seq < 40; seq++) {
        const rivals = [first, second].map(({ store }, index) =>
          store.commit(draftCommit({ ...run!, events: seq }, { seq, items: [`${seq}.${index}`] })),
        )
        const statuses = (await Promise.all(rivals)).map(({ status }) => status).sort()
        same(statuses, ['committed', 'conflict'], `place ${seq}`)
      }
      same((await second.store.readEvents('r', { after: 0, limit: 99 })).length, 40, 'events')
      await second.close()
    },
  },
  {
    name: 'a handle hears of what another one writes',
    needs: 'join',
    async run(bench) {
      const first = await bench.open()
      const second = await bench.join!(first)
      const heard: string[] = []
      const stop = second.hints.listen((hint) => heard.push(hint.type === 'run' ? hint.run : 'queue'))
      const run = await begin(first.store, 'r')
      await until(() => heard.includes('queue') && heard.includes('r'), 'the new run')
      heard.length = 0
      await first.store.commit(draftCommit(run, { seq: 0 }))
      await until(() => heard.includes('r'), 'the commit')
      heard.length = 0
      await first.store.commit(draftCommit({ ...run, events: 0 }, { seq: 1, end: done }))
      await until(() => heard.includes('r'), 'the end')
      stop()
      await second.close()
    },
  },
]

/** A store whose calls go to one and the other in turn. */
function alternating(first: RunStore, second: RunStore): RunStore {
  let turn = 0
  return new Proxy(first, {
    get(_, name) {
      const store = turn++ % 2 === 0 ? first : second
      const method: unknown = Reflect.get(store, name)
      return typeof method === 'function' ? method.bind(store) : method
    },
  })
}

/** Seeds of the random courses in the list; a test may take many more with `takeCourse`. */
const courses: readonly BackendCase[] = Array.from({ length: 12 }, (_, index) => ({
  name: `a random course answers as the model does (seed ${index + 1})`,
  run: async (bench: BackendBench) => takeCourse(await bench.open(), { seed: index + 1, steps: 150 }),
}))

/** The behaviours of a backend. Each opens backends of its own. */
export const backendBehaviour: readonly BackendCase[] = [
  ...commitBehaviour,
  ...runBehaviour,
  ...turnBehaviour,
  ...accountBehaviour,
  ...listBehaviour,
  ...pastBehaviour,
  ...retentionBehaviour,
  ...queueBehaviour,
  ...durableBehaviour,
  ...courses,
]
