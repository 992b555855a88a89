// The size of a context: how many tokens the next request of an entity has, and how many its model can read at once.

import type { Message } from '../message/message.ts'
import { contextWindow } from '../model/context-window.ts'
import { messageTokens, type TokenCounter } from '../model/token-estimate.ts'
import { loadTokenCounter } from '../model/tokenizer.ts'
import type { Model } from '../port/model.ts'
import type { Entity } from '../world/entity.ts'
import { LogView } from '../world/log.ts'
import type { World } from '../world/world.ts'
import { Conversation, LLM, Skills, SystemPrompt } from './component.ts'
import { configurationOf } from './configuration.ts'
import { CompactionConfig, Reminders, Retrieved } from './context-component.ts'
import { Recalled } from './fact-component.ts'
import { Plan } from './plan-component.ts'
import { planText, reminderText, skillText, toolsFor } from './request.ts'

/** The window of a model that nobody knows. */
const assumedWindow = 128_000

/** Tokens that the entity's model can read at once: as configured, as its name says, or 128,000. */
export function windowOf(world: World, entity: Entity): number {
  const configured = world.get(entity, CompactionConfig)?.window
  if (configured !== undefined) return configured
  const bound = world.get(entity, LLM)?.model
  const models = world.findResource<Readonly<Record<string, Model>>>('models')
  const model = bound === undefined ? undefined : models?.[bound]
  return (model && contextWindow(model.name)) ?? assumedWindow
}

let best: TokenCounter | undefined

/** What counts tokens for the entity: a promise only until a tokenizer has been looked for. */
export function counterOf(world: World, entity: Entity): TokenCounter | Promise<TokenCounter> {
  const name = world.get(entity, CompactionConfig)?.counter
  const bound =
    name === undefined ? undefined : world.findResource<Record<string, TokenCounter>>('tokenCounters')?.[name]
  return bound ?? best ?? loadTokenCounter().then((counter) => (best = counter))
}

/**
 * Tokens of the entity's next request: its conversation, what is quoted in it, system text and tools. Instructions that
 * are a function are not called, and not counted. Takes time in proportion to what is new.
 */
export function contextTokens(world: World, entity: Entity, count: TokenCounter): number {
  const quotes = [world.get(entity, Retrieved), world.get(entity, Recalled)]
  let sum = conversationTokens(world.require(entity, Conversation), count) + fixedTokens(world, entity, count)
  for (const quote of quotes) {
    if (quote !== undefined) sum += remembered(quote, count, () => count(textsOf(quote.documents)))
  }
  return sum
}

/** Tokens of what goes with every request of an entity. */
function fixedTokens(world: World, entity: Entity, count: TokenCounter): number {
  const configuration = configurationOf(world, entity)
  const prompt = world.get(entity, SystemPrompt)
  const llm = world.get(entity, LLM)
  const tools = toolsFor(world, entity, configuration)
  let sum = tools.length === 0 ? 0 : remembered(tools, count, () => count(JSON.stringify(tools)))
  if (prompt !== undefined) sum += remembered(prompt, count, () => count(prompt.text))
  if (llm?.systemPrompt !== undefined) sum += remembered(llm, count, () => count(llm.systemPrompt ?? ''))
  const { instructions } = configuration
  if (typeof instructions === 'string') sum += remembered(configuration, count, () => count(instructions))
  const plan = world.get(entity, Plan)
  const [reminders, skills] = [world.get(entity, Reminders), world.get(entity, Skills)]
  if (plan?.completed === false) sum += remembered(plan, count, () => count(planText(plan) ?? ''))
  if (reminders !== undefined) sum += remembered(reminders, count, () => count(reminderText(reminders) ?? ''))
  if (skills !== undefined) sum += remembered(skills, count, () => count(skillText(skills) ?? ''))
  return sum
}

/** Tokens of a conversation. */
export function conversationTokens(conversation: LogView<Message>, count: TokenCounter): number {
  const known = measuredBy(count)
  let sum = 0
  for (const piece of conversation.pieces()) {
    if (piece.length < LogView.pieceSize) return sum + tokensOf(piece, count)
    let tokens = known.get(piece)
    if (tokens === undefined) known.set(piece, (tokens = tokensOf(piece, count)))
    sum += tokens
  }
  return sum
}

/** Tokens of some messages. */
export function tokensOf(messages: readonly Message[], count: TokenCounter): number {
  let sum = 0
  for (const message of messages) sum += messageTokens(message, count)
  return sum
}

const textsOf = (documents: readonly { readonly text: string }[]): string =>
  documents.map(({ text }) => text).join('\n')

// What is measured here is never changed, so it is measured once for as long as somebody holds it.
const measured = new WeakMap<TokenCounter, WeakMap<object, number>>()

function measuredBy(count: TokenCounter): WeakMap<object, number> {
  let known = measured.get(count)
  if (known === undefined) measured.set(count, (known = new WeakMap()))
  return known
}

function remembered(what: object, count: TokenCounter, measure: () => number): number {
  const known = measuredBy(count)
  let sum = known.get(what)
  if (sum === undefined) known.set(what, (sum = measure()))
  return sum
}
