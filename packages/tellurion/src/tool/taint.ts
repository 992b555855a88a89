// Taint at a decision: which strangers' words stand between a call and its running by itself. Pure.

import type { TaintSource } from '../message/trust.ts'
import type { Prepared } from './prepare.ts'

/**
 * The sources because of which a person is asked before a call runs; undefined when none counts. Untrusted words count
 * for every call that risks something, unvouched ones for the tools that say themselves what they risk.
 */
export function doubtsOf(
  { tool, input }: Prepared,
  taint: readonly TaintSource[] | undefined,
): readonly TaintSource[] | undefined {
  if (taint === undefined || taint.length === 0) return undefined
  const counting = tool.effects.declared ? taint : taint.filter(({ level }) => level === 'untrusted')
  if (counting.length === 0) return undefined
  try {
    if (tool.risk(input).length === 0) return undefined
  } catch {
    // What cannot say what it risks risks something.
  }
  return counting
}

/** What a prompt says of them. Names that strangers may have chosen stay out of it. */
export function doubtText(doubts: readonly TaintSource[]): string {
  const names = doubts.map(({ kind, name }) => (kind === 'tool' || kind === 'message' ? name : `a ${kind}`))
  return `After ${levelOf(doubts)} words from ${[...new Set(names)].slice(0, 3).join(', ')}`
}

/** The worst level of some sources. */
export function levelOf(sources: readonly TaintSource[]): TaintSource['level'] {
  return sources.some(({ level }) => level === 'untrusted') ? 'untrusted' : 'unvouched'
}
