// The end of a run, as somebody waits for it who has ended it.

import { hasEnded, type RunHandle, type RunRecord } from 'tellurion/runtime'
import type { Call } from './setting.ts'

/** How long nobody looks when no hint comes, in milliseconds. */
const lookAgain = 250

/** The run when it has ended, or as it stands after `wait` milliseconds or when the client has gone. */
export async function untilEnded({ setting, signal }: Call, run: RunHandle, wait: number): Promise<RunRecord> {
  const { runtime, clock } = setting
  const last = clock.monotonic() + wait
  for (;;) {
    const news = Promise.withResolvers<void>()
    const wake = (): void => news.resolve()
    const stops = [
      runtime.changes((changed) => {
        if (changed === run.id) wake()
      }),
      clock.timer(lookAgain, wake),
    ]
    signal.addEventListener('abort', wake)
    try {
      const record = await run.record()
      if (hasEnded(record.status) || signal.aborted || clock.monotonic() >= last) return record
      await news.promise
    } finally {
      signal.removeEventListener('abort', wake)
      for (const stop of stops) stop()
    }
  }
}
