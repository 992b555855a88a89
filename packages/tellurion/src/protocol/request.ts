// What clients ask: the bodies and queries of requests.

import type { BudgetLimits } from '../agent/component.ts'
import type { UserInput } from '../message/message.ts'
import type { RunStatus } from '../runtime/run.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { Answer, CheckpointResource } from './resource.ts'

/** Makes a run. The header `Idempotency-Key` makes the same request twice one run. */
export interface NewRunRequest {
  /** Default the server's first agent. */
  readonly agent?: string
  readonly input: UserInput
  readonly session?: string
  readonly priority?: number
  /** Milliseconds before it may begin. */
  readonly delay?: number
  readonly metadata?: JsonObject
  readonly budget?: BudgetLimits
  /** JSON Schema of the asked output. The model is told all of it; replies are checked in bounded time, without patterns. */
  readonly output?: JsonObject
}

/** The reference's form: a task of type `chat`. */
export interface NewTaskRequest {
  readonly type?: 'chat'
  readonly content: string
  readonly session_id?: string
  readonly agent?: string
  readonly priority?: number
  readonly metadata?: JsonObject
}

/** Says something in a session, and waits for what comes of it. */
export interface NewMessageRequest {
  readonly content: UserInput
  readonly session_id?: string
  readonly agent?: string
}

/** Makes a session. */
export interface NewSessionRequest {
  readonly id?: string
}

/** Which runs. */
export interface RunQuery {
  readonly status?: RunStatus | readonly RunStatus[]
  readonly agent?: string
  readonly session?: string
  readonly parent?: string
  /** Only runs that ask a person. */
  readonly asking?: boolean
  readonly limit?: number
  readonly cursor?: string
}

/** How a run ended is waited for. */
export interface ResultQuery {
  /** Milliseconds at most; then, or at the server's own cap, the answer says how the run stands. */
  readonly wait?: number
}

/** Another run that goes on from a tick. */
export interface ForkRequest {
  /** A finished tick, or its label. */
  readonly tick: number | string
  /** Something new to say there. */
  readonly input?: UserInput
}

/** Names a finished tick, default the newest; the same label again moves. */
export interface LabelRequest {
  readonly label: string
  readonly tick?: number
}

/** Makes a run that goes on from a checkpoint, in a session of its own. */
export interface ImportRequest {
  readonly checkpoint: CheckpointResource
  /** The id of that session; it must not be there yet. */
  readonly session?: string
  /** Something new to say there. */
  readonly input?: UserInput
}

/** Says something to a live run. */
export interface SteerRequest {
  readonly input: UserInput
}

/** Has the model answer anew. */
export interface RegenerateRequest {
  /** Ends a live run first; else the answer is 409. */
  readonly cancel?: boolean
}

/** Puts a session back by some turns. */
export interface UndoSessionRequest {
  /** Default 1. */
  readonly turns?: number
  readonly cancel?: boolean
}

/** Puts the session of a run back. */
export interface UndoRequest {
  readonly ticks?: number
  readonly to?: number | string
  /** Ends a live run first; else the answer is 409. */
  readonly cancel?: boolean
}

/** Says a message otherwise. */
export interface EditRequest {
  readonly input: UserInput
  readonly cancel?: boolean
}

/** Answers an interaction. */
export interface AnswerRequest {
  readonly answer: Answer
  /** The run that asks; spares the search. */
  readonly run?: string
}

/** Calls a tool by hand. One that needs approval answers 403 unless `approved`. */
export interface ToolCallRequest {
  readonly tool: string
  readonly agent?: string
  readonly arguments?: Json
  readonly approved?: boolean
}
