// Schemas of the frames of the WebSocket: what clients may send is checked against them, and the page about the socket is
// written from both sides.

import { z } from 'zod'
import type { ClientFrame, ClientFrameType, ServerFrame, ServerFrameType } from 'tellurion/protocol'
import { schemaOf } from './schema.ts'
import { eventResource } from './schema-event.ts'
import { message, messageResource } from './schema-message.ts'
import { id, instant, userInput } from './schema-part.ts'
import { runResource } from './schema-run.ts'
import { sessionResource } from './schema-session.ts'
import { answer } from './schema-tool.ts'

/** A frame of one type. */
export type ClientFrameOf<Type extends ClientFrameType> = ClientFrame & { readonly type: Type }
type ServerFrameOf<Type extends ServerFrameType> = ServerFrame & { readonly type: Type }

/** What comes back in the answer to a frame. */
export const frameId = z.string().regex(/^[\x20-\x7e]{1,256}$/, 'must be 1 to 256 printable characters')

const optionalId = frameId.exactOptional()

const said = {
  id: optionalId,
  content: userInput,
  session_id: id.exactOptional().meta({ description: 'Default: a new session.' }),
  agent: id.exactOptional().meta({ description: 'Default: the first agent of the server.' }),
  key: z
    .string()
    .regex(/^[\x20-\x7e]{1,256}$/, 'must be 1 to 256 printable characters')
    .exactOptional()
    .meta({ description: 'The same key is the same run, also over another connection.' }),
}
const about = (what: string): { description: string } => ({ description: what })

/** What a client may send, by type. */
export const clientFrames: { readonly [Type in ClientFrameType]: z.ZodType<ClientFrameOf<Type>> } = {
  chat: schemaOf<ClientFrameOf<'chat'>>()(
    z
      .strictObject({ type: z.literal('chat'), ...said })
      .meta(about('Says something: a run in the session. Answered by `task_created`; what comes of it follows.')),
  ),
  message: schemaOf<ClientFrameOf<'message'>>()(
    z.strictObject({ type: z.literal('message'), ...said }).meta(about('The same as `chat`.')),
  ),
  create_session: schemaOf<ClientFrameOf<'create_session'>>()(
    z
      .strictObject({ type: z.literal('create_session'), id: optionalId, session_id: id.exactOptional() })
      .meta(about('Makes a session. Answered by `session_created`.')),
  ),
  join_session: schemaOf<ClientFrameOf<'join_session'>>()(
    z
      .strictObject({ type: z.literal('join_session'), id: optionalId, session_id: id })
      .meta(about('From now on all runs of the session are told here. Answered by `session_joined`.')),
  ),
  leave_session: schemaOf<ClientFrameOf<'leave_session'>>()(
    z
      .strictObject({ type: z.literal('leave_session'), id: optionalId, session_id: id })
      .meta(about('Ends that. Answered by `session_left`.')),
  ),
  subscribe_tasks: schemaOf<ClientFrameOf<'subscribe_tasks'>>()(
    z
      .strictObject({
        type: z.literal('subscribe_tasks'),
        id: optionalId,
        run_id: id.exactOptional(),
        after: z
          .int()
          .min(0)
          .exactOptional()
          .meta({ description: 'The number of the newest event that is known. Default 0.' }),
        as: z
          .enum(['events', 'chat'])
          .exactOptional()
          .meta({ description: 'In which words: as events, the default, or as those of `chat`.' }),
      })
      .meta(
        about(
          'With a run: its events follow, and its end; answered by `task_updated`. Without one: all tasks of the user; answered by `tasks_update`.',
        ),
      ),
  ),
  get_session_history: schemaOf<ClientFrameOf<'get_session_history'>>()(
    z
      .strictObject({ type: z.literal('get_session_history'), id: optionalId, session_id: id })
      .meta(about('Answered by `session_history`: what has been said, oldest first.')),
  ),
  steer: schemaOf<ClientFrameOf<'steer'>>()(
    z
      .strictObject({ type: z.literal('steer'), id: optionalId, run_id: id, content: userInput })
      .meta(about('Says something in the middle of the work. Answered by `task_updated`.')),
  ),
  answer: schemaOf<ClientFrameOf<'answer'>>()(
    z
      .strictObject({
        type: z.literal('answer'),
        id: optionalId,
        interaction_id: z.string().regex(/^[\w.:-]{1,200}$/, 'is no id of an interaction'),
        answer,
        run_id: id.exactOptional().meta({ description: 'The run that asks; spares the search.' }),
      })
      .meta(about('Answers what waits for a person, once. Answered by `task_updated`.')),
  ),
  cancel: schemaOf<ClientFrameOf<'cancel'>>()(
    z
      .strictObject({ type: z.literal('cancel'), id: optionalId, run_id: id })
      .meta(about('Ends a run. Answered by `task_completed` when all of its work has stopped.')),
  ),
  ping: schemaOf<ClientFrameOf<'ping'>>()(
    z.strictObject({ type: z.literal('ping'), id: optionalId }).meta(about('Answered by `pong`.')),
  ),
}

