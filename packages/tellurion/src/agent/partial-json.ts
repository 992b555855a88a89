// The readable part of JSON that is still being written.

/**
 * The value of the longest prefix that makes sense: open strings, arrays and objects are closed, a half-written key or
 * literal is left out. Undefined when nothing can be read yet, or the text is no JSON.
 */
export function parsePartialJson(text: string): unknown {
  const source = text.replace(/^\s*```(?:json)?\s*\n/, '')
  const { stack, safe, inString } = scan(source)
  const closers = stack.map((open) => (open === '{' ? '}' : ']')).reverse()
  if (inString) {
    const value = tryParse(`${trimEscape(source)}"${closers.join('')}`)
    if (value !== undefined) return value
  }
  const whole = tryParse(source + closers.join(''))
  if (whole !== undefined) return whole
  return safe === undefined ? undefined : tryParse(source.slice(0, safe.end) + safe.closers)
}

/** Follows the structure; `safe` is the last place where everything before it was whole. */
function scan(source: string): {
  stack: string[]
  safe: { end: number; closers: string } | undefined
  inString: boolean
} {
  const stack: string[] = []
  let safe: { end: number; closers: string } | undefined
  let inString = false
  const mark = (end: number): void => {
    safe = {
      end,
      closers: stack
        .map((open) => (open === '{' ? '}' : ']'))
        .reverse()
        .join(''),
    }
  }
  for (let index = 0; index < source.length; index++) {
    const character = source[index]
    if (inString) {
      if (character === '\\') index++
      else if (character === '"') inString = false
      continue
    }
    if (character === '"') inString = true
    else if (character === '{' || character === '[') {
      stack.push(character)
      mark(index + 1)
    } else if (character === '}' || character === ']') {
      stack.pop()
      mark(index + 1)
    } else if (character === ',') mark(index)
  }
  return { stack, safe, inString }
}

/** Without an escape that has only begun. */
function trimEscape(source: string): string {
  const cut = source.replace(/\\u[0-9a-fA-F]{0,3}$/, '')
  const slashes = /\\+$/.exec(cut)?.[0].length ?? 0
  return slashes % 2 === 1 ? cut.slice(0, -1) : cut
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
