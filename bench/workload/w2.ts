// W2, many agents at once: each makes ten tool calls and answers, its model takes 20 ms a turn. Wall time over the
// ideal, CPU a turn, and the bytes of an agent in the middle of its run and of one that waits for its first input.

import type { Message } from 'tellurion'
import { HonestRun, loop } from '../floor.ts'
import { toolModel, turnsOfRun } from '../instant-model.ts'
import { cpuMicroseconds, heldBytes, median, pause } from '../measure.ts'
import { adder, expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const latency = 20
const ideal = latency * turnsOfRun
const input: Message = { role: 'user', content: 'Add up.' }

/** How one kind of agent is made and set off. */
interface Crowd<Agent> {
  readonly make: (index: number) => Agent
  readonly start: (agent: Agent) => Promise<unknown>
}

type CrowdOf<Agent> = (wait: (turn: number) => Promise<void>) => Crowd<Agent>

async function measure<Agent>(crowdOf: CrowdOf<Agent>, count: number, scale: Scale): Promise<Figures> {
  const timed = crowdOf(() => pause(latency))
  const walls: number[] = []
  const cpus: number[] = []
  for (let round = 0; round < (scale.quick ? 2 : 5); round++) {
    const agents = Array.from({ length: count }, (_, index) => timed.make(index))
    const cpu = process.cpuUsage()
    const start = performance.now()
    await Promise.all(agents.map(timed.start))
    // The first round compiles.
    if (round === 0) continue
    walls.push((performance.now() - start) / ideal)
    cpus.push(cpuMicroseconds(cpu) / (count * turnsOfRun))
  }
  return { wall: median(walls), cpu: median(cpus), ...(await weigh(crowdOf, count)) }
}

/** Bytes an agent, idle and then stopped in the middle of its sixth model call. */
async function weigh<Agent>(crowdOf: CrowdOf<Agent>, count: number): Promise<Figures> {
  let open: () => void = () => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const held = crowdOf((turn) => (turn === 5 ? gate : Promise.resolve()))
  const before = await heldBytes()
  const agents = Array.from({ length: count }, (_, index) => held.make(index))
  const idle = ((await heldBytes()) - before) / count
  const runs = agents.map(held.start)
  const live = ((await heldBytes()) - before) / count
  open()
  await Promise.all(runs)
  return { live, idle }
}

const loops: CrowdOf<Message[]> = (wait) => {
  const model = toolModel(wait)
  return { make: () => [], start: (messages) => (messages.push(input), loop(model, messages)) }
}

const honest: CrowdOf<HonestRun> = (wait) => {
  const model = toolModel(wait)
  let seen = 0
  return {
    make: () => new HonestRun(model, [input], { signal: new AbortController().signal, subscriber: () => seen++ }),
    start: (run) => run.run(),
  }
}

const ours: CrowdOf<ReturnType<ReturnType<typeof adder>['session']>> = (wait) => {
  const agent = adder(toolModel(wait))
  return {
    make: () => agent.session(),
    start: async (session) => expectEqual((await session.generate('Add up.')).steps, turnsOfRun),
  }
}

export default {
  title: 'W2  1,000 agents at once, a model that takes 20 ms; 10,000 too',
  metrics: [
    { name: 'wall', unit: '× ideal 220 ms', better: 'lower' },
    { name: 'cpu', unit: 'µs CPU a turn', better: 'lower', floor: 'honest' },
    { name: 'live', unit: 'bytes a live agent', better: 'lower', floor: 'honest' },
    { name: 'idle', unit: 'bytes an idle agent', better: 'lower' },
  ],
  cells: {
    loop: (scale) => measure(loops, 1000, scale),
    honest: (scale) => measure(honest, 1000, scale),
    tellurion: (scale) => measure(ours, 1000, scale),
    'honest, 10,000': (scale) => measure(honest, 10_000, { ...scale, quick: true }),
    'tellurion, 10,000': (scale) => measure(ours, 10_000, { ...scale, quick: true }),
  },
  targets: [
    { cell: 'tellurion', metric: 'wall', most: 1.3 },
    { cell: 'tellurion', metric: 'cpu', over: 'honest', most: 2 },
    { cell: 'tellurion', metric: 'live', most: 10_000 },
    { cell: 'tellurion', metric: 'idle', most: 1000 },
    { cell: 'tellurion, 10,000', metric: 'live', most: 10_000 },
  ],
} satisfies Workload
