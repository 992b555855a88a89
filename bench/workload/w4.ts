// W4, a turn of a long conversation: what one turn costs at 10 and at 5,000 messages of history.

import { Conversation, Session } from 'tellurion/agent'
import type { Message } from 'tellurion'
import { HonestRun, loop } from '../floor.ts'
import { answerModel } from '../instant-model.ts'
import { median, macrotask } from '../measure.ts'
import { adder, expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

/** Turns that one copy of a history takes before the next begins, so that its length stays what it is named. */
const turns = 16

function history(length: number): Message[] {
  return Array.from({ length }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `Message ${index} of a conversation that has gone on for a while.`,
  }))
}

type Chat = () => Promise<unknown>

/** Interleaves the two lengths, so that whatever disturbs the machine disturbs both. */
async function measure(scale: Scale, chatOf: (messages: readonly Message[]) => () => Chat): Promise<Figures> {
  const openShort = chatOf(history(10))
  const openLong = chatOf(history(5000))
  const short: number[] = []
  const long: number[] = []
  const chats = scale.quick ? 40 : 200
  for (let round = -8; round < (scale.quick ? 7 : 15); round++) {
    const times = [await batch(openShort, chats), await batch(openLong, chats)] as const
    if (round < 0) continue
    short.push(times[0])
    long.push(times[1])
  }
  return { short: median(short), long: median(long), flatness: median(long.map((time, index) => time / short[index]!)) }
}

/** Microseconds a turn over some chats, opened beforehand. */
async function batch(open: () => Chat, count: number): Promise<number> {
  const chats = Array.from({ length: count }, open)
  await macrotask()
  const start = performance.now()
  for (const turn of chats) for (let index = 0; index < turns; index++) await turn()
  return ((performance.now() - start) * 1000) / (count * turns)
}

export default {
  title: 'W4  a turn at 10 and at 5,000 messages of history',
  metrics: [
    { name: 'short', unit: 'µs at 10', better: 'lower', floor: 'honest' },
    { name: 'long', unit: 'µs at 5,000', better: 'lower', floor: 'honest' },
    { name: 'flatness', unit: '5,000 over 10', better: 'lower' },
  ],
  cells: {
    loop: (scale) =>
      measure(scale, (given) => {
        const model = answerModel()
        const messages = [...given]
        return () => {
          let count = 0
          return () => {
            // One list serves all chats: copying 5,000 messages is not what a loop does a turn.
            if (count++ === 0) messages.length = given.length
            messages.push({ role: 'user', content: 'Go on.' })
            return loop(model, messages)
          }
        }
      }),
    honest: (scale) =>
      measure(scale, (given) => {
        const model = answerModel()
        const messages = [...given]
        let seen = 0
        return () => {
          let count = 0
          return () => {
            if (count++ === 0) messages.length = given.length
            messages.push({ role: 'user', content: 'Go on.' })
            const { signal } = new AbortController()
            return new HonestRun(model, messages, { signal, subscriber: () => seen++ }).run()
          }
        }
      }),
    tellurion: (scale) =>
      measure(scale, (given) => {
        const first = adder(answerModel()).session()
        const { world, entity } = first
        world.append(entity, Conversation, ...given)
        let seen = 0
        return () => {
          const session = new Session(world.fork(), entity, 'bench')
          expectEqual(session.messages.length, given.length)
          session.world.on('*', () => seen++)
          return () => session.generate('Go on.')
        }
      }),
  },
  targets: [
    { cell: 'tellurion', metric: 'flatness', most: 1.3 },
    { cell: 'tellurion', metric: 'long', most: 6 },
  ],
} satisfies Workload
