// Handoff: a conversation goes on with another agent, with its instructions, model and tools, in the same world. How much
// of the past the other one sees is said by the tool; what it does not see is archived.

import { TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { JsonObject } from '../schema/json.ts'
import type { AnyTool } from '../tool/tool.ts'
import { defineComponent } from '../world/component.ts'
import { Halted } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import { nameOf } from './collaboration.ts'
import { Conversation, LLM, PendingToolCalls, ToolRegistry } from './component.ts'
import { ConversationArchive } from './context-component.ts'
import { cut } from './conversation.ts'
import { checkInhabitant } from './sub-agent.ts'
import { bringing, worldTool, type Inhabitant } from './world-tool.ts'

/** What the other agent sees: everything, a summary that the model writes, or one message. */
export type HandoffHistory = 'full' | 'summary' | 'message'

/** A handoff that is decided and not yet carried out. */
export const Handoff = defineComponent<{
  readonly agent: string
  readonly history: HandoffHistory
  readonly text?: string
}>('Handoff')

/** Carries handoffs out once no call is open, before anybody else could act for the entity. Priority -16. */
export const handingOver = defineSystem({
  name: 'handoff',
  priority: -16,
  query: [Handoff, LLM, Conversation],
  without: [PendingToolCalls, Halted],
  each(entity, world) {
    const { agent, history, text = '' } = world.require(entity, Handoff)
    const from = nameOf(world, entity)
    const { home = world.require(entity, LLM).agent, settings } = world.require(entity, LLM)
    const conversation = world.require(entity, Conversation)
    if (history !== 'full') {
      // What was said since is for whoever goes on.
      let end = conversation.length
      while (end > 0 && conversation.at(end - 1)?.role === 'user') end--
      world.append(entity, ConversationArchive, { summary: text, messages: conversation.slice(0, end) })
      const message = { role: 'user', content: `[${from} handed over] ${text}` } as const
      cut(world, entity, { start: 0, deleteCount: end, items: [message] })
    }
    world.remove(entity, Handoff)
    world.remove(entity, ToolRegistry)
    world.set(entity, LLM, {
      model: agent,
      agent,
      ...(home === undefined ? {} : { home }),
      ...(settings === undefined ? {} : { settings }),
    })
    world.emit({ type: 'agent.handed_over', entity, from, to: agent, history })
  },
})

const inputs: Readonly<Record<HandoffHistory, JsonObject>> = {
  full: { type: 'object', properties: { reason: { type: 'string' } }, additionalProperties: false },
  summary: {
    type: 'object',
    properties: { summary: { type: 'string', description: 'Everything the other agent has to know.' } },
    required: ['summary'],
    additionalProperties: false,
  },
  message: {
    type: 'object',
    properties: { message: { type: 'string', description: 'What the other agent is told; it sees nothing else.' } },
    required: ['message'],
    additionalProperties: false,
  },
}

/**
 * A tool that hands the conversation over: `tools: { toBilling: handoff(billing, { description }) }`. `history` says what
 * the other agent sees: `full` (default), a `summary` that the model writes, or one `message`. Agents that hand over to
 * each other name the later one by a function: `handoff(() => triage, { name: 'triage', … })`. Throws `invalid_option` and
 * `unknown_option`.
 */
export function handoff(
  agent: Inhabitant | (() => Inhabitant),
  options: { readonly description?: string; readonly history?: HandoffHistory; readonly name?: string } = {},
): AnyTool {
  checkOptions('handoff', options, ['description', 'history', 'name'])
  const { history = 'full' } = options
  if (!Object.hasOwn(inputs, history)) {
    throw new TellurionError('invalid_option', "history must be 'full', 'summary' or 'message'.")
  }
  if (typeof agent !== 'function') checkInhabitant('handoff', agent)
  const target = typeof agent === 'function' ? agent : () => agent
  const name = options.name ?? (typeof agent === 'function' ? undefined : agent.name)
  if (name === undefined) {
    throw new TellurionError('invalid_option', 'handoff(() => agent) needs the name of the agent: { name }.')
  }
  const made = worldTool({
    trust: 'trusted',
    description: options.description ?? `Hands the conversation over to ${name}.`,
    inputSchema: inputs[history],
    systems: [handingOver],
    change(world, entity, input) {
      const wanted = world.get(entity, Handoff)
      if (wanted !== undefined) {
        throw new TellurionError('invalid_transition', `The conversation goes to '${wanted.agent}' already.`)
      }
      const text = input['summary'] ?? input['message']
      world.set(entity, Handoff, {
        agent: name,
        history,
        ...(typeof text === 'string' ? { text: text.toWellFormed() } : {}),
      })
      return `Handed over to ${name}.`
    },
  })
  return bringing(made, { agents: () => [target()] })
}
