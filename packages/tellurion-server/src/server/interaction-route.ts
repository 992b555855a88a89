// Routes of interactions: what waits for a person, across runs, and the answers.

import { z } from 'zod'
import type { InteractionResource, Page } from 'tellurion/protocol'
import type { RunRecord } from 'tellurion/runtime'
import { RequestError } from './failure.ts'
import { operation } from './operation.ts'
import { listed, ownRun } from './own.ts'
import { paged, pageOf, pageQuery } from './page.ts'
import { id } from './schema-part.ts'
import { runResource } from './schema-run.ts'
import { answerRequest, interactionResource } from './schema-tool.ts'
import type { Call } from './setting.ts'
import { shownRun } from './show.ts'

function openOf({ id: run, agent, session, interactions }: RunRecord): InteractionResource[] {
  return interactions.map((interaction) => ({ ...interaction, run, agent, session }))
}

/** What is open, newest runs first: all that the runs of a page ask. */
export const listInteractions = operation('listInteractions', {
  query: z.strictObject({
    agent: id.exactOptional(),
    session: id.exactOptional(),
    ...pageQuery,
    limit: pageQuery.limit.meta({ description: 'Runs of the page; each brings all that it asks.' }),
  }),
  answer: pageOf(interactionResource),
  handle: async ({ setting, identity, query }): Promise<Page<InteractionResource>> => {
    const { limit: _limit, cursor: _cursor, ...filter } = query
    const page = await paged(query, {
      read: ({ limit, after }) =>
        setting.runtime.runs({
          ...filter,
          ...listed(identity),
          asking: true,
          limit,
          ...(after === undefined ? {} : { before: after }),
        }),
      placeOf: (run) => run.id,
    })
    return { ...page, items: page.items.flatMap(openOf) }
  },
})

/** The run of the caller that asks. Ids come from agents: two runs may have the same. */
async function asking(call: Call<{ interaction: string }>): Promise<string> {
  const { setting, identity, parameters } = call
  const open = await setting.runtime.interactions.list(listed(identity))
  const found = open.filter((each) => each.id === parameters.interaction)
  if (found.length > 1) {
    throw new RequestError(
      'invalid_request',
      `${found.length} runs ask '${parameters.interaction}': say which, with run.`,
    )
  }
  if (found[0] !== undefined) return found[0].run
  throw new RequestError('unknown_interaction', `No open interaction has the id '${parameters.interaction}'.`)
}

/** Answers, once. */
export const answerInteraction = operation('answerInteraction', {
  parameters: z.object({
    interaction: z.string().regex(/^[\w.:-]{1,200}$/, 'is no id of an interaction'),
  }),
  body: answerRequest,
  answer: runResource,
  handle: async (call) => {
    const { setting, identity, parameters, body } = call
    const run = body.run === undefined ? await asking(call) : (await ownRun(call, body.run)).id
    await setting.runtime.interactions.answer(parameters.interaction, body.answer, { by: identity.user, run })
    return shownRun(await setting.runtime.run(run).record())
  },
})
