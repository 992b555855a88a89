// Recall: what is known about a user joins the requests of their turn, as quoted notes with their source. They are data,
// whatever they say.

import { errorData, suggestion, TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { textOf } from '../message/message.ts'
import type { TaintSource } from '../message/trust.ts'
import { Halted, Terminal } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import type { System, World } from '../world/world.ts'
import { Conversation, PendingToolCalls } from './component.ts'
import { FactRecall, Recalled } from './fact-component.ts'
import { userOf, type Facts, type RecalledFact } from './fact-store.ts'
import { excerptOf, taint } from './taint.ts'

/** Characters of a message that are looked for. */
const maxQuery = 2_000

/** Recalls the facts that fit the newest message of the user, once. Priority -9. */
export const recalling = defineSystem({
  name: 'factRecall',
  priority: -9,
  query: [FactRecall, Conversation],
  without: [PendingToolCalls, Halted, Terminal],
  async each(entity, world, { signal }) {
    const conversation = world.require(entity, Conversation)
    const newest = conversation.at(-1)
    if (newest?.role !== 'user') return
    const { length } = conversation
    const query = textOf(newest).slice(0, maxQuery).toWellFormed()
    const before = world.get(entity, Recalled)
    if (before?.query === query && before.length === length) return
    const { facts: name, ...options } = world.require(entity, FactRecall)
    const facts = factsOf(world, name)
    const user = userOf(world, facts)
    const found = await facts.recall(user, query, { ...options, signal }).catch((error: unknown) => {
      // A memory that cannot be read is no reason to say nothing.
      return { facts: [], error: errorData(error, 'store_unavailable') }
    })
    if (signal.aborted) return
    world.set(entity, Recalled, { query, length, documents: found.facts.map(documentOf) })
    taint(world, entity, found.facts.map(sourceOf))
    const error = found.error === undefined ? {} : { error: found.error }
    world.emit({ type: 'facts.recalled', entity, count: found.facts.length, ...error })
  },
})

/** How an agent recalls. */
export interface FactRecallOptions {
  /** The name that the facts are bound under, where agents of one world have different ones. Default `facts`. */
  readonly name?: string
  /** Most facts in a request. Default 10. */
  readonly limit?: number
  /** Facts that are less certain stay away, 0 to 1. Default 0.3. */
  readonly minConfidence?: number
}

/**
 * Has an agent recall what is known about its user: `systems: [factRecall(facts)]`. For each new message of the user the
 * facts that fit are quoted before it, in the requests alone. Throws `invalid_option` and `unknown_option`.
 */
export function factRecall(facts: Facts, options: FactRecallOptions = {}): System {
  checkOptions('factRecall', options, ['name', 'limit', 'minConfidence'])
  const { name = 'facts', limit, minConfidence } = options
  checkWhole('factRecall limit', limit, { most: 100 })
  if (minConfidence !== undefined && !(minConfidence >= 0 && minConfidence <= 1)) {
    throw new TellurionError('invalid_option', 'factRecall: minConfidence is 0 to 1.')
  }
  const initial = [
    FactRecall({
      facts: name,
      ...(limit === undefined ? {} : { limit }),
      ...(minConfidence === undefined ? {} : { minConfidence }),
    }),
  ]
  return { ...recalling, initial, resources: { facts: { [name]: facts } } }
}

/** The facts that are bound under a name. Throws `unknown_resource`. */
export function factsOf(world: World, name: string): Facts {
  const bound = world.resource<Readonly<Record<string, Facts>>>('facts')
  const facts = Object.hasOwn(bound, name) ? bound[name] : undefined
  if (facts !== undefined) return facts
  throw new TellurionError(
    'unknown_resource',
    `No facts are bound as '${name}'.${suggestion(name, Object.keys(bound))}`,
  )
}

function documentOf({ key, text, source, score }: RecalledFact) {
  return { id: key, text, source, score }
}

/** A memory was once somebody's words. */
function sourceOf({ key, text }: RecalledFact): TaintSource {
  return { level: 'unvouched', kind: 'fact', name: key, excerpt: excerptOf(text) }
}
