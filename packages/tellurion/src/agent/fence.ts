// The Markdown fence that models like to put around JSON, taken off in one pass over the text.

/** What stands in a fence, where a fence is all that a text is; else the text, without blanks and marks around it. */
export function unfenced(text: string): string {
  // Trimming takes a byte order mark away too, which JSON does not know.
  const whole = text.trim()
  const start = fenceEnd(whole)
  const isFence = start > 0 && whole.endsWith('```') && whole.length - 3 >= start
  return isFence ? whole.slice(start, -3) : whole
}

/** A text without the line that opens a fence around it, closed or not. */
export function withoutOpeningFence(text: string): string {
  const whole = text.trimStart()
  return whole.slice(fenceEnd(whole))
}

/** Where the line ends that opens a fence around JSON; 0 where there is none. */
function fenceEnd(text: string): number {
  const line = text.startsWith('```') ? text.indexOf('\n') : -1
  return line > 0 && /^(?:json)?$/.test(text.slice(3, line).trim()) ? line + 1 : 0
}
