// Orchestration: several agents as one. A strategy says, from what has been done so far, who is to do what next, or the
// answer. What comes of it is an ordinary agent: it streams, waits, is cancelled, pays and survives like any other.

import { suggestion, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import { textOf, toolCallsOf, type Messages } from '../message/message.ts'
import { failureFromError } from '../model/failure.ts'
import type { Model, ModelEvent, ModelRequest } from '../port/model.ts'
import { Agent } from './agent.ts'
import type { BudgetLimits } from './component.ts'
import type { PriceFunction } from '../port/model.ts'
import { asTool } from './sub-agent.ts'
import type { Inhabitant } from './world-tool.ts'

/** Longest text that one agent hands to the next, in characters. */
const longest = 1_000_000

/** Something that an agent is to do. */
export interface Assignment {
  readonly agent: string
  readonly task: string
}

/** What an agent made of its assignment: its text, or why it failed. */
export interface Done extends Assignment {
  readonly text: string
  readonly failed: boolean
}

/** How far an orchestration has come: what was asked, and what was done, round by round. */
export interface Course {
  readonly input: string
  readonly rounds: readonly (readonly Done[])[]
}

/** What happens next: agents work, side by side, or the answer is there. */
export type Move = { readonly work: readonly Assignment[] } | { readonly answer: string }

/**
 * Decides the next move from the course alone: it may be asked again after a crash and must then say the same. What it
 * throws fails the run.
 */
export type Strategy = (course: Course) => Move | Promise<Move>

/** What makes an orchestration. */
export interface OrchestrationOptions {
  /** Matches `^[a-zA-Z0-9_-]{1,64}$`. */
  readonly name: string
  readonly agents: readonly Inhabitant[]
  readonly strategy: Strategy
  /** What all of them may spend together. Each decision of the strategy counts as a model call. */
  readonly budget?: BudgetLimits & { readonly price?: PriceFunction }
  /** Milliseconds that each assignment may take. Default 300,000. */
  readonly timeout?: number
}

/**
 * Several agents and a strategy as one agent. Assignments are sub-agents: at most five at one time, each with its own
 * history and an equal part of what is left of the budget; how one fails is a fact for the strategy. Throws
 * `invalid_option`, `unknown_option` and `duplicate_tool`.
 */
export function orchestrate(options: OrchestrationOptions): Agent {
  checkOptions('orchestrate', options, ['name', 'agents', 'strategy', 'budget', 'timeout'])
  const { name, agents, strategy, budget, timeout } = options
  if (!Array.isArray(agents) || agents.length === 0) {
    throw new TellurionError('invalid_option', 'orchestrate takes at least one agent: { name, agents, strategy }.')
  }
  if (typeof strategy !== 'function') {
    throw new TellurionError('invalid_option', 'strategy must be a function of the course, such as chain([a, b]).')
  }
  const tools = agents.map((agent) => ({
    [agent.name]: asTool(agent, {
      description: `The agent ${agent.name}.`,
      maxLength: longest,
      ...(timeout === undefined ? {} : { timeout }),
    }),
  }))
  return new Agent({
    name,
    model: deciding(name, { strategy, agents: agents.map((agent) => agent.name) }),
    tools,
    ...(budget === undefined ? {} : { budget }),
  })
}

/** A strategy in the place of a model: it reads the conversation as a course, and moves by calling agents. */
function deciding(name: string, { strategy, agents }: { strategy: Strategy; agents: readonly string[] }): Model {
  return {
    name: `strategy/${name}`,
    async *stream({ messages }: ModelRequest): AsyncGenerator<ModelEvent, void> {
      try {
        const course = courseOf(messages)
        const move = await strategy(course)
        if ('answer' in move) yield { type: 'text.delta', text: move.answer }
        else yield* callsOf(move.work, { agents, round: course.rounds.length })
        const finishReason = 'answer' in move ? 'stop' : 'tool-calls'
        yield { type: 'finish', finishReason, usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 } }
      } catch (error) {
        yield { type: 'error', failure: { ...failureFromError(error), retryable: false } }
      }
    },
  }
}

function* callsOf(
  work: readonly Assignment[],
  { agents, round }: { agents: readonly string[]; round: number },
): Generator<ModelEvent, void> {
  if (work.length === 0) throw new TellurionError('invalid_option', 'The strategy gave no work and no answer.')
  for (const [index, { agent, task }] of work.entries()) {
    if (!agents.includes(agent)) {
      const text = `The strategy gave work to '${agent}', who is not there.${suggestion(agent, agents)}`
      throw new TellurionError('unknown_agent', text)
    }
    const toolCallId = `r${round}-${index}`
    yield { type: 'tool.call', call: { type: 'tool-call', toolCallId, toolName: agent, input: { task } } }
  }
}

/** The newest request of a conversation, and what was done for it since. */
function courseOf(messages: Messages): Course {
  const all = [...messages]
  const start = all.findLastIndex((message) => message.role === 'user')
  const rounds: Done[][] = []
  for (const message of all.slice(start + 1)) {
    if (message.role === 'assistant') {
      const calls = toolCallsOf(message)
      rounds.push(
        calls.map(({ toolName: agent, input }) => ({
          agent,
          task: (input as { task: string }).task,
          text: '',
          failed: true,
        })),
      )
    } else if (message.role === 'tool') {
      const round = rounds.at(-1)
      const place = round?.findIndex(({ agent, text }) => agent === message.toolName && text === '') ?? -1
      const open = round?.[place]
      if (round === undefined || open === undefined) continue
      round[place] = { ...open, text: textOf(message), failed: message.isError === true }
    }
  }
  const request = all[start]
  return { input: request === undefined ? '' : textOf(request), rounds }
}
