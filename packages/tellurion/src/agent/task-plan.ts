// Tasks as a planner writes them: JSON read leniently, checked strictly, and told to those who do them.

import { suggestion, TellurionError } from '../error/error.ts'
import { dependencyOrder } from '../graph/dependency.ts'
import type { Done } from './orchestration.ts'

/** A task, who does it, and which others come first. */
export interface PlannedTask {
  readonly id: string
  readonly agent: string
  readonly task: string
  readonly dependsOn: readonly string[]
}

/** Longest text that is read as a plan. */
const longest = 200_000

/**
 * The tasks of a text: a JSON list, alone or inside prose. Throws `invalid_value` for anything else, for a worker that
 * is not there and for more than `maxTasks`, and `invalid_dependency` for tasks that wait for each other.
 */
export function readTasks(
  text: string,
  { workers, maxTasks }: { workers: readonly string[]; maxTasks: number },
): readonly PlannedTask[] {
  const list = listIn(text)
  if (list.length > maxTasks) throw noPlan(`it has ${list.length} tasks, at most ${maxTasks} may be`)
  const tasks = list.map((item, index) => taskOf(item, { index, workers }))
  dependencyOrder(tasks)
  return tasks
}

function listIn(text: string): readonly unknown[] {
  const begin = text.indexOf('[')
  const end = text.lastIndexOf(']')
  if (text.length > longest || begin === -1 || end < begin) throw noPlan('there is no JSON list in it')
  let value: unknown
  try {
    value = JSON.parse(text.slice(begin, end + 1))
  } catch {
    throw noPlan('its list is not JSON')
  }
  if (!Array.isArray(value) || value.length === 0) throw noPlan('its list is empty')
  return value
}

function taskOf(item: unknown, { index, workers }: { index: number; workers: readonly string[] }): PlannedTask {
  const { id = String(index + 1), agent, task, dependsOn = [] } = (item ?? {}) as Record<string, unknown>
  if (typeof task !== 'string' || task.trim() === '') throw noPlan(`task ${index + 1} says nothing`)
  if (typeof agent !== 'string' || !workers.includes(agent)) {
    throw noPlan(`task ${index + 1} is for '${String(agent).slice(0, 64)}', who is not there.${hint(agent, workers)}`)
  }
  const names = Array.isArray(dependsOn) ? dependsOn.map(String) : [String(dependsOn)]
  return { id: String(id).slice(0, 64), agent, task, dependsOn: names }
}

function hint(agent: unknown, workers: readonly string[]): string {
  return typeof agent === 'string' ? suggestion(agent, workers) : ''
}

function noPlan(why: string): TellurionError {
  return new TellurionError('invalid_value', `The plan of tasks cannot be read: ${why}.`)
}

/** What a worker is told: the task, what it is for, and what came of the tasks before it. */
export function taskPrompt(
  { task, dependsOn }: PlannedTask,
  { input, done }: { input: string; done: ReadonlyMap<string, Done> },
): string {
  const before = dependsOn.flatMap((id) => {
    const result = done.get(id)
    return result === undefined ? [] : [`- ${id}${result.failed ? ' (failed)' : ''}: ${result.text}`]
  })
  const known = before.length === 0 ? '' : `\n\nWhat is done already:\n${before.join('\n')}`
  return `${task}\n\nThis is part of the request:\n${input}${known}`
}
