// Agents as tools: a call of one is the work of another agent, with a history, a fault boundary and an allowance of its own.

import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { Schema } from '../schema/infer.ts'
import type { JsonObject } from '../schema/json.ts'
import { jsonText } from '../tool/json-text.ts'
import { createTool, type AnyTool } from '../tool/tool.ts'
import { checkLimits } from './budget-limits.ts'
import type { BudgetLimits } from './component.ts'
import { bringing, type Inhabitant } from './world-tool.ts'

/** Milliseconds that a sub-agent may take. */
const defaultTimeout = 300_000

/** How an agent works as a tool. */
export interface AsToolOptions {
  /** What it does, for the model that calls it. */
  readonly description: string
  /** Default an object with one text, `task`, which the agent is told. Any other input is told as JSON. */
  readonly inputSchema?: Schema
  /** What one call may spend; default an equal part of what is left to the caller, and as much as the agent's own budget allows. */
  readonly budget?: BudgetLimits
  /** Milliseconds until it is given up; `Infinity` for none. Default 300,000. */
  readonly timeout?: number
  /** Of the agent's own tools those it may use here. Nothing is inherited from the caller. Default all of its own. */
  readonly tools?: readonly string[]
  /** Longest result, in characters; what is beyond is kept as an artifact. Default 10,000. */
  readonly maxLength?: number
  readonly needsApproval?: boolean
}

const shared = ['description', 'budget', 'timeout', 'tools', 'maxLength', 'needsApproval']

const taskSchema: JsonObject = {
  type: 'object',
  properties: { task: { type: 'string', description: 'What is to be done, with everything needed to do it.' } },
  required: ['task'],
  additionalProperties: false,
}

/** Throws `invalid_option` for what is no agent; `what` is the function that was called. */
export function checkInhabitant(what: string, agent: Partial<Inhabitant> | null | undefined): void {
  if (typeof agent?.spawn === 'function' && typeof agent.name === 'string') return
  throw new TellurionError('invalid_option', `${what} takes an agent: new Agent({ … }).`)
}

/**
 * An agent as a tool of another: `tools: { researcher: asTool(researcher, { description }) }`. In memory it works in a
 * world of its own, in a runtime it is a run of its own; the call stays open until it ends. It fails alone: the caller
 * reads why. At most five work for one agent at one time, three levels deep (`budget.depth`). Throws `invalid_option` and
 * `unknown_option`.
 */
export function asTool(agent: Inhabitant, options: AsToolOptions): AnyTool {
  checkInhabitant('asTool', agent)
  checkOptions('asTool', options, [...shared, 'inputSchema'])
  const { inputSchema = taskSchema } = options
  return errandTool([agent], options, {
    inputSchema,
    describe: (input: unknown) => ({ agent: agent.name, prompt: promptOf(input) }),
  })
}

/**
 * One tool for several agents: the model names the agent and the task. The description lists `agents` by name with what
 * each is for. Throws `invalid_option`, `unknown_option`, and `duplicate_name` for two agents of one name.
 */
export function delegateTool(
  agents: readonly { readonly agent: Inhabitant; readonly description: string }[],
  options: Partial<Omit<AsToolOptions, 'inputSchema'>> = {},
): AnyTool {
  if (!Array.isArray(agents) || agents.length === 0) {
    throw new TellurionError('invalid_option', 'delegateTool takes at least one { agent, description }.')
  }
  for (const each of agents) checkInhabitant('each entry of delegateTool', each?.agent)
  checkOptions('delegateTool', options, shared)
  const list = agents.map(({ agent, description }) => `- ${agent.name}: ${description}`).join('\n')
  const given = { description: `Hands a task to another agent:\n${list}`, ...options }
  const byName = new Map<string, Inhabitant>()
  for (const { agent } of agents) {
    if (byName.has(agent.name)) {
      throw new TellurionError('duplicate_name', `Two agents are named '${agent.name}'; rename one of them.`)
    }
    byName.set(agent.name, agent)
  }
  return errandTool([...byName.values()], given, {
    inputSchema: {
      type: 'object',
      properties: { agent: { type: 'string', enum: [...byName.keys()] }, ...(taskSchema['properties'] as JsonObject) },
      required: ['agent', 'task'],
      additionalProperties: false,
    },
    describe: ({ agent, task }: { agent: string; task: string }) => ({ agent, prompt: task }),
  })
}

function errandTool(
  agents: readonly Inhabitant[],
  options: AsToolOptions,
  { inputSchema, describe }: { inputSchema: Schema; describe: (input: never) => { agent: string; prompt: string } },
): AnyTool {
  const { description, budget, timeout = defaultTimeout, tools, maxLength, needsApproval = false } = options
  if (!(typeof timeout === 'number' && timeout > 0)) {
    throw new TellurionError('invalid_option', 'timeout must be a number of milliseconds above 0, or Infinity.')
  }
  checkLimits('asTool budget', budget)
  if (tools !== undefined && !(Array.isArray(tools) && tools.every((name) => typeof name === 'string'))) {
    throw new TellurionError('invalid_option', 'tools must be a list of names of the tools that it may use.')
  }
  if (maxLength !== undefined && !(maxLength > 0)) {
    throw new TellurionError('invalid_option', `maxLength must be a number of characters above 0, not ${maxLength}.`)
  }
  const made = createTool({
    description,
    inputSchema,
    needsApproval,
    effects: 'read',
    timeout: Infinity,
    execute() {
      throw new TellurionError('tool_failed', 'This tool is the work of another agent; give it to an agent.')
    },
  })
  return bringing(made, {
    errand: {
      agents,
      describe,
      timeout,
      ...(budget === undefined ? {} : { budget }),
      ...(tools === undefined ? {} : { tools }),
      ...(maxLength === undefined ? {} : { maxLength }),
    },
  })
}

function promptOf(input: unknown): string {
  const { task } = input as { task?: unknown }
  return typeof task === 'string' && Object.keys(input as object).length === 1 ? task : jsonText(input)
}
