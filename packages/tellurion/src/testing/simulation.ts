// A deterministic simulation of durable runs: several processes work on one store while messages come late, hints get
// lost, processes die, stop for a while and come back, and clients do as they please. The same seed takes the same course.

import { createRuntime } from '../runtime/runtime.ts'
import type { Ids } from '../id/id.ts'
import { hasEnded } from '../runtime/run.ts'
import { simulationAgent, type Surroundings } from './simulation-agent.ts'
import { calm, SimulatedStore, type Break, type Weather } from './simulation-backend.ts'
import { Clients, type Process, type Stage } from './simulation-client.ts'
import { Witness } from './simulation-law.ts'
import { Scheduler, type Lane } from './simulation-scheduler.ts'

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly seed: number
  /** Nothing goes wrong; clients still do as they please. Default false. */
  readonly calm?: boolean
  /** A defect put between the processes and the store, which the laws must find. */
  readonly broken?: () => Break
  /** Hears of each step. */
  readonly onStep?: (line: string) => void
}

/** What came of a simulation. */
export interface Simulation {
  readonly seed: number
  /** Equal for equal courses. */
  readonly hash: string
  /** Laws that were broken, one line each; empty when all is well. */
  readonly broken: readonly string[]
  /** What happened how often. */
  readonly count: Readonly<Record<string, number>>
}

/** Virtual milliseconds during which things go wrong, and after which everything must come to its end. */
const trouble = 20_000
/** Steps after which a course is taken to go on for ever. */
const maxSteps = 30_000

/** Takes one course. Never rejects for what the runs do: that is in `broken`. */
export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const course = new Course(options)
  try {
    return await course.take()
  } finally {
    course.close()
  }
}

/** One course: processes, their store, their clients, and the witness. */
class Course implements Stage {
  readonly scheduler: Scheduler
  readonly witness: Witness
  readonly count: Record<string, number> = { kills: 0, freezes: 0, drains: 0 }
  readonly #options: SimulationOptions
  readonly #store: SimulatedStore
  readonly #clients: Clients
  readonly #timeout: number
  #processes: Process[] = []
  #made = 0
  #over = false

  constructor(options: SimulationOptions) {
    const { seed, onStep, broken } = options
    this.#options = options
    this.scheduler = new Scheduler(seed, onStep)
    const weather = options.calm === true ? calm : this.#weather()
    this.#store = new SimulatedStore(this.scheduler, { weather, ...(broken === undefined ? {} : { broken: broken() }) })
    this.witness = new Witness(this.#store.truth, options.calm === true)
    this.#store.watch = this.witness
    this.#clients = new Clients(this)
    this.#timeout = this.scheduler.chance(0.1) ? 3000 : 300_000
    this.scheduler.haste = options.calm === true ? 0 : this.scheduler.random() * 0.05
  }

  #weather(): Weather {
    const { random } = this.scheduler
    return { delay: random() * 0.6, lostHint: random() * 0.4, lateHint: random() * 0.5, twice: random() * 0.2 }
  }

  /** Processes that would answer a client. */
  get processes(): readonly Process[] {
    return this.#processes.filter(({ lane }) => lane.alive && !lane.frozen && !lane.cutOff)
  }

  /** Whether things may still go wrong. */
  get troubled(): boolean {
    return this.#options.calm !== true && !this.#over
  }

