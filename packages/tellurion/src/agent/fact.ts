// Facts: what is worth knowing about a user in later conversations, one short line each, with how certain it is, where it
// comes from and until when it is kept. Plain data, checked wherever it comes from.

import { TellurionError } from '../error/error.ts'
import { oneLine } from './one-line.ts'

/** What is known about a user. */
export interface Fact {
  /** What it is about, such as `home-town`. There is one fact a key: a newer one takes the place of an older one. */
  readonly key: string
  /** One line of at most 500 characters. */
  readonly text: string
  /** 0 to 1. */
  readonly confidence: number
  /** Where it comes from, for people: `conversation, 2026-03-01`. */
  readonly source: string
  /** Wall time in milliseconds at which the key was first remembered. */
  readonly created: number
  /** Wall time in milliseconds at which the fact was remembered last. */
  readonly updated: number
  /** Wall time in milliseconds at which it is forgotten. Absent: never. */
  readonly expires?: number
}

/** A fact to be remembered. */
export interface NewFact {
  /** Becomes lower case, with single hyphens between words; at most 64 characters. */
  readonly key: string
  /** Becomes one line. */
  readonly text: string
  /** 0 to 1; default 1. */
  readonly confidence?: number
  /** At most 200 characters. Default `program`. */
  readonly source?: string
}

const maxKey = 64
const maxText = 500
const maxSource = 200

/** A fact as it is kept, without its times. Throws `invalid_option` saying what is wrong. */
export function checkFact(given: unknown): Required<NewFact> {
  const { key, text, confidence = 1, source = 'program' } = (given ?? {}) as Record<string, unknown>
  const name = typeof key === 'string' && key.length <= 4 * maxKey ? keyOf(key) : ''
  if (name === '' || name.length > maxKey)
    throw invalid(`its key is 1 to ${maxKey} letters and digits, such as home-town`)
  const line = typeof text === 'string' && text.length <= 4 * maxText ? oneLine(text) : ''
  if (line === '' || line.length > maxText) throw invalid(`its text is one line of 1 to ${maxText} characters`)
  if (typeof confidence !== 'number' || !(confidence >= 0 && confidence <= 1)) throw invalid('its confidence is 0 to 1')
  const from = typeof source === 'string' ? oneLine(source) : ''
  if (from === '' || from.length > maxSource) throw invalid(`its source is a text of 1 to ${maxSource} characters`)
  return { key: name, text: line, confidence, source: from }
}

/** A key in the spelling in which it is kept; empty where nothing of it can be. */
export function keyOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '')
}

function invalid(what: string): TellurionError {
  return new TellurionError('invalid_option', `A fact cannot be kept: ${what}.`)
}
