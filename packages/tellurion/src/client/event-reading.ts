// The events of a run over a connection that may break: read from a cursor, and again from there, so that each kept event
// comes once and in order. Ends with the run.

import { abortReason, childController, isAbort, raceAbort } from '../abort/abort.ts'
import { sleep } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { EventStream } from '../model/event-stream.ts'
import type { EventResource, RunResource } from '../protocol/resource.ts'
import { heartbeatEvery } from '../protocol/socket.ts'
import { backoff, type RetryPolicy } from '../retry/backoff.ts'
import { isRetryable } from '../retry/retry.ts'
import type { Caller } from './caller.ts'
import { noAnswer, unreadable } from './refusal.ts'

/** From where on, and how patiently, a run is read. */
export interface EventReadOptions {
  /** The number of the last event that is known. Default 0: from the beginning. */
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A connection on which nothing came for so long is dead: heartbeats are shorter. */
const silence = heartbeatEvery * 2.5
/** What a stream of events is. */
export const eventStreamType = 'text/event-stream'
/** Characters of one event. */
const longest = 67_108_864

/** Reads. Throws what the server refuses with, `events_dropped` among it, and `server_unreachable` when patience ends. */
export async function* readEvents(
  caller: Caller,
  run: string,
  options: EventReadOptions & { readonly policy: RetryPolicy; readonly opened?: Response | undefined },
): AsyncGenerator<EventResource, void> {
  const { signal, policy } = options
  let { after = 0, opened } = options
  for (let failures = 0; ;) {
    let failure: unknown = noAnswer(caller.baseURL, undefined)
    try {
      const connection = { after, signal, opened }
      opened = undefined
      for await (const event of oneStream(caller, run, connection)) {
        if (event.seq !== undefined) {
          if (event.seq <= after) continue
          if (event.seq > after + 1) throw gap(run, after, event.seq)
          after = event.seq
        }
        failures = 0
        yield event
      }
      const { status, events } = await caller.call('getRun', { parameters: { run }, signal })
      if (hasEnded(status) && events <= after) return
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal)
      if (!isRetryable(error)) throw error
      failure = error
    }
    if (++failures > policy.maxRetries) throw failure
    await sleep(backoff(failures, policy, { random: caller.random }), { clock: caller.clock, signal })
  }
}

/** Whether a run of this status has ended. */
export function hasEnded(status: RunResource['status']): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled' || status === 'timed_out'
}

/** From where a connection reads, or what was opened already. */
interface Connection {
  readonly after: number
  readonly signal: AbortSignal | undefined
  readonly opened: Response | undefined
}

/** What one connection brings; it ends where the server ends it. */
async function* oneStream(
  caller: Caller,
  run: string,
  { after, signal, opened }: Connection,
): AsyncGenerator<EventResource, void> {
  const { clock, baseURL } = caller
  const { controller, detach } = childController(signal)
  const dead = noAnswer(baseURL, undefined, silence)
  // Only while something is waited for: whoever reads may take their time.
  const heard = async <T>(work: Promise<T>): Promise<T> => {
    const stop = clock.timer(silence, () => controller.abort(dead))
    // A body of a server in the same process knows nothing of the request's signal.
    return raceAbort(work, controller.signal).finally(stop)
  }
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  try {
    const response =
      opened ??
      (await heard(
        caller.open('runEvents', {
          parameters: { run },
          headers: { accept: eventStreamType, 'last-event-id': String(after) },
          signal: controller.signal,
        }),
      ))
    if (response.body === null || response.status === 204) return
    const arrived: string[] = []
    const stream = new EventStream(longest, (data) => arrived.push(data))
    const decoder = new TextDecoder()
    reader = response.body.getReader()
    for (;;) {
      const { done, value } = await heard(reader.read())
      if (done) return
      if (!stream.feed(decoder.decode(value, { stream: true }))) throw unreadable(baseURL, undefined)
      for (const data of arrived) yield parsed(data, baseURL)
      arrived.length = 0
    }
  } catch (error) {
    if (error instanceof TellurionError && !isAbort(error)) throw error
    throw controller.signal.aborted ? abortReason(controller.signal) : noAnswer(baseURL, error)
  } finally {
    detach()
    controller.abort()
    reader?.cancel().catch(() => {})
  }
}

function parsed(data: string, baseURL: string): EventResource {
  try {
    return JSON.parse(data) as EventResource
  } catch (error) {
    throw unreadable(baseURL, error)
  }
}

function gap(run: string, after: number, seq: number): TellurionError {
  const text = `The events of run ${run} went from number ${after} to ${seq}.`
  return new TellurionError('invalid_response', text, { retryable: true })
}
