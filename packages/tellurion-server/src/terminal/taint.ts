// Where strangers' words came from, for a person who decides on a call: one line a source, and never theirs to shape.

import type { Interaction } from 'tellurion'
import { exactText, inertLine } from './inert.ts'

/** Untrusted sources first, the newest before the others. What they say is quoted. */
export function taintLines(taint: Interaction['taint'] = []): string[] {
  const newest = taint.toReversed()
  const ordered = [
    ...newest.filter(({ level }) => level === 'untrusted'),
    ...newest.filter(({ level }) => level === 'unvouched'),
  ]
  return ordered.map(({ level, kind, name, toolCallId, excerpt }) => {
    const call = toolCallId === undefined ? '' : ` (call ${inertLine(toolCallId)})`
    const said = excerpt === undefined || excerpt === '' ? '' : `: ${JSON.stringify(exactText(inertLine(excerpt)))}`
    return `after ${level} words, ${kind} ${inertLine(name)}${call}${said}`
  })
}
