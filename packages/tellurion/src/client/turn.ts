// Turns: a run that is made and watched by one request, so that its first words are not missed, until it has ended or
// waits for a person.

import type { NewRunRequest } from '../protocol/request.ts'
import type { EventResource, RunResource, TurnResource } from '../protocol/resource.ts'
import type { Caller, CallOptions } from './caller.ts'
import { eventStreamType, type EventReadOptions } from './event-reading.ts'

/** What a call that makes something also takes. */
export interface MakeOptions extends CallOptions {
  /** The same key makes the same thing once, however often it is asked for. Default: a new one each call. */
  readonly key?: string
}

/** How a run is watched. */
export interface WatchOptions extends EventReadOptions {
  /** `settled` also ends where the run waits for a person. Default `ended`. */
  readonly until?: 'ended' | 'settled'
}

/** How a run is watched whose stream was opened already. */
export interface OpenedWatch extends WatchOptions {
  readonly opened?: Response | undefined
}

/** A turn that is under way. It goes on whether anybody reads or not. */
export interface RemoteTurn extends AsyncIterable<EventResource> {
  /** The id of its run, once that was accepted. */
  readonly id: Promise<string>
  /** The run as it stands. */
  readonly run: Promise<RunResource>
  /** How it ended, or that it waits for a person. Rejects as `runs.result` does. */
  result(): Promise<TurnResource>
}

/** What a turn needs of the runs of a client. */
export interface TurnDesk {
  readonly caller: Caller
  readonly watch: (run: string, options: OpenedWatch) => AsyncGenerator<EventResource, void>
  readonly result: (run: string, options: CallOptions) => Promise<TurnResource>
  readonly get: (run: string, options: CallOptions) => Promise<RunResource>
}

/** Makes a run and begins to watch it. A second reader begins anew; a server that opens no stream is asked for one. */
export function startedTurn(
  body: NewRunRequest,
  { signal, key }: MakeOptions = {},
  { caller, watch, result, get }: TurnDesk,
): RemoteTurn {
  let read = false
  const making = (async (): Promise<{ readonly id: string; readonly opened?: Response }> => {
    const headers = { accept: `${eventStreamType}, application/json` }
    const asked = { body, key: key ?? caller.ids('key'), headers, signal }
    const opened = await caller.openAgain('createRun', asked)
    const id = opened.headers.get('x-run-id')
    if (id !== null && opened.headers.get('content-type')?.startsWith(eventStreamType)) return { id, opened }
    await opened.body?.cancel()
    return caller.call('createRun', asked)
  })()
  const accepted = making.then(({ id }) => id)
  // The failure belongs to whoever asks for it.
  accepted.catch(() => {})
  return {
    id: accepted,
    get run() {
      return making.then(({ id }) => get(id, { signal }))
    },
    async *[Symbol.asyncIterator]() {
      const { id, opened } = await making
      const first = read ? undefined : opened
      read = true
      yield* watch(id, { until: 'settled', signal, opened: first })
    },
    async result() {
      const { id, opened } = await making
      try {
        return await result(id, { signal })
      } finally {
        if (!read) opened?.body?.cancel().catch(() => {})
        read = true
      }
    },
  }
}
