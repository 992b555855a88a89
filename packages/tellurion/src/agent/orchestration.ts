// Orchestration: several agents as one. A strategy says, from what has been done so far, who is to do what next, or the
// answer. What comes of it is an ordinary agent: it streams, waits, is cancelled, pays and survives like any other.

import { suggestion, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import { textOf, toolCallsOf, type Messages } from '../message/message.ts'
import { failureFromError } from '../model/failure.ts'
import type { Model, ModelEvent, ModelRequest, PriceFunction } from '../port/model.ts'
import type { Json } from '../schema/json.ts'
import { Agent } from './agent.ts'
import type { BudgetLimits } from './component.ts'
import { asTool } from './sub-agent.ts'
import type { Inhabitant } from './world-tool.ts'

/** Longest text that one agent hands to the next, in characters. */
const longest = 1_000_000

/** Rounds of work where the budget says nothing of ticks. */
const mostRounds = 100
/** Ticks of an orchestration of which nobody says any: each agent that works for it may take some. */
const mostTicks = 10_000

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
  /**
   * What all of them may spend together. Each decision of the strategy counts as a model call. Without `ticks` work may be
   * given 100 times.
   */
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
    model: deciding(name, {
      strategy,
      agents: agents.map((agent) => agent.name),
      rounds: budget?.ticks ?? mostRounds,
    }),
    tools,
    budget: { ticks: mostTicks, ...budget },
  })
}

interface Deciding {
  readonly strategy: Strategy
  readonly agents: readonly string[]
  /** Most rounds of work. */
  readonly rounds: number
}

/** A strategy in the place of a model: it reads the conversation as a course, and moves by calling agents. */
function deciding(name: string, { strategy, agents, rounds }: Deciding): Model {
  return {
    name: `strategy/${name}`,
    async *stream({ messages }: ModelRequest): AsyncGenerator<ModelEvent, void> {
      try {
        const { course, start } = courseOf(messages)
        const move = checkMove(await strategy(course))
        if ('answer' in move) yield { type: 'text.delta', text: move.answer }
        else if (course.rounds.length >= rounds) throw endless(rounds)
        // No two calls of a conversation have one id.
        else yield* callsOf(move.work, { agents, prefix: `r${start}-${course.rounds.length}` })
        const finishReason = 'answer' in move ? 'stop' : 'tool-calls'
        yield { type: 'finish', finishReason, usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 } }
      } catch (error) {
        yield { type: 'error', failure: { ...failureFromError(error), retryable: false } }
      }
    },
  }
}

function endless(rounds: number): TellurionError {
  const text = `The strategy gave work ${rounds} times and no answer: have it end, or give orchestrate a budget of more ticks.`
  return new TellurionError('run_limit', text)
}

/** A move that can be made. Throws `invalid_option` for what is none. */
function checkMove(move: Move): Move {
  const { work, answer } = (move ?? {}) as { readonly work?: readonly Assignment[]; readonly answer?: unknown }
  if (typeof answer === 'string') return { answer }
  const whole =
    Array.isArray(work) &&
    work.every((each: Assignment) => typeof each?.agent === 'string' && typeof each.task === 'string')
  if (whole) return { work: work as readonly Assignment[] }
  throw new TellurionError(
    'invalid_option',
    'A strategy must give { work: [{ agent, task }] } or { answer }, in texts.',
  )
}

function* callsOf(
  work: readonly Assignment[],
  { agents, prefix }: { agents: readonly string[]; prefix: string },
): Generator<ModelEvent, void> {
  if (work.length === 0) throw new TellurionError('invalid_option', 'The strategy gave no work and no answer.')
  for (const [index, { agent, task }] of work.entries()) {
    if (!agents.includes(agent)) {
      const text = `The strategy gave work to '${agent}', who is not there.${suggestion(agent, agents)}`
      throw new TellurionError('unknown_agent', text)
    }
    const input = { task: task.toWellFormed() }
    yield { type: 'tool.call', call: { type: 'tool-call', toolCallId: `${prefix}-${index}`, toolName: agent, input } }
  }
}

/** The newest request of a conversation, where it stands, and what was done for it since. */
function courseOf(messages: Messages): { readonly course: Course; readonly start: number } {
  let start = messages.length - 1
  while (start > 0 && messages.at(start)?.role !== 'user') start--
  const rounds: Done[][] = []
  let open: readonly string[] = []
  for (let index = start + 1; index < messages.length; index++) {
    const message = messages.at(index)
    if (message?.role === 'assistant' && message.partial !== true) {
      const calls = toolCallsOf(message)
      open = calls.map(({ toolCallId }) => toolCallId)
      rounds.push(
        calls.map(({ toolName, input }) => ({ agent: toolName, task: taskIn(input), text: '', failed: true })),
      )
    } else if (message?.role === 'tool') {
      const round = rounds.at(-1)
      const place = open.indexOf(message.toolCallId)
      const assignment = round?.[place]
      if (round === undefined || assignment === undefined) continue
      round[place] = { ...assignment, text: textOf(message), failed: message.isError === true }
    }
  }
  const request = messages.at(start)
  return { course: { input: request === undefined ? '' : textOf(request), rounds }, start }
}

function taskIn(input: Json): string {
  return String((input as { readonly task?: Json } | null)?.task ?? '')
}
