// Collaboration: messages between the agents of one world. Each has a mailbox; who sent a message is said by the world,
// never by its text. A message is delivered once, in the order of sending.

import { nearest, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { TaintSource } from '../message/trust.ts'
import type { AnyTool } from '../tool/tool.ts'
import type { Entity } from '../world/entity.ts'
import { Halted, Terminal } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import type { World } from '../world/world.ts'
import { Collaboration, Conversation, LLM, PendingToolCalls, Taint } from './component.ts'
import { say } from './conversation.ts'
import { excerptOf, taint } from './taint.ts'
import { worldTool } from './world-tool.ts'

/** Most messages that wait in one mailbox. */
const capacity = 1_000

/** Moves what is in a mailbox into the conversation, each message with its sender's name. Priority 5. */
export const collaboration = defineSystem({
  name: 'collaboration',
  priority: 5,
  query: [Collaboration, Conversation],
  without: [PendingToolCalls, Halted],
  each(entity, world) {
    const mail = world.require(entity, Collaboration)
    if (mail.length === 0) return
    for (const { from, text, taint: read = [] } of mail) {
      const sender = nameOf(world, from as Entity)
      say(world, entity, { role: 'user', content: `[${sender}] ${text}` })
      const own: TaintSource = { level: 'unvouched', kind: 'message', name: sender, excerpt: excerptOf(text) }
      taint(world, entity, [own, ...read])
      world.emit({ type: 'message.delivered', entity, from, sender, text })
    }
    world.splice(entity, Collaboration, { start: 0, deleteCount: mail.length })
    world.remove(entity, Terminal)
  },
})

/** A message from one entity of a world to another. */
export interface Letter {
  readonly from: Entity
  readonly to: Entity
  readonly text: string
}

/**
 * Puts a message into a mailbox; it is read at the next tick at which no call of the reader is open. Throws
 * `unknown_entity` for a reader that is gone, `missing_component` for one without a mailbox, `channel_full` when 1,000
 * wait there already.
 */
export function sendMessage(world: World, { from, to, text }: Letter): void {
  const mail = world.exists(to) ? world.get(to, Collaboration) : undefined
  if (mail === undefined) {
    const why = world.exists(to)
      ? 'has no mailbox: give it Collaboration(), or its agent messageTool()'
      : 'is not there (any more)'
    throw new TellurionError(world.exists(to) ? 'missing_component' : 'unknown_entity', `Entity ${to} ${why}.`)
  }
  if (mail.length >= capacity) {
    throw new TellurionError('channel_full', `The mailbox of ${nameOf(world, to)} holds ${capacity} messages; wait.`)
  }
  const read = world.exists(from) ? world.get(from, Taint) : undefined
  world.append(to, Collaboration, { from, text: text.toWellFormed(), ...(read && { taint: read }) })
}

/** What an entity is called: the name of its agent, or its number. */
export function nameOf(world: World, entity: Entity): string {
  const { home, agent } = (world.exists(entity) ? world.get(entity, LLM) : undefined) ?? {}
  return home ?? agent ?? `entity ${entity}`
}

/**
 * A tool with which an agent writes to the others of its world by name: `tools: { send: messageTool() }`. It brings the
 * mailbox and the system that reads it. `to` narrows whom it may write to; an empty list is nobody. Throws
 * `unknown_option`.
 */
export function messageTool(options: { readonly to?: readonly string[] } = {}): AnyTool {
  checkOptions('messageTool', options, ['to'])
  const { to: allowed } = options
  return worldTool({
    trust: 'trusted',
    description: 'Sends a message to another agent. The answer, if any, comes as a message of its own.',
    inputSchema: {
      type: 'object',
      properties: {
        to: { type: 'string', ...(allowed === undefined ? {} : { enum: [...allowed] }) },
        message: { type: 'string' },
      },
      required: ['to', 'message'],
      additionalProperties: false,
    } as const,
    effects: { mode: 'read', risk: [] },
    systems: [{ ...collaboration, initial: [Collaboration()] }],
    change(world, from, { to, message }) {
      const peers = peersOf(world, from)
      const reader = peers.get(to)
      if (reader === undefined) {
        const names = [...peers.keys()]
        const near = nearest(to, names)
        const hint = near === undefined ? '' : ` Did you mean '${near}'?`
        const others = names.length === 0 ? 'Nobody else is here.' : `There are: ${names.join(', ')}.`
        throw new TellurionError('unknown_entity', `No agent here is named '${to}'.${hint} ${others}`)
      }
      sendMessage(world, { from, to: reader, text: message })
      return `Sent to ${to}.`
    },
  })
}

/** The others with a mailbox, by name; of two with one name the elder. */
function peersOf(world: World, self: Entity): Map<string, Entity> {
  const peers = new Map<string, Entity>()
  world.each([Collaboration], (entity) => {
    const name = nameOf(world, entity)
    if (entity !== self && !peers.has(name)) peers.set(name, entity)
  })
  return peers
}
