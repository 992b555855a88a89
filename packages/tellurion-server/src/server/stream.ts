// Streams: the events of a run as server-sent events. A client that has gone cancels nothing.

import type { RunHandle } from 'tellurion/runtime'
import type { Call } from './setting.ts'

/** Which events a stream brings. */
export interface StreamOptions {
  readonly run: RunHandle
  /** The number of the newest event that the client has. */
  readonly after: number
  /** Goes out with the stream. */
  readonly headers?: Readonly<Record<string, string>>
}

/** The events of a run after a number, then live ones; each kept one has its number as `id`. Ends with the run. */
export function eventStream(call: Call, options: StreamOptions): Response {
  const { run, after, headers = {} } = options
  const events = run.events({ after, signal: call.signal })
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await events.next()
      if (done === true) return controller.close()
      const id = value.seq === undefined ? '' : `id: ${value.seq}\n`
      controller.enqueue(encoder.encode(`${id}event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`))
    },
    async cancel() {
      await events.return()
    },
  })
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', ...headers },
  })
}

/** What is said in a session, watched: the events of its run from the first on. */
export function messageStream(call: Call, run: RunHandle): Response {
  return eventStream(call, { run, after: 0, headers: { 'x-run-id': run.id } })
}
