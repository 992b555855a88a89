// Routes of runs: make them, look at them, wait for them, end them. Tasks are the same under the reference's name.

import { z } from 'zod'
import type { Page, RunResource } from 'tellurion/protocol'
import { hasEnded, type RunHandle } from 'tellurion/runtime'
import { wantsStream } from './accept.ts'
import { untilEnded } from './end.ts'
import type { Identity } from './identity.ts'
import { operation } from './operation.ts'
import { listed, owns, ownRun } from './own.ts'
import { paged, pageOf, pageQuery, slicePage } from './page.ts'
import { messageResource } from './schema-message.ts'
import { flag, id, pathId, wholeNumber } from './schema-part.ts'
import { newRunRequest, newTaskRequest, runResource, runStatus, turnResource } from './schema-run.ts'
import type { Call } from './setting.ts'
import { shownRun } from './show.ts'
import { eventStream } from './stream.ts'
import { submit } from './submission.ts'
import { turnOf } from './turn.ts'

/** Milliseconds that a request waits for a run when it does not say how long. */
const usualWait = 60_000

/** The id of a run in a path. */
export const runParameters = z.object({ run: pathId })

/** One status, or several with commas or repeated. */
const statuses = z
  .preprocess((given) => [given].flat().flatMap((each) => String(each).split(',')), z.array(runStatus))
  .meta({ description: 'One status or several.' })

const runQuery = z.strictObject({
  status: statuses.exactOptional(),
  agent: id.exactOptional(),
  session: id.exactOptional(),
  parent: id.exactOptional(),
  asking: flag.exactOptional().meta({ description: 'Only runs that ask a person.' }),
  ...pageQuery,
})

/** Runs that the caller may see, newest first, a page. */
async function runPage({ setting, identity }: Call, query: z.output<typeof runQuery>): Promise<Page<RunResource>> {
  const { limit: _limit, cursor: _cursor, asking, ...filter } = query
  const { runtime } = setting
  const page = await paged(query, {
    read: ({ limit, after }) =>
      runtime.runs({
        ...filter,
        ...(asking === true ? { asking } : {}),
        ...listed(identity),
        limit,
        ...(after === undefined ? {} : { before: after }),
      }),
    placeOf: (run) => run.id,
    isThere: (run) => isThere(runtime.run(run), identity),
  })
  return { ...page, items: page.items.map(shownRun) }
}

/** Whether a run is there, for somebody: another's is not. */
async function isThere(run: RunHandle, identity: Identity): Promise<boolean> {
  return run.record().then(
    (record) => owns(identity, record),
    () => false,
  )
}

/** Ends a run and answers when its work has stopped, or how it stands when that takes too long. */
async function cancelled(call: Call<{ run: string }>): Promise<RunResource | Response> {
  const { setting, parameters } = call
  await ownRun(call, parameters.run)
  const run = setting.runtime.run(parameters.run)
  await run.cancel()
  const record = await untilEnded(call, run, setting.limits.cancel)
  return hasEnded(record.status) ? shownRun(record) : Response.json(shownRun(record), { status: 202 })
}

const shown = async (call: Call<{ run: string }>): Promise<RunResource> =>
  shownRun(await ownRun(call, call.parameters.run))

/** Makes a run; where a stream is asked for, it is watched from its first moment. */
export const createRun = operation('createRun', {
  body: newRunRequest,
  answer: runResource,
  status: 201,
  location: 'getRun',
  media: ['text/event-stream'],
  handle: async (call) => {
    const { agent, input, session, ...options } = call.body
    const run = await submit(call, { agent, input, session, options })
    if (!wantsStream(call.request)) return shownRun(await run.record())
    return eventStream(call, { run, after: 0, isNew: true, headers: { 'x-run-id': run.id } })
  },
})

/** Makes a run, in the words of tasks. */
export const createTask = operation('createTask', {
  body: newTaskRequest,
  answer: runResource,
  status: 201,
  location: 'getTask',
  handle: async (call) => {
    const { agent, content: input, session_id: session, type: _type, ...options } = call.body
    return shownRun(await (await submit(call, { agent, input, session, options })).record())
  },
})

/** Lists runs. */
export const listRuns = operation('listRuns', {
  query: runQuery,
  answer: pageOf(runResource),
  handle: (call) => runPage(call, call.query),
})

/** Lists runs, as tasks. */
export const listTasks = operation('listTasks', {
  query: runQuery,
  answer: pageOf(runResource),
  handle: (call) => runPage(call, call.query),
})

/** Shows a run. */
export const getRun = operation('getRun', { parameters: runParameters, answer: runResource, handle: shown })

/** Shows a run, as a task. */
export const getTask = operation('getTask', { parameters: runParameters, answer: runResource, handle: shown })

const cancelParts = {
  parameters: runParameters,
  answer: runResource,
  others: { 202: runResource },
  handle: cancelled,
} as const

/** Ends a run. */
export const cancelRun = operation('cancelRun', cancelParts)

/** Ends a run. */
export const deleteRun = operation('deleteRun', cancelParts)

/** Ends a run, as a task. */
export const deleteTask = operation('deleteTask', cancelParts)

/** Waits for a run. */
export const runResult = operation('runResult', {
  parameters: runParameters,
  query: z.strictObject({
    wait: wholeNumber()
      .exactOptional()
      .meta({ description: `Milliseconds at most; the server has its own cap. Default ${usualWait}.` }),
  }),
  answer: turnResource,
  handle: async (call) => {
    const { setting, parameters, query } = call
    await ownRun(call, parameters.run)
    const wait = Math.min(query.wait ?? usualWait, setting.limits.wait)
    return turnOf(call, setting.runtime.run(parameters.run), wait)
  },
})

/** Shows what was said in a run. */
export const runMessages = operation('runMessages', {
  parameters: runParameters,
  query: z.strictObject(pageQuery),
  answer: pageOf(messageResource),
  handle: async (call) => {
    const { setting, parameters, query } = call
    await ownRun(call, parameters.run)
    return slicePage(query, await setting.runtime.run(parameters.run).messages())
  },
})
