// Taint of an entity: where the words in its context came from that nobody vouches for. It is written in the block in
// which they enter, and never taken off again but with them, by going back to a tick before they came.

import { textOf, type ToolMessage, type UserMessage } from '../message/message.ts'
import type { TaintSource, Trust } from '../message/trust.ts'
import { toolMessage, type ToolOutcome } from '../tool/result.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { Taint, type PendingToolCall } from './component.ts'

/** A call, as far as it is told of. */
type Told = Pick<PendingToolCall, 'toolCallId' | 'toolName' | 'input'>

/** Sources that are kept of each level: the newest. */
const most = 8
/** Characters of an excerpt that tell of the call, and of all of it. */
const longestInput = 120
const longestExcerpt = 280

/** Takes note of words that enter an entity's context. Of an unvouched source the first words are kept. */
export function taint(world: World, entity: Entity, sources: readonly TaintSource[]): void {
  const known = world.get(entity, Taint) ?? []
  const fresh = sources.filter((source) => !known.some((each) => isSame(each, source)))
  if (fresh.length === 0) return
  const all = [...known, ...fresh]
  const newest = (level: Trust): TaintSource[] => all.filter((each) => each.level === level).slice(-most)
  world.set(entity, Taint, all.length <= most ? all : [...newest('unvouched'), ...newest('untrusted')])
}

function isSame(a: TaintSource, b: TaintSource): boolean {
  if (a.level !== b.level || a.kind !== b.kind || a.name !== b.name) return false
  return a.level === 'unvouched' || (a.toolCallId === b.toolCallId && a.excerpt === b.excerpt)
}

/** Takes note of a tool's result. */
export function taintByResult(
  world: World,
  entity: Entity,
  { call, outcome, trust }: { call: Told; outcome: ToolOutcome; trust: Trust },
): void {
  if (trust === 'trusted') return
  const { toolCallId, toolName: name, input } = call
  const source: TaintSource = { level: trust, kind: 'tool', name, toolCallId }
  // Most tools are called again and again: an excerpt that would not be kept is not made.
  if (trust === 'unvouched' && world.get(entity, Taint)?.some((each) => isSame(each, source))) return
  const about = JSON.stringify(input).slice(0, longestInput)
  taint(world, entity, [{ ...source, excerpt: excerptOf(`${about} → ${resultText(toolMessage(outcome))}`) }])
}

/** Takes note of files that came with a message: whoever hands one in has seldom written it. */
export function taintByFiles(world: World, entity: Entity, { content }: UserMessage): void {
  if (typeof content === 'string') return
  for (const part of content) {
    if (part.type === 'text') continue
    taint(world, entity, [{ level: 'unvouched', kind: 'attachment', name: part.mediaType }])
  }
}

function resultText({ content }: ToolMessage): string {
  return typeof content === 'string' ? content : textOf({ role: 'user', content })
}

/** The beginning of a text as one line without control, invisible or direction characters. */
export function excerptOf(text: string): string {
  const line = text.slice(0, 2 * longestExcerpt).replaceAll(/[\s\p{C}]+/gu, ' ')
  return line.slice(0, longestExcerpt).trim().toWellFormed()
}
