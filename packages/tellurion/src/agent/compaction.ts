// Compaction: keeps the context of an entity below its model's window, by stages that take ever more: old tool outputs are
// shortened, repeated texts named, the older part summarised. What was replaced is archived.

import { isAbort } from '../abort/abort.ts'
import type { ErrorData } from '../error/error.ts'
import type { Message } from '../message/message.ts'
import { messageTokens, type TokenCounter } from '../model/token-estimate.ts'
import type { Entity } from '../world/entity.ts'
import { Failure, Halted, Terminal } from '../world/lifecycle.ts'
import type { LogView } from '../world/log.ts'
import { defineSystem } from '../world/system.ts'
import type { SystemContext, World } from '../world/world.ts'
import { archive } from './compaction-archive.ts'
import { deduplicate, shorten, type Edits } from './compaction-edit.ts'
import { isSummary, keptBefore, recentStart } from './compaction-exchange.ts'
import { askForSummary, type Summarised } from './compaction-summariser.ts'
import { summaryMessage, summaryText } from './compaction-summary.ts'
import { Conversation, LLM, PendingToolCalls, TurnUsage } from './component.ts'
import {
  CompactionConfig,
  type ArchivedMessages,
  type CompactionSettings,
  type CompactionStage,
} from './context-component.ts'
import { contextTokens, counterOf, tokensOf, windowOf } from './context-size.ts'
import { awaitsReply, cut } from './conversation.ts'
import { Plan } from './plan-component.ts'

/** Fractions of the window from which the stages act. */
export const defaultStages = { shorten: 0.7, deduplicate: 0.8, summarise: 0.92 } as const
/** Newest exchanges that stay as they are. */
export const defaultKeep = 3
const defaultOutputLength = 600
/** Without a summary so many of the newest messages stay. */
const fallbackLength = 20
/** Below the last stage a compaction must free this fraction: each one makes a provider read everything anew. */
const leastGain = 0.1
/** What a summary replaces must be this fraction, as long as there is room. */
const leastReplaced = 0.05

/** Compacts the context of each entity that is about to ask its model. Priority -5. */
export const compaction = defineSystem({
  name: 'compaction',
  priority: -5,
  query: [CompactionConfig, LLM, Conversation],
  without: [PendingToolCalls, Halted, Terminal, Failure],
  each(entity, world, context) {
    const asks = awaitsReply(world.require(entity, Conversation)) || world.get(entity, Plan)?.completed === false
    if (!asks) return undefined
    const count = counterOf(world, entity)
    if (count instanceof Promise) return count.then((counter) => compact(world, entity, { context, count: counter }))
    return compact(world, entity, { context, count })
  },
})

/** A compaction under way. */
interface Work {
  readonly context: SystemContext
  readonly count: TokenCounter
  readonly conversation: LogView<Message>
  readonly edits: Edits
  readonly stages: readonly CompactionStage[]
  /** The newest exchanges begin here. */
  readonly end: number
  readonly before: number
}

function compact(
  world: World,
  entity: Entity,
  { context, count }: Pick<Work, 'context' | 'count'>,
): void | Promise<void> {
  const settings = world.require(entity, CompactionConfig)
  const marks = marksOf(settings, windowOf(world, entity))
  const before = contextTokens(world, entity, count)
  if (before < marks.shorten) return undefined
  const { keep = defaultKeep, outputLength = defaultOutputLength } = settings
  const conversation = world.require(entity, Conversation)
  const end = recentStart(conversation, keep)
  const kept = keptBefore(conversation, end, world.get(entity, TurnUsage)?.from)
  const draft = conversation.toArray()
  const edits: Edits = new Map()
  const stages: CompactionStage[] = []
  let tokens = before
  const edit = (stage: CompactionStage, found: Edits): void => {
    for (const [index, message] of found) {
      const saved = messageTokens(draft[index]!, count) - messageTokens(message, count)
      if (saved <= 0) continue
      tokens -= saved
      draft[index] = message
      edits.set(index, message)
      if (!stages.includes(stage)) stages.push(stage)
    }
  }
  edit('shorten', shorten(draft, end, outputLength))
  if (tokens >= marks.deduplicate) edit('deduplicate', deduplicate(draft, end, kept))
  const work: Work = { context, count, conversation, edits, stages, end, before }
  // What the gentle stages free must last for a while.
  if (before >= marks.summarise && tokens > marks.summarise * (1 - leastGain)) {
    const old = tokensOf(replaceable(conversation, end, kept), count)
    const full = tokens >= windowOf(world, entity)
    if (old >= (full ? 1 : marks.summarise * leastReplaced)) return summarise(world, entity, work)
  }
  const gains = before >= marks.summarise || before - tokens >= marks.summarise * leastGain
  return gains && edits.size > 0 ? replace(world, entity, { work, upTo: 0, items: [], record: {} }) : undefined
}

