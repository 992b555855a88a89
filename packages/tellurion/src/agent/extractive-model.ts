// A model that summarises without thinking: it picks the sentences of a transcript that say most, by rules alone. The same
// transcript gives the same summary, at once and for nothing; it understands none of it.

import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { estimateTokens } from '../model/token-estimate.ts'
import { failure } from '../model/failure.ts'
import { textOf } from '../message/message.ts'
import type { Model, ModelEvent, ModelRequest } from '../port/model.ts'
import {
  isNothing,
  readSummary,
  summarySegments,
  summaryText,
  type SummaryParts,
  type SummarySegment,
} from './compaction-summary.ts'
import { readTranscript, type TranscriptLine } from './compaction-transcript.ts'

/** How a summary by rules is bounded. */
export interface ExtractiveOptions {
  /** Longest summary, about, as a fraction of the transcript. Default 0.15. */
  readonly ratio?: number
  /** And in characters, whatever the transcript. Default 8,000. */
  readonly maxLength?: number
}

/**
 * A model for `summaryModel`: it answers what compaction asks, by picking sentences, and nothing else
 * (`model_validation`). It needs no network and takes milliseconds. Throws `invalid_option` and `unknown_option`.
 */
export function extractiveModel(options: ExtractiveOptions = {}): Model {
  checkOptions('extractiveModel', options, ['ratio', 'maxLength'])
  const { ratio = 0.15, maxLength = 8_000 } = options
  checkWhole('maxLength', maxLength)
  if (!(ratio > 0 && ratio <= 1)) {
    throw new TellurionError('invalid_option', `ratio must be above 0 and at most 1, not ${String(ratio)}.`)
  }
  const name = 'tellurion/extractive'
  return {
    name,
    async *stream(request, { signal }): AsyncIterable<ModelEvent> {
      if (signal?.aborted) {
        yield { type: 'aborted' }
        return
      }
      const asked = questionOf(request)
      const lines = readTranscript(asked)
      if (lines.length === 0) {
        const why = 'this model condenses transcripts and answers nothing else'
        yield { type: 'error', failure: failure('validation', why, { model: name }) }
        return
      }
      const known = readSummary(asked.slice(0, asked.lastIndexOf('\n\n{') + 1))
      const before = typeof known === 'string' ? undefined : { ...known, Metadata: '' }
      const length = before === undefined ? 0 : summaryText(before).length
      const room = Math.min(maxLength, Math.max(600, length + (asked.length - length) * ratio))
      const text = condense(lines, before, room)
      yield { type: 'text.delta', text }
      const [inputTokens, outputTokens] = [estimateTokens(asked), estimateTokens(text)]
      yield {
        type: 'finish',
        finishReason: 'stop',
        usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
      }
    },
  }
}

function questionOf({ messages }: ModelRequest): string {
  const newest = messages.at(messages.length - 1)
  return newest === undefined ? '' : textOf(newest)
}

/** A sentence of the transcript, with what speaks for it. */
interface Sentence {
  readonly text: string
  readonly place: number
  readonly segment: SummarySegment
  readonly weight: number
}

