// W13, cancelling: from `run.cancel()` until all of its work is dead, a model's stream over HTTP or a tool with a child
// process and a timer; the run at work in this process or in another one. And what is left when all are cancelled.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRuntime, type RunHandle, type Runtime } from 'tellurion/runtime'
import { createSandbox } from 'tellurion/sandbox'
import { sqlite } from 'tellurion/sqlite'
import { cancelAgents, ticking } from '../cancel-agent.ts'
import { endProcesses, heard, inFolder, percentile, startProcess } from '../durable.ts'
import { EndlessServer } from '../endless-server.ts'
import { pause } from '../measure.ts'
import type { Figures, Scale, Workload } from './workload.ts'

/** Work that is under way: how to end it, and when it is dead. */
interface Live {
  readonly cancel: () => unknown
  readonly dead: Promise<unknown>
  /** When the run says that it was cancelled. */
  readonly ended?: Promise<unknown>
}

async function measure(scale: Scale, begin: () => Promise<Live>): Promise<Figures> {
  const dead: number[] = []
  const ended: number[] = []
  const warmUp = 10
  for (let index = -warmUp; index < (scale.quick ? 60 : 200); index++) {
    const live = await begin()
    await pause(Math.random() * 20)
    const start = performance.now()
    const took = [live.dead, live.ended].map((end) => Promise.resolve(end).then(() => performance.now() - start))
    await live.cancel()
    const [work, run] = await Promise.all(took)
    if (index < 0) continue
    dead.push(work!)
    ended.push(run!)
  }
  const ends = { ended: percentile(ended, 0.5), ended99: percentile(ended, 0.99) }
  return { dead: percentile(dead, 0.5), dead99: percentile(dead, 0.99), ...ends }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Resolves when a process is no more; looked for once a millisecond. */
async function death(pid: number): Promise<void> {
  while (isAlive(pid)) await pause(1)
}

/** The floor of a stream: a fetch and its signal. */
async function fetchByHand(scale: Scale): Promise<Figures> {
  const server = new EndlessServer()
  const url = `${await server.start()}/chat/completions`
  const figures = await measure(scale, async () => {
    const controller = new AbortController()
    const { begun, gone } = server.next()
    const read = async (): Promise<void> => {
      const { body } = await fetch(url, { method: 'POST', body: '{}', signal: controller.signal })
      for await (const _ of body!);
    }
    read().catch(() => {})
    await begun
    return { cancel: () => controller.abort(), dead: gone }
  })
  const survivors = server.open
  server.close()
  return { dead: figures['dead']!, dead99: figures['dead99']!, survivors }
}

/** The floor of a tool: a child process and its signal. */
async function spawnByHand(scale: Scale): Promise<Figures> {
  const pids: number[] = []
  const figures = await measure(scale, async () => {
    const controller = new AbortController()
    const child = spawn('sleep', ['600'], { stdio: 'ignore', signal: controller.signal })
    child.on('error', () => {})
    await once(child, 'spawn')
    pids.push(child.pid!)
    return { cancel: () => controller.abort(), dead: death(child.pid!) }
  })
  return { dead: figures['dead']!, dead99: figures['dead99']!, survivors: pids.filter(isAlive).length }
}

/** Where runs are at work, and how one hears of them. */
interface Place {
  readonly runtime: Runtime
  /** The process id of the child of the run's next tool call. */
  readonly child: (run: RunHandle) => Promise<number>
  /** Timers that still tick there. */
  readonly ticking: () => Promise<number>
  readonly close: () => Promise<void>
}

async function here(path: string, baseURL: string): Promise<Place> {
  const children = new Map<string, (pid: number) => void>()
  const agents = cancelAgents(baseURL, (run, pid) => children.get(run)?.(pid))
  const runtime = await createRuntime({ store: sqlite(path), agents })
  return {
    runtime,
    child: ({ id }) => new Promise((resolve) => children.set(id, resolve)),
    ticking: async () => ticking,
    close: () => runtime.close(),
  }
}

async function elsewhere(path: string, baseURL: string): Promise<Place> {
  const agents = cancelAgents(baseURL, () => {})
  const runtime = await createRuntime({ store: sqlite(path), agents, work: false })
  const worker = await startProcess('cancel-agent.ts', [path, baseURL])
  return {
    runtime,
    child: async () => (await heard<{ pid: number }>(worker, 'began')).pid,
    async ticking() {
      const told = heard<{ count: number }>(worker, 'ticking')
      worker.send({ type: 'count' })
      return (await told).count
    },
    async close() {
      await endProcesses([worker])
      await runtime.close()
    },
  }
}

type Open = (path: string, baseURL: string) => Promise<Place>

async function cancelling(scale: Scale, agent: 'stream' | 'tool', open: Open): Promise<Figures> {
  return inFolder(async (folder) => {
    const server = new EndlessServer()
    const place = await open(join(folder, 'runs.db'), await server.start())
    const pids: number[] = []
    const figures = await measure(scale, async () => {
      const { begun, gone } = server.next()
      const run = await place.runtime.submit(agent, 'Work.')
      const ended = run.result()
      if (agent === 'stream') {
        await begun
        return { cancel: () => run.cancel(), dead: gone, ended }
      }
      const pid = await place.child(run)
      pids.push(pid)
      return { cancel: () => run.cancel(), dead: death(pid), ended }
    })
    await pause(100)
    const survivors = server.open + pids.filter(isAlive).length + (await place.ticking())
    await place.close()
    server.close()
    return { ...figures, survivors }
  })
}

/** Bash in a sandbox with a tree of 20 processes, half of which have left their group; dead when each of them is. */
async function sandboxed(scale: Scale): Promise<Figures> {
  await using sandbox = await createSandbox()
  if (!sandbox.languages.includes('bash'))
    throw new Error(`W13 needs a sandbox, not '${sandbox.level}': apt-get install bubblewrap`)
  const marker = `6${process.pid}`
  const code = `for n in {1..10}; do sleep ${marker} & (setsid sleep ${marker} &); done; echo up; wait`
  const figures = await measure({ ...scale, quick: true }, async () => {
    const controller = new AbortController()
    const up = Promise.withResolvers<void>()
    const ended = sandbox.run({ language: 'bash', code, signal: controller.signal, onOutput: () => up.resolve() })
    await up.promise
    let pids = sleepers(marker)
    for (; pids.length < 20; pids = sleepers(marker)) await pause(1)
    return { cancel: () => controller.abort(), dead: Promise.all(pids.map(death)), ended }
  })
  return { ...figures, survivors: sleepers(marker).length }
}

/** The programs that sleep for so long, wherever they are. */
function sleepers(marker: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'latin1') === `sleep\0${marker}\0`
      } catch {
        return false
      }
    })
}

