// The readable part of JSON that is still being written. The work grows with the length of the text and no faster,
// whatever a model writes.

import { maxJsonDepth } from '../schema/plain-json.ts'
import { withoutOpeningFence } from './fence.ts'

/**
 * The value of the longest prefix that makes sense: open strings, arrays and objects are closed, a half-written key or
 * literal is left out. Undefined when nothing can be read yet, the text is no JSON, or it is nested deeper than JSON may be.
 */
export function parsePartialJson(text: string): unknown {
  const source = withoutOpeningFence(text)
  const { open, deepest, whole, inString } = scan(source)
  if (deepest > maxJsonDepth) return undefined
  if (inString) {
    const value = tryParse(`${source.slice(0, escapeStart(source))}"${closersOf(open)}`)
    if (value !== undefined) return value
  }
  const value = tryParse(source + closersOf(open))
  if (value !== undefined || whole === undefined) return value
  const prefix = source.slice(0, whole)
  return tryParse(prefix + closersOf(scan(prefix).open))
}

/** Follows the structure: what is open at the end, and `whole`, the last place where everything before it was whole. */
function scan(source: string): { open: string[]; deepest: number; whole: number | undefined; inString: boolean } {
  const open: string[] = []
  let deepest = 0
  let whole: number | undefined
  let inString = false
  for (let index = 0; index < source.length; index++) {
    const character = source[index]!
    if (inString) {
      if (character === '\\') index++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') {
      deepest = Math.max(deepest, open.push(character))
      whole = index + 1
    } else if (character === '}' || character === ']') {
      open.pop()
      whole = index + 1
    } else if (character === ',') whole = index
  }
  return { open, deepest, whole, inString }
}

/** What closes all that is open, the last first. */
function closersOf(open: readonly string[]): string {
  let closers = ''
  for (const opening of open) closers = (opening === '{' ? '}' : ']') + closers
  return closers
}

/** Where an escape begins that has only begun; the end of the text where there is none. */
function escapeStart(source: string): number {
  const last = source.lastIndexOf('\\')
  let slashes = 0
  while (source[last - slashes] === '\\') slashes++
  // Two of them are a whole escape, which stands for one.
  const begun = slashes % 2 === 1 && /^(?:u[0-9a-fA-F]{0,3})?$/.test(source.slice(last + 1, last + 6))
  return begun ? last : source.length
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
