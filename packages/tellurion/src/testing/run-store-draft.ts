// Drafts of what run stores are given in tests: short to write, whole as the port wants them.

import type { EventRecord } from '../event/event.ts'
import type { RunRecord, RunStatus } from '../runtime/run.ts'
import type { Commit, NewRun, RunEnd, RunStore, StoredState } from '../runtime/run-store.ts'
import type { Json } from '../schema/json.ts'
import type { Snapshot } from '../world/snapshot.ts'

/** A run of agent `echo`, user `ada`, in a session of its own named after it. */
export function draftRun(id: string, more: Partial<NewRun> = {}): NewRun {
  const base = { id, agent: 'echo', input: `input of ${id}`, session: `s-${id}`, ownSession: false, user: 'ada' }
  return { ...base, priority: 0, metadata: {}, availableAt: 0, newBranch: `b-${id}`, now: 0, ...more }
}

/** What a draft of a commit may say. */
export type DraftCommit = { readonly items?: readonly Json[] } & Partial<Commit>

/** The next commit of a run on top of `seq` rows: appends `items` to one log and tells of each. */
export function draftCommit(
  run: Pick<RunRecord, 'id' | 'branch' | 'epoch' | 'events' | 'mail'>,
  { items = [], ...more }: DraftCommit & { readonly seq: number },
): Commit {
  const tick = more.tick ?? more.seq + 1
  return {
    run: run.id,
    branch: run.branch,
    epoch: run.epoch,
    finished: true,
    operations: [
      ['append', 1, 'Log', items],
      ['header', { tick }],
    ],
    events: items.map((item) => noted(item)),
    firstEvent: run.events + 1,
    read: run.mail,
    now: 0,
    ...more,
    tick,
  }
}

/** An event that repeats an item. */
export function noted(item: Json): EventRecord {
  return { type: 'item.noted', entity: 1, item } as EventRecord
}

/** A snapshot of a world whose one log holds `items`. */
export function draftSnapshot(items: readonly Json[], tick: number): Snapshot {
  const header = { tick, runTicks: tick, paused: false }
  const components = { Log: { version: 1, kind: 'log', values: [[1, items]] } } as const
  return { format: 1, header, next: 2, entities: [1], components }
}

/** What the log holds after a snapshot and its tail. */
export function itemsOfState({ snapshot, rows }: StoredState): readonly Json[] {
  const kept = (snapshot?.components['Log']?.values[0]?.[1] ?? []) as readonly Json[]
  const tail = rows.flatMap(({ operations }) =>
    operations.flatMap((operation) => (operation[0] === 'append' ? operation[3] : [])),
  )
  return [...kept, ...tail]
}

/** Creates a run and begins an attempt at once. */
export async function begin(store: RunStore, id: string, more: Partial<NewRun> = {}): Promise<RunRecord> {
  await store.createRun(draftRun(id, more))
  return beginAgain(store, id, more.now ?? 0)
}

/** The next attempt of a run, whatever it waits for. Rejects when it cannot be had. */
export async function beginAgain(store: RunStore, id: string, now = 0): Promise<RunRecord> {
  const run = await store.beginAttempt(id, { worker: 'w', now, leaseUntil: now + 3_000, any: true })
  if (run === undefined) throw new Error(`${id} could not be begun`)
  return run
}

/** The plainest end of a run. */
export const done: RunEnd = { to: 'succeeded', stopReason: 'stop' }

/** Ends a run's attempt with a row of its own. */
export async function finish(store: RunStore, run: RunRecord, end: RunEnd = done, now = 0): Promise<void> {
  const seq = ((await store.load(run.branch))?.seq ?? -1) + 1
  const { mail, events } = (await store.getRun(run.id))!
  const result = await store.commit(draftCommit({ ...run, mail, events }, { seq, end, now }))
  same(result.status, 'committed', `the end of ${run.id}`)
}

/** Where a run stands; undefined when it is not there. */
export async function statusOf(store: RunStore, run: string): Promise<RunStatus | undefined> {
  return (await store.getRun(run))?.status
}

/** Throws unless two values are the same JSON, whatever the order of fields. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [sorted(actual), sorted(expected)]
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`)
}

/** Throws unless `promise` rejects with an error of one of these codes. */
export async function refused(promise: Promise<unknown>, codes: readonly string[], what: string): Promise<void> {
  try {
    await promise
  } catch (error) {
    const { code } = error as { code?: string }
    if (code !== undefined && codes.includes(code)) return
    throw new Error(`${what}: expected ${codes.join(' or ')}, got ${String(error)}`, { cause: error })
  }
  throw new Error(`${what}: expected ${codes.join(' or ')}, but it was let through`)
}

function sorted(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
  return text ?? 'undefined'
}
