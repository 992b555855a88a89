// The lines that a server writes to standard error: to the log, cleaned, and the last of them kept for whoever asks why it
// ended. A server that writes without end fills nothing.

import type { Clock } from '../clock/clock.ts'
import type { Log } from '../port/log.ts'
import { cleanLine } from './clean-text.ts'

/** Takes lines and keeps the last. */
export interface ServerLog {
  take(line: string): void
  last(): readonly string[]
}

const kept = 20
const longest = 500
/** Lines that go to the log in a second. */
const perSecond = 50

/** A log of one server. */
export function createServerLog(
  server: string,
  { log, clock }: { readonly log: Log | undefined; readonly clock: Clock },
): ServerLog {
  const lines: string[] = []
  let since = -Infinity
  let count = 0
  return {
    take(line) {
      const text = cleanLine(line, longest)
      if (text === '') return
      lines.push(text)
      if (lines.length > kept) lines.shift()
      if (clock.monotonic() - since >= 1_000) {
        since = clock.monotonic()
        count = 0
      }
      if (++count <= perSecond) log?.debug('mcp.stderr', { server, line: text })
      else if (count === perSecond + 1) log?.debug('mcp.stderr', { server, line: '[more than can be logged]' })
    },
    last: () => [...lines],
  }
}
