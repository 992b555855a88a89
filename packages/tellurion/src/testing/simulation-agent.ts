// The agent of a simulation: it does what its input says, step by step, and what it says depends on nothing but the
// conversation. So every course of a run must come to the same conversation, whatever happened on the way.

import { Agent } from '../agent/agent.ts'
// Loaded beforehand: what is loaded in the middle of a course comes whenever it comes.
import '../agent/allowance.ts'
import { asTool } from '../agent/sub-agent.ts'
import { agentComponents, Conversation } from '../agent/component.ts'
import { answer } from '../agent/interaction.ts'
import { openInteractions } from '../agent/open-interaction.ts'
import { sleep, type Clock } from '../clock/clock.ts'
import { textOf, user, type Message } from '../message/message.ts'
import { failure } from '../model/failure.ts'
import type { ModelRequest } from '../port/model.ts'
import { tool } from '../tool/tool.ts'
import type { EffectOptions } from '../tool/effects.ts'
import { run } from '../world/runner.ts'
import { World } from '../world/world.ts'
import { scriptedModel, type ScriptedReply } from './scripted-model.ts'

/**
 * What a run may be asked to do: a reply a word, a call a letter. r reads, k has an effect under a key, n has one that
 * must never be repeated, a asks first, b reads much, f fails, s is the work of a sub-agent with a program of its own.
 */
export const programs = [
  '',
  'r',
  'rrr k',
  'n',
  'k n r',
  'a',
  'r a k',
  'kk kr',
  'bbbb r bbbb r',
  'f r',
  'k k k',
  'n a n',
  's',
  'k s r',
  'ss ks',
]

/** What sub-agents do. */
const errand = ['k', 'ra']

/** What becomes of the agent's doings: where they take place, and who hears of them. */
export interface Surroundings {
  readonly clock: Clock
  /** Milliseconds that the next ask or call takes. */
  delay(what: 'model' | 'tool'): number
  /** Whether the model fails this time. */
  fails(): boolean
  /** A hash is made where nobody can see it. */
  hashing(): void
  asked(request: ModelRequest): Promise<void>
  called(call: Called): Promise<void>
}

/** A tool that begins. */
export interface Called {
  readonly run: string
  readonly toolCallId: string
  readonly key: string
  readonly kind: string
}

const effects: Readonly<Record<string, EffectOptions<{ at: number }>>> = {
  r: { mode: 'read' },
  b: { mode: 'read' },
  f: { mode: 'read' },
  k: { mode: 'write', repeat: 'keyed' },
  a: { mode: 'write', repeat: 'keyed' },
  n: { mode: 'exclusive', repeat: 'never' },
}

const placeSchema = { type: 'object', properties: { at: { type: 'number' } }, required: ['at'] } as const

/** The agent, living in some surroundings. */
export function simulationAgent(around: Surroundings): Agent {
  const { clock } = around
  const tools = Object.entries(effects).map(([kind, effects]) => {
    return [
      kind,
      tool({
        description: kind,
        inputSchema: placeSchema,
        effects,
        needsApproval: () => {
          if (kind === 'a') around.hashing()
          return kind === 'a'
        },
        async execute({ at }, { runId, toolCallId, idempotencyKey: key, abortSignal: signal }) {
          await around.called({ run: runId, toolCallId, key, kind })
          const delay = around.delay('tool')
          if (delay > 0) await sleep(delay, { clock, signal })
          if (kind === 'f') throw new Error('It fails.')
          return kind === 'b' ? `${kind}${at}`.padEnd(9000, '.') : `${kind}${at}`
        },
      }),
    ] as const
  })
  const model = scriptedModel(
    async (request, { signal }) => {
      await around.asked(request)
      const delay = around.delay('model')
      if (delay > 0) await sleep(delay, { clock, ...(signal === undefined ? {} : { signal }) })
      return around.fails() ? failure('service', 'It is not there.') : replyTo(request)
    },
    { keepRequests: false },
  )
  const doings = Object.fromEntries(tools)
  const helper = new Agent({ name: 'helper', model, tools: doings })
  const s = asTool(helper, { description: 's', inputSchema: placeSchema, timeout: Infinity })
  return new Agent({ name: 'agent', model, tools: { ...doings, s } })
}

/** The next step of the program, which is the newest message of the user that is one. */
function replyTo({ messages }: ModelRequest): ScriptedReply {
  const all = [...messages]
  const start = Math.max(0, all.findLastIndex(isProgram))
  const first = all[start]!
  const words = isProgram(first) ? textOf(first).slice('do:'.length).split(' ').filter(Boolean) : errand
  const done = all.slice(start).filter((message) => message.role === 'assistant').length
  const word = words[done]
  if (word === undefined) return `Done ${words.length}.`
  return {
    // No two calls of a conversation have one id, whatever it was about before.
    calls: [...word].map((toolName, index) => ({
      toolName,
      toolCallId: `c${start}-${done}-${index}`,
      input: { at: done },
    })),
  }
}

function isProgram(message: Message): boolean {
  return message.role === 'user' && textOf(message).startsWith('do:')
}

/** The input that asks for a program. */
export function inputFor(program: string): string {
  return `do:${program}`
}

const still: Surroundings = {
  clock: { now: () => 0, monotonic: () => 0, timer: () => () => {} },
  delay: () => 0,
  fails: () => false,
  hashing: () => {},
  asked: async () => {},
  called: async () => {},
}
const known = new Map<string, Promise<readonly Message[]>>()

/** The conversation that a program comes to in memory, where nothing ever goes wrong. */
export function courseOf(program: string): Promise<readonly Message[]> {
  const found = known.get(program)
  if (found !== undefined) return found
  const course = wind(program)
  known.set(program, course)
  return course
}

async function wind(program: string): Promise<readonly Message[]> {
  const agent = simulationAgent(still)
  const world = new World({ components: agentComponents })
  const entity = agent.furnish(world)
  world.append(entity, Conversation, user(inputFor(program)))
  for (;;) {
    const { reason } = await run(world, { main: entity })
    if (reason !== 'waiting') return world.require(entity, Conversation).toArray()
    for (const { id } of openInteractions(world)) answer(world, id, 'approve')
  }
}
