// Asking for a summary: in parts that the summarising model can read, each tried three times; what came of it is data.

import { throwIfAborted } from '../abort/abort.ts'
import { sleep } from '../clock/clock.ts'
import type { ErrorData } from '../error/error.ts'
import { textOf, toolCallsOf, type Message } from '../message/message.ts'
import { contextWindow } from '../model/context-window.ts'
import type { TokenCounter } from '../model/token-estimate.ts'
import type { Entity } from '../world/entity.ts'
import type { SystemContext, World } from '../world/world.ts'
import { consult } from './ask.ts'
import { isSummary } from './compaction-exchange.ts'
import {
  missingText,
  readSummary,
  summaryInstructions,
  summaryPrompt,
  summaryText,
  textOfSummary,
  type SummaryParts,
} from './compaction-summary.ts'
import { transcriptLine } from './compaction-transcript.ts'
import { LLM } from './component.ts'
import { clockOf, modelOf } from './configuration.ts'
import { CompactionConfig, ConversationArchive } from './context-component.ts'
import { tokensOf, windowOf } from './context-size.ts'

/** How often a summary is asked for, and the wait before the second time in milliseconds; it doubles. */
const attempts = 3
const firstWait = 1_000

/** How much of its window a summarising model is given to read at once. */
const readable = 0.6

/** What is to be summarised. */
export interface Summarising {
  readonly context: SystemContext
  readonly count: TokenCounter
  /** The older messages, whole: what they say is shortened for a conversation, not for its summary. */
  readonly messages: readonly Message[]
  /** Those of them that the summary will replace. */
  readonly old: readonly Message[]
}

/** What came of it; `text` says what stands in the place of a summary that could not be made. */
export type Summarised =
  | { readonly status: 'made'; readonly parts: SummaryParts; readonly by: string }
  | { readonly status: 'failed'; readonly error: ErrorData; readonly text: string }

/** Has the older messages summarised. Rejects only with the reason of the signal. */
export async function askForSummary(world: World, entity: Entity, given: Summarising): Promise<Summarised> {
  const { messages, count, old } = given
  const previous = messages.find(isSummary)
  const known = previous === undefined ? undefined : textOfSummary(textOf(previous))
  const by = world.get(entity, CompactionConfig)?.summaryModel ?? world.require(entity, LLM).model
  const lines = messages.filter((message) => !isSummary(message)).map(transcriptLine)
  const portions = portionsOf(lines, readableTokens(world, entity, by), count)
  const most = tokensOf(messages, count)
  let parts: SummaryParts | undefined
  for (const portion of portions) {
    const prompt = summaryPrompt(portion, parts === undefined ? known : summaryText(parts))
    const asked = await tryToSummarise(world, entity, { ...given, prompt, by, most })
    if ('error' in asked)
      return {
        status: 'failed',
        error: asked.error,
        text: missingText(asked.error.message, parts === undefined ? known : summaryText(parts)),
      }
    parts = { ...asked.parts, Metadata: metadata(world, entity, { old, count, by }) }
  }
  return parts === undefined
    ? { status: 'failed', error: refused('there is nothing to read'), text: known ?? '' }
    : { status: 'made', parts, by }
}

/** One summary, asked for until it is one, three times at most; an error that will not pass is not asked twice. */
async function tryToSummarise(
  world: World,
  entity: Entity,
  { context, prompt, by, count, most }: Summarising & { prompt: string; by: string; most: number },
): Promise<{ readonly parts: SummaryParts } | { readonly error: ErrorData }> {
  for (let attempt = 1; ; attempt++) {
    const asked = await consult(world, entity, {
      context,
      system: 'compaction',
      model: by,
      instructions: summaryInstructions,
      prompt,
    })
    throwIfAborted(context.signal)
    const read = asked.status === 'finished' ? usable(asked.text, most, count) : asked
    if ('parts' in read) return read
    const error = 'error' in read ? read.error : refused('the model stopped')
    if (attempt === attempts || !error.retryable) return { error }
    await sleep(firstWait * 2 ** (attempt - 1), { clock: clockOf(world), signal: context.signal })
  }
}

/** A summary that is one, and shorter than what it replaces; or why it is refused. */
function usable(
  answer: string,
  most: number,
  count: TokenCounter,
): { readonly parts: SummaryParts } | { readonly error: ErrorData } {
  const parts = readSummary(answer)
  if (typeof parts === 'string') return { error: refused(parts) }
  return count(summaryText(parts)) < most ? { parts } : { error: refused('it is longer than what it replaces') }
}

function refused(why: string): ErrorData {
  return { code: 'summary_invalid', message: `The summary cannot be used: ${why}.`, retryable: true }
}

/** Tokens of a transcript that the summarising model can read at once. */
function readableTokens(world: World, entity: Entity, by: string): number {
  const bound = by === world.get(entity, LLM)?.model ? undefined : contextWindow(nameOf(world, by))
  return (bound ?? windowOf(world, entity)) * readable
}

/** The model's own name; an unknown one fails when it is asked. */
function nameOf(world: World, bound: string): string {
  try {
    return modelOf(world, bound).name
  } catch {
    return bound
  }
}

/** The lines in portions of about so many tokens; empty lines are left out. */
function portionsOf(lines: readonly string[], most: number, count: TokenCounter): string[][] {
  const portions: string[][] = []
  let room = 0
  for (const line of lines) {
    if (line === '') continue
    const tokens = count(line)
    if (tokens > room) {
      portions.push([])
      room = most
    }
    portions.at(-1)!.push(line)
    room -= tokens
  }
  return portions
}

/** The figures of a summary, which no model needs to make up. */
function metadata(
  world: World,
  entity: Entity,
  { old, count, by }: { old: readonly Message[]; count: TokenCounter; by: string },
): string {
  const tools = new Map<string, number>()
  for (const message of old) {
    for (const { toolName } of toolCallsOf(message)) tools.set(toolName, (tools.get(toolName) ?? 0) + 1)
  }
  const used = [...tools].map(([name, times]) => `${name} ×${times}`).join(', ')
  const compactions = (world.get(entity, ConversationArchive)?.length ?? 0) + 1
  return [
    `${old.length} messages of ${tokensOf(old, count)} tokens replaced`,
    used === '' ? 'no tool calls' : `tool calls: ${used}`,
    `compaction ${compactions}, by ${by}`,
  ].join('; ')
}
