// Reminders: hints to the model from live figures, before it is asked. Figures are told in steps, so that the system text
// changes seldom and a provider's prompt cache lives.

import type { TokenCounter } from '../model/token-estimate.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Terminal } from '../world/lifecycle.ts'
import type { System, World } from '../world/world.ts'
import { defineSystem } from '../world/system.ts'
import { Conversation, LLM, PendingToolCalls, Todos } from './component.ts'
import { clockOf } from './configuration.ts'
import { ConversationArchive, Reminders, type Reminder } from './context-component.ts'
import { contextTokens, counterOf, windowOf } from './context-size.ts'
import { awaitsReply } from './conversation.ts'
import { Plan } from './plan-component.ts'

/** Most reminders at one time. */
const most = 5
/** Above these fractions of the window. */
const fullContext = { warning: 0.85, critical: 0.95 }
/** Above these shares of the newest tool results, so many at most and at least. */
const failing = { warning: 0.2, critical: 0.5, newest: 20, least: 5 }
/** From so many compactions on. */
const manyCompactions = 5
/** Todos are stale when the list has not been touched for so many milliseconds. */
const staleAfter = 10 * 60_000

/** Tells the model of a full context, failing tools, many compactions and stale todos. Priority -3. */
export const reminders: System = {
  ...defineSystem({
    name: 'reminders',
    priority: -3,
    query: [Reminders, LLM, Conversation],
    without: [PendingToolCalls, Halted, Terminal, Failure],
    each(entity, world) {
      const asks = awaitsReply(world.require(entity, Conversation)) || world.get(entity, Plan)?.completed === false
      if (!asks) return undefined
      const count = counterOf(world, entity)
      return count instanceof Promise
        ? count.then((counter) => remind(world, entity, counter))
        : remind(world, entity, count)
    },
  }),
  initial: [Reminders([])],
}

const weights = { critical: 0, warning: 1, info: 2 } as const satisfies Record<Reminder['severity'], number>

/** Writes what holds now. Reminders of other kinds, which somebody else has written, stay. */
function remind(world: World, entity: Entity, count: TokenCounter): void {
  const own = [
    contextReminder(world, entity, count),
    errorReminder(world, entity),
    compactionReminder(world, entity),
    todoReminder(world, entity),
  ].filter((reminder) => reminder !== undefined)
  const others = world.require(entity, Reminders).filter(({ kind }) => !kinds.includes(kind))
  const all = [...own, ...others].toSorted((a, b) => weights[a.severity] - weights[b.severity])
  world.set(entity, Reminders, all.slice(0, most))
}

const kinds: readonly string[] = ['context', 'errors', 'compaction', 'todos']

function contextReminder(world: World, entity: Entity, count: TokenCounter): Reminder | undefined {
  const full = contextTokens(world, entity, count) / windowOf(world, entity)
  if (full <= fullContext.warning) return undefined
  const severity = full > fullContext.critical ? 'critical' : 'warning'
  const percent = Math.min(100, Math.floor(full * 20) * 5)
  const text = `The context is more than ${percent} % full. Be brief, read only what you need, and finish what you have begun.`
  return { kind: 'context', severity, text }
}

function errorReminder(world: World, entity: Entity): Reminder | undefined {
  const conversation = world.require(entity, Conversation)
  let results = 0
  let errors = 0
  for (let index = conversation.length - 1; index >= 0 && results < failing.newest; index--) {
    const message = conversation.at(index)
    if (message?.role !== 'tool') continue
    results++
    if (message.isError) errors++
  }
  const share = errors / results
  if (results < failing.least || share <= failing.warning) return undefined
  const severity = share > failing.critical ? 'critical' : 'warning'
  const percent = Math.floor(share * 10) * 10
  const text = `At least ${percent} % of the newest tool calls have failed. Do not repeat them as they are: read why, and do it another way.`
  return { kind: 'errors', severity, text }
}

function compactionReminder(world: World, entity: Entity): Reminder | undefined {
  let times = 0
  for (const { stages } of world.get(entity, ConversationArchive) ?? []) if (stages !== undefined) times++
  if (times < manyCompactions) return undefined
  const text = `This conversation has been condensed ${times} times. Check details from early on before you rely on them.`
  return { kind: 'compaction', severity: 'info', text }
}

/** What todos say is the model's own text, so they are told by their numbers alone. */
function todoReminder(world: World, entity: Entity): Reminder | undefined {
  const open: number[] = []
  let touched = 0
  for (const { id, status, updated } of world.get(entity, Todos) ?? []) {
    touched = Math.max(touched, updated)
    if (status === 'pending' || status === 'in_progress') open.push(id)
  }
  const age = clockOf(world).now() - touched
  if (open.length === 0 || age < staleAfter) return undefined
  const minutes = Math.floor(age / staleAfter) * (staleAfter / 60_000)
  const named = open.slice(0, most).join(', ')
  const text = `${open.length} todos are open (${named}) and the list has not been touched for ${minutes} minutes. Bring it up to date.`
  return { kind: 'todos', severity: 'warning', text }
}
