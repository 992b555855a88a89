// A process is killed at every point around every durable write: what it acknowledged is there, whole, once. The same
// steps on the memory backend say what must be there. This file is also the program that is killed.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock as clock } from '../../../clock/clock.ts'
import { brokenBackends } from '../../../testing/broken-backend.ts'
import {
  draftCommit,
  draftRun,
  draftSnapshot,
  itemsOfState,
  type DraftCommit,
} from '../../../testing/run-store-draft.ts'
import type { Backend } from '../../backend.ts'
import { memory } from '../memory/memory.ts'
import { sqlite } from './sqlite.ts'

/** What one step does, at the instant `now`: calls that come together share a transaction. */
type Step = (backend: Backend, now: number) => readonly Promise<unknown>[]

const begin =
  (id: string): Step =>
  ({ store }, now) => [store.beginAttempt(id, { worker: 'w', now, leaseUntil: now + 1, any: true })]
const global = { scope: 'global', owner: '' } as const

async function commit({ store }: Backend, id: string, more: DraftCommit & { now: number }): Promise<void> {
  const run = (await store.getRun(id))!
  const seq = (await store.load(run.branch))!.seq + 1
  const { status } = await store.commit(draftCommit(run, { seq, tick: seq + 1, ...more }))
  assert.equal(status, 'committed')
}

const steps: readonly Step[] = [
  ({ store }, now) => [store.createRun(draftRun('a', { now, idempotencyKey: 'k' }))],
  begin('a'),
  (backend, now) => [commit(backend, 'a', { now, items: ['a1', 'a2'] })],
  (backend, now) => [
    commit(backend, 'a', { now, items: ['a3'] }),
    backend.store.createRun(draftRun('b', { now })),
    backend.store.send({ run: 'a', id: 'm1', kind: 'steer', payload: { text: 'left' }, now }),
  ],
  begin('b'),
  (backend, now) => [
    commit(backend, 'a', { now, items: ['a4'], snapshot: draftSnapshot(['a1', 'a2', 'a3', 'a4'], 3) }),
    commit(backend, 'b', { now, items: ['b1'] }),
  ],
  (backend, now) => [
    commit(backend, 'a', {
      now,
      items: ['a5'],
      children: [draftRun('c', { now, parent: 'a' })],
      sends: [{ run: 'b', id: 'from-a', kind: 'input', payload: 1, now }],
      interactions: [{ id: 'i', kind: 'question', entity: 1, prompt: 'sure?' }],
    }),
  ],
  (backend, now) => [commit(backend, 'a', { now, end: { to: 'waiting' } })],
  ({ store }, now) => [
    store.send({ run: 'a', id: 'answer', kind: 'answer', payload: 'yes', now }),
    store.send({ run: 'a', id: 'answer', kind: 'answer', payload: 'no', now }),
  ],
  begin('a'),
  (backend, now) => [
    commit(backend, 'b', { now, items: ['b2'] }),
    backend.keyValue.set(global, 'artifact', new Uint8Array([1, 2, 3])),
  ],
  (backend, now) => [commit(backend, 'b', { now, end: { to: 'succeeded', stopReason: 'stop', result: 'fine' } })],
  (backend, now) => [
    commit(backend, 'a', { now, items: ['a6'], end: { to: 'queued', availableAt: now, retried: true } }),
  ],
  begin('a'),
  (backend, now) => [commit(backend, 'a', { now, end: { to: 'failed', stopReason: 'failed' } })],
  ({ store }, now) => [store.retry('a', now)],
  ({ store }, now) => [store.fork({ branch: 'b-b', tick: 1, id: 'f', session: 's-b', head: true, now })],
  ({ store }, now) => [store.createRun(draftRun('d', { session: 's-b', now }))],
  begin('d'),
  (backend, now) => [commit(backend, 'd', { now, items: ['d1'] }), ...begin('a')(backend, now)],
  ({ store }, now) => [store.heartbeat([{ run: 'a', epoch: 4 }], now + 1_000), store.sweep(now + 10)],
  begin('d'),
  (backend, now) => [
    commit(backend, 'd', { now, items: ['d2'], end: { to: 'succeeded', stopReason: 'stop' } }),
    backend.keyValue.delete(global, 'artifact'),
  ],
  ({ store }, now) => [store.gc({ before: now + 1, limit: 10 })],
]

const instant = (step: number): number => 1_000 + step * 100

