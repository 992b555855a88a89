// The clients of a simulation: they submit runs, answer what is asked, twice at times, steer, pause, cancel and fork, each
// through any process that lives, and try again elsewhere when it dies under them.

import type { Runtime } from '../runtime/runtime.ts'
import { TellurionError } from '../error/error.ts'
import { hasEnded } from '../runtime/run.ts'
import { inputFor, programs } from './simulation-agent.ts'
import type { Witness } from './simulation-law.ts'
import type { Lane, Scheduler } from './simulation-scheduler.ts'

/** Virtual milliseconds within which clients begin what they do. */
const eagerness = 12_000

/** What a client is told when what it wanted is not possible any more. */
const tooLate = new Set(['invalid_transition', 'run_live', 'unknown_tick', 'unknown_message'])

/** One simulated process and the runtime in it. */
export interface Process {
  readonly lane: Lane & { die(): void }
  readonly runtime: Runtime
}

/** Where clients live. */
export interface Stage {
  readonly scheduler: Scheduler
  readonly witness: Witness
  /** Processes that would answer. */
  readonly processes: readonly Process[]
  /** Whether things still go wrong. */
  readonly troubled: boolean
}

/** Everybody who uses the runs of a course. */
export class Clients {
  readonly #course: Stage
  #busy = 0
  #made = 0

  constructor(course: Stage) {
    this.#course = course
  }

  /** Whether somebody still waits for something. */
  get busy(): boolean {
    return this.#busy > 0
  }

  /** Sets everything up that will be done. */
  begin(): void {
    const { scheduler } = this.#course
    const runs = 1 + scheduler.pick(4)
    for (let index = 0; index < runs; index++) this.#later(() => this.#client())
    if (scheduler.chance(0.3)) this.#later(() => this.#chat())
    this.#answering()
    this.#mischief()
  }

  /** Somebody who acts just when something has been written, where a race is the likeliest. */
  #mischief(): void {
    const { scheduler, witness } = this.#course
    const often = scheduler.chance(0.5) ? 0.03 : 0
    const asking = new Set<string>()
    witness.onCommit = ({ run, end, finished, interactions, operations }) => {
      // What a sub-agent does is its parent's business.
      if (run.startsWith('c-')) return
      if (interactions !== undefined && interactions.length > 0) asking.add(run)
      else if (interactions !== undefined) asking.delete(run)
      // With the tick that asked something the run parks; when the runner closes its books it ends.
      const leaves =
        (finished && asking.has(run)) ||
        operations.some(([kind, header]) => kind === 'header' && (header as { runTicks?: number }).runTicks === 0)
      if (end !== undefined || !scheduler.chance(leaves ? 8 * often : often)) return
      const acts = [() => this.#steer(run), () => this.#steer(run), () => this.#cancel(run), () => this.#pause(run)]
      const act = acts[scheduler.pick(acts.length)]!
      if (scheduler.chance(0.5)) this.#now(act)
      else this.#later(act, 2)
    }
  }

