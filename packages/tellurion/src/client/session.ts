// Sessions on a server: chats that remember. What is said in one makes a run; a turn is that run until it has ended or
// waits for a person.

import type { Message, UserInput } from '../message/message.ts'
import type { NewRunRequest, UndoSessionRequest } from '../protocol/request.ts'
import type { BranchResource, RunResource, SessionResource, TodosResource, TurnResource } from '../protocol/resource.ts'
import type { Caller, CallOptions } from './caller.ts'
import { pagesOf, type Pages } from './pages.ts'
import type { RemoteRuns } from './run.ts'
import type { MakeOptions, RemoteTurn } from './turn.ts'

/** How something is said. */
export interface SayOptions extends MakeOptions {
  /** Default the server's first agent. */
  readonly agent?: string
}

/** Sessions. */
export interface RemoteSessions {
  /** Makes a session; the one that is there when it is there and yours. */
  create(options?: CallOptions & { readonly id?: string }): Promise<SessionResource>
  /** Sessions, newest first. */
  list(query?: { readonly limit?: number; readonly cursor?: string }, options?: CallOptions): Pages<SessionResource>
  get(session: string, options?: CallOptions): Promise<SessionResource>
  /** Deletes a session and all that belongs to it. */
  delete(session: string, options?: CallOptions): Promise<void>
  /** What has been said, oldest first, as it stands. */
  messages(session: string, options?: CallOptions): Pages<Message>
  branches(session: string, options?: CallOptions): Pages<BranchResource>
  /** The runs that stand in it, newest first. */
  runs(session: string, options?: CallOptions): Pages<RunResource>
  todos(session: string, options?: CallOptions): Promise<TodosResource>
  /** Goes back by some turns. */
  undo(session: string, request?: UndoSessionRequest, options?: CallOptions): Promise<SessionResource>
  /** Says something and waits for what comes of it. Rejects as `runs.result` does. */
  say(session: string, input: UserInput, options?: SayOptions): Promise<TurnResource>
  /** Says something; the turn can be watched, awaited, or both. */
  stream(session: string, input: UserInput, options?: SayOptions): RemoteTurn
}

/** Makes the part of a client that is about sessions. */
export function remoteSessions(caller: Caller, runs: RemoteRuns): RemoteSessions {
  const listed = <Item>(
    name: 'sessionMessages' | 'sessionBranches' | 'sessionRuns',
    session: string,
    { signal }: CallOptions = {},
  ): Pages<Item> =>
    pagesOf((cursor) => caller.call(name, { parameters: { session }, query: { cursor }, signal }) as never)

  const request = (session: string, input: UserInput, { agent }: SayOptions = {}): NewRunRequest => ({
    session,
    input,
    ...(agent === undefined ? {} : { agent }),
  })

  return {
    // An id of its own makes it the same session when no answer came and it is asked for again.
    create: ({ id = caller.ids('session'), signal } = {}) =>
      caller.call('createSession', { body: { id }, repeatable: true, signal }),
    list: (query = {}, { signal } = {}) =>
      pagesOf((cursor = query.cursor) => caller.call('listSessions', { query: { ...query, cursor }, signal })),
    get: (session, { signal } = {}) => caller.call('getSession', { parameters: { session }, signal }),
    delete: (session, { signal } = {}) => caller.call('deleteSession', { parameters: { session }, signal }),
    messages: (session, options) => listed('sessionMessages', session, options),
    branches: (session, options) => listed('sessionBranches', session, options),
    runs: (session, options) => listed('sessionRuns', session, options),
    todos: (session, { signal } = {}) => caller.call('sessionTodos', { parameters: { session }, signal }),
    undo: (session, body = {}, { signal } = {}) =>
      caller.call('undoSession', { parameters: { session }, body, signal }),
    async say(session, input, options) {
      const { id } = await runs.create(request(session, input, options), options)
      return runs.result(id, options)
    },
    stream: (session, input, options) => runs.start(request(session, input, options), options),
  }
}
