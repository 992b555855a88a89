// Reasoning: asks the model when there is something to answer, and keeps its reply. One plain turn is one call, however
// many ticks follow.

import type { Message, Messages } from '../message/message.ts'
import { collect } from '../model/collect.ts'
import { failureFromError } from '../model/failure.ts'
import type { ModelEvent, ModelReply, ModelRequest, ToolSpec } from '../port/model.ts'
import { loadChecker } from '../schema/schema.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Terminal } from '../world/lifecycle.ts'
import type { LogView } from '../world/log.ts'
import { defineSystem } from '../world/system.ts'
import type { SystemContext, World } from '../world/world.ts'
import {
  Budget,
  Conversation,
  LLM,
  Output,
  PendingToolCalls,
  Plan,
  Streaming,
  SystemPrompt,
  ToolRegistry,
  TurnUsage,
} from './component.ts'
import { configurationOf, modelOf, type AgentConfiguration } from './configuration.ts'
import { awaitsReply, newestCalls } from './conversation.ts'
import { takeReply } from './reply.ts'
import { noUsage } from './usage.ts'

/** Asks the model of each entity whose conversation awaits a reply. Priority 0. */
export const reasoning = defineSystem({
  name: 'reasoning',
  priority: 0,
  query: [LLM, Conversation],
  without: [PendingToolCalls, Halted, Terminal, Failure],
  each(entity, world, context) {
    const conversation = world.require(entity, Conversation)
    if (!awaitsReply(conversation)) return undefined
    // An entity with an unfinished plan belongs to planning, which makes every ask for it.
    if (world.get(entity, Plan)?.completed === false) return undefined
    const configuration = configurationOf(world, entity)
    if (shouldStop(world, entity, configuration)) {
      world.set(entity, Terminal, { reason: 'stop_when' })
      return undefined
    }
    return ask(world, entity, { context, configuration, conversation })
  },
})

/** Whether the turn's own conditions say that enough has been done. They are asked between model calls only. */
function shouldStop(world: World, entity: Entity, { stopWhen }: AgentConfiguration): boolean {
  if (stopWhen === undefined || stopWhen.length === 0) return false
  const { steps, usage } = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  if (steps === 0) return false
  const toolCalls = newestCalls(world.require(entity, Conversation))
  return stopWhen.some((condition) => condition({ steps, usage, toolCalls }))
}

async function ask(
  world: World,
  entity: Entity,
  asked: { context: SystemContext; configuration: AgentConfiguration; conversation: LogView<Message> },
): Promise<void> {
  const { context, configuration, conversation } = asked
  const llm = world.require(entity, LLM)
  const model = modelOf(world, llm.model)
  const instructions =
    typeof configuration.instructions === 'function' ? await configuration.instructions() : configuration.instructions
  const request = requestFor(world, entity, { configuration, conversation, instructions })
  // Its reply is checked in one synchronous block; what checks it must be there by then.
  if (request.output !== undefined) await loadChecker()
  if (world.has(entity, Budget)) {
    const { reserve } = await import('./budget.ts')
    const error = reserve(world, entity, { request, model: model.name, price: configuration.price })
    if (error !== undefined) {
      world.set(entity, Failure, { error, system: 'reasoning', tick: context.tick })
      return
    }
  }
  const streams = world.get(entity, Streaming)?.enabled === true
  world.emit({ type: 'model.called', entity, model: model.name })
  if (streams) world.emit({ type: 'stream.started', entity })
  const reply = await collectSafely(
    () => model.stream(request, { signal: context.signal }),
    streams ? (event) => show(world, entity, event) : undefined,
  )
  takeReply(world, entity, { reply, model: model.name, streams, tick: context.tick })
}

/** A model never throws; one that does all the same has failed. */
function collectSafely(
  open: () => AsyncIterable<ModelEvent>,
  onEvent: ((event: ModelEvent) => void) | undefined,
): ModelReply | Promise<ModelReply> {
  try {
    return collect(open(), onEvent)
  } catch (error) {
    return { status: 'failed', failure: failureFromError(error) }
  }
}

function show(world: World, entity: Entity, event: ModelEvent): void {
  switch (event.type) {
    case 'text.delta':
      world.emit({ type: 'text.delta', entity, text: event.text })
      break
    case 'reasoning.delta':
      world.emit({ type: 'reasoning.delta', entity, text: event.text })
      break
    case 'tool.delta':
      world.emit({ ...event, entity })
      break
    case 'restart':
      world.emit({ type: 'stream.restarted', entity, failure: event.failure })
      break
    default:
  }
}

/** The request of one call. History goes by reference; the system text is built per call and never stored. */
function requestFor(
  world: World,
  entity: Entity,
  given: {
    configuration: AgentConfiguration
    conversation: LogView<Message>
    instructions: string | undefined
  },
): ModelRequest {
  const { configuration, conversation, instructions } = given
  const { systemPrompt, settings } = world.require(entity, LLM)
  const request: { -readonly [K in keyof ModelRequest]: ModelRequest[K] } = {
    ...settings,
    messages: conversation satisfies Messages,
  }
  const system = paragraphs(world.get(entity, SystemPrompt)?.text, systemPrompt, instructions)
  if (system !== '') request.system = system.toWellFormed()
  const tools = toolsFor(world, entity, configuration)
  if (tools.length > 0) request.tools = tools
  const output = world.get(entity, Output)
  if (output !== undefined) request.output = { name: output.name, schema: output.schema }
  return request
}

function paragraphs(...texts: readonly (string | undefined)[]): string {
  let joined = ''
  for (const text of texts) if (text) joined = joined === '' ? text : `${joined}\n\n${text}`
  return joined
}

const noTools: readonly ToolSpec[] = []
const filtered = new WeakMap<readonly string[], { from: readonly ToolSpec[]; specs: readonly ToolSpec[] }>()

/** The tools an entity may be offered: all that are bound, or those its registry names. Found again without work. */
function toolsFor(world: World, entity: Entity, { tools }: AgentConfiguration): readonly ToolSpec[] {
  if (tools === undefined) return noTools
  const specs = tools.specs()
  const names = world.get(entity, ToolRegistry)?.names
  if (names === undefined) return specs
  const known = filtered.get(names)
  if (known !== undefined && known.from === specs) return known.specs
  const allowed = specs.filter((spec) => names.includes(spec.name))
  filtered.set(names, { from: specs, specs: allowed })
  return allowed
}
