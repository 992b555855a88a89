// JSON inside prose: what a model was asked to answer alone, and put between words or into a fence all the same. The work
// is bounded, whatever a model writes.

import { unfenced } from './fence.ts'

/** Characters of a text that are looked at. */
const longestText = 200_000
/** Places of a text that are tried. */
const mostTries = 32

/** Where an array or object may begin: what follows looks like JSON, unlike a link or a footnote. */
const opening = /\[(?=\s*["[{\]\d-])|\{(?=\s*["}])/g

/**
 * What `read` makes of the first JSON value in a text that it accepts, by returning something else than undefined: the
 * whole text (in a fence or not), or an array or object that stands in it. Never throws for what a text holds.
 */
export function findJson<T>(text: string, read: (value: unknown, isWhole: boolean) => T | undefined): T | undefined {
  const bounded = text.slice(0, longestText)
  const whole = parsed(unfenced(bounded))
  if (whole !== undefined) return read(whole, true)
  let tries = 0
  for (const { index } of bounded.matchAll(opening)) {
    if (++tries > mostTries) return undefined
    const end = endOf(bounded, index)
    const value = end === undefined ? undefined : parsed(bounded.slice(index, end))
    const found = value === undefined ? undefined : read(value, false)
    if (found !== undefined) return found
  }
  return undefined
}

/** Where the bracket at `start` is closed; brackets in strings do not count. Undefined when it never is. */
function endOf(text: string, start: number): number | undefined {
  let depth = 0
  let quoted = false
  for (let index = start; index < text.length; index++) {
    const character = text[index]
    if (quoted) {
      if (character === '\\') index++
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '[' || character === '{') depth++
    else if ((character === ']' || character === '}') && --depth === 0) return index + 1
  }
  return undefined
}

/** A parsed text; undefined where it is no JSON, and for a bare null. */
function parsed(text: string): unknown {
  try {
    return (JSON.parse(text) as unknown) ?? undefined
  } catch {
    return undefined
  }
}
