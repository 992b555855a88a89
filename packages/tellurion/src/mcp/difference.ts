// What differs between two definitions of a tool, in lines for the operator who decides about it. Bounded; everything that
// a server wrote is cleaned before it is shown.

import type { Json } from '../schema/json.ts'
import { cleanLine } from './clean-text.ts'

const maxLines = 20
const maxShown = 200

/** Lines such as `description: "Adds" → "Adds, and sends"`, one for each place that differs, at most 20. */
export function differenceLines(before: Json | undefined, after: Json | undefined): string[] {
  const lines: string[] = []
  compare(before, after, [], lines)
  return lines.length > maxLines ? [...lines.slice(0, maxLines), 'and more'] : lines
}

function compare(before: Json | undefined, after: Json | undefined, path: readonly string[], lines: string[]): void {
  if (before === after || lines.length > maxLines) return
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(before[key], after[key], [...path, key], lines)
    }
    return
  }
  const place = path.length === 0 ? 'definition' : cleanLine(path.join('.'), maxShown)
  if (before === undefined) lines.push(`${place}: added ${shown(after)}`)
  else if (after === undefined) lines.push(`${place}: removed ${shown(before)}`)
  else lines.push(`${place}: ${shown(before)} → ${shown(after)}`)
}

function isContainer(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null
}

function shown(value: Json | undefined): string {
  const text = JSON.stringify(value ?? null)
  const clean = cleanLine(text, maxShown)
  // What differs only in characters that nobody sees would look the same.
  return clean === text.replaceAll(/\s+/g, ' ').trim() || text.length > maxShown
    ? clean
    : `${clean} (with ${text.length - clean.length} hidden characters)`
}
