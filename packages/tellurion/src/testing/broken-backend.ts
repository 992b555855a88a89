// Backends that break one promise each: what the list of behaviours has to catch, so that it cannot grow blind.

import type { Backend } from '../runtime/backend.ts'
import type { Commit, RunStore, StoredEvent } from '../runtime/run-store.ts'

/** A way to break a backend. */
export interface BrokenBackend {
  readonly name: string
  /** The backend with one promise broken. */
  damage(backend: Backend): Backend
}

/** Replaces methods of a store. */
function withStore(backend: Backend, change: (store: RunStore) => Partial<RunStore>): Backend {
  return { ...backend, store: { ...backend.store, ...change(backend.store) } }
}

/** Repeats a refused commit changed, until it is let in. */
function forced(
  backend: Backend,
  status: string,
  change: (commit: Commit, store: RunStore) => Promise<Commit>,
): Backend {
  return withStore(backend, (store) => ({
    async commit(commit) {
      const result = await store.commit(commit)
      return result.status === status ? store.commit(await change(commit, store)) : result
    },
  }))
}

/** The broken variants. */
export const brokenBackends: readonly BrokenBackend[] = [
  {
    name: 'the fence is off: a zombie commits with the epoch of its heir',
    damage: (backend) =>
      forced(backend, 'fenced', async (commit, store) => {
        const epoch = (await store.getRun(commit.run))?.epoch ?? 0
        return { ...commit, epoch }
      }),
  },
  {
    name: 'the compare-and-set is off: a commit goes behind whatever is there',
    damage: (backend) =>
      forced(backend, 'conflict', async (commit, store) => {
        const seq = ((await store.load(commit.branch))?.seq ?? -1) + 1
        const firstEvent = ((await store.getRun(commit.run))?.events ?? 0) + 1
        return { ...commit, seq, firstEvent }
      }),
  },
  {
    name: 'mail is ignored at park and end',
    damage: (backend) =>
      forced(backend, 'mail', async (commit, store) => {
        const read = (await store.getRun(commit.run))?.mail ?? 0
        return { ...commit, read }
      }),
  },
  {
    name: 'events are written outside the transaction: they stay when the commit is refused',
    damage(backend) {
      const logs = new Map<string, StoredEvent[]>()
      return withStore(backend, (store) => ({
        commit(commit) {
          const log = logs.get(commit.run) ?? []
          logs.set(commit.run, log)
          for (const event of commit.events) {
            log.push({
              seq: log.length + 1,
              at: commit.now,
              tick: commit.finished ? commit.tick - 1 : commit.tick,
              event,
            })
          }
          return store.commit(commit)
        },
        readEvents: async (run, { after, limit }) => (logs.get(run) ?? []).slice(after, after + limit),
      }))
    },
  },
  {
    name: 'a snapshot is not part of its commit: it stays when the commit is refused',
    damage(backend) {
      const kept = new Map<string, NonNullable<Commit['snapshot']>>()
      return withStore(backend, (store) => ({
        commit(commit) {
          if (commit.snapshot !== undefined) kept.set(commit.branch, commit.snapshot)
          return store.commit(commit)
        },
        async load(branch, options) {
          const state = await store.load(branch, options)
          const snapshot = kept.get(branch)
          return state === undefined || snapshot === undefined ? state : { ...state, snapshot, rows: [] }
        },
      }))
    },
  },
  {
    name: 'children and mail are sent before the commit is let in',
    damage: (backend) =>
      withStore(backend, (store) => ({
        async commit({ children = [], sends = [], ...commit }) {
          for (const child of children) await store.createRun(child)
          for (const mail of sends) await store.send(mail)
          return store.commit(commit)
        },
      })),
  },
  {
    name: 'a second item with the same id is taken',
    damage(backend) {
      let count = 0
      return withStore(backend, (store) => ({ send: (mail) => store.send({ ...mail, id: `${mail.id} ${++count}` }) }))
    },
  },
  {
    name: 'an idempotency key is ignored',
    damage: (backend) =>
      withStore(backend, (store) => ({
        createRun: ({ idempotencyKey: _key, ...run }) => store.createRun(run),
      })),
  },
  {
    name: 'a heartbeat does not extend the lease',
    damage: (backend) => withStore(backend, () => ({ heartbeat: async () => [] })),
  },
  {
    name: 'a lapsed lease is never freed',
    damage: (backend) => withStore(backend, () => ({ sweep: async () => [] })),
  },
  {
    name: 'leases are freed before they lapse',
    damage: (backend) => withStore(backend, (store) => ({ sweep: (now) => store.sweep(now + 100_000) })),
  },
  {
    name: 'a delayed run is claimed at once',
    damage: (backend) =>
      withStore(backend, (store) => ({
        beginAttempt: (run, claim) => store.beginAttempt(run, { ...claim, any: true }),
      })),
  },
  {
    name: 'an attempt begins although the run, or its turn, was refused',
    damage: (backend) =>
      withStore(backend, (store) => ({
        async beginAttempt(run, claim) {
          const record = await store.getRun(run)
          return (await store.beginAttempt(run, claim)) ?? (record && { ...record, epoch: record.epoch + 1 })
        },
      })),
  },
  {
    name: 'a fork forgets the past',
    damage: (backend) =>
      withStore(backend, (store) => ({
        async load(id, options) {
          const state = await store.load(id, options)
          const parent = (await store.getBranch(id))?.parent
          if (state === undefined || parent === undefined) return state
          const { snapshot: _snapshot, ...rest } = state
          return { ...rest, rows: state.rows.filter(({ seq }) => seq > parent.seq) }
        },
      })),
  },
  {
    name: 'the past is read one tick late',
    damage: (backend) =>
      withStore(backend, (store) => ({
        load: (branch, { tick } = {}) => store.load(branch, tick === undefined ? {} : { tick: tick + 1 }),
      })),
  },
  {
    name: 'events are read from the cursor itself, so one is repeated',
    damage: (backend) =>
      withStore(backend, (store) => ({
        readEvents: (run, { after, limit }) => store.readEvents(run, { after: after - 1, limit }),
      })),
  },
  {
    name: 'versions of components are lost',
    damage: (backend) =>
      withStore(backend, (store) => ({ commit: ({ versions: _versions, ...commit }) => store.commit(commit) })),
  },
  {
    name: 'the queue ignores priorities',
    damage: (backend) =>
      withStore(backend, (store) => ({ createRun: (run) => store.createRun({ ...run, priority: 0 }) })),
  },
  {
    name: 'a consumer is given more than it can take',
    damage: ({ queue, ...backend }) => ({
      ...backend,
      queue: { ...queue, consume: (consumer, options) => queue.consume({ ...consumer, capacity: () => 9 }, options) },
    }),
  },
  {
    name: 'retention does not look at the age of rows',
    damage: (backend) =>
      withStore(backend, (store) => ({ prune: ({ limit }) => store.prune({ before: Infinity, limit }) })),
  },
  {
    name: 'retention drops nothing',
    damage: (backend) => withStore(backend, () => ({ prune: async () => 0 })),
  },
  {
    name: 'retention drops more at once than it was told',
    damage: (backend) =>
      withStore(backend, (store) => ({ prune: ({ before }) => store.prune({ before, limit: 1_000 }) })),
  },
  {
    name: 'sessions are not limited',
    damage: (backend) =>
      withStore(backend, (store) => ({ createRun: ({ maxSessions: _max, ...run }) => store.createRun(run) })),
  },
  {
    name: 'what a run spends is forgotten with its end',
    damage: (backend) =>
      withStore(backend, (store) => ({
        commit: (commit) =>
          store.commit(
            commit.end !== undefined && 'stopReason' in commit.end
              ? { ...commit, end: { ...commit.end, spent: { modelCalls: 0, toolCalls: 0, tokens: 0, cost: 0 } } }
              : commit,
          ),
      })),
  },
  {
    name: 'an allowance is granted beside its accounts',
    damage: (backend) =>
      withStore(backend, (store) => ({ createRun: ({ accounts: _none, ...run }) => store.createRun(run) })),
  },
  {
    name: 'the hint of an end says that only a log has grown',
    damage(backend) {
      const { hints } = backend
      return {
        ...backend,
        hints: {
          ...hints,
          listen: (fn) => hints.listen((hint) => fn(hint.type === 'run' ? { ...hint, log: true } : hint)),
        },
      }
    },
  },
  {
    name: 'cleaning up says so and takes nothing',
    damage: (backend) => withStore(backend, () => ({ gc: async () => 1 })),
  },
]
