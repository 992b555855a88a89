// Routes of runs: make them, look at them, list them.

import { z } from 'zod'
import { operation } from './operation.ts'
import { listed, mayUseSession, ownRun } from './own.ts'
import { paged, pageOf, pageQuery } from './page.ts'
import { id, pathId } from './schema-part.ts'
import { newRunRequest, runResource, runStatus } from './schema-run.ts'
import type { Page, RunResource } from 'tellurion/protocol'
import type { Call } from './setting.ts'
import { shownRun } from './show.ts'

/** The id of a run in a path. */
export const runParameters = z.object({ run: pathId })

/** One status, or several with commas or repeated. */
const statuses = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat().flatMap((each) => each.split(',')))
  .pipe(z.array(runStatus))

/** Which runs. */
export const runQuery = z.strictObject({
  status: statuses.exactOptional(),
  agent: id.exactOptional(),
  session: id.exactOptional(),
  parent: id.exactOptional(),
  asking: z
    .enum(['true', 'false'])
    .transform((given) => given === 'true')
    .exactOptional()
    .meta({ description: 'Only runs that ask a person.' }),
  ...pageQuery,
})

type RunQuery = z.output<typeof runQuery>

/** Runs that the caller may see, newest first, a page. */
export async function runPage({ setting, identity }: Call, query: RunQuery): Promise<Page<RunResource>> {
  const { limit: _limit, cursor: _cursor, asking, ...filter } = query
  const page = await paged(
    query,
    ({ limit, after }) =>
      setting.runtime.runs({
        ...filter,
        ...(asking === true ? { asking } : {}),
        ...listed(identity),
        limit,
        ...(after === undefined ? {} : { before: after }),
      }),
    ({ id }) => id,
  )
  return { ...page, items: page.items.map(shownRun) }
}

/** Makes a run. */
export const createRun = operation('createRun', {
  body: newRunRequest,
  answer: runResource,
  status: 201,
  handle: async (call) => {
    const { setting, identity, body, request } = call
    const { agent = setting.agents[0] ?? '', input, ...options } = body
    if (options.session !== undefined) await mayUseSession(call, options.session)
    const key = request.headers.get('idempotency-key')
    const run = await setting.runtime.submit(agent, input, {
      ...options,
      user: identity.user,
      ...(identity.tenant === undefined ? {} : { tenant: identity.tenant }),
      ...(key === null ? {} : { idempotencyKey: key }),
    })
    return shownRun(await run.record())
  },
})

/** Lists runs. */
export const listRuns = operation('listRuns', {
  query: runQuery,
  answer: pageOf(runResource),
  handle: (call) => runPage(call, call.query),
})

/** Shows a run. */
export const getRun = operation('getRun', {
  parameters: runParameters,
  answer: runResource,
  handle: async (call) => shownRun(await ownRun(call, call.parameters.run)),
})
