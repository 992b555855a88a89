// Caps: what whoever runs agents allows them at most, whatever the agents and their tools say themselves. A resource of
// the world; without it only what agents and tools say holds.

import { suggestion, TellurionError } from '../error/error.ts'
import type { World } from '../world/world.ts'

/** What agents may take at most. Durations are milliseconds. */
export interface Caps {
  /** Longest time at work of a tool call. */
  readonly toolTimeout?: number
  /** Sub-agents of one agent at one time. Default 5. */
  readonly subAgents?: number
  /** Longest time of a sub-agent. */
  readonly subAgentTimeout?: number
}

const names = ['toolTimeout', 'subAgents', 'subAgentTimeout'] as const satisfies readonly (keyof Caps)[]
const none: Caps = {}

/** The caps of a world. */
export function capsOf(world: World): Caps {
  return world.findResource<Caps>('caps') ?? none
}

/** Throws `unknown_option` and `invalid_option`. */
export function checkCaps(caps: Caps): Caps {
  for (const [name, value] of Object.entries(caps)) {
    if (!(names as readonly string[]).includes(name)) {
      throw new TellurionError('unknown_option', `caps has no '${name}'.${suggestion(name, names)}`)
    }
    const fits = name === 'subAgents' ? Number.isInteger(value) && value >= 1 : value > 0
    if (!fits) {
      const what = name === 'subAgents' ? 'a whole number from 1' : 'a number of milliseconds above 0'
      throw new TellurionError('invalid_option', `caps.${name} must be ${what}, not ${String(value)}.`)
    }
  }
  return caps
}
