// The registry of a runtime: which agents its runs may ask for. There is no global one.

import { Agent } from '../agent/agent.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import { createToolbox } from '../tool/toolbox.ts'
import type { AgentRuntime } from './agent-runtime.ts'

/** What can be run: an agent of this library, or one of any make. */
export type AnyAgent = Agent | AgentRuntime

/** The name under which runs ask for an agent. */
export function keyOf(agent: AnyAgent): string {
  return agent instanceof Agent ? agent.name : agent.key
}

/** Agents by name. */
export class Registry {
  readonly #agents = new Map<string, AnyAgent>()

  constructor(agents: readonly AnyAgent[]) {
    for (const agent of agents) this.register(agent)
  }

  /** Adds an agent. Throws `duplicate_name`, `invalid_option` for what is no agent, and the errors of its tools. */
  register(agent: AnyAgent): void {
    if (!(agent instanceof Agent) && (typeof agent?.key !== 'string' || typeof agent.run !== 'function')) {
      throw new TellurionError('invalid_option', noAgent(agent))
    }
    const key = keyOf(agent)
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(key)) {
      throw new TellurionError('invalid_name', "An agent's key is 1 to 64 letters, digits, '_' and '-'.")
    }
    if (this.#agents.has(key)) {
      if (this.#agents.get(key) === agent) return
      throw twice(key)
    }
    if (!(agent instanceof Agent)) createToolbox(agent.tools)
    this.#agents.set(key, agent)
    if (agent instanceof Agent) this.#registerOthers(agent)
  }

  /** Agents that an agent hands work to: they are runs of their own, by their names. */
  #registerOthers(agent: Agent): void {
    for (const other of agent.others) {
      const known = this.#agents.get(other.name)
      if (known === undefined && other instanceof Agent) this.register(other)
      else if (known !== undefined && known !== other) throw twice(other.name)
    }
  }

  /** The agent, or undefined. */
  find(key: string): AnyAgent | undefined {
    return this.#agents.get(key)
  }

  /** The agent. Throws `unknown_agent` with the nearest name. */
  get(key: string): AnyAgent {
    const agent = this.#agents.get(key)
    if (agent !== undefined) return agent
    throw new TellurionError('unknown_agent', `No agent is named '${key}'.${suggestion(key, this.#agents.keys())}`)
  }

  /** Takes an agent out; runs that ask for it fail from then on. False when it was not there. */
  unregister(key: string): boolean {
    return this.#agents.delete(key)
  }

  /** Takes all agents out. */
  clear(): void {
    this.#agents.clear()
  }

  /** The names, in order of registration. */
  keys(): string[] {
    return [...this.#agents.keys()]
  }
}

/** Why something cannot be run. An agent that another copy of the library made looks like one to whoever wrote it. */
function noAgent(given: unknown): string {
  const value = given as Partial<Agent> | undefined
  if (typeof value?.furnish !== 'function' || typeof value.name !== 'string')
    return 'agents takes agents: new Agent({ … }) or { key, run }.'
  const name = value.name.slice(0, 64).toWellFormed()
  return (
    `The agent '${name}' was made by another copy of tellurion than the one that is to run it: keep one ` +
    "('npm ls tellurion' shows them), and start a project's own command with 'npx tellurion'."
  )
}

function twice(key: string): TellurionError {
  return new TellurionError('duplicate_name', `Two agents are named '${key}'; rename one of them.`)
}
