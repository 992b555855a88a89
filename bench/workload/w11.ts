// W11, durable runs on one SQLite file: two worker processes, runs of ten steps with 2 kB and three events each. Steps a
// second, how soon a submitted run begins in a worker, and how soon the runs of a killed worker go on in another.

import { once } from 'node:events'
import { join } from 'node:path'
import type { Runtime } from 'tellurion/runtime'
import { endProcesses, heard, inFolder, openRuntime, percentile, startProcess, type Mode } from '../durable.ts'
import { addRuns, openLeaseTable, stepsOfRun } from '../lease-table.ts'
import { pause } from '../measure.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const workers = 2
/** Runs that a worker works on at a time. */
const concurrency = '50'

/** Runs that are begun before those that count. */
const warmUp = 50

const runsOf = (scale: Scale): number => (scale.quick ? 800 : 3000)

/** A hand-written table of leases, as a floor. */
async function byHand(scale: Scale, mode: Mode): Promise<Figures> {
  return inFolder(async (folder) => {
    const path = join(folder, 'floor.db')
    const file = openLeaseTable(path, mode)
    const count = runsOf(scale)
    addRuns(file, count)
    const crew = await Promise.all(Array.from({ length: workers }, () => startProcess('lease-table.ts', [path, mode])))
    const ends = crew.map((worker) => once(worker, 'exit'))
    for (const worker of crew) worker.send('go')
    await Promise.all(ends)
    const { took } = file
      .prepare("SELECT max(ended) - min(began) AS took FROM run WHERE status = 'succeeded' HAVING count(*) = ?")
      .get(count) as { took: number }
    file.close()
    return { rate: (count * stepsOfRun * 1000) / took }
  })
}

async function durable(scale: Scale, mode: Mode): Promise<Figures> {
  return inFolder(async (folder) => {
    const path = join(folder, 'runs.db')
    const desk = await openRuntime(path, { mode, maxConcurrent: 0, run: async () => {} })
    const hire = () => startProcess('durable-worker.ts', [path, mode, concurrency])
    try {
      const rate = await measureRate(desk, hire, runsOf(scale))
      const starts = await measureStarts(desk, hire, scale.quick ? 60 : 200)
      const here = await measureStartsHere(join(folder, 'here.db'), mode, starts.length)
      const recoveries = await measureRecovery(desk, hire, scale.quick ? 1 : 2)
      return {
        rate,
        start: percentile(starts, 0.5),
        start99: percentile(starts, 0.99),
        here: percentile(here, 0.5),
        recovery: Math.max(...recoveries) / 1000,
      }
    } finally {
      await desk.close()
    }
  })
}

type Hire = () => ReturnType<typeof startProcess>

/** Workers that are at work when this resolves. */
async function crewOf(hire: Hire, count = workers): ReturnType<typeof Promise.all<ReturnType<Hire>[]>> {
  const crew = await Promise.all(Array.from({ length: count }, hire))
  const going = crew.map((worker) => heard(worker, 'going'))
  for (const worker of crew) worker.send({ type: 'go' })
  await Promise.all(going)
  return crew
}

/** Steps a second, from the first run's beginning to the last one's end, by the times that the runs keep. */
async function measureRate(desk: Runtime, hire: Hire, count: number): Promise<number> {
  for (let done = 0; done < count; done += 100) {
    await Promise.all(Array.from({ length: Math.min(100, count - done) }, () => desk.submit('bench', 'steps')))
  }
  const crew = await crewOf(hire)
  while ((await desk.runs({ status: ['queued', 'running'], limit: 1 })).length > 0) await pause(50)
  const runs = await desk.runs({ status: ['succeeded'], limit: count + 1 })
  if (runs.length !== count) throw new Error(`${runs.length} of ${count} runs succeeded`)
  await endProcesses(crew)
  const first = Math.min(...runs.map(({ startedAt }) => startedAt!))
  const last = Math.max(...runs.map(({ endedAt }) => endedAt!))
  return (count * stepsOfRun * 1000) / (last - first)
}

/** Milliseconds from submitting a run here to its beginning in one of the workers, which have nothing else to do. */
async function measureStarts(desk: Runtime, hire: Hire, count: number): Promise<readonly number[]> {
  const crew = await crewOf(hire)
  const times: number[] = []
  for (let index = -warmUp; index < count; index++) {
    await pause(10 + Math.random() * 20)
    const began = Promise.race(crew.map((worker) => heard<{ at: number }>(worker, 'began')))
    const submitted = Number(process.hrtime.bigint()) / 1e6
    await desk.submit('bench', 'start')
    const { at } = await began
    if (index >= 0) times.push(at - submitted)
  }
  await endProcesses(crew)
  return times
}

/** The same where the process that submits is the one that works. */
async function measureStartsHere(path: string, mode: Mode, count: number): Promise<readonly number[]> {
  let began = (): void => {}
  const runtime = await openRuntime(path, { mode, maxConcurrent: 50, run: async () => began() })
  const times: number[] = []
  for (let index = -warmUp; index < count; index++) {
    await pause(10 + Math.random() * 20)
    const start = performance.now()
    const begun = new Promise<number>((resolve) => (began = () => resolve(performance.now())))
    await runtime.submit('bench', 'start')
    const took = (await begun) - start
    if (index >= 0) times.push(took)
  }
  await runtime.close()
  return times
}

/** Milliseconds from `kill -9` of a worker that holds ten runs until the last of them has begun again in the other. */
async function measureRecovery(desk: Runtime, hire: Hire, kills: number): Promise<readonly number[]> {
  const times: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    const [first] = await crewOf(hire, 1)
    const runs = await Promise.all(Array.from({ length: 10 }, () => desk.submit('bench', 'wait')))
    while ((await desk.runs({ status: ['running'], limit: 99 })).length < runs.length) await pause(20)
    const [second] = await crewOf(hire, 1)
    const again = new Set<string>()
    const lapsed = new Promise<number>((resolve) => {
      second!.on('message', (message: { run: string; at: number }) => {
        again.add(message.run)
        if (again.size === runs.length) resolve(message.at)
      })
    })
    // Leases are about to be extended, or just were: the moment is chance.
    await pause(Math.random() * 1000)
    const killed = Number(process.hrtime.bigint()) / 1e6
    first!.kill('SIGKILL')
    times.push((await lapsed) - killed)
    await Promise.all(runs.map((run) => run.cancel()))
    await endProcesses([second!])
  }
  return times
}

export default {
  title: 'W11 durable runs: ten steps of 2 kB and three events, two workers on one SQLite file',
  metrics: [
    { name: 'rate', unit: 'steps/s', better: 'higher' },
    { name: 'start', unit: 'start p50 ms', better: 'lower' },
    { name: 'start99', unit: 'p99', better: 'lower' },
    { name: 'here', unit: 'in one process p50', better: 'lower' },
    { name: 'recovery', unit: 's after kill -9', better: 'lower' },
  ],
  cells: {
    loop: (scale) => byHand(scale, 'full'),
    'loop, normal': (scale) => byHand(scale, 'normal'),
    tellurion: (scale) => durable(scale, 'full'),
    'tellurion, normal': (scale) => durable(scale, 'normal'),
  },
  targets: [
    { cell: 'tellurion', metric: 'rate', least: 8000 },
    { cell: 'tellurion', metric: 'start', most: 2 },
    { cell: 'tellurion', metric: 'here', most: 2 },
    { cell: 'tellurion', metric: 'recovery', most: 5 },
  ],
} satisfies Workload
