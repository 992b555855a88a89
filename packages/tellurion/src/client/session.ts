// Sessions on a server: chats that remember. What is said in one makes a run; a turn is that run until it has ended or
// waits for a person.

import type { Message, UserInput } from '../message/message.ts'
import type { UndoSessionRequest } from '../protocol/request.ts'
import type {
  BranchResource,
  EventResource,
  RunResource,
  SessionResource,
  TodosResource,
  TurnResource,
} from '../protocol/resource.ts'
import type { Caller, CallOptions } from './caller.ts'
import { pagesOf, type Pages } from './pages.ts'
import type { MakeOptions, RemoteRuns } from './run.ts'

/** How something is said. */
export interface SayOptions extends MakeOptions {
  /** Default the server's first agent. */
  readonly agent?: string
}

/** A turn that is under way. It goes on whether anybody reads or not. */
export interface RemoteTurn extends AsyncIterable<EventResource> {
  /** The run of this turn, once it was accepted. */
  readonly run: Promise<RunResource>
  /** How it ended, or that it waits for a person. Rejects as `runs.result` does. */
  result(): Promise<TurnResource>
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

  const stream = (session: string, input: UserInput, { agent, ...options }: SayOptions = {}): RemoteTurn => {
    const { signal } = options
    const run = runs.create({ session, input, ...(agent === undefined ? {} : { agent }) }, options)
    // The failure belongs to whoever asks for it.
    run.catch(() => {})
    return {
      run,
      async *[Symbol.asyncIterator]() {
        yield* runs.events((await run).id, { until: 'settled', signal })
      },
      result: async () => runs.result((await run).id, { signal }),
    }
  }

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
    say: (session, input, options) => stream(session, input, options).result(),
    stream,
  }
}
