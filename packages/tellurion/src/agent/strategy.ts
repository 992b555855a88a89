// Strategies of orchestration: one after another, side by side, one of them, or a plan of tasks. Each is a pure function
// of the course, so it can be tested without any agent.

import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { dependencyStages } from '../graph/dependency.ts'
import type { Done, Move, Strategy } from './orchestration.ts'
import { readTasks, taskPrompt } from './task-plan.ts'

/** Each gets what the one before it made; the last one's text is the answer. The first failure fails the run. */
export function chain(agents: readonly string[]): Strategy {
  refuseNone(agents, 'chain')
  return ({ input, rounds }) => {
    const last = rounds.at(-1)?.[0]
    if (last !== undefined) refuseFailed(last)
    const next = agents[rounds.length]
    if (next === undefined) return { answer: last?.text ?? input }
    return { work: [{ agent: next, task: last?.text ?? input }] }
  }
}

/** How the texts of several become one answer. */
export type Combine = (done: readonly Done[]) => string

/**
 * All get the input at one time. The answer is what `combine` makes of what they did, failures included; by default each
 * text under its agent's name. The run fails when all of them failed.
 */
export function parallel(agents: readonly string[], options: { readonly combine?: Combine } = {}): Strategy {
  refuseNone(agents, 'parallel')
  checkOptions('parallel', options, ['combine'])
  const { combine = underNames } = options
  return ({ input, rounds }) => {
    const [done] = rounds
    if (done === undefined) return { work: agents.map((agent) => ({ agent, task: input })) }
    if (done.every(({ failed }) => failed)) refuseFailed(done[0]!)
    return { answer: combine(done) }
  }
}

/** Chooses among agents: by a function of the input, or by the answer of an agent. */
export interface RouterOptions {
  /** Names of agents, each with what it is for. */
  readonly routes: Readonly<Record<string, string>>
  /** A function that names a route, or the name of an agent that is asked to. */
  readonly by: ((input: string) => string | Promise<string>) | string
  /** The route where nobody named one. Without it, that fails the run. */
  readonly otherwise?: string
}

/** One of several agents gets the input, and its text is the answer. */
export function router(options: RouterOptions): Strategy {
  checkOptions('router', options, ['routes', 'by', 'otherwise'])
  const { routes, by, otherwise } = options
  const names = Object.keys(routes)
  refuseNone(names, 'router')
  const pick = (named: string): string => {
    const route = names.includes(named.trim()) ? named.trim() : (mentioned(named, names) ?? otherwise)
    if (route !== undefined) return route
    throw new TellurionError(
      'unknown_agent',
      `No route is named in '${named.slice(0, 200)}'. Routes: ${names.join(', ')}.`,
    )
  }
  return async ({ input, rounds }) => {
    const asks = typeof by === 'string'
    const chosen = rounds[asks ? 1 : 0]?.[0]
    if (chosen !== undefined) return answerOf(chosen)
    if (!asks) return { work: [{ agent: pick(await by(input)), task: input }] }
    const named = rounds[0]?.[0]
    if (named === undefined) return { work: [{ agent: by, task: routePrompt(routes, input) }] }
    return { work: [{ agent: pick(named.failed ? '' : named.text), task: input }] }
  }
}

/** Tasks that any plan may have. */
const mostTasks = 1_000

/** Who divides the work, who does it, and who puts it together. */
export interface CoordinatorOptions {
  /** The agent that is asked for the tasks. */
  readonly planner: string
  /** Names of agents, each with what it is for. */
  readonly workers: Readonly<Record<string, string>>
  /** The agent that makes the answer of the results. Default: each result under its task. */
  readonly aggregator?: string
  /** Most tasks, 1 to 1,000. Default 20. */
  readonly maxTasks?: number
}

/**
 * Divides the input into tasks, has them done in the order of their dependencies, side by side where they have none, and
 * puts the results together. A task whose work failed is told to those that depend on it and to the aggregator. A plan
 * that cannot be read fails the run.
 */
export function coordinator(options: CoordinatorOptions): Strategy {
  checkOptions('coordinator', options, ['planner', 'workers', 'aggregator', 'maxTasks'])
  const { planner, workers, aggregator, maxTasks = 20 } = options
  checkWhole('maxTasks', maxTasks, { most: mostTasks })
  const names = Object.keys(workers)
  refuseNone(names, 'coordinator')
  return ({ input, rounds }): Move => {
    const planned = rounds[0]?.[0]
    if (planned === undefined) return { work: [{ agent: planner, task: planPrompt(workers, input) }] }
    refuseFailed(planned)
    const tasks = readTasks(planned.text, { workers: names, maxTasks })
    const done = new Map<string, Done>()
    const stages = dependencyStages(tasks)
    for (const [index, stage] of stages.entries()) {
      const round = rounds[index + 1]
      if (round === undefined) {
        return { work: stage.map((task) => ({ agent: task.agent, task: taskPrompt(task, { input, done }) })) }
      }
      for (const [place, { id }] of stage.entries()) done.set(id, round[place]!)
    }
    const results = tasks.map((task) => ({ task, result: done.get(task.id)! }))
    if (results.every(({ result }) => result.failed)) refuseFailed(results[0]!.result)
    const whole = results.map(({ task, result }) => `## ${task.task}\n${resultText(result)}`).join('\n\n')
    if (aggregator === undefined) return { answer: whole }
    const made = rounds[stages.length + 1]?.[0]
    return made === undefined ? { work: [{ agent: aggregator, task: gatherPrompt(input, whole) }] } : answerOf(made)
  }
}

function answerOf(done: Done): Move {
  refuseFailed(done)
  return { answer: done.text }
}

function resultText({ text, failed }: Done): string {
  return failed ? `(failed) ${text}` : text
}

const underNames: Combine = (done) => done.map((each) => `## ${each.agent}\n${resultText(each)}`).join('\n\n')

function routePrompt(routes: Readonly<Record<string, string>>, input: string): string {
  return `Which of these should handle the request? Answer with its name and nothing else.\n${listed(routes)}\n\nThe request:\n${input}`
}

function planPrompt(workers: Readonly<Record<string, string>>, input: string): string {
  return [
    'Divide the request into tasks for these workers:',
    listed(workers),
    '',
    'Answer with a JSON list and nothing else: [{ "id": "1", "agent": "name", "task": "what to do", "dependsOn": [] }].',
    '',
    'The request:',
    input,
  ].join('\n')
}

function gatherPrompt(input: string, whole: string): string {
  return `Make one answer to the request out of these results.\n\nThe request:\n${input}\n\nThe results:\n${whole}`
}

function listed(described: Readonly<Record<string, string>>): string {
  return Object.entries(described)
    .map(([name, description]) => `- ${name}: ${description}`)
    .join('\n')
}

/** The only name that a text mentions as a word. */
function mentioned(text: string, names: readonly string[]): string | undefined {
  const words = new Set(text.split(/[^a-zA-Z0-9_-]+/))
  const found = names.filter((name) => words.has(name))
  return found.length === 1 ? found[0] : undefined
}

function refuseFailed({ agent, text, failed }: Done): void {
  if (!failed) return
  throw new TellurionError('run_failed', text === '' ? `The agent '${agent}' failed.` : text)
}

function refuseNone(names: readonly string[], what: string): void {
  if (names.length > 0) return
  throw new TellurionError('invalid_option', `${what} takes the name of at least one agent.`)
}
