// Frames of the WebSocket at `/ws`, each one JSON object with a `type`. What has no `session_id` or `run_id` is about the
// connection. A frame that cannot be understood is answered by `error`; the connection stays.

import type { Message, UserInput } from '../message/message.ts'
import type { Answer, EventResource, MessageResource, RunResource, SessionResource } from './resource.ts'

/** What a client sends. `id` comes back in what answers it. */
export type ClientFrame = { readonly id?: string } & (
  | {
      /** Says something: a run in the session, or in a new one. Its events follow as `stream_data` and so on. */
      readonly type: 'chat' | 'message'
      readonly content: UserInput
      readonly session_id?: string
      readonly agent?: string
      /** As `Idempotency-Key` of a run: the same key is the same run, also over another connection. */
      readonly key?: string
    }
  | { readonly type: 'create_session'; readonly session_id?: string }
  /** From now on, what happens in the session is sent here: its runs, as for `chat`. */
  | { readonly type: 'join_session'; readonly session_id: string }
  | { readonly type: 'leave_session'; readonly session_id: string }
  /**
   * From now on, the events of a run are sent here, from after number `after` (default 0), and `task_completed` at its
   * end; `as: 'chat'` in the words of `chat`. Without a run, all task frames of the user.
   */
  | {
      readonly type: 'subscribe_tasks'
      readonly run_id?: string
      readonly after?: number
      readonly as?: 'events' | 'chat'
    }
  | { readonly type: 'get_session_history'; readonly session_id: string }
  | { readonly type: 'steer'; readonly run_id: string; readonly content: UserInput }
  /** Answers an interaction; `run_id` spares the search for the run that asks. */
  | {
      readonly type: 'answer'
      readonly interaction_id: string
      readonly answer: Answer
      readonly run_id?: string
    }
  /** Answered by `task_completed` with the frame's `id` when all work of the run has stopped. */
  | { readonly type: 'cancel'; readonly run_id: string }
  | { readonly type: 'ping' }
)

/** What a server sends. */
export type ServerFrame = { readonly id?: string } & (
  | { readonly type: 'connection_established'; readonly heartbeat: number; readonly version: string }
  | {
      readonly type: 'session_created' | 'session_joined' | 'session_updated' | 'session_left'
      readonly session_id: string
      readonly data: SessionResource
    }
  | {
      readonly type: 'task_created' | 'task_updated' | 'task_completed'
      readonly session_id: string
      readonly run_id: string
      readonly data: RunResource
    }
  | { readonly type: 'tasks_update'; readonly data: readonly RunResource[] }
  /**
   * A piece of a reply's text; `seq` is the run's newest number before it. `anew`: what came of this reply before is void.
   * The pieces of a reply make up its text, whenever one has begun to listen.
   */
  | {
      readonly type: 'stream_data' | 'stream_chunk'
      readonly session_id: string
      readonly run_id: string
      readonly seq: number
      readonly data: { readonly content: string; readonly anew?: true }
    }
  | {
      readonly type: 'stream_complete'
      readonly session_id: string
      readonly run_id: string
      readonly data: { readonly content: string; readonly status: string }
    }
  /** Any event of a run that is subscribed to; `seq` is its cursor. */
  | {
      readonly type: 'event'
      readonly session_id: string
      readonly run_id: string
      readonly seq?: number
      readonly data: EventResource
    }
  | {
      readonly type: 'message'
      readonly session_id: string
      readonly run_id: string
      readonly seq: number
      readonly data: Message
    }
  | {
      readonly type: 'session_history'
      readonly session_id: string
      readonly data: readonly (Message | MessageResource)[]
    }
  | { readonly type: 'pong' }
  | { readonly type: 'heartbeat'; readonly at: number }
  | { readonly type: 'error'; readonly data: { readonly code: string; readonly message: string } }
)

/** The `type` of a client's frame. */
export type ClientFrameType = ClientFrame['type']

/** The `type` of a server's frame. */
export type ServerFrameType = ServerFrame['type']

/** Milliseconds between heartbeats. */
export const heartbeatEvery = 30_000

/** Bytes that a slow client may have waiting before it is dropped. */
export const maxWaiting = 1_048_576

/** Close codes beside those of RFC 6455. */
export const closeCodes = { slow: 4008, unauthorised: 4401, forbidden: 4403, tooMany: 4429 } as const

/** The subprotocol that both sides speak: offered first by clients, chosen by servers. */
export const socketProtocol = 'tellurion.v1'

/**
 * The token as a second subprotocol that is offered, and never chosen: browsers can send it in no other header, and
 * addresses are logged. `bearer.` and the token's UTF-8 bytes as base64url.
 */
export function tokenProtocol(token: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(token))
  return `bearer.${btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`
}