/** Which segment a sentence of a person or the assistant belongs to; the first that fits. */
const cues: readonly (readonly [SummarySegment, RegExp])[] = [
  ['Blockers', /\b(error|fails?|failed|failing|blocked|cannot|can't|unable|missing|denied)\b|错误|失败|无法/i],
  [
    'Key Decisions',
    /\b(decided?|decision|we will use|let's use|chose|chosen|agreed|instead of|must|never|always|prefer)\b|决定|选择|必须/i,
  ],
  ['Open Items', /\?$|\b(todo|to do|open|pending|unclear|question|still need)\b|待办|尚未/i],
  ['Next Steps', /\b(next|then we|plan to|going to|afterwards|tomorrow)\b|接下来|下一步/i],
  [
    'Progress',
    /\b(done|finished|created|added|fixed|implemented|passed|deployed|wrote|updated|completed)\b|完成|已经/i,
  ],
]

/** Room for a sentence in every segment, in characters. */
const leastRoom = 120

/** How much of the room each segment may take before the others have had theirs. */
const shares: Readonly<Record<SummarySegment, number>> = {
  'Task Overview': 0.1,
  'Key Decisions': 0.12,
  Progress: 0.12,
  Blockers: 0.1,
  'Open Items': 0.1,
  Context: 0.4,
  'Next Steps': 0.05,
  Metadata: 0,
}

/** A sentence with less than this part of the heaviest one's weight is left out, whatever room there is. */
const leastWeight = 0.2

function condense(lines: readonly TranscriptLine[], before: SummaryParts | undefined, room: number): string {
  const sentences = [...toldBefore(before), ...lines.flatMap(sentencesOf)]
  const rarity = rarityOf(sentences)
  const weighed = sentences.map((sentence) => ({ ...sentence, weight: weightOf(sentence.text, rarity) }))
  const least = weighed.reduce((most, { weight }) => Math.max(most, weight), 0) * leastWeight
  const ranked = weighed
    .filter(({ weight }) => weight >= least)
    .toSorted((a, b) => b.weight - a.weight || a.place - b.place)
  const parts = Object.fromEntries(summarySegments.map((name) => [name, ''])) as Record<SummarySegment, string>
  parts['Task Overview'] = before?.['Task Overview'] ?? overview(lines, room * shares['Task Overview'])
  let left = room - parts['Task Overview'].length
  for (const name of [...summarySegments.filter((each) => each !== 'Context'), 'Context'] as const) {
    if (shares[name] === 0 || name === 'Task Overview') continue
    // What the others leave is for names and numbers.
    parts[name] = pick(ranked, name, name === 'Context' ? left : Math.max(leastRoom, room * shares[name]))
    left -= parts[name].length
  }
  const results = lines.filter(({ result }) => result !== undefined)
  const failed = results.filter(({ error }) => error === true).length
  if (parts.Progress === '') parts.Progress = `${results.length} tool calls were made, ${failed} of them failed.`
  return summaryText(parts)
}

/** What an earlier summary says is said again, unless there is weightier news. */
function toldBefore(before: SummaryParts | undefined): Sentence[] {
  if (before === undefined) return []
  return summarySegments.flatMap((segment) =>
    before[segment].split('\n').flatMap((line) => {
      const text = line.replace(/^- /, '').trim()
      return isNothing(text) ? [] : [{ text, place: -1, segment, weight: 0 }]
    }),
  )
}

function overview(lines: readonly TranscriptLine[], room: number): string {
  const first = lines.find(({ user }) => user !== undefined && user !== '')?.user ?? 'The conversation of an assistant.'
  return first.slice(0, Math.max(200, room)).toWellFormed()
}

/** The heaviest sentences of a segment, as long as there is room, in the order in which they were said. */
function pick(ranked: readonly Sentence[], segment: SummarySegment, room: number): string {
  const chosen = new Map<string, Sentence>()
  let left = room
  for (const sentence of ranked) {
    const length = sentence.text.length + 3
    if (sentence.segment !== segment || chosen.has(sentence.text) || length > left) continue
    chosen.set(sentence.text, sentence)
    left -= length
  }
  const inOrder = [...chosen.values()].toSorted((a, b) => a.place - b.place)
  return inOrder.map(({ text }) => `- ${text}`).join('\n')
}

const longest = 400

function sentencesOf(line: TranscriptLine, place: number): Sentence[] {
  const spoken = line.user ?? line.assistant
  const text = spoken ?? line.text ?? ''
  return text
    .split(/(?<=[.!?。！？])\s+|(?<=[。！？])|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.length >= 4 && sentence.length <= longest)
    .map((sentence) => ({ text: sentence, place, segment: segmentOf(sentence, line, spoken !== undefined), weight: 0 }))
}

function segmentOf(sentence: string, { error }: TranscriptLine, spoken: boolean): SummarySegment {
  if (error === true) return 'Blockers'
  return (spoken ? cues.find(([, cue]) => cue.test(sentence))?.[0] : undefined) ?? 'Context'
}

/** The words of a text; what differs in its digits alone is one word. */
const words = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}._/@-]*/gu) ?? []).map((word) => word.replace(/\p{N}+/gu, '0'))

/** How rare each word is: what is said once tells more than what is said all the time. */
function rarityOf(sentences: readonly Sentence[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { text } of sentences)
    for (const word of new Set(words(text))) counts.set(word, (counts.get(word) ?? 0) + 1)
  for (const [word, count] of counts) counts.set(word, Math.log(sentences.length / count))
  return counts
}

/** Names, numbers, paths, codes, and what stands in quotation marks. */
const marks = /\p{N}[\p{L}\p{N}.,:/-]*|(?<=\s)\p{Lu}[\p{L}\p{N}-]+|["'`“][^"'`”]{2,40}["'`”]|\S+[/@_]\S+/gu

/** Rare words speak for a sentence, the more so where they are names and numbers; length speaks against it. */
function weightOf(text: string, rarity: ReadonlyMap<string, number>): number {
  const said = new Set(words(text))
  if (said.size === 0) return 0
  let weight = 0
  for (const word of said) weight += (rarity.get(word) ?? 0) ** 2
  const marked = Math.min(text.match(marks)?.length ?? 0, 6)
  return ((weight / said.size) * (1 + marked / 3) * said.size) / (said.size + 4)
}
