// Routes that stay open: events of runs, and the WebSocket.

import { z } from 'zod'
import type { EventResource, Page } from 'tellurion/protocol'
import { wantsStream } from './accept.ts'
import { RequestError } from './failure.ts'
import { operation } from './operation.ts'
import { ownRun } from './own.ts'
import { cursorAt, pageOf, pageQuery, placeIn } from './page.ts'
import { runParameters } from './run-route.ts'
import { eventResource } from './schema-event.ts'
import { wholeNumber } from './schema-part.ts'
import { eventStream } from './stream.ts'

/** The number that `Last-Event-ID` says, which goes before the query's. */
function lastEventId({ headers }: Request): number | undefined {
  const given = headers.get('last-event-id')
  if (given === null) return undefined
  if (/^\d{1,15}$/.test(given)) return Number(given)
  throw new RequestError('invalid_request', 'Last-Event-ID is the number of an event: what the stream gave as `id`.')
}

/** The events of a run: a stream, or a page of those that are kept. */
export const runEvents = operation('runEvents', {
  parameters: runParameters,
  query: z.strictObject({
    after: wholeNumber()
      .exactOptional()
      .meta({ description: 'The number of the newest event that is known. Default 0.' }),
    ...pageQuery,
  }),
  answer: pageOf(eventResource),
  media: ['text/event-stream'],
  // A stream that has nothing left to tell.
  others: { 204: undefined },
  handle: async (call): Promise<Page<EventResource> | Response> => {
    const { setting, parameters, query, request } = call
    await ownRun(call, parameters.run)
    const run = setting.runtime.run(parameters.run)
    const asked = lastEventId(request) ?? query.after ?? 0
    if (wantsStream(request)) return eventStream(call, { run, after: asked })
    const { limit = 100, cursor } = query
    const after = cursor === undefined ? asked : Number(placeIn(cursor))
    const items = await run.log({ after, limit })
    const last = items.at(-1)?.seq
    return items.length < limit || last === undefined ? { items } : { items, next: cursorAt(String(last)) }
  },
})

/** Upgrades are taken before requests are read; what comes here did not ask for one. */
export const socket = operation('socket', {
  status: 101,
  handle: () =>
    Promise.reject(
      new RequestError('upgrade_required', 'Connect to /ws with a WebSocket.', {
        upgrade: 'websocket',
        connection: 'upgrade',
      }),
    ),
})