/** Tokens from which each stage acts, never one before the one that takes less. */
function marksOf({ threshold, stages }: CompactionSettings, window: number): Record<CompactionStage, number> {
  const fractions = { ...defaultStages, ...stages }
  const summarise = threshold ?? fractions.summarise * window
  const deduplicate = Math.min(fractions.deduplicate * window, summarise)
  return { shorten: Math.min(fractions.shorten * window, deduplicate), deduplicate, summarise }
}

/** The messages before `end` that a summary would replace. */
function replaceable(conversation: LogView<Message>, end: number, kept: ReadonlySet<Message>): Message[] {
  return conversation.slice(0, end).filter((message) => !kept.has(message) && !isSummary(message))
}

/** Puts a summary, or word of what is missing, in the place of the older messages. */
async function summarise(world: World, entity: Entity, work: Work): Promise<void> {
  const { context, count, conversation, end } = work
  const from = world.get(entity, TurnUsage)?.from
  const old = replaceable(conversation, end, keptBefore(conversation, end, from))
  let asked: Summarised
  try {
    asked = await askForSummary(world, entity, { context, count, messages: conversation.slice(0, end), old })
  } catch (error) {
    if (!isAbort(error, context.signal)) throw error
    return undefined
  }
  // Whoever has written meanwhile has changed what is to be done; the next tick decides anew.
  if (world.get(entity, Conversation) !== conversation) return undefined
  const upTo = asked.status === 'made' ? end : fallbackEnd(conversation, { end, from })
  const kept = keptBefore(conversation, upTo, from)
  const text = asked.status === 'made' ? summaryText(asked.parts) : asked.text
  const { length } = replaceable(conversation, upTo, kept)
  const standIn = summaryMessage(text, { messages: length, by: asked.status === 'made' ? asked.by : 'nobody' })
  const items = [...kept].filter(({ role }) => role === 'system')
  items.push(standIn, ...[...kept].filter(({ role }) => role !== 'system'))
  const record =
    asked.status === 'made' ? { summary: text } : { summary: text, fallback: true as const, error: asked.error }
  return replace(world, entity, { work, upTo, items, record })
}

/** Where the messages begin that stay without a summary: the newest 20, and never a part of an exchange. */
function fallbackEnd(conversation: LogView<Message>, { end, from }: { end: number; from: number | undefined }): number {
  let upTo = Math.min(end, Math.max(0, conversation.length - fallbackLength))
  while (conversation.at(upTo)?.role === 'tool') upTo--
  return replaceable(conversation, upTo, keptBefore(conversation, upTo, from)).length === 0 ? end : upTo
}

/** What a compaction puts where. */
interface Replacement {
  readonly work: Work
  /** Messages before this place go, those that stay among them are in `items`; from it on the edits are made. */
  readonly upTo: number
  readonly items: readonly Message[]
  readonly record: { readonly summary?: string; readonly fallback?: true; readonly error?: ErrorData }
}

/** Archives what is replaced and writes what takes its place, in one synchronous block at the end. */
function replace(world: World, entity: Entity, replacement: Replacement): void | Promise<void> {
  const { work, upTo, items, record } = replacement
  const { conversation, edits, count, before } = work
  const edited = [...edits].filter(([index]) => index >= upTo)
  const going = conversation.slice(0, upTo).filter((message) => !items.includes(message) && !isSummary(message))
  const gone = [...going, ...edited.map(([index]) => conversation.at(index)!)]
  const removed = [...conversation.slice(0, upTo), ...edited.map(([index]) => conversation.at(index)!)]
  const added = [...items, ...edited.map(([, message]) => message)]
  const after = before - tokensOf(removed, count) + tokensOf(added, count)
  const { summary = '', fallback, error } = record
  const stages: CompactionStage[] = edited.length > 0 ? [...work.stages] : []
  if (upTo > 0) stages.push('summarise')
  const archived: ArchivedMessages = {
    summary,
    messages: gone,
    stages,
    tokens: { before, after },
    ...(fallback === undefined ? {} : { fallback }),
  }
  const write = (): void => {
    for (const [index, message] of edited) cut(world, entity, { start: index, deleteCount: 1, items: [message] })
    if (upTo > 0) cut(world, entity, { start: 0, deleteCount: upTo, items })
    world.emit({
      type: 'compaction.completed',
      entity,
      originalTokens: before,
      compactedTokens: after,
      stages,
      messages: gone.length,
      ...(fallback === undefined ? {} : { fallback }),
      ...(error === undefined ? {} : { error }),
    })
  }
  return archive(world, entity, { archived, conversation, write })
}