  async take(): Promise<Simulation> {
    const { scheduler } = this
    const size = 1 + scheduler.pick(3)
    for (let index = 0; index < size; index++) this.#start()
    this.#clients.begin()
    if (this.troubled) this.#plague()
    scheduler.timer(trouble, () => this.#calmDown())
    const ended = await this.#wind()
    if (!ended) this.witness.break(`it has not ended after ${scheduler.steps} steps`)
    await this.witness.judge()
    const runs = await this.witness.truth.listRuns({ limit: 10_000 })
    for (const { status } of runs) this.count[status] = (this.count[status] ?? 0) + 1
    const { forks, retried } = this.witness.told
    const asked = { forks: forks.size, retries: retried.size }
    const count = { ...this.count, ...asked, ...this.witness.count, steps: scheduler.steps }
    return { seed: this.#options.seed, hash: scheduler.hash, broken: this.witness.broken, count }
  }

  close(): void {
    for (const { lane } of this.#processes) if (lane.alive) lane.die()
    this.scheduler.close()
  }

  /** Steps until every run has ended and every client is done. */
  async #wind(): Promise<boolean> {
    const { scheduler } = this
    while (scheduler.steps < maxSteps) {
      if (!(await scheduler.step())) return this.#ended()
      if (this.#over && scheduler.steps % 16 === 0 && (await this.#ended())) return true
    }
    return false
  }

  async #ended(): Promise<boolean> {
    if (!this.#over || this.#clients.busy) return false
    const runs = await this.witness.truth.listRuns({ limit: 10_000 })
    return runs.every(({ status }) => hasEnded(status))
  }

  /** Starts a process; another one takes its place when it dies. */
  #start(): void {
    const { scheduler } = this
    const name = `p${++this.#made}`
    const skew = this.troubled ? scheduler.pick(400) - 200 : 0
    const lane = scheduler.lane(name, skew)
    let last = 0
    const ids: Ids = (prefix = 'id') => `${prefix}_${name}x${++last}`
    const { random } = scheduler
    const made = createRuntime({
      store: async () => this.#store.backend(lane),
      agents: [simulationAgent(this.#surroundings(lane))],
      maxConcurrent: 1 + scheduler.pick(4),
      patience: { lease: 3000, heartbeat: 1000, grace: 1500, timeout: this.#timeout },
      retry: { initialWait: 200, maxWait: 1000 },
      // So much that nobody ever lacks any: what is asked is where it stays.
      budgets: { user: { modelCalls: 1_000_000 } },
      ports: { clock: lane.clock, ids, random },
    })
    void made.then((runtime) => this.#processes.push({ lane, runtime }))
  }

  #surroundings(lane: Lane): Surroundings {
    const { scheduler, witness } = this
    const failing = scheduler.chance(0.1) ? 0.5 : 0.02
    return {
      clock: lane.clock,
      delay: (what) => {
        if (scheduler.chance(0.4)) return 0
        return scheduler.chance(0.05) ? 4000 : scheduler.pick(what === 'model' ? 800 : 1500)
      },
      fails: () => this.troubled && scheduler.chance(failing),
      hashing: () => void scheduler.outside++,
      asked: (request) => witness.asked(lane, request),
      called: (call) => witness.called(lane, call),
    }
  }

  /** Makes processes die, stop and go, at times that nobody expects. */
  #plague(): void {
    const { scheduler } = this
    const mean = 300 + scheduler.pick(4000)
    const strike = (): void => {
      if (!this.troubled) return
      const process = this.#processes[scheduler.pick(this.#processes.length)]
      if (process?.lane.alive === true) this.#strike(process)
      scheduler.timer(scheduler.pick(2 * mean), strike)
    }
    scheduler.timer(scheduler.pick(2 * mean), strike)
  }

  #strike(process: Process): void {
    const { scheduler } = this
    const { lane } = process
    const fate = scheduler.random()
    if (fate < 0.08) {
      // The whole machine.
      for (const each of this.#processes) if (each.lane.alive) this.#kill(each)
    } else if (fate < 0.4) this.#kill(process)
    else if (fate < 0.85) {
      this.count['freezes']!++
      const still = scheduler.chance(0.5) ? 'frozen' : 'cutOff'
      scheduler.note(`${lane.name} ${still}`)
      lane[still] = true
      scheduler.timer(1000 + scheduler.pick(9000), () => (lane[still] = false))
    } else this.#drain(process)
  }

  #kill({ lane }: Process): void {
    this.count['kills']!++
    lane.die()
    this.scheduler.timer(this.scheduler.pick(2000), () => this.#start())
  }

  /** Ends a process as SIGTERM does: what it held must be free at once. */
  #drain(process: Process): void {
    const { lane, runtime } = process
    if (lane.frozen || lane.cutOff) return
    this.count['drains']!++
    this.#processes = this.#processes.filter((each) => each !== process)
    this.scheduler.note(`${lane.name} is told to end`)
    void runtime.close().then(async () => {
      const held = await this.witness.truth.listRuns({ status: ['running'], limit: 10_000 })
      for (const { id, epoch } of held) {
        if (this.witness.holds(lane, id, epoch))
          this.witness.break(`run ${id} is still held by ${lane.name}, which was closed`)
      }
      lane.die()
      this.#start()
    })
  }

  #calmDown(): void {
    this.#over = true
    this.#store.weather = calm
    this.scheduler.haste = 0
    for (const { lane } of this.#processes) lane.frozen = lane.cutOff = false
  }
}
