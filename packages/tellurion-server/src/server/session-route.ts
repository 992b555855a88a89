// Routes of sessions: chats that remember, their messages, branches, runs and todos.

import { z } from 'zod'
import { todoProgress, Todos, type Todo } from 'tellurion/agent'
import type { SessionResource } from 'tellurion/protocol'
import type { DurableSession, SessionRecord } from 'tellurion/runtime'
import { RequestError } from './failure.ts'
import { operation } from './operation.ts'
import { listed, owns, ownSession } from './own.ts'
import { paged, pageOf, pageQuery, slicePage } from './page.ts'
import { message } from './schema-message.ts'
import { id, pathId } from './schema-part.ts'
import { runResource } from './schema-run.ts'
import {
  branchResource,
  newSessionRequest,
  sessionResource,
  todosResource,
  undoSessionRequest,
} from './schema-session.ts'
import type { Call } from './setting.ts'
import { shownRun } from './show.ts'
import { offered } from './submission.ts'

/** Runs of a session that are looked at. */
const mostRuns = 1000

const parameters = z.object({ session: pathId })

type SessionCall = Call<{ session: string }>

function shown({ own: _own, ...session }: SessionRecord): SessionResource {
  return session
}

/** The chat of a session, when it is the caller's, with the agent that spoke in it last. */
async function chatOf(call: SessionCall, agent?: string): Promise<DurableSession> {
  const { runtime } = call.setting
  const { id: session, user } = await ownSession(call, call.parameters.session)
  const known = agent ?? (await runtime.runs({ session, limit: 1 }))[0]?.agent
  const name = known !== undefined && runtime.agents.find(known) !== undefined ? known : offered(call, agent)
  return runtime.session(name, { id: session, user })
}

/** Makes a session; the one that is there when it is there and the caller's. */
export const createSession = operation('createSession', {
  body: newSessionRequest,
  bodyOptional: true,
  answer: sessionResource,
  status: 201,
  location: 'getSession',
  handle: async ({ setting, identity, body }) => {
    const session = await setting.runtime.createSession({ ...body, user: identity.user })
    if (owns(identity, session)) return shown(session)
    // Whose it is stays unsaid; that the id is taken cannot.
    throw new RequestError('duplicate_name', `The id '${session.id}' is taken; choose another.`)
  },
})

/** Named sessions, newest first. */
export const listSessions = operation('listSessions', {
  query: z.strictObject(pageQuery),
  answer: pageOf(sessionResource),
  handle: async ({ setting, identity, query }) => {
    const { runtime } = setting
    const page = await paged(query, {
      read: ({ limit, after }) =>
        runtime.sessions({
          ...listed(identity),
          named: true,
          limit,
          ...(after === undefined ? {} : { before: after }),
        }),
      placeOf: (session) => session.id,
      isThere: async (id) => {
        const session = await runtime.getSession(id)
        return session !== undefined && owns(identity, session)
      },
    })
    return { ...page, items: page.items.map(shown) }
  },
})

/** Shows a session. */
export const getSession = operation('getSession', {
  parameters,
  answer: sessionResource,
  handle: async (call) => shown(await ownSession(call, call.parameters.session)),
})

/** Deletes a session and all that belongs to it. */
export const deleteSession = operation('deleteSession', {
  parameters,
  handle: async (call) => {
    const { id: session } = await ownSession(call, call.parameters.session)
    await call.setting.runtime.deleteSession(session)
  },
})

/** What has been said, as it stands. */
export const sessionMessages = operation('sessionMessages', {
  parameters,
  query: z.strictObject({
    agent: id.exactOptional().meta({ description: 'Whose conversation. Default: of the agent that spoke last.' }),
    ...pageQuery,
  }),
  answer: pageOf(message),
  handle: async (call) => {
    const chat = await chatOf(call, call.query.agent)
    return slicePage(call.query, await chat.messages())
  },
})

/** The branches of a session, oldest first. */
export const sessionBranches = operation('sessionBranches', {
  parameters,
  query: z.strictObject(pageQuery),
  answer: pageOf(branchResource),
  handle: async (call) => {
    const { id: session, branch } = await ownSession(call, call.parameters.session)
    const branches = await call.setting.runtime.branches(session)
    const items = branches.map(({ session: _session, ...each }) => ({ ...each, head: each.id === branch }))
    return slicePage(call.query, items)
  },
})

/** The runs that stand in a session, newest first. */
export const sessionRuns = operation('sessionRuns', {
  parameters,
  query: z.strictObject(pageQuery),
  answer: pageOf(runResource),
  handle: async (call) => {
    const runs = await (await chatOf(call)).runs(mostRuns)
    return paged(call.query, {
      read: async ({ limit, after }) => {
        const from = after === undefined ? 0 : runs.findIndex((run) => run.id === after) + 1
        return (after === undefined || from > 0 ? runs.slice(from, from + limit) : []).map(shownRun)
      },
      placeOf: (run) => run.id,
      isThere: async (place) => runs.some((run) => run.id === place),
    })
  },
})

/** The todos of a session's agents. */
export const sessionTodos = operation('sessionTodos', {
  parameters,
  answer: todosResource,
  handle: async (call) => {
    const chat = await chatOf(call)
    const todos: Todo[] = []
    for (const [, [log]] of (await chat.world()).query(Todos)) todos.push(...log)
    return { todos, progress: todoProgress(todos) }
  },
})

/** Goes back by some turns. */
export const undoSession = operation('undoSession', {
  parameters,
  body: undoSessionRequest,
  bodyOptional: true,
  answer: sessionResource,
  handle: async (call) => {
    await (await chatOf(call)).undo(call.body)
    return shown(await ownSession(call, call.parameters.session))
  },
})
