// Broken stores, each by one defect that a hurried author might make: what keeps runs safe is only shown to be shown
// when the laws of the simulation find every one of them.

import type { EventRecord } from '../event/event.ts'
import type { Commit, JournalRow, RunEnd, RunStore } from '../runtime/run-store.ts'
import type { Operation } from '../world/delta.ts'
import type { Break } from './simulation-backend.ts'

/** The defects by name. Each call makes a fresh one for one simulation. */
export const flaws: Readonly<Record<string, () => Break>> = {
  'fence off': () => ({
    store: (store) => ({
      ...store,
      commit: async (commit) =>
        store.commit({ ...commit, epoch: (await store.getRun(commit.run))?.epoch ?? commit.epoch }),
    }),
  }),
  'fence and compare-and-set off': () => ({
    store: (store) => ({
      ...store,
      async commit(commit) {
        const run = await store.getRun(commit.run)
        const state = await store.load(commit.branch)
        if (run === undefined || state === undefined) return store.commit(commit)
        return store.commit({ ...commit, epoch: run.epoch, seq: state.seq + 1, firstEvent: run.events + 1 })
      },
    }),
  }),
  'acknowledged before the commit': () => ({ acknowledgeEarly: true }),
  'events outside the transaction': lateEvents,
  'result not committed before the next call': () => heldBack((operation) => operation[2] === 'ToolResults'),
  'reply not committed before its tools start': () =>
    heldBack((operation) => operation[0] === 'set' && operation[2] === 'PendingToolCalls'),
  'half a commit': () => ({
    store: (store) => ({
      ...store,
      commit: (commit) =>
        store.commit(commit.seq % 7 === 5 && commit.end === undefined ? { ...commit, operations: [] } : commit),
    }),
  }),
  'heartbeat ignored': () => ({ store: (store) => ({ ...store, heartbeat: async () => [] }) }),
  'leases swept too early': () => ({
    store: (store) => ({ ...store, sweep: (now) => store.sweep(now + 2500) }),
  }),
  'lease given to two': () => ({
    store: (store) => ({
      ...store,
      async beginAttempt(run, claim) {
        const record = await store.getRun(run)
        return record?.status === 'running' ? record : store.beginAttempt(run, claim)
      },
    }),
  }),
  'parks although newer mail is there': () => ({
    store: (store) => ({
      ...store,
      commit: async (commit) =>
        store.commit(commit.end?.to === 'waiting' ? { ...commit, read: await mailOf(store, commit.run) } : commit),
    }),
  }),
  'finishes although newer mail is there': () => ({
    store: (store) => ({
      ...store,
      commit: async (commit) =>
        store.commit(commit.end?.to === 'succeeded' ? { ...commit, read: await mailOf(store, commit.run) } : commit),
    }),
  }),
  'mail taken in twice': () => ({
    store: (store) => ({
      ...store,
      commit: async (commit) => store.commit(commit.end === undefined ? { ...commit, read: 0 } : commit),
    }),
  }),
  'cancel forgotten': () => ({
    store: (store) => ({ ...store, send: async (mail) => (mail.kind === 'cancel' ? 'sent' : store.send(mail)) }),
  }),
  'answered twice': () => {
    let last = 0
    return {
      store: (store) => ({
        ...store,
        send: (mail) => store.send(mail.kind === 'answer' ? { ...mail, id: `${mail.id}-${++last}` } : mail),
      }),
    }
  },
  'key recomputed at resume': () => changedCalls((call, row) => ({ ...call, key: `${call['key']}-${row.seq}` })),
  'beginning of a call forgotten': () => changedCalls((call) => ({ ...call, started: false })),
  'snapshot under the wrong number': wrongSnapshots,
  'the same key, another run': () => ({
    store: (store) => ({
      ...store,
      createRun: (run) => store.createRun({ ...run, ...(run.idempotencyKey && { idempotencyKey: run.id }) }),
    }),
  }),
  'a fork that goes on in its source': () => ({
    store: (store) => ({ ...store, fork: async ({ branch }) => store.getBranch(branch) }),
  }),
  'what was spent forgotten': () => spending(() => 0),
  'what was spent paid for twice': () => spending((modelCalls) => 2 * modelCalls),
  'last rows of a branch not read': () => ({
    store: (store) => ({
      ...store,
      async load(branch, options) {
        const state = await store.load(branch, options)
        return state === undefined || state.rows.length < 4 ? state : { ...state, rows: state.rows.slice(0, -1) }
      },
    }),
  }),
}

