// Asking a model: for the next reply of a conversation, or aside, for something a system wants to know. Whoever asks,
// the budget is reserved first and what it cost is counted once.

import { messageOf } from '../error/error.ts'
import { textOf, type Messages } from '../message/message.ts'
import { collect } from '../model/collect.ts'
import { failureFromError } from '../model/failure.ts'
import type { Model, ModelEvent, ModelFailure, ModelReply, ModelRequest, Usage } from '../port/model.ts'
import type { JsonObject } from '../schema/json.ts'
import type { ErrorData } from '../error/error.ts'
import type { Entity } from '../world/entity.ts'
import { Failure } from '../world/lifecycle.ts'
import type { SystemContext, World } from '../world/world.ts'
import type { Reservation } from './budget.ts'
import { Budget, LLM, Output, Streaming, TurnUsage } from './component.ts'
import { configurationOf, modelOf, type AgentConfiguration } from './configuration.ts'
import { loadCheck } from './output.ts'
import { takeReply } from './reply.ts'
import { requestFor } from './request.ts'
import { addUsage, noUsage } from './usage.ts'

/** Who asks, and for whom. */
export interface Asking {
  readonly context: SystemContext
  readonly configuration: AgentConfiguration
  /** The system that asks: a failure says so. */
  readonly system: string
  /** How a failure of the model is told, where not as it is. */
  readonly explain?: (error: ErrorData) => ErrorData
}

/**
 * Asks the entity's model for the next reply of its conversation and takes it into the world. Never rejects for what a
 * model does: a failure is `Failure` on the entity, and so is a budget that has no room for the call.
 */
export async function askForReply(world: World, entity: Entity, asking: Asking): Promise<void> {
  const { context, configuration, system, explain } = asking
  const { tick } = context
  const model = modelOf(world, world.require(entity, LLM).model)
  const built = requestFor(world, entity, configuration)
  const request = built instanceof Promise ? await built : built
  // Its reply is checked in one synchronous block; what checks it must be there by then.
  if (request.output !== undefined) await loadCheck(world.require(entity, Output))
  const place = world.has(entity, Budget) ? await reserved(world, entity, { request, model, configuration }) : undefined
  if (place?.status === 'refused') {
    world.set(entity, Failure, { error: place.error, system, tick })
    return
  }
  const streams = world.get(entity, Streaming)?.enabled === true
  world.emit({ type: 'model.called', entity, model: model.name })
  if (streams) world.emit({ type: 'stream.started', entity })
  const reply = await collectSafely(
    () => model.stream(request, { signal: context.signal }),
    streams ? (event) => show(world, entity, event) : undefined,
  )
  place?.release()
  const taken = { reply: priced(reply, model, configuration), model: model.name, streams, tick, system }
  takeReply(world, entity, explain === undefined ? taken : { ...taken, explain })
}

/** A question that is not part of the conversation. */
export interface Consultation {
  readonly context: SystemContext
  /** The system that asks, as events show it. */
  readonly system: string
  /** A text as one message of the user, or messages. */
  readonly prompt: string | Messages
  readonly instructions?: string
  /** The name of a bound model; default the entity's own. */
  readonly model?: string
  /** A JSON Schema that the answer is asked to match. What comes back is text all the same. */
  readonly output?: { readonly name: string; readonly schema: JsonObject }
  readonly maxOutputTokens?: number
}

/** What came of a consultation. */
export type Consulted =
  | { readonly status: 'finished'; readonly text: string; readonly usage: Usage }
  | { readonly status: 'failed'; readonly error: ErrorData }
  | { readonly status: 'aborted' }

/**
 * Asks a model something on behalf of a system, beside the conversation: a summary, a new plan, a score. Its usage
 * counts for the turn. Never rejects: failing and having no budget left are `failed`.
 */
export async function consult(world: World, entity: Entity, consultation: Consultation): Promise<Consulted> {
  const { context, prompt, instructions, output, maxOutputTokens, system } = consultation
  try {
    const configuration = configurationOf(world, entity)
    const model = modelOf(world, consultation.model ?? world.require(entity, LLM).model)
    const request: ModelRequest = {
      messages: typeof prompt === 'string' ? [{ role: 'user', content: prompt.toWellFormed() }] : prompt,
      ...(instructions === undefined ? {} : { system: instructions }),
      ...(output === undefined ? {} : { output }),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    }
    const place = world.has(entity, Budget)
      ? await reserved(world, entity, { request, model, configuration })
      : undefined
    if (place?.status === 'refused') return { status: 'failed', error: place.error }
    world.emit({ type: 'model.called', entity, model: model.name, system })
    const asked = await collectSafely(() => model.stream(request, { signal: context.signal }), undefined)
    place?.release()
    const reply = priced(asked, model, configuration)
    if (reply.status === 'aborted' || context.signal.aborted) return { status: 'aborted' }
    if (reply.status === 'failed') return { status: 'failed', error: errorOf(reply.failure) }
    const { usage, finishReason } = reply
    count(world, entity, usage)
    world.emit({ type: 'model.replied', entity, model: reply.model ?? model.name, usage, finishReason, system })
    return { status: 'finished', text: textOf(reply.message), usage }
  } catch (error) {
    return { status: 'failed', error: { code: 'model_unknown', message: messageOf(error), retryable: false } }
  }
}

/** Counts what was asked aside: it is paid for, but no step of the turn. */
function count(world: World, entity: Entity, usage: Usage): void {
  const spent = world.get(entity, TurnUsage) ?? { steps: 0, usage: noUsage }
  world.set(entity, TurnUsage, {
    ...spent,
    usage: addUsage(spent.usage, usage),
    asides: (spent.asides ?? 0) + 1,
  })
}

/** A place for the call in the entity's budget. */
async function reserved(
  world: World,
  entity: Entity,
  { request, model, configuration }: { request: ModelRequest; model: Model; configuration: AgentConfiguration },
): Promise<Reservation> {
  const { estimateCall, reserve } = await import('./allowance.ts')
  return reserve(world, entity, estimateCall({ request, model: model.name, price: configuration.price }))
}

/** A reply that says what it cost, where the agent knows prices and the model does not. */
function priced(reply: ModelReply, model: Model, { price }: AgentConfiguration): ModelReply {
  if (price === undefined || reply.status !== 'finished' || reply.usage.cost !== undefined) return reply
  return { ...reply, usage: { ...reply.usage, cost: price(reply.usage, reply.model ?? model.name) } }
}

function errorOf({ code, message, retryable }: ModelFailure): ErrorData {
  return { code, message: message.toWellFormed(), retryable }
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
