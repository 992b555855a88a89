// Streams: the events of a run as server-sent events. A client that has gone cancels nothing; one that does not read is
// dropped, and comes back with the number of the last event it has.

import type { ServerResponse } from 'node:http'
import { hasEnded, type RunHandle } from 'tellurion/runtime'
import { EventLine } from './event-line.ts'
import type { Pulse } from './pulse.ts'
import type { Call } from './setting.ts'
import type { Watching } from './stream-hub.ts'
import { chunks, frameOf, plainEvents, type Telling } from './telling.ts'
import { eventWire, retryAfter, silence } from './wire.ts'

/** Milliseconds after which a client whose stream broke should come again. */
const comeAgain = retryAfter(1000)

/** Which events a stream brings, and how it begins. */
export interface StreamOptions {
  readonly run: RunHandle
  /** The number of the newest event that the client has. */
  readonly after: number
  /** Whether the run was made for this client just now: it is told from its first moment. */
  readonly isNew?: boolean
  /** Default: events as they are. */
  readonly telling?: Telling
  /** What is told before all else. */
  readonly first?: string
  /** Goes out with the stream. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The events of a run after a number, then live ones; each kept one has its number as `id`. Ends with the run; where
 * there is nothing left to tell the answer is 204, at which browsers stop coming again. Throws `unknown_run`,
 * `events_dropped` with the number of the oldest, `invalid_request` for a number that the run has not come to, and
 * `rate_limited`.
 */
export async function eventStream(call: Call, options: StreamOptions): Promise<Response> {
  const { setting, identity } = call
  const { run, after, telling = plainEvents, first, isNew, headers = {} } = options
  const giveBack = setting.streams.seats.take(identity.user)
  let leave = (): void => {}
  const line = new EventLine({ most: setting.limits.waiting, onGone: () => leave() })
  line.outlet.write(comeAgain)
  if (first !== undefined) line.outlet.write(eventWire([{ text: first }]))
  let watching: Watching
  try {
    watching = await setting.streams.hub.watch(run, { after, telling, wire: eventWire, outlet: line.outlet, isNew })
  } catch (error) {
    giveBack()
    throw error
  }
  if (hasEnded(watching.record.status) && after === watching.record.events) {
    watching.stop()
    giveBack()
    return new Response(null, { status: 204, headers })
  }
  setting.connections.streams++
  const stopBeat = setting.streams.pulse.join(() => line.outlet.beat(silence))
  leave = () => watching.stop()
  call.signal.addEventListener('abort', leave)
  void watching.ended.then(() => {
    call.signal.removeEventListener('abort', leave)
    stopBeat()
    giveBack()
    setting.connections.streams--
    line.end()
  })
  if (call.signal.aborted || line.outlet.closed) leave()
  const response = new Response(line.body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      // Proxies that gather answers are asked not to.
      'x-accel-buffering': 'no',
      ...headers,
    },
  })
  lines.set(response, line)
  return response
}

/** Streams that a socket may take without the detour of a web stream. */
const lines = new WeakMap<Response, EventLine>()

/** How a stream of somebody else is held. */
export interface HoldOptions {
  /** Bytes that may wait for its client. */
  readonly most: number
  readonly pulse: Pulse
  /** Called once when it is over. */
  readonly onEnd: () => void
}

/** A stream that something else writes, held as all are: it beats when it is silent, and a client that does not read is dropped. */
export function heldStream(response: Response, { most, pulse, onEnd }: HoldOptions): Response {
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body!.getReader()
  const line = new EventLine({ most, onGone: () => void reader.cancel().catch(() => {}) })
  const stopBeat = pulse.join(() => line.outlet.beat(silence))
  const copy = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      line.outlet.write(value)
    }
  }
  // Where its writer fails it ends, and the client comes again.
  const over = (): void => {
    stopBeat()
    onEnd()
    line.end()
  }
  copy().then(over, over)
  const held = new Response(line.body, { status: response.status, headers: response.headers })
  lines.set(held, line)
  return held
}

/** Writes a stream to Node's response; false for an answer that is no stream. */
export function serveStream(response: Response, outgoing: ServerResponse): boolean {
  const line = lines.get(response)
  if (line === undefined) return false
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.flushHeaders()
  line.serve(outgoing)
  return true
}

/** What is said in a session, watched: the run in a frame, then its turn as a chat shows it. */
export async function messageStream(call: Call, run: RunHandle): Promise<Response> {
  const first = frameOf('task_created', await run.record())
  return eventStream(call, { run, after: 0, telling: chunks, first, headers: { 'x-run-id': run.id } })
}
