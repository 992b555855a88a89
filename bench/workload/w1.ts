// W1, the tool loop in memory: ten tool calls and an answer with an instant model, all systems registered, deltas on,
// somebody watching.

import type { Message } from 'tellurion'
import { HonestRun, loop } from '../floor.ts'
import { toolModel, turnsOfRun } from '../instant-model.ts'
import { microsecondsPer } from '../measure.ts'
import { adder, everySystem, expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const input: Message = { role: 'user', content: 'Add up.' }

async function perTurn(scale: Scale, run: () => Promise<unknown>): Promise<Figures> {
  return { turn: await microsecondsPer(turnsOfRun, scale, run) }
}

export default {
  title: 'W1  tool loop in memory, instant model: ten calls and an answer',
  metrics: [{ name: 'turn', unit: 'µs a turn', better: 'lower', floor: 'honest' }],
  cells: {
    async loop(scale) {
      const model = toolModel()
      const messages: Message[] = []
      expectEqual(await loop(model, [input]), 'The sum is 3.')
      return perTurn(scale, () => {
        messages.length = 0
        messages.push(input)
        return loop(model, messages)
      })
    },
    async honest(scale) {
      const model = toolModel()
      let seen = 0
      const run = (): HonestRun =>
        new HonestRun(model, [input], { signal: new AbortController().signal, subscriber: () => seen++ })
      const first = run()
      await first.run()
      expectEqual(first.usage.totalTokens, turnsOfRun * 110)
      return perTurn(scale, () => run().run())
    },
    async tellurion(scale) {
      const agent = adder(toolModel())
      let seen = 0
      const run = async (): Promise<number> => {
        const session = agent.session()
        session.world.on('*', () => seen++)
        const { steps } = await session.generate('Add up.')
        return steps
      }
      expectEqual(await run(), turnsOfRun)
      return perTurn(scale, run)
    },
    async 'tellurion, every system'(scale) {
      const agent = adder(toolModel(), everySystem)
      let seen = 0
      const run = async (): Promise<number> => {
        const session = agent.session()
        session.world.on('*', () => seen++)
        const { steps } = await session.generate('Add up.')
        return steps
      }
      expectEqual(await run(), turnsOfRun)
      return perTurn(scale, run)
    },
    async 'tellurion, stream'(scale) {
      const agent = adder(toolModel())
      const run = async (): Promise<number> => {
        const stream = agent.stream('Add up.')
        let seen = 0
        for await (const _ of stream) seen++
        expectEqual(seen > turnsOfRun, true)
        return (await stream.result()).steps
      }
      expectEqual(await run(), turnsOfRun)
      return perTurn(scale, run)
    },
  },
  targets: [
    { cell: 'tellurion', metric: 'turn', most: 5 },
    { cell: 'tellurion', metric: 'turn', over: 'honest', most: 5 },
  ],
} satisfies Workload