const seq = z.int().meta({ description: 'The number of the newest kept event: where to go on from.' })
const ofSession = { id: optionalId, session_id: z.string() }
const ofRun = { ...ofSession, run_id: z.string() }

const session = <Type extends ServerFrameType>(type: Type, what: string) =>
  z.object({ type: z.literal(type), ...ofSession, data: sessionResource }).meta(about(what))

const task = <Type extends ServerFrameType>(type: Type, what: string) =>
  z.object({ type: z.literal(type), ...ofRun, data: runResource }).meta(about(what))

const piece = <Type extends ServerFrameType>(type: Type, what: string) =>
  z
    .object({
      type: z.literal(type),
      ...ofRun,
      seq,
      data: z.object({ content: z.string(), anew: z.literal(true).exactOptional() }),
    })
    .meta(about(what))

/** What a server sends, by type. */
export const serverFrames: { readonly [Type in ServerFrameType]: z.ZodType<ServerFrameOf<Type>> } = {
  connection_established: schemaOf<ServerFrameOf<'connection_established'>>()(
    z
      .object({
        type: z.literal('connection_established'),
        id: optionalId,
        heartbeat: z.int().meta({ description: 'Milliseconds after which a silent server gives a sign of life.' }),
        version: z.string(),
      })
      .meta(about('The first frame.')),
  ),
  session_created: schemaOf<ServerFrameOf<'session_created'>>()(session('session_created', 'A session was made.')),
  session_joined: schemaOf<ServerFrameOf<'session_joined'>>()(session('session_joined', 'A session was joined.')),
  session_updated: schemaOf<ServerFrameOf<'session_updated'>>()(
    session('session_updated', 'A run of a joined session has ended.'),
  ),
  session_left: schemaOf<ServerFrameOf<'session_left'>>()(session('session_left', 'A session is told no more.')),
  task_created: schemaOf<ServerFrameOf<'task_created'>>()(
    task('task_created', 'A run was accepted: it is kept from now on.'),
  ),
  task_updated: schemaOf<ServerFrameOf<'task_updated'>>()(task('task_updated', 'A run stands otherwise.')),
  task_completed: schemaOf<ServerFrameOf<'task_completed'>>()(
    task('task_completed', 'A run has ended: succeeded, failed, cancelled or timed out.'),
  ),
  tasks_update: schemaOf<ServerFrameOf<'tasks_update'>>()(
    z
      .object({ type: z.literal('tasks_update'), id: optionalId, data: z.array(runResource) })
      .meta(about('The runs of the user that have not ended, newest first, at most 100.')),
  ),
  stream_data: schemaOf<ServerFrameOf<'stream_data'>>()(
    piece(
      'stream_data',
      'A piece of a reply’s text. With `anew`, what came of this reply before is void. The pieces make up the text, whenever one has begun to listen.',
    ),
  ),
  stream_chunk: schemaOf<ServerFrameOf<'stream_chunk'>>()(
    piece('stream_chunk', 'The same in `POST /api/v1/messages/stream`.'),
  ),
  stream_complete: schemaOf<ServerFrameOf<'stream_complete'>>()(
    z
      .object({
        type: z.literal('stream_complete'),
        ...ofRun,
        data: z.object({ content: z.string(), status: z.string() }),
      })
      .meta(about('A turn has ended, with the text of its answer.')),
  ),
  event: schemaOf<ServerFrameOf<'event'>>()(
    z
      .object({ type: z.literal('event'), ...ofRun, seq: seq.exactOptional(), data: eventResource })
      .meta(about('An event of a run. Kept ones have a number.')),
  ),
  message: schemaOf<ServerFrameOf<'message'>>()(
    z
      .object({ type: z.literal('message'), ...ofRun, seq, data: message })
      .meta(about('A message joined the conversation.')),
  ),
  session_history: schemaOf<ServerFrameOf<'session_history'>>()(
    z
      .object({
        type: z.literal('session_history'),
        ...ofSession,
        data: z.array(z.union([messageResource, message])),
      })
      .meta(about('What has been said in a session.')),
  ),
  pong: schemaOf<ServerFrameOf<'pong'>>()(
    z.object({ type: z.literal('pong'), id: optionalId }).meta(about('The answer to `ping`.')),
  ),
  heartbeat: schemaOf<ServerFrameOf<'heartbeat'>>()(
    z.object({ type: z.literal('heartbeat'), id: optionalId, at: instant }).meta(about('The server is there.')),
  ),
  error: schemaOf<ServerFrameOf<'error'>>()(
    z
      .object({
        type: z.literal('error'),
        id: optionalId,
        data: z.object({
          code: z.string().meta({ description: 'One of docs/errors.md.' }),
          message: z.string(),
        }),
      })
      .meta(about('A frame could not be followed. The connection stays.')),
  ),
}
