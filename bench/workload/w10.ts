// W10, going on with a long run: a run that has kept 1,000 to 100,000 checkpoints, one event each, is opened from its file
// by a new runtime and goes on until its next checkpoint is committed. Its state stays small; in other cells it is large.

import { join } from 'node:path'
import { createRuntime, type AgentRuntime, type RunContext } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { inFolder } from '../durable.ts'
import { median } from '../measure.ts'
import { expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

/** A runtime with one agent, `bench`, that does what is said; it works on a run only when told to. */
function open(path: string, run: (context: RunContext) => Promise<void>): ReturnType<typeof createRuntime> {
  const agent: AgentRuntime = {
    key: 'bench',
    async run(context) {
      await run(context)
      return { output: null }
    },
  }
  // Closing gives the run back at once, so that the next runtime may go on with it.
  const patience = { grace: 0 }
  return createRuntime({ store: sqlite(path, { synchronous: 'normal' }), agents: [agent], work: false, patience })
}

/** Resolves when the agent should stop. */
const told = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

/** When a stretch of work began, was ready to begin, and had what it was for. */
interface Times {
  readonly start: number
  readonly open: number
  readonly end: number
}

/** Opens the file, works on a run until `work` has resolved, and gives it back as it then is. */
async function stretch(
  path: string,
  id: string | undefined,
  work: (context: RunContext) => Promise<void>,
): Promise<{ readonly id: string; readonly times: Times }> {
  const start = performance.now()
  const done = Promise.withResolvers<number>()
  const stop = new AbortController()
  const runtime = await open(path, async (context) => {
    await work(context)
    done.resolve(performance.now())
    await told(context.signal)
    context.signal.throwIfAborted()
  })
  const run = id === undefined ? await runtime.submit('bench', null) : runtime.run(id)
  const opened = performance.now()
  const working = run.work({ signal: stop.signal })
  const end = await done.promise
  stop.abort()
  await Promise.all([runtime.close(), working])
  return { id: run.id, times: { start, open: opened, end } }
}

/** Checkpoints that a run keeps, and the megabytes that its conversation takes besides. */
interface Past {
  readonly checkpoints: number
  readonly megabytes?: number
}

const note = 'What was found so far: a line or two, not much more than that, as an agent keeps it for itself. '
const words = note.repeat(10)

async function measure(scale: Scale, { checkpoints, megabytes = 0 }: Past): Promise<Figures> {
  return inFolder(async (folder) => {
    const path = join(folder, 'runs.db')
    const { id } = await stretch(path, undefined, async (context) => {
      const count = Math.round((megabytes * 1_000_000) / (words.length + 36))
      for (let index = 0; index < count; index += 100) {
        const some = Math.min(100, count - index)
        await context.say(...Array.from({ length: some }, () => ({ role: 'assistant' as const, content: words })))
      }
      for (let index = 1; index <= checkpoints; index++) await context.checkpoint({ index, note })
    })
    const all: Times[] = []
    let index = checkpoints
    for (let round = 0; round < (scale.quick ? 8 : 25); round++) {
      const { times } = await stretch(path, id, async (context) => {
        expectEqual((context.state as { index: number }).index, index)
        await context.checkpoint({ index: ++index, note })
      })
      all.push(times)
      // How much lies behind the last snapshot differs from round to round.
      await stretch(path, id, async (context) => {
        for (let more = 0; more < 19; more++) await context.checkpoint({ index: ++index, note })
      })
    }
    const opened = all.map(({ start, open }) => open - start)
    const went = all.map(({ open, end }) => end - open)
    const whole = all.map(({ start, end }) => end - start)
    const figures = { first: whole[0]!, open: median(opened), resume: median(went), whole: median(whole) }
    return megabytes === 0 ? figures : { ...figures, megabyte: figures.whole / megabytes }
  })
}

export default {
  title: 'W10 opening a run and going on, with a small state and with a large one',
  metrics: [
    { name: 'first', unit: 'ms first time', better: 'lower' },
    { name: 'whole', unit: 'ms', better: 'lower' },
    { name: 'open', unit: 'store open', better: 'lower' },
    { name: 'resume', unit: 'going on', better: 'lower' },
    { name: 'megabyte', unit: 'ms a MB of state', better: 'lower' },
  ],
  cells: {
    '1,000 events': (scale) => measure(scale, { checkpoints: 1000 }),
    '10,000 events': (scale) => measure(scale, { checkpoints: 10_000 }),
    '100,000 events': (scale) => measure(scale, { checkpoints: scale.quick ? 30_000 : 100_000 }),
    'state of 1 MB': (scale) => measure(scale, { checkpoints: 100, megabytes: 1 }),
    'state of 8 MB': (scale) => measure(scale, { checkpoints: 100, megabytes: 8 }),
  },
  targets: [
    { cell: '100,000 events', metric: 'whole', most: 10 },
    { cell: '100,000 events', metric: 'resume', over: '1,000 events', most: 1.5 },
    { cell: 'state of 1 MB', metric: 'megabyte', most: 10 },
    { cell: 'state of 8 MB', metric: 'megabyte', most: 10 },
  ],
} satisfies Workload