/** Ends tell the accounts something else than what was spent. */
function spending(told: (modelCalls: number) => number): Break {
  const changed = (end: RunEnd | undefined): Pick<Commit, 'end'> =>
    end !== undefined && 'spent' in end && end.spent !== undefined
      ? { end: { ...end, spent: { ...end.spent, modelCalls: told(end.spent.modelCalls) } } }
      : {}
  return {
    store: (store) => ({ ...store, commit: (commit) => store.commit({ ...commit, ...changed(commit.end) }) }),
  }
}

async function mailOf(store: RunStore, run: string): Promise<number> {
  return (await store.getRun(run))?.mail ?? 0
}

/** Events come with the next commit of the run instead, and not at all when another attempt has begun. */
function lateEvents(): Break {
  const late = new Map<string, readonly EventRecord[]>()
  return {
    store: (store) => ({
      ...store,
      async commit(commit) {
        const attempt = `${commit.run}/${commit.epoch}`
        const events = [...(late.get(attempt) ?? []), ...commit.events]
        const run = await store.getRun(commit.run)
        const firstEvent = run?.epoch === commit.epoch ? run.events + 1 : commit.firstEvent
        const whole = commit.end !== undefined
        const result = await store.commit({ ...commit, events: whole ? events : [], firstEvent })
        if (result.status === 'committed') late.set(attempt, whole ? [] : events)
        return result
      },
    }),
  }
}

/** Commits with such an operation are said to be written, and are written with the next one of their attempt. */
function heldBack(holds: (operation: Operation) => boolean): Break {
  const held = new Map<string, { operations: readonly Operation[]; events: readonly EventRecord[]; count: number }>()
  return {
    store: (store) => ({
      ...store,
      async commit(commit) {
        const attempt = `${commit.run}/${commit.epoch}`
        const before = held.get(attempt) ?? { operations: [], events: [], count: 0 }
        const operations = [...before.operations, ...commit.operations]
        const events = [...before.events, ...commit.events]
        if (commit.end === undefined && commit.snapshot === undefined && commit.operations.some(holds)) {
          held.set(attempt, { operations, events, count: before.count + 1 })
          return { status: 'committed', bytes: 100 }
        }
        const state = await store.load(commit.branch)
        const run = await store.getRun(commit.run)
        const firstEvent = run?.epoch === commit.epoch ? run.events + 1 : commit.firstEvent
        const seq = run?.epoch === commit.epoch && state !== undefined ? state.seq + 1 : commit.seq
        const result = await store.commit({ ...commit, operations, events, firstEvent, seq })
        if (result.status === 'committed') held.delete(attempt)
        return result
      },
    }),
  }
}

type Call = Readonly<Record<string, unknown>>

/** Calls that were pending read differently when a run is resumed. */
function changedCalls(change: (call: Call, row: JournalRow) => Call): Break {
  const changed = (row: JournalRow): JournalRow => ({
    ...row,
    operations: row.operations.map((operation) => {
      if (operation[0] !== 'set' || operation[2] !== 'PendingToolCalls') return operation
      const [kind, entity, name, calls] = operation
      return [kind, entity, name, (calls as unknown as Call[]).map((call) => change(call, row))] as never
    }),
  })
  return {
    store: (store) => ({
      ...store,
      async load(branch, options) {
        const state = await store.load(branch, options)
        return state === undefined ? undefined : { ...state, rows: state.rows.map(changed) }
      },
    }),
  }
}

/** A snapshot is kept with the row after its own. */
function wrongSnapshots(): Break {
  const late = new Map<string, NonNullable<Parameters<RunStore['commit']>[0]['snapshot']>>()
  return {
    store: (store) => ({
      ...store,
      commit({ snapshot, ...commit }) {
        const older = late.get(commit.branch)
        if (snapshot === undefined) late.delete(commit.branch)
        else late.set(commit.branch, snapshot)
        return store.commit(older === undefined ? commit : { ...commit, snapshot: older })
      },
    }),
  }
}
