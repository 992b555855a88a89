// W12, parallel tools: ten calls of 100 ms in one reply, results in call order.

import type { Message } from 'tellurion'
import { Agent, tool } from 'tellurion'
import { z } from 'zod'
import { HonestRun } from '../floor.ts'
import { parallelModel } from '../instant-model.ts'
import { median, pause } from '../measure.ts'
import { expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const count = 10
const delay = 100
const schema = z.object({ index: z.number() })
const order = Array.from({ length: count }, (_, index) => `result ${index}`).join()

/** Later calls end earlier, so that results in the order of their coming are not in call order by chance. */
const execute = async ({ index }: { index: number }): Promise<string> => {
  await pause(delay - index)
  return `result ${index}`
}

async function wall(scale: Scale, run: () => Promise<Iterable<Message>>): Promise<Figures> {
  const times: number[] = []
  for (let round = 0; round < (scale.quick ? 3 : 6); round++) {
    const start = performance.now()
    const messages = await run()
    if (round > 0) times.push(performance.now() - start)
    const results = [...messages].flatMap((message) => (message.role === 'tool' ? [message.content] : []))
    expectEqual(results.join(), order)
  }
  return { wall: median(times) / delay }
}

export default {
  title: 'W12 ten parallel tool calls of 100 ms',
  metrics: [{ name: 'wall', unit: '× 100 ms', better: 'lower' }],
  cells: {
    honest: (scale) => {
      const model = parallelModel(count)
      return wall(scale, async () => {
        const messages: Message[] = [{ role: 'user', content: 'Wait.' }]
        const { signal } = new AbortController()
        const tools = { wait: { schema, execute } }
        await new HonestRun(model, messages, { tools, signal, subscriber: () => {} }).run()
        return messages
      })
    },
    tellurion: (scale) => {
      const wait = tool({ description: 'Waits', inputSchema: schema, effects: 'read', execute })
      const agent = new Agent({ name: 'bench', model: parallelModel(count), tools: { wait } })
      return wall(scale, async () => (await agent.generate('Wait.')).messages)
    },
  },
  targets: [{ cell: 'tellurion', metric: 'wall', most: 1.1 }],
} satisfies Workload
