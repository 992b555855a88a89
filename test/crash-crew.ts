// A crew of worker processes on one SQLite file, for tests that kill, stop and end them, and what its runs must look like
// in the end.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createRuntime, type Runtime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { Agent } from 'tellurion'
import { scriptedModel } from 'tellurion/testing'
import { systemClock } from '../packages/tellurion/src/clock/clock.ts'
import { compileCache } from '../gate/source.ts'

const fixture = join(import.meta.dirname, 'fixture/crash-worker.ts')

/** A line that a worker wrote when a call began or ended. */
export interface Effect {
  readonly point: 'begin' | 'end'
  readonly run: string
  readonly call: string
  readonly key: string
  readonly name: string
  readonly pid: number
}

/** What was found wrong with runs that had been accepted, and what was counted. */
export interface Findings {
  readonly runs: number
  readonly lost: number
  readonly gapped: number
  readonly doubled: number
  /** Calls that ran more than once, as they may. */
  readonly again: number
  /** Calls that must never run twice and did. */
  readonly repeated: number
}

/** Opens a crew: a folder, a runtime that submits and does no work, and no worker yet. */
export async function openCrew(options: { lease: number; slowest: number }): Promise<Crew> {
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-crash-'))
  const agent = new Agent({ name: 'worker', model: scriptedModel([]) })
  const desk = await createRuntime({ store: sqlite(join(folder, 'runs.db')), agents: [agent], work: false })
  return new Crew(folder, desk, options)
}

/** Workers, and the desk that gives them runs. */
export class Crew {
  readonly desk: Runtime
  /** Accepted runs, each with its calls. */
  readonly accepted = new Map<string, readonly string[]>()
  readonly workers: ChildProcess[] = []
  readonly #folder: string
  readonly #options: { readonly lease: number; readonly slowest: number }

  constructor(folder: string, desk: Runtime, options: { lease: number; slowest: number }) {
    this.#folder = folder
    this.#options = options
    this.desk = desk
  }

  /** Starts a worker; resolves when it is ready. */
  async hire(): Promise<ChildProcess> {
    const { lease, slowest } = this.#options
    const [file, effects] = [join(this.#folder, 'runs.db'), join(this.#folder, 'effects.log')]
    const args = ['--conditions=@tellurion/source', fixture, file, effects, String(lease), String(slowest)]
    const worker = spawn(process.execPath, args, {
      env: { ...process.env, ...compileCache },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.workers.push(worker)
    worker.once('exit', () => this.workers.splice(this.workers.indexOf(worker), 1))
    await new Promise<void>((resolve) => {
      worker.stdout.once('data', () => resolve())
      worker.once('exit', () => resolve())
    })
    return worker
  }

  /** Submits runs with these calls. */
  async submit(count: number, calls: readonly string[]): Promise<readonly string[]> {
    const runs = await Promise.all(Array.from({ length: count }, () => this.desk.submit('worker', calls.join(' '))))
    for (const { id } of runs) this.accepted.set(id, calls)
    return runs.map(({ id }) => id)
  }

  /** The worker that holds most runs now. */
  async busiest(): Promise<ChildProcess> {
    const held = await this.desk.runs({ status: ['running'], limit: 1000 })
    const count = ({ pid }: ChildProcess): number =>
      held.filter(({ worker }) => worker?.startsWith(`worker_${pid}-`)).length
    return this.workers.toSorted((one, other) => count(other) - count(one))[0]!
  }

  /** Gives a result for every call whose outcome is unknown; a person would look what became of it. */
  async answer(): Promise<number> {
    const open = await this.desk.interactions.list()
    await Promise.allSettled(open.map(({ id }) => this.desk.interactions.answer(id, { text: 'as found' })))
    return open.length
  }

  /** Resolves when all runs have ended. */
  async drained(limit: number): Promise<void> {
    const end = systemClock.monotonic() + limit
    for (;;) {
      await this.answer()
      const open = await this.desk.runs({ status: ['queued', 'running', 'waiting', 'paused'], limit: 5 })
      if (open.length === 0) return
      assert.ok(systemClock.monotonic() < end, `after ${limit} ms run ${open[0]!.id} is still ${open[0]!.status}`)
      await pause(50)
    }
  }

  /** What workers did, in the order in which they wrote it. */
  effects(): readonly Effect[] {
    const lines = readFileSync(join(this.#folder, 'effects.log'), 'utf8').trim().split('\n')
    return lines.map((line) => {
      const [point, run = '', call = '', key = '', name = '', pid] = line.split(' ')
      return { point: point as Effect['point'], run, call, key, name, pid: Number(pid) }
    })
  }

  /** Looks at every accepted run. */
  async inspect(): Promise<Findings> {
    const findings = { runs: this.accepted.size, lost: 0, gapped: 0, doubled: 0, again: 0, repeated: 0 }
    for (const [id, calls] of this.accepted) {
      const run = this.desk.run(id)
      const record = await run.record().catch(() => undefined)
      if (record?.status !== 'succeeded') findings.lost++
      if (record === undefined) continue
      const types: string[] = []
      const roles: string[] = []
      let last = 0
      for await (const event of run.events()) {
        if (event.seq !== last + 1) findings.gapped++
        last = event.seq ?? last
        types.push(event.type)
        if (event.type === 'message.added') roles.push(event.message.role)
      }
      if (last !== record.events) findings.gapped++
      const expected = ['user', ...calls.flatMap(() => ['assistant', 'tool']), 'assistant']
      const ended = types.filter((type) => type === 'run.succeeded').length
      const results = types.filter((type) => type === 'tool.ended').length
      if (roles.join() !== expected.join() || ended !== 1 || results !== calls.length) findings.doubled++
    }
    return { ...findings, ...this.#countEffects() }
  }

  #countEffects(): Pick<Findings, 'again' | 'repeated'> {
    const begun = new Map<string, Effect[]>()
    for (const effect of this.effects()) {
      if (effect.point === 'begin') begun.set(effect.key, [...(begun.get(effect.key) ?? []), effect])
    }
    const calls = new Set([...begun.values()].map(([effect]) => `${effect!.run} ${effect!.call}`))
    assert.equal(calls.size, begun.size, 'a call ran under two keys')
    const again = [...begun.values()].filter((effects) => effects.length > 1)
    return { again: again.length, repeated: again.filter(([effect]) => effect!.name === 'never').length }
  }

  /** Kills every worker and removes the folder. */
  async close(): Promise<void> {
    const gone = this.workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
    for (const worker of this.workers) worker.kill('SIGKILL')
    await Promise.all(gone)
    await this.desk.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
