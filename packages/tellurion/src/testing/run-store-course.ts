// Random courses of a run store beside the model: the same commands to both, every answer compared, and after each few
// commands everything that can be read. The same seed takes the same course.

import { seededRandom, type Random } from '../id/random.ts'
import type { Backend } from '../runtime/backend.ts'
import type { Commit, MailKind, RunEnd, RunStore } from '../runtime/run-store.ts'
import { draftCommit, draftRun, draftSnapshot, itemsOfState, same } from './run-store-draft.ts'
import { RunModel } from './run-store-model.ts'

const kinds: readonly MailKind[] = [
  'checkpoint',
  'input',
  'steer',
  'answer',
  'child',
  'timer',
  'pause',
  'resume',
  'cancel',
]

/** A course: what it is compared with, and where it stands. */
interface Course {
  readonly store: RunStore
  readonly model: RunModel
  readonly random: Random
  now: number
  /** Numbers what is made, so that everything is told apart. */
  made: number
}

/**
 * Takes a course of `steps` commands. Rejects at the first difference, naming the seed and the step.
 */
export async function takeCourse(backend: Backend, { seed, steps }: { seed: number; steps: number }): Promise<void> {
  const course: Course = {
    store: backend.store,
    model: new RunModel(),
    random: seededRandom(seed),
    now: 1_000,
    made: 0,
  }
  for (let step = 0; step < steps; step++) {
    course.now += Math.floor(course.random() * 400)
    const [name, command] = choose(course)
    try {
      await command(course)
      if (step % 10 === 9 || step === steps - 1) await compare(course)
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      throw new Error(`seed ${seed}, step ${step} (${name}): ${problem}`, { cause: error })
    }
  }
}

type Command = (course: Course) => Promise<void>

const commands: readonly (readonly [string, number, Command])[] = [
  ['create', 3, create],
  ['begin', 5, begin],
  ['commit', 10, commit],
  ['commit as a zombie', 2, (course) => commit(course, { zombie: true })],
  ['commit at a wrong place', 2, (course) => commit(course, { astray: true })],
  ['end', 5, (course) => commit(course, { ends: true })],
  ['send', 5, send],
  ['heartbeat', 2, heartbeat],
  ['sweep', 2, sweep],
  ['retry', 1, retry],
  ['fork', 2, fork],
]
const weight = commands.reduce((sum, [, share]) => sum + share, 0)

function choose({ random }: Course): readonly [string, Command] {
  let at = random() * weight
  for (const [name, share, command] of commands) {
    at -= share
    if (at < 0) return [name, command]
  }
  return ['create', create]
}

function below(course: Course, limit: number): number {
  return Math.floor(course.random() * limit)
}

function pick<T>(course: Course, values: Iterable<T>): T | undefined {
  const all = [...values]
  return all[below(course, all.length)]
}

/** A run by chance, one that is running when there is one and chance wants so; now and then one that is not there. */
function someRun(course: Course): string {
  const running = [...course.model.runs.values()].filter(({ status }) => status === 'running')
  const id = course.random() < 0.7 ? pick(course, running)?.id : undefined
  return id ?? (course.random() < 0.03 ? 'nobody' : (pick(course, course.model.runs.keys()) ?? 'nobody'))
}

async function create(course: Course): Promise<void> {
  const number = ++course.made
  const run = draftRun(`r${number}`, {
    session: `s${below(course, 4)}`,
    newBranch: `b${number}`,
    priority: below(course, 3),
    availableAt: course.now + (course.random() < 0.3 ? below(course, 2_000) : 0),
    now: course.now,
    ...(course.random() < 0.3 ? { idempotencyKey: `key ${below(course, 5)}` } : {}),
  })
  const { status } = await course.store.createRun(run)
  same(status, course.model.createRun(run), 'createRun')
}

async function begin(course: Course): Promise<void> {
  const any = course.random() < 0.3
  const claim = { worker: 'w', now: course.now, leaseUntil: course.now + 1_000, ...(any ? { any } : {}) }
  const id = course.random() < 0.7 ? (pick(course, course.model.claimable(course.now)) ?? 'nobody') : someRun(course)
  const run = await course.store.beginAttempt(id, claim)
  same(run?.epoch, course.model.beginAttempt(id, claim), `beginAttempt of ${id}`)
}

async function commit(
  course: Course,
  { zombie = false, astray = false, ends = false }: { zombie?: boolean; astray?: boolean; ends?: boolean } = {},
): Promise<void> {
  const run = course.model.runs.get(someRun(course))
  if (run === undefined) return
  const { rows } = course.model.branches.get(run.branch)!
  const tick = rows.at(-1)?.tick ?? 0
  const finished = course.random() < 0.6
  const items = Array.from({ length: below(course, 4) }, () => `item ${++course.made}`)
  const slip = below(course, 2) === 0 ? 1 : -1
  const record = { ...run, events: run.events.length, mail: run.mail.length, epoch: run.epoch - (zombie ? 1 : 0) }
  const draft: Commit = draftCommit(record, {
    seq: rows.length + (astray ? slip : 0),
    tick: tick + (finished ? 1 : 0),
    finished,
    items,
    now: course.now,
    read: course.random() < 0.8 ? run.mail.length : run.read,
    ...(ends ? { end: someEnd(course), ...(course.random() < 0.2 ? { cut: true as const } : {}) } : {}),
    ...(course.random() < 0.1 ? { snapshot: snapshotAfter(course, run.branch, items) } : {}),
    ...(course.random() < 0.1 ? { sends: [someMail(course)] } : {}),
    ...(course.random() < 0.05
      ? { children: [draftRun(`c${++course.made}`, { now: course.now, parent: run.id })] }
      : {}),
  })
  const { status } = await course.store.commit(draft)
  same(status, course.model.commit(draft), `commit ${draft.seq} of ${run.id}`)
}

