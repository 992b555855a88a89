// ReAct: thought, action, observation, in turns. The loop of models and tools does it already; these are the words that
// make a model think aloud, and a reader of what it thought.

import { checkOptions } from '../error/option.ts'
import { textOf, toolCallsOf, type Message } from '../message/message.ts'
import type { Json } from '../schema/json.ts'
import type { AgentOptions } from './agent.ts'
import { isStepCount } from './stop-when.ts'

/** How an agent that thinks aloud works. */
export interface ReactOptions {
  /** What else it is told. */
  readonly instructions?: AgentOptions['instructions']
  /** Most model calls of a turn. Default 20. */
  readonly maxSteps?: number
}

const known = ['instructions', 'maxSteps']

const words =
  'Work in turns of thought, action and observation. Before each action say in a sentence or two what you know, what is ' +
  'missing and what you will do about it; then call the tools for it; then look at what they bring. When you know enough, ' +
  'give the answer and call no tool.'

/**
 * The options of an agent that reasons and acts in turns: `new Agent({ name, model, tools, ...react() })`. Throws
 * `invalid_option` and `unknown_option`. The pattern is ReAct (Yao et al., 2022).
 */
export function react(options: ReactOptions = {}): Required<Pick<AgentOptions, 'instructions' | 'stopWhen'>> {
  checkOptions('react', options, known)
  const { instructions, maxSteps = 20 } = options
  const together = (text = ''): string => (text === '' ? words : `${text}\n\n${words}`)
  return {
    instructions:
      typeof instructions === 'function' ? async () => together(await instructions()) : together(instructions),
    stopWhen: isStepCount(maxSteps),
  }
}

/** One turn of thought, action and observation; the last one has no actions. */
export interface ReactStep {
  /** What the model said before it acted: its text, or else its reasoning. */
  readonly thought: string
  readonly actions: readonly {
    readonly toolName: string
    readonly input: Json
    /** The result as the model read it; absent while there is none. */
    readonly observation?: string
  }[]
}

/** A conversation, or a part of it such as `result.messages`, as turns of thought, action and observation. */
export function reactSteps(messages: Iterable<Message>): readonly ReactStep[] {
  const steps: { thought: string; actions: ReactStep['actions'][number][]; ids: string[] }[] = []
  for (const message of messages) {
    if (message.role === 'assistant' && !message.partial) {
      const calls = toolCallsOf(message)
      const actions = calls.map(({ toolName, input }) => ({ toolName, input }))
      steps.push({ thought: thoughtIn(message), actions, ids: calls.map(({ toolCallId }) => toolCallId) })
    }
    const open = steps.at(-1)
    const place = message.role === 'tool' ? (open?.ids.indexOf(message.toolCallId) ?? -1) : -1
    const action = open?.actions[place]
    if (open !== undefined && action !== undefined) open.actions[place] = { ...action, observation: textOf(message) }
  }
  return steps.map(({ thought, actions }) => ({ thought, actions }))
}

function thoughtIn(message: Extract<Message, { role: 'assistant' }>): string {
  const text = textOf(message)
  if (text !== '' || typeof message.content === 'string') return text
  return message.content.map((part) => (part.type === 'reasoning' ? part.text : '')).join('')
}
