// Tasks as a planner writes them: JSON read leniently, checked strictly, and told to those who do them.

import { suggestion, TellurionError } from '../error/error.ts'
import { findJson } from './found-json.ts'
import type { Done } from './orchestration.ts'

/** A task, who does it, and which others come first. */
export interface PlannedTask {
  readonly id: string
  readonly agent: string
  readonly task: string
  readonly dependsOn: readonly string[]
}

/** Longest id of a task. */
const longestId = 64

/**
 * The tasks of a text: a JSON list, or an object with one as `tasks`, alone or inside prose. Throws `invalid_value` for
 * anything else, for a worker that is not there and for more than `maxTasks`.
 */
export function readTasks(
  text: string,
  { workers, maxTasks }: { workers: readonly string[]; maxTasks: number },
): readonly PlannedTask[] {
  const list = findJson(text, listIn)
  if (list === undefined) throw noPlan('there is no JSON list of tasks in it')
  if (list.length === 0) throw noPlan('its list is empty')
  if (list.length > maxTasks) throw noPlan(`it has ${list.length} tasks, at most ${maxTasks} may be`)
  return list.map((item, index) => taskOf(item, { index, workers }))
}

/** A list of objects; an empty one counts only where nothing else is said. */
function listIn(value: unknown, isWhole: boolean): readonly object[] | undefined {
  const list = Array.isArray(value) ? (value as unknown[]) : (value as { readonly tasks?: unknown }).tasks
  if (!Array.isArray(list) || (list.length === 0 && !isWhole)) return undefined
  return list.every((item) => typeof item === 'object' && item !== null) ? (list as object[]) : undefined
}

function taskOf(item: object, { index, workers }: { index: number; workers: readonly string[] }): PlannedTask {
  const { id = index + 1, agent, task, dependsOn } = item as Record<string, unknown>
  if (typeof task !== 'string' || task.trim() === '') throw noPlan(`task ${index + 1} says nothing`)
  if (typeof agent !== 'string') throw noPlan(`task ${index + 1} is for nobody`)
  if (!workers.includes(agent)) {
    const name = agent.slice(0, 64).toWellFormed()
    throw noPlan(`task ${index + 1} is for '${name}', who is not there`, suggestion(agent, workers))
  }
  // A list, one name, or nothing at all.
  const before: unknown[] = [dependsOn ?? []].flat()
  const told = `task ${index + 1}`
  return { id: idOf(id, told), agent, task: task.toWellFormed(), dependsOn: before.map((other) => idOf(other, told)) }
}

/** Models write numbers where they wrote texts before. */
function idOf(id: unknown, told: string): string {
  if (typeof id !== 'string' && typeof id !== 'number') throw noPlan(`an id in ${told} is neither a text nor a number`)
  return String(id).slice(0, longestId).toWellFormed()
}

function noPlan(why: string, hint = ''): TellurionError {
  return new TellurionError('invalid_value', `The plan of tasks cannot be read: ${why}.${hint}`)
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