/** Everything that can be read. */
async function contents({ store, keyValue }: Backend): Promise<unknown> {
  const runs = await store.listRuns({ limit: 100 })
  const sessions = await store.listSessions({})
  const branches = (await Promise.all(sessions.map(({ id }) => store.listBranches(id)))).flat()
  const parts = await Promise.all([
    ...runs.map(async ({ id }) => [id, await store.mail(id, 0), await store.readEvents(id, { after: 0, limit: 99 })]),
    ...branches.map(async ({ id }) => {
      const state = (await store.load(id))!
      return [id, state.seq, itemsOfState(state), state.rows.length]
    }),
  ])
  const records = (await keyValue.list(global)).map(({ name, value }) => [name, [...value]])
  return sortedKeys(JSON.parse(JSON.stringify([runs, sessions, branches, parts, records])))
}

/** The contents before the first step and after each one. */
async function expected(): Promise<readonly unknown[]> {
  const backend = await memory()({ clock })
  const found = [await contents(backend)]
  for (const [index, step] of steps.entries()) {
    await Promise.all(step(backend, instant(index)))
    found.push(await contents(backend))
  }
  return found
}

/** The program: takes the steps and dies at the k-th point. It says each step that was acknowledged. */
async function program([path = '', at = '0', variant = '']: readonly string[]): Promise<void> {
  let points = 0
  const onPoint = (): void => {
    if (++points === Number(at)) process.kill(process.pid, 'SIGKILL')
  }
  const whole = await sqlite(path, { onPoint, synchronous: 'normal' })({ clock })
  const damage = brokenBackends.find(({ name }) => name === variant)?.damage
  const backend = damage?.(whole) ?? whole
  for (const [index, step] of steps.entries()) {
    const work = Promise.all(step(backend, instant(index)))
    if (variant === 'acknowledges first') writeSync(1, `${index}\n`)
    await work
    if (variant !== 'acknowledges first') writeSync(1, `${index}\n`)
  }
  writeSync(1, `points ${points}\n`)
  await whole.close()
}

function run(path: string, at: number, variant = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const words = [...process.execArgv.filter((word) => !word.startsWith('--test')), import.meta.filename]
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(process.execPath, [...words, 'program', path, String(at), variant], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (bytes) => (said += String(bytes)))
    child.on('error', reject)
    child.on('close', () => resolve(said))
  })
}

/** Kills the program at point `at`, looks at what is left and goes on from there; says what was wrong. */
async function crash(
  folder: string,
  { at, wanted, variant = '' }: { at: number; wanted: readonly unknown[]; variant?: string },
): Promise<string | undefined> {
  const path = join(folder, `${variant === '' ? 'whole' : 'broken'}-${at}.db`)
  const acknowledged = (await run(path, at, variant)).split('\n').filter((line) => /^\d+$/.test(line)).length
  const backend = await sqlite(path)({ clock })
  try {
    const left = await contents(backend)
    const text = JSON.stringify(left)
    const done = wanted.findIndex((state, index) => index >= acknowledged && JSON.stringify(state) === text)
    if (done < acknowledged || done > acknowledged + 1)
      return `${acknowledged} steps were acknowledged, ${done} are there`
    for (let index = done; index < steps.length; index++) await Promise.all(steps[index]!(backend, instant(index)))
    assert.deepEqual(await contents(backend), wanted.at(-1))
    return undefined
  } finally {
    await backend.close()
  }
}

function tests(): void {
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-crash-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('a process killed at every point loses, doubles and tears nothing', async (context) => {
    const wanted = await expected()
    const points = Number(/points (\d+)/.exec(await run(join(folder, 'count.db'), 0))?.[1])
    assert.ok(points > 80, `there are ${points} points`)
    const wrong: string[] = []
    const left = Array.from({ length: points }, (_, index) => index + 1)
    const work = async (): Promise<void> => {
      for (let at = left.shift(); at !== undefined; at = left.shift()) {
        const problem = await crash(folder, { at, wanted })
        if (problem !== undefined) wrong.push(`point ${at}: ${problem}`)
      }
    }
    await Promise.all([work(), work(), work()])
    assert.deepEqual(wrong, [])
    context.diagnostic(`${points} crash points on SQLite: lost 0, doubled 0, torn 0`)
  })
  for (const variant of ['acknowledges first', 'children and mail are sent before the commit is let in']) {
    test(`a program that breaks the rule is caught: ${variant}`, async () => {
      const wanted = await expected()
      for (let at = 20; at <= 200; at++) if ((await crash(folder, { at, wanted, variant })) !== undefined) return
      assert.fail('no crash showed it')
    })
  }
}

/** The order of fields is no part of a value. */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, sortedKeys(part)]),
  )
}

const [mode, ...words] = process.argv.slice(2)
if (mode === 'program') await program(words)
else tests()
