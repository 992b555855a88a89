// W17, many chats over HTTP: 1,000 sessions with a model that takes 20 ms, each a connection of its own. What a turn takes
// beyond the model while people think two seconds between, what a session weighs, and how many turns go through at most.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chat, percentile } from '../chat-crowd.ts'
import { serve } from '../served.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const limits = { requests: 100_000_000, burst: 1_000_000 }

/** What is served: by hand or by us, and how it is kept. */
type Kind = 'hand' | 'memory' | 'normal' | 'full'

async function measure(scale: Scale, kind: Kind): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-chat-'))
  try {
    const by = kind === 'hand' ? 'hand' : 'tellurion'
    const isFile = kind === 'normal' || kind === 'full'
    const store = isFile ? join(folder, 'runs.db') : 'memory'
    await using server = await serve({ by, store, limits, ...(isFile ? { synchronous: kind } : {}) })
    const { port } = server
    // What is compiled and made once is not what a session costs.
    await chat({ port, sessions: 50, turns: scale.quick ? 10 : 30, think: 0 })
    const before = await server.weigh()
    const sessions = scale.quick ? 200 : 1000
    const { overheads, connects } = await chat({ port, sessions, turns: scale.quick ? 2 : 5, think: 2000 })
    const after = await server.weigh()
    const dense = await chat({ port, sessions: 100, turns: scale.quick ? 5 : 15, think: 0 })
    return {
      p50: percentile(overheads, 0.5),
      p99: percentile(overheads, 0.99),
      connect: percentile(connects, 0.99),
      cpu: (after.cpu - before.cpu) / overheads.length / 1000,
      bytes: (after.heap - before.heap) / sessions,
      rate: dense.overheads.length / (dense.wall / 1000),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export default {
  title: 'W17 1,000 sessions chat over HTTP with a 20 ms model',
  metrics: [
    { name: 'p50', unit: 'ms beyond the model p50', better: 'lower' },
    { name: 'p99', unit: 'p99', better: 'lower' },
    { name: 'connect', unit: 'ms to be let in p99', better: 'lower' },
    { name: 'cpu', unit: 'ms of CPU a turn', better: 'lower', floor: 'loop' },
    { name: 'bytes', unit: 'bytes a session', better: 'lower' },
    { name: 'rate', unit: 'turns/s at most', better: 'higher' },
  ],
  cells: {
    loop: (scale) => measure(scale, 'hand'),
    memory: (scale) => measure(scale, 'memory'),
    normal: (scale) => measure(scale, 'normal'),
    tellurion: (scale) => measure(scale, 'full'),
  },
  targets: [],
  // A thousand sessions are repetition enough.
  repetitions: 1,
} satisfies Workload