function snapshotAfter(course: Course, branch: string, items: readonly string[]): ReturnType<typeof draftSnapshot> {
  return draftSnapshot([...(course.model.itemsAt(branch) ?? []), ...items], 0)
}

function someEnd(course: Course): RunEnd {
  const due = course.now + below(course, 2_000)
  const ends: readonly RunEnd[] = [
    { to: 'waiting' },
    { to: 'waiting', due },
    { to: 'paused' },
    { to: 'queued', availableAt: due, retried: course.random() < 0.5 },
    { to: 'succeeded', stopReason: 'stop', result: { text: 'done' } },
    { to: 'failed', stopReason: 'failed', error: { code: 'run_failed', message: 'no', retryable: false } },
    { to: 'timed_out', stopReason: 'timeout' },
    { to: 'cancelled', stopReason: 'cancelled' },
  ]
  return pick(course, ends)!
}

function someMail(course: Course): Parameters<RunStore['send']>[0] {
  const id = course.random() < 0.2 ? `again ${below(course, 3)}` : `mail ${++course.made}`
  const aside = course.random() < 0.8 ? { aside: `a${++course.made}` } : {}
  return {
    run: someRun(course),
    id,
    kind: pick(course, kinds)!,
    payload: { n: course.made },
    now: course.now,
    ...aside,
  }
}

async function send(course: Course): Promise<void> {
  const mail = someMail(course)
  same(await course.store.send(mail), course.model.send(mail), `send of ${mail.kind} to ${mail.run}`)
}

async function heartbeat(course: Course): Promise<void> {
  const held = [...course.model.runs.values()]
    .filter(() => course.random() < 0.3)
    .map(({ id, epoch }) => ({ run: id, epoch: epoch - (course.random() < 0.2 ? 1 : 0) }))
  const until = course.now + 1_500
  const lost = held.filter(({ run, epoch }) => !course.model.heartbeat(run, epoch, until)).map(({ run }) => run)
  same(await course.store.heartbeat(held, until), lost, 'heartbeat')
}

async function sweep(course: Course): Promise<void> {
  const freed = await course.store.sweep(course.now)
  same([...freed].sort(), course.model.sweep(course.now), 'sweep')
}

async function retry(course: Course): Promise<void> {
  const id = pick(course, course.model.runs.keys()) ?? 'nobody'
  same(await course.store.retry(id, course.now), course.model.retry(id, course.now), `retry of ${id}`)
}

async function fork(course: Course): Promise<void> {
  const session = pick(course, course.model.sessions.keys())
  if (session === undefined) return
  const branches = (await course.store.listBranches(session)).map(({ id }) => id)
  const wish = {
    branch: pick(course, branches) ?? 'nobody',
    tick: below(course, 8),
    id: `f${++course.made}`,
    session,
    head: course.random() < 0.5,
    now: course.now,
  }
  const forked = await course.store.fork(wish)
  const answer = typeof forked === 'object' ? 'forked' : forked
  same(answer, course.model.fork(wish), `fork of ${wish.branch} at tick ${wish.tick}`)
}

/** Everything that can be read, on both sides. */
async function compare({ store, model, random }: Course): Promise<void> {
  for (const [id, run] of model.runs) {
    const record = await store.getRun(id)
    const { status, epoch, mail, read, events, retries, crashes } = record ?? ({} as NonNullable<typeof record>)
    same({ status, epoch, mail, read, events, retries, crashes }, model.record(id), `the record of ${id}`)
    const items = await store.mail(id, 0)
    same(
      items.map(({ position, id }) => [position, id]),
      run.mail.map((id, index) => [index + 1, id]),
      `the inbox of ${id}`,
    )
    const after = Math.floor(random() * (run.events.length + 1))
    const told = await store.readEvents(id, { after, limit: 1_000 })
    same(
      told.map(({ seq, event }) => [seq, event]),
      run.events.slice(after).map((event, index) => [after + index + 1, event]),
      `the events of ${id} after ${after}`,
    )
  }
  for (const branch of model.branches.keys()) {
    const head = model.branches.get(branch)!.rows.at(-1)?.tick ?? 0
    for (let tick = 0; tick <= head + 1; tick++) {
      const state = await store.load(branch, { tick })
      same(state && itemsOfState(state), model.itemsAt(branch, tick), `${branch} at tick ${tick}`)
    }
    const whole = await store.load(branch)
    same(whole && itemsOfState(whole), model.itemsAt(branch), `${branch} now`)
    same(whole?.seq, model.branches.get(branch)!.rows.length - 1, `the last number of ${branch}`)
  }
}
