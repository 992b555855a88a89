// A terminal that is opened when the first line is asked for, and closed behind it: until then Ctrl-C is a signal.

import { openLineInput, type LineInput } from './line-input.ts'
import type { Host } from './setting.ts'

/** Lines from the terminal, asked for beside the answers; undefined where nobody sits at one. */
export function lateLines(host: Host, onInterrupt: () => void): LineInput | undefined {
  if (!host.stdin.isTTY || !host.stderr.isTTY) return undefined
  let open: LineInput | undefined
  return {
    interactive: true,
    async next(prompt, options) {
      open = openLineInput({ stdin: host.stdin, stdout: host.stderr }, () => {
        onInterrupt()
        open?.cancel()
      })
      try {
        return await open.next(prompt, options)
      } finally {
        open.close()
      }
    },
    get typing() {
      return open?.typing ?? false
    },
    cancel: () => open?.cancel(),
    discard: (hint) => open?.discard(hint),
    close: () => open?.close(),
  }
}