  #later(act: () => Promise<void>, within = eagerness): void {
    const { scheduler } = this.#course
    this.#busy++
    scheduler.timer(scheduler.pick(within), () => {
      this.#busy--
      this.#now(act)
    })
  }

  #now(act: () => Promise<void>): void {
    this.#busy++
    act()
      .catch((error: unknown) => this.#course.witness.break(`a client failed: ${String(error)}`))
      .finally(() => this.#busy--)
  }

  /** Does something through a process, and again through another one when that one dies. */
  async #through<T>(act: (runtime: Runtime) => Promise<T>): Promise<T> {
    const { scheduler } = this.#course
    for (;;) {
      const { processes } = this.#course
      const process = processes[scheduler.pick(processes.length)]
      if (process === undefined) {
        await new Promise<void>((resolve) => scheduler.timer(100, resolve))
        continue
      }
      try {
        const done = act(process.runtime).then((value) => ({ value }))
        const outcome = await Promise.race([done, process.lane.death])
        if (outcome !== undefined) return outcome.value
      } catch (error) {
        if (!(error instanceof TellurionError) || error.code !== 'runtime_closed') throw error
      }
    }
  }

  async #submit(program: string, session?: string): Promise<string> {
    const { scheduler, witness } = this.#course
    const idempotencyKey = `key${++this.#made}`
    const options = {
      idempotencyKey,
      priority: scheduler.pick(3),
      delay: scheduler.chance(0.2) ? scheduler.pick(3000) : 0,
    }
    const inSession = session === undefined ? options : { ...options, session }
    const submit = async (): Promise<string> => {
      const { id } = await this.#through((runtime) => runtime.submit('agent', inputFor(program), inSession))
      const known = witness.told.accepted.get(idempotencyKey)?.run ?? id
      if (known !== id) witness.break(`the runs ${known} and ${id} were accepted under one key`)
      witness.told.accepted.set(idempotencyKey, { run: id, program })
      return id
    }
    const [id] = await Promise.all(scheduler.chance(0.2) ? [submit(), submit()] : [submit()])
    return id!
  }

  /** One run, and what its client does to it. */
  async #client(): Promise<void> {
    const { scheduler } = this.#course
    const run = await this.#submit(programs[scheduler.pick(programs.length)]!)
    if (scheduler.chance(0.25)) this.#later(() => this.#steer(run), 4000)
    if (scheduler.chance(0.15)) this.#later(() => this.#pause(run), 3000)
    if (scheduler.chance(0.12)) this.#later(() => this.#cancel(run), 6000)
    if (scheduler.chance(0.15)) this.#later(() => this.#fork(run), 8000)
    if (scheduler.chance(0.1)) this.#later(() => this.#again(run), 9000)
    if (scheduler.chance(0.2)) this.#later(() => this.#retry(run), 9000)
    if (scheduler.chance(0.3)) this.#later(() => this.#read(run), 2000)
  }

  /** A session: its runs come one after another, whoever works on them. */
  async #chat(): Promise<void> {
    const { scheduler } = this.#course
    for (const program of ['r', 'k r', 'a'].slice(scheduler.pick(3))) {
      const run = await this.#submit(program, 'chat')
      if (scheduler.chance(0.2)) this.#later(() => this.#once(run, (handle) => handle.undo({ cancel: true })), 5000)
    }
  }

  async #steer(run: string): Promise<void> {
    const text = `listen ${++this.#made}`
    this.#course.witness.told.astray.set(run, 'steered')
    await this.#once(run, (handle) => handle.steer(text))
  }

  async #pause(run: string): Promise<void> {
    await this.#once(run, (handle) => handle.pause())
    this.#later(() => this.#once(run, (handle) => handle.resume()), 4000)
  }

  async #cancel(run: string): Promise<void> {
    await this.#once(run, (handle) => handle.cancel())
    if (this.#course.scheduler.chance(0.3)) await this.#once(run, (handle) => handle.cancel())
  }

  /** Something that may come too late. */
  async #once(run: string, act: (handle: ReturnType<Runtime['run']>) => Promise<unknown>): Promise<void> {
    try {
      await this.#through((runtime) => act(runtime.run(run)))
    } catch (error) {
      if (!(error instanceof TellurionError) || !tooLate.has(error.code)) throw error
    }
  }

  /** Says one of its messages otherwise, or has the model answer it anew. */
  async #again(run: string): Promise<void> {
    const { scheduler, witness } = this.#course
    await this.#once(run, async (handle) => {
      const places = await handle.messages()
      const place = places[scheduler.pick(places.length)]
      if (place === undefined || place.message.role === 'tool') return
      const again =
        place.message.role === 'user'
          ? await handle.edit(place.id, inputFor('r'), { cancel: true })
          : await handle.regenerate(place.id, { cancel: true })
      witness.told.accepted.set(`again${++this.#made}`, { run: again.id })
      witness.told.forks.set(again.id, run)
    })
  }

  /** Gives a run that has failed another try. */
  async #retry(run: string): Promise<void> {
    const { retried } = this.#course.witness.told
    await this.#once(run, async (handle) => {
      retried.set(run, (retried.get(run) ?? 0) + 1)
      await handle.retry()
    })
  }

  async #fork(run: string): Promise<void> {
    const { scheduler, witness } = this.#course
    const record = await witness.truth.getRun(run)
    const rows = record === undefined ? [] : await witness.truth.readRows(record.branch, { afterTick: 0, limit: 1000 })
    const ticks = [...new Set(rows.filter(({ finished }) => finished).map(({ tick }) => tick))]
    const tick = ticks[scheduler.pick(ticks.length)]
    if (tick === undefined) return
    const input = scheduler.chance(0.4) ? { input: inputFor('k') } : {}
    const { id } = await this.#through((runtime) => runtime.run(run).fork({ tick, ...input }))
    witness.told.accepted.set(`fork${++this.#made}`, { run: id })
    witness.told.forks.set(id, run)
  }

  /** Reads the events of a run, from process to process, without a gap. */
  async #read(run: string): Promise<void> {
    const { witness } = this.#course
    let after = 0
    await this.#through(async (runtime) => {
      for await (const { seq } of runtime.run(run).events({ after })) {
        if (seq === undefined) continue
        if (seq !== after + 1) witness.break(`run ${run}: a reader saw event ${seq} after ${after}`)
        after = seq
      }
    })
    const record = await witness.truth.getRun(run)
    if (record === undefined || !hasEnded(record.status) || record.events !== after) {
      witness.break(`run ${run}: a reader was let go after ${after} of ${record?.events} events`)
    }
  }

  /** Somebody who looks from time to time what is asked, and answers; some things are answered by two. */
  #answering(): void {
    const { scheduler, witness } = this.#course
    const look = async (): Promise<void> => {
      const open = await this.#through((runtime) => runtime.interactions.list())
      for (const { id, kind, run } of open) {
        const people = scheduler.chance(0.3) ? ['ada', 'bob'] : ['ada']
        for (const by of people) this.#later(() => this.#answer({ id, kind, run, by }), 300)
      }
      // What somebody paused and forgot goes on.
      if (this.#course.troubled) return
      for (const { id } of await witness.truth.listRuns({ status: ['paused'] })) {
        await this.#once(id, (handle) => handle.resume())
      }
    }
    const again = (): void => {
      look()
        .catch((error: unknown) => witness.break(`looking for interactions failed: ${String(error)}`))
        .finally(() => scheduler.timer(300 + scheduler.pick(2000), again))
    }
    again()
  }

  async #answer({ id, kind, run, by }: { id: string; kind: string; run: string; by: string }): Promise<void> {
    const { scheduler, witness } = this.#course
    const { told } = witness
    if (kind === 'outcome') told.astray.set(run, 'outcome')
    const answer =
      kind === 'outcome' && scheduler.chance(0.5) ? { text: 'as told' } : scheduler.chance(0.2) ? 'deny' : 'approve'
    if (answer !== 'approve') told.astray.set(run, 'denied')
    try {
      await this.#through((runtime) => runtime.interactions.answer(id, answer, { by }))
      told.answered.set(id, [...(told.answered.get(id) ?? []), by])
    } catch (error) {
      if (!(error instanceof TellurionError) || error.code !== 'unknown_interaction') throw error
    }
  }
}
