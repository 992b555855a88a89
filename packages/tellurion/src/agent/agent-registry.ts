// A registry of agents by what they can do: found by capabilities, or by how well a task fits their descriptions. There is
// no global one.

import { TellurionError } from '../error/error.ts'
import { checkWhole } from '../error/option.ts'
import { wordsOf } from '../port/vector/words.ts'
import type { Inhabitant } from './world-tool.ts'

/** An agent and what it can do. */
export interface Listing<A extends Inhabitant = Inhabitant> {
  readonly agent: A
  readonly description: string
  /** Words such as `translate` or `french`; case does not matter. */
  readonly capabilities?: readonly string[]
}

/** A listing and how well it fits, 0 to 1. */
export interface Match<A extends Inhabitant = Inhabitant> extends Listing<A> {
  readonly score: number
}

/** Agents by capability. */
export interface AgentRegistry<A extends Inhabitant = Inhabitant> {
  /** Adds an agent. Throws `duplicate_name`. */
  register(listing: Listing<A>): void
  /** Takes one out; false when it was not there. */
  unregister(name: string): boolean
  get(name: string): Listing<A> | undefined
  list(): readonly Listing<A>[]
  /** Those that have all of these capabilities, as registered. */
  withCapabilities(...capabilities: readonly string[]): readonly Listing<A>[]
  /**
   * Those that fit a task, best first: the part of their capabilities that the task names, and of its words that their
   * description has. Only what fits at all; at most `limit` (default 5). Throws `invalid_option`.
   */
  match(task: string, options?: { readonly limit?: number }): readonly Match<A>[]
}

/** Makes a registry. Throws `duplicate_name`. */
export function createAgentRegistry<A extends Inhabitant>(listings: readonly Listing<A>[] = []): AgentRegistry<A> {
  const byName = new Map<string, Listing<A>>()
  const registry: AgentRegistry<A> = {
    register(listing) {
      const { name } = listing.agent
      if (byName.has(name)) {
        throw new TellurionError('duplicate_name', `An agent '${name}' is registered already; rename one of them.`)
      }
      byName.set(name, listing)
    },
    unregister: (name) => byName.delete(name),
    get: (name) => byName.get(name),
    list: () => [...byName.values()],
    withCapabilities(...capabilities) {
      const wanted = capabilities.map((each) => each.toLowerCase())
      return registry.list().filter(({ capabilities: own = [] }) => {
        const has = new Set(own.map((each) => each.toLowerCase()))
        return wanted.every((each) => has.has(each))
      })
    },
    match(task, { limit = 5 } = {}) {
      checkWhole('limit', limit)
      const words = new Set(wordsOf(task))
      return registry
        .list()
        .map((listing) => ({ ...listing, score: scoreOf(listing, words) }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score)
        .slice(0, limit)
    },
  }
  for (const listing of listings) registry.register(listing)
  return registry
}

/** Half for the capabilities that are named, half for the words that the description shares. */
function scoreOf({ capabilities = [], description }: Listing, words: ReadonlySet<string>): number {
  const named = capabilities.filter((each) => {
    const own = wordsOf(each)
    return own.length > 0 && own.every((word) => words.has(word))
  }).length
  const known = new Set(wordsOf(description).filter(tells))
  const telling = [...words].filter(tells)
  const shared = telling.filter((word) => known.has(word)).length
  const byCapability = capabilities.length === 0 ? 0 : named / capabilities.length
  return byCapability / 2 + (telling.length === 0 ? 0 : shared / telling.length / 2)
}

/** Whether a word of a description says anything: short ones of scripts with letters are in every text. */
function tells(word: string): boolean {
  return word.length > 2 || !/^\p{Script=Latin}/u.test(word)
}
