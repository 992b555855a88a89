// The events of a run until a person is needed. Who is asked may be asked by the run or by what works for it; the latter
// shows in no event of the run, so while a run waits the server is asked beside them.

import { childController } from '../abort/abort.ts'
import type { EventResource } from '../protocol/resource.ts'

/** Where the events come from, and who knows whether that is all for now. */
export interface SettledReading {
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly read: (signal: AbortSignal) => AsyncGenerator<EventResource, void>
  /** Resolves when the run waits for a person, or not any more: whether it does, and number `seen` was its last event. */
  readonly settled: (seen: number, signal: AbortSignal) => Promise<boolean>
}

/** Reads; what `settled` rejects with is nothing that the events would not tell. */
export async function* untilSettled(reading: SettledReading): AsyncGenerator<EventResource, void> {
  const { controller, detach } = childController(reading.signal)
  const events = reading.read(controller.signal)
  let seen = reading.after ?? 0
  let next = events.next()
  try {
    for (;;) {
      const { done, value: event } = await next
      if (done === true) return
      seen = event.seq ?? seen
      yield event
      next = events.next()
      if (event.type === 'run.waiting' && (await isAll(next, seen, reading))) return
    }
  } finally {
    // Nobody waits for what comes after the last that was wanted.
    next.catch(() => {})
    controller.abort()
    void events.return()
    detach()
  }
}

/** Whether nothing comes before a person is needed. */
async function isAll(next: Promise<unknown>, seen: number, { settled, signal }: SettledReading): Promise<boolean> {
  const { controller, detach } = childController(signal)
  const more = next.then(
    () => false,
    () => false,
  )
  try {
    return await Promise.race([more, settled(seen, controller.signal).catch(() => false)])
  } finally {
    controller.abort()
    detach()
  }
}
