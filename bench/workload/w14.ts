// W14, forking: a world of 1,000 messages is forked, and the fork is written to for the first time.

import { Conversation, LLM } from 'tellurion/agent'
import type { Message } from 'tellurion'
import { World } from 'tellurion/world'
import { microsecondsPer } from '../measure.ts'
import { expectEqual } from '../subject.ts'
import type { Scale, Workload, Figures } from './workload.ts'

const length = 1000
const forks = 100
const next: Message = { role: 'user', content: 'Go on.' }
const history = (): Message[] => Array.from({ length }, (_, index) => ({ role: 'user', content: `Message ${index}.` }))

/** Times forks alone, and forks that are written to; their difference is the first write. */
async function measure<State>(
  scale: Scale,
  state: State,
  { fork, write }: { fork: (state: State) => State; write: (fork: State) => number },
): Promise<Figures> {
  expectEqual(write(fork(state)), length + 1)
  const kept: State[] = []
  const alone = await microsecondsPer(forks, scale, () => {
    kept.length = 0
    for (let index = 0; index < forks; index++) kept.push(fork(state))
  })
  const written = await microsecondsPer(forks, scale, () => {
    kept.length = 0
    for (let index = 0; index < forks; index++) {
      const forked = fork(state)
      write(forked)
      kept.push(forked)
    }
  })
  return { fork: alone, write: Math.max(0, written - alone) }
}

interface Plain {
  llm: { readonly model: string }
  messages: readonly Message[]
}

export default {
  title: 'W14 fork a world of 1,000 messages',
  metrics: [
    { name: 'fork', unit: 'µs a fork', better: 'lower', floor: 'loop' },
    { name: 'write', unit: 'µs the first write', better: 'lower', floor: 'loop' },
  ],
  cells: {
    /** What plain JavaScript does at best: share the list, copy it to write. */
    loop: (scale) =>
      measure<Plain>(
        scale,
        { llm: { model: 'm' }, messages: history() },
        {
          fork: (state) => ({ ...state }),
          write: (state) => (state.messages = [...state.messages, next]).length,
        },
      ),
    tellurion: (scale) => {
      const world = new World()
      const entity = world.spawn(LLM({ model: 'm' }), Conversation(history()))
      return measure(scale, world, {
        fork: (state) => state.fork(),
        write: (state) => {
          state.append(entity, Conversation, next)
          return state.require(entity, Conversation).length
        },
      })
    },
  },
  targets: [
    { cell: 'tellurion', metric: 'fork', most: 2 },
    { cell: 'tellurion', metric: 'write', most: 5 },
  ],
} satisfies Workload
