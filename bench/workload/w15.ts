// W15, compaction: what it costs apart from the model that summarises. A turn with nothing to compact, and compactions of
// a dialogue of about 118,000 tokens, its tool outputs shortened, or all of it summarised by rules.

import { Agent } from 'tellurion'
import { compactContext, Conversation, extractiveModel, Session } from 'tellurion/agent'
import type { Message } from 'tellurion'
import { estimateTokens } from 'tellurion/model'
import { longDialogue } from 'tellurion/testing'
import { answerModel } from '../instant-model.ts'
import { cpuMicroseconds, median, macrotask } from '../measure.ts'
import { expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const turns = 16

/** Opens chats with a past, on a world that is there already. */
function opener(messages: readonly Message[], window: number | undefined): () => Session {
  const settings = { countTokens: estimateTokens, summaryModel: extractiveModel() }
  const systems = window === undefined ? [] : [compactContext({ ...settings, window })]
  const { world, entity } = new Agent({ name: 'bench', model: answerModel(), systems }).session()
  world.append(entity, Conversation, ...messages)
  return () => new Session(world.fork(), entity, 'bench')
}

/** Microseconds of CPU a turn at 5,000 messages, far below the window. */
async function quiet(scale: Scale, open: () => Session): Promise<number> {
  const times: number[] = []
  for (let round = -4; round < (scale.quick ? 7 : 15); round++) {
    const chats = Array.from({ length: scale.quick ? 20 : 100 }, open)
    await macrotask()
    const start = process.cpuUsage()
    for (const chat of chats) for (let turn = 0; turn < turns; turn++) await chat.generate('Go on.')
    if (round >= 0) times.push(cpuMicroseconds(start) / (chats.length * turns))
  }
  return median(times)
}

/** Milliseconds of one turn that compacts, every time on a conversation that nobody has measured before. */
async function compacting(scale: Scale, fullness: number, stage: string): Promise<number> {
  const times: number[] = []
  for (let round = -2; round < (scale.quick ? 5 : 11); round++) {
    const { messages } = longDialogue({ seed: round + 10, exchanges: 200 })
    const chat = opener(messages, Math.floor(118_000 / fullness))()
    let stages = ''
    chat.world.on('compaction.completed', (event) => (stages = event.stages.join()))
    await macrotask()
    const start = performance.now()
    await chat.generate('Go on.')
    if (round >= 0) times.push(performance.now() - start)
    expectEqual(stages, stage)
  }
  return median(times)
}

const past: Message[] = Array.from({ length: 5000 }, (_, index) => ({
  role: index % 2 === 0 ? 'user' : 'assistant',
  content: `Message ${index} of a conversation that has gone on for a while.`,
}))

export default {
  title: 'W15 compaction without the model that summarises',
  metrics: [
    { name: 'quiet', unit: 'µs of CPU a turn at 5,000 messages', better: 'lower', floor: 'without' },
    { name: 'shorten', unit: 'ms to shorten 118,000 tokens', better: 'lower' },
    { name: 'summarise', unit: 'ms to summarise them by rules', better: 'lower' },
  ],
  cells: {
    /** The same agent without compaction. */
    without: async (scale): Promise<Figures> => ({ quiet: await quiet(scale, opener(past, undefined)) }),
    tellurion: async (scale): Promise<Figures> => ({
      quiet: await quiet(scale, opener(past, 1_000_000)),
      shorten: await compacting(scale, 0.9, 'shorten'),
      summarise: await compacting(scale, 2.4, 'summarise'),
    }),
  },
  targets: [
    { cell: 'tellurion', metric: 'quiet', over: 'without', most: 2 },
    { cell: 'tellurion', metric: 'shorten', most: 100 },
    { cell: 'tellurion', metric: 'summarise', most: 100 },
  ],
} satisfies Workload