const cell =
  (agent: 'stream' | 'tool', open: Open) =>
  (scale: Scale): Promise<Figures> =>
    cancelling(scale, agent, open)

export default {
  title: 'W13 from cancel to all work dead: a model stream over HTTP, a tool with a child process and a timer',
  metrics: [
    { name: 'dead', unit: 'ms p50', better: 'lower' },
    { name: 'dead99', unit: 'p99', better: 'lower' },
    { name: 'ended', unit: 'run ended p50', better: 'lower' },
    { name: 'ended99', unit: 'p99', better: 'lower' },
    { name: 'survivors', unit: 'survivors', better: 'lower' },
  ],
  cells: {
    'fetch by hand': fetchByHand,
    'child by hand': spawnByHand,
    stream: cell('stream', here),
    tool: cell('tool', here),
    'stream, across': cell('stream', elsewhere),
    'tool, across': cell('tool', elsewhere),
    'sandboxed tree of 20': sandboxed,
  },
  targets: [
    { cell: 'stream', metric: 'dead99', most: 100 },
    { cell: 'tool', metric: 'dead99', most: 100 },
    { cell: 'sandboxed tree of 20', metric: 'dead99', most: 100 },
    { cell: 'stream, across', metric: 'dead99', most: 500 },
    { cell: 'tool, across', metric: 'dead99', most: 500 },
    ...['stream', 'tool', 'stream, across', 'tool, across', 'sandboxed tree of 20'].map((each) => ({
      cell: each,
      metric: 'survivors',
      most: 0,
    })),
  ],
} satisfies Workload
