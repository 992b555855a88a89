// W5, a durable step on SQLite: a message joins a conversation of 10, 100 and 1,000 and is acknowledged when it is
// committed. In the same rounds, in turn, the floor: the message inserted into a plain table.

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Message } from 'tellurion'
import { DurableBench, type Work } from '../durable-bench.ts'
import { fileBytes, inFolder, plainSqlite, type Mode } from '../durable.ts'
import { macrotask, median } from '../measure.ts'
import type { Figures, Scale, Workload } from './workload.ts'

/** Steps that are timed together: so few that the conversation stays about as long as it is named. */
const steps = 40
/** Such batches before the next has its turn. */
const stretch = 8
/** Commits after which a log has been moved into its file once and is written over: from then on it does not grow. */
const lap = 4500
/** Steps until everything is compiled. */
const rehearsal = 30_000
const crowdSize = 100

const message = (index: number): Message => ({
  role: index % 2 === 0 ? 'user' : 'assistant',
  content: `${index} A reply of some length, as a model gives it when it was asked to be brief: a sentence or so.`,
})
const messages = (count: number): Message[] => Array.from({ length: count }, (_, index) => message(index))

/** Microseconds each of `count` pieces of work, one after another. */
async function timed(count: number, work: (index: number) => unknown): Promise<number> {
  const start = performance.now()
  for (let index = 0; index < count; index++) {
    const result = work(index)
    if (result instanceof Promise) await result
  }
  return ((performance.now() - start) * 1000) / count
}

/** Microseconds a step behind so many messages; the second message takes the snapshot that the first made due. */
const stepsBehind =
  (length: number): Work<number> =>
  async (context) => {
    await context.say(...messages(length))
    await context.say(message(length))
    await context.say(message(length + 1))
    // What the beginning of a run has brought with it is to be over, and the processor not asleep.
    for (let turn = 0; turn < 200; turn++) await macrotask()
    return timed(steps, (index) => context.say(message(index)))
  }

/** The floor: inserts the message of a number into a plain table. */
function plainInsert(folder: string, mode: Mode): { insert: (index: number) => void; close: () => void } {
  const table = 'CREATE TABLE message (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT'
  const file = plainSqlite(join(folder, 'floor.db'), mode, table)
  const insert = file.prepare('INSERT INTO message (body) VALUES (?)')
  return { insert: (index) => void insert.run(JSON.stringify(message(index))), close: () => file.close() }
}

/** Compiles: in a file of its own, where no step waits for the disk. */
async function rehearse(folder: string): Promise<void> {
  const bench = new DurableBench(join(folder, 'rehearsal.db'), { mode: 'normal' })
  for (let done = 0; done < rehearsal; done += steps) await bench.run(stepsBehind(10))
  await bench.close()
}

/** One agent beside the floor; the ratio is that of neighbours in time. */
async function alone(scale: Scale, mode: Mode): Promise<Figures> {
  return inFolder(async (folder) => {
    const bench = new DurableBench(join(folder, 'runs.db'), { mode })
    const { insert, close } = plainInsert(folder, mode)
    const lanes = {
      raw: () => timed(steps, insert),
      awaited: () => timed(steps, (index) => (insert(index), macrotask())),
      at10: () => bench.run(stepsBehind(10)),
      at100: () => bench.run(stepsBehind(100)),
      at1000: () => bench.run(stepsBehind(1000)),
    }
    await rehearse(folder)
    await timed(lap, insert)
    for (let done = 0; done < lap; done += steps) await lanes.at10()
    await bench.rest()
    const rounds: Figures[] = []
    for (let round = 0; round < (scale.quick ? 4 : 10); round++) {
      const medians: Record<string, number> = {}
      for (const [name, lane] of Object.entries(lanes)) {
        const times: number[] = []
        for (let batch = 0; batch < stretch; batch++) times.push(await lane())
        await bench.rest()
        medians[name] = median(times)
      }
      const { raw, at10, at100, at1000 } = medians as Record<keyof typeof lanes, number>
      rounds.push({ ...medians, ratio: (at10 + at100 + at1000) / 3 / raw, flatness: at1000 / at10, rate: 1e6 / at10 })
    }
    await bench.close()
    close()
    const names = Object.keys(rounds[0]!)
    const figures = names.map((name) => [name, median(rounds.map((round) => round[name]!))] as const)
    const bytes = { bytes10: await rowBytes(folder, 10), bytes1000: await rowBytes(folder, 1000) }
    return { ...Object.fromEntries(figures), ...bytes }
  })
}

