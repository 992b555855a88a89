// What clients of the WebSocket may ask for: each type of frame with the route whose rights it needs, and what it does.
// The work itself is that of the routes.

import type { ClientFrameType, RouteName, RunResource, ServerFrame, SessionResource } from 'tellurion/protocol'
import { hasEnded, type RunRecord, type RunStatus } from 'tellurion/runtime'
import { steerRun } from './control-route.ts'
import { untilEnded } from './end.ts'
import { answerInteraction } from './interaction-route.ts'
import type { Operation } from './operation.ts'
import { ownRun } from './own.ts'
import { mostItems } from './limit.ts'
import type { ClientFrameOf } from './schema-frame.ts'
import { createSession, getSession, sessionMessages } from './session-route.ts'
import { shownRun } from './show.ts'
import type { SocketClient } from './socket-client.ts'
import { newSession, offered, submit } from './submission.ts'
import { frameOf } from './telling.ts'

/** What one type of frame does. */
export interface Deed<Type extends ClientFrameType> {
  /** The route whose scope it needs. */
  readonly route: RouteName
  /** Resolves when the next frame may be taken. Throws what the client is told. */
  readonly do: (client: SocketClient, frame: ClientFrameOf<Type>) => Promise<void> | void
}

const live: readonly RunStatus[] = ['queued', 'running', 'waiting', 'paused']
/** Runs that a list of tasks shows. */
const mostListed = 100

/** Everything that may be asked for. */
export const deeds: { readonly [Type in ClientFrameType]: Deed<Type> } = {
  chat: { route: 'createMessage', do: say },
  message: { route: 'createMessage', do: say },
  create_session: {
    route: 'createSession',
    async do(client, { id, session_id }) {
      const body = session_id === undefined ? {} : { id: session_id }
      const data = await asked<SessionResource>(client, createSession, { body })
      client.send({ ...idOf(id), type: 'session_created', session_id: data.id, data })
    },
  },
  join_session: {
    route: 'getSession',
    async do(client, { id, session_id }) {
      const data = await sessionOf(client, session_id)
      client.join(session_id)
      client.send({ ...idOf(id), type: 'session_joined', session_id, data })
      const runs = await client.setting.runtime.runs({ session: session_id, status: live, limit: mostListed })
      for (const record of runs.toReversed()) {
        client.sendText(frameOf('task_updated', record))
        await client.chat(record, record.events)
      }
    },
  },
  leave_session: {
    route: 'getSession',
    async do(client, { id, session_id }) {
      client.leave(session_id)
      const data = await sessionOf(client, session_id)
      client.send({ ...idOf(id), type: 'session_left', session_id, data })
    },
  },
  subscribe_tasks: {
    route: 'listRuns',
    async do(client, { id, run_id, after = 0, as }) {
      if (run_id !== undefined) {
        const record = await ownRun(client.call({}), run_id)
        client.sendText(frameOf('task_updated', record, id))
        return as === 'chat' ? client.chat(record, after) : client.follow(record, after)
      }
      client.followTasks()
      const { runtime } = client.setting
      const runs = await runtime.runs({ user: client.identity.user, status: live, limit: mostListed })
      client.send({ ...idOf(id), type: 'tasks_update', data: runs.map(shownRun) })
    },
  },
  get_session_history: {
    route: 'sessionMessages',
    async do(client, { id, session_id }) {
      const data = await historyOf(client, session_id)
      client.send({ ...idOf(id), type: 'session_history', session_id, data })
    },
  },
  steer: {
    route: 'steerRun',
    async do(client, { id, run_id, content: input }) {
      const run = await asked<RunResource>(client, steerRun, { parameters: { run: run_id }, body: { input } })
      client.send(updated(run, id))
    },
  },
  answer: {
    route: 'answerInteraction',
    async do(client, { id, interaction_id, answer, run_id }) {
      const parts = {
        parameters: { interaction: interaction_id },
        body: { answer, ...(run_id === undefined ? {} : { run: run_id }) },
      }
      client.send(updated(await asked<RunResource>(client, answerInteraction, parts), id))
    },
  },
  cancel: {
    route: 'cancelRun',
    async do(client, { id, run_id }) {
      const call = client.call({})
      await ownRun(call, run_id)
      const run = client.setting.runtime.run(run_id)
      await run.cancel()
      // Other frames need not wait for that.
      untilEnded(call, run, client.setting.limits.wait).then(
        (record) => client.sendText(stopped(record, id)),
        (error: unknown) => client.refuse(error, id),
      )
    },
  },
  ping: {
    route: 'socket',
    do: (client, { id }) => client.send({ ...idOf(id), type: 'pong' }),
  },
}

/** Says something: a run in the session that is named, or in a new one. */
async function say(client: SocketClient, frame: ClientFrameOf<'chat'> | ClientFrameOf<'message'>): Promise<void> {
  const { id, content: input, agent, key } = frame
  const call = client.call({ key })
  const session = frame.session_id ?? newSession(call)
  if (frame.session_id === undefined) {
    // No session is made for what cannot be said.
    offered(call, agent)
    const data = await asked<SessionResource>(client, createSession, { body: { id: session } })
    client.send({ ...idOf(id), type: 'session_created', session_id: session, data })
  }
  const run = await submit(call, { agent, input, session })
  const record = await run.record()
  client.sendText(frameOf('task_created', record, id))
  await client.chat(record, 0)
}

/** What a route answers. */
async function asked<Answer>(
  client: SocketClient,
  { handle }: Operation,
  parts: { readonly parameters?: object; readonly body?: object; readonly query?: object },
): Promise<Answer> {
  return (await handle(client.call(parts))) as Answer
}

function sessionOf(client: SocketClient, session: string): Promise<SessionResource> {
  return asked(client, getSession, { parameters: { session } })
}

/** Everything that has been said, page by page. */
async function historyOf(
  client: SocketClient,
  session: string,
): Promise<(ServerFrame & { type: 'session_history' })['data']> {
  type Messages = { items: (ServerFrame & { type: 'session_history' })['data']; next?: string }
  const parameters = { session }
  const said: Messages['items'][number][] = []
  for (let cursor: string | undefined; ;) {
    const query = { limit: mostItems, ...(cursor === undefined ? {} : { cursor }) }
    const { items, next } = await asked<Messages>(client, sessionMessages, { parameters, query })
    said.push(...items)
    if (next === undefined) return said
    cursor = next
  }
}

/** How a run stands that was told to end. */
function stopped(record: RunRecord, id: string | undefined): string {
  return frameOf(hasEnded(record.status) ? 'task_completed' : 'task_updated', record, id)
}

function updated(run: RunResource, id: string | undefined): ServerFrame {
  return { ...idOf(id), type: 'task_updated', session_id: run.session, run_id: run.id, data: run }
}

const idOf = (id: string | undefined): { readonly id?: string } => (id === undefined ? {} : { id })
