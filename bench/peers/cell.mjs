// One peer in one workload: `node bench/peers/cell.mjs w1 pi --quick`. The same script and the same measuring as our own
// cells; each peer is used as its own documents show it.

import { join } from 'node:path'
import { cpuMicroseconds, heldBytes, macrotask, median, microsecondsPer, pause } from '../measure.ts'
import { measureReading } from '../sse-client.ts'
import { measureStart } from '../start.ts'
import { turnsOfRun } from './script.mjs'

const loops = ['w1', 'w2', 'w3', 'w4', 'w6', 'w12']

/** The peers by file, and the workloads they take part in. */
export const peers = {
  pi: loops,
  'ai-sdk': [...loops, 'w7'],
  langgraph: loops,
  'openai-agents': [...loops, 'w7'],
}

const latency = 20
const deltaCount = 2000

function expectEqual(actual, expected) {
  if (actual !== expected) throw new Error(`expected ${expected}, got ${actual}`)
}

const measures = {
  async w1({ runs }, scale) {
    const { make, start } = runs()
    expectEqual(await start(make()), turnsOfRun)
    return { turn: await microsecondsPer(turnsOfRun, scale, () => start(make())) }
  },

  async w2({ runs }) {
    const count = 1000
    const timed = runs(() => pause(latency))
    let wall = 0
    let cpu = 0
    for (let round = 0; round < 2; round++) {
      const agents = Array.from({ length: count }, timed.make)
      const before = process.cpuUsage()
      const began = performance.now()
      await Promise.all(agents.map(timed.start))
      wall = (performance.now() - began) / (latency * turnsOfRun)
      cpu = cpuMicroseconds(before) / (count * turnsOfRun)
    }
    let open
    const gate = new Promise((resolve) => (open = resolve))
    const held = runs((turn) => (turn === 5 ? gate : Promise.resolve()))
    const before = await heldBytes()
    const working = Array.from({ length: count }, held.make).map(held.start)
    // Some need many turns of the event loop to come to their sixth model call.
    await pause(3000)
    const live = ((await heldBytes()) - before) / count
    open()
    await Promise.all(working)
    return { wall, cpu, live }
  },

  async w3({ deltas }, scale) {
    const read = deltas(deltaCount)
    expectEqual((await read()).length, deltaCount * 5)
    return { delta: await microsecondsPer(deltaCount, scale, read) }
  },

  async w4({ chat }, scale) {
    const history = (length) =>
      Array.from({ length }, (_, index) => ({
        role: index % 2 === 0 ? 'user' : 'assistant',
        content: `Message ${index} of a conversation that has gone on for a while.`,
      }))
    const per = async (length, turns) => {
      const turn = chat(history(length))()
      const times = []
      for (let index = -1; index < turns; index++) {
        const began = performance.now()
        await turn()
        if (index >= 0) times.push((performance.now() - began) * 1000)
        await macrotask()
      }
      return median(times)
    }
    const turns = scale.quick ? 4 : 12
    const short = []
    for (let chats = 0; chats < 30; chats++) short.push(await per(10, turns))
    const low = median(short.slice(15))
    const long = await per(5000, turns)
    return { short: low, long, flatness: long / low }
  },

  async w6(_, scale, name) {
    return { start: await measureStart(join(import.meta.dirname, 'start', `${name}.mjs`), scale) }
  },

  w7: ({ read }, scale) => measureReading(scale, read),

  async w12({ parallel }, scale) {
    const execute = async ({ index }) => {
      await pause(100 - index)
      return `result ${index}`
    }
    const run = parallel(10, execute)
    const times = []
    for (let round = 0; round < (scale.quick ? 2 : 4); round++) {
      const began = performance.now()
      const results = await run()
      if (round > 0) times.push(performance.now() - began)
      expectEqual(results.join(), Array.from({ length: 10 }, (_, index) => `result ${index}`).join())
    }
    return { wall: median(times) / 100 }
  },
}

if (process.argv[1] === import.meta.filename) {
  const [id, name, ...flags] = process.argv.slice(2)
  const { peer } = await import(`./${name}.mjs`)
  console.log(JSON.stringify(await measures[id](peer, { quick: flags.includes('--quick') }, name)))
  process.exit()
}