/** Bytes of the journal row of a step behind so many messages. */
async function rowBytes(folder: string, length: number): Promise<number> {
  const path = join(folder, `bytes-${length}.db`)
  const bench = new DurableBench(path, { mode: 'normal' })
  await bench.run(stepsBehind(length))
  await bench.close()
  const file = new DatabaseSync(path, { readOnly: true })
  const rows = file.prepare('SELECT octet_length(operations) + octet_length(events) AS bytes FROM journal ORDER BY id')
  // The first rows hold the messages behind which it steps.
  const bytes = rows.all().map((row) => Number(row['bytes']))
  file.close()
  return bytes.slice(3, 3 + steps).reduce((sum, each) => sum + each, 0) / steps
}

/** Steps a second of a hundred agents at once, each behind ten messages: their commits share transactions. */
async function crowd(scale: Scale, mode: Mode): Promise<Figures> {
  return inFolder(async (folder) => {
    const bench = new DurableBench(join(folder, 'runs.db'), { mode, maxConcurrent: crowdSize })
    const rates: number[] = []
    for (let round = -3; round < (scale.quick ? 3 : 7); round++) {
      const gate = Promise.withResolvers<void>()
      let ready = 0
      let start = 0
      const work: Work<void> = async (context) => {
        await context.say(...messages(10))
        if (++ready === crowdSize) {
          start = performance.now()
          gate.resolve()
        }
        await gate.promise
        for (let index = 0; index < steps; index++) await context.say(message(index))
      }
      await Promise.all(Array.from({ length: crowdSize }, () => bench.run(work)))
      // The first rounds compile.
      if (round >= 0) rates.push((crowdSize * steps * 1000) / (performance.now() - start))
      await bench.rest()
    }
    await bench.close()
    return { rate: median(rates) }
  })
}

/** One conversation that grows from nothing, everything counted: snapshots, and moving the log into the file. */
async function growing(scale: Scale, mode: Mode): Promise<Figures> {
  return inFolder(async (folder) => {
    const count = scale.quick ? 1500 : 5000
    const path = join(folder, 'runs.db')
    const bench = new DurableBench(path, { mode })
    const { insert, close } = plainInsert(folder, mode)
    await rehearse(folder)
    await timed(lap, insert)
    for (let done = 0; done < lap; done += steps) await bench.run(stepsBehind(10))
    await bench.close()
    const before = fileBytes(path)
    const again = new DurableBench(path, { mode })
    const ours = await again.run((context) => timed(count, (index) => context.say(message(index))))
    await again.close()
    const bytes = (fileBytes(path) - before) / count
    const raw = await timed(count, insert)
    close()
    return { raw, at1000: ours, ratio: ours / raw, bytes1000: bytes }
  })
}

export default {
  title: 'W5  a durable step on SQLite: a message committed behind 10, 100 and 1,000 others',
  metrics: [
    { name: 'raw', unit: 'µs raw', better: 'lower' },
    { name: 'awaited', unit: 'awaited', better: 'lower' },
    { name: 'at10', unit: 'at 10', better: 'lower' },
    { name: 'at100', unit: 'at 100', better: 'lower' },
    { name: 'at1000', unit: 'at 1,000', better: 'lower' },
    { name: 'ratio', unit: '× raw', better: 'lower' },
    { name: 'flatness', unit: '1,000 over 10', better: 'lower' },
    { name: 'bytes10', unit: 'bytes at 10', better: 'lower' },
    { name: 'bytes1000', unit: 'at 1,000', better: 'lower' },
    { name: 'rate', unit: 'steps/s', better: 'higher' },
  ],
  cells: {
    normal: (scale) => alone(scale, 'normal'),
    full: (scale) => alone(scale, 'full'),
    'normal, 100 agents': (scale) => crowd(scale, 'normal'),
    'full, 100 agents': (scale) => crowd(scale, 'full'),
    'normal, 0 to 5,000': (scale) => growing(scale, 'normal'),
    'full, 0 to 5,000': (scale) => growing(scale, 'full'),
  },
  targets: [
    { cell: 'normal', metric: 'ratio', most: 2 },
    { cell: 'normal', metric: 'flatness', most: 1.3 },
    { cell: 'normal', metric: 'bytes1000', over: 'normal', overMetric: 'bytes10', most: 1.02 },
    { cell: 'full', metric: 'ratio', most: 1.3 },
    { cell: 'full, 100 agents', metric: 'rate', over: 'full', least: 4 },
  ],
} satisfies Workload
