// What a server shows: runs, sessions, messages and the rest as plain JSON. Instants are milliseconds since 1970.

import type { Answer } from '../agent/interaction.ts'
import type { BudgetLimits } from '../agent/component.ts'
import type { Todo, TodoProgress } from '../agent/todo.ts'
import type { ErrorData } from '../error/error.ts'
import type { Event, Interaction } from '../event/event.ts'
import type { Message } from '../message/message.ts'
import type { FinishReason, Usage } from '../port/model.ts'
import type { CheckpointFile } from '../runtime/checkpoint-file.ts'
import type { RunStatus } from '../runtime/run.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import type { ComponentChange, Difference } from '../world/difference.ts'
import type { Snapshot } from '../world/snapshot.ts'

/** A run. The reference's tasks are the same under another name. */
export interface RunResource {
  readonly id: string
  readonly agent: string
  readonly session: string
  readonly branch: string
  readonly status: RunStatus
  readonly priority: number
  readonly input: Json
  readonly metadata: JsonObject
  readonly user: string
  readonly tenant?: string
  readonly parent?: string
  readonly createdAt: number
  readonly availableAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  /** The number of its newest attempt; 0 before the first. */
  readonly attempt: number
  /** Attempts that ended in an error. */
  readonly retries: number
  /** Attempts that lost their worker since the last commit. */
  readonly crashes: number
  /** Milliseconds it has been at work, waiting not counted. */
  readonly ranFor: number
  /** Events so far: cursors run from 0 to this number. */
  readonly events: number
  readonly firstTick: number
  /** What waits for a person. */
  readonly interactions: readonly Interaction[]
  /** When waiting: the instant at which waiting is over by itself. */
  readonly due?: number
  readonly limits?: BudgetLimits
  readonly result?: ResultResource
  readonly error?: ErrorData
  readonly stopReason?: string
  readonly usage?: Usage
}

/** What a run brought, without its messages: these are at `/messages`. */
export interface ResultResource {
  readonly text: string
  readonly output?: Json
  readonly steps: number
  readonly usage: Usage
  readonly finishReason?: FinishReason
}

/** How a turn ended, that it waits for a person, or that it is still under way when the wait for it is over. */
export interface TurnResource extends ResultResource {
  readonly run: string
  readonly session: string
  readonly status: 'succeeded' | 'waiting' | 'cancelled' | 'failed' | 'running'
  readonly stopReason: string
  readonly interactions: readonly Interaction[]
  readonly error?: ErrorData
}

/** A session. */
export interface SessionResource {
  readonly id: string
  readonly user: string
  /** The branch that new runs go on. */
  readonly branch: string
  readonly createdAt: number
  readonly touchedAt: number
}

/** A branch of a session: it shares the past of its parent up to and with row `seq`. */
export interface BranchResource {
  readonly id: string
  readonly parent?: { readonly branch: string; readonly seq: number }
  readonly createdAt: number
  /** Whether new runs go on it. */
  readonly head: boolean
}

/** A message of a run, with the id under which it can be edited or regenerated. */
export interface MessageResource {
  readonly id: string
  readonly tick: number
  readonly message: Message
}

/** An event as a stream carries it. Kept ones have a number and an instant, live ones have neither. */
export type EventResource = Event & { readonly seq?: number; readonly at?: number }

/** An interaction and the run that waits for it. */
export type InteractionResource = Interaction & {
  readonly run: string
  readonly agent: string
  readonly session: string
}

/** An agent that runs may ask for. */
export interface AgentResource {
  readonly name: string
  readonly tools: readonly string[]
}

/** A tool, as models are told of it. */
export interface ToolResource {
  readonly name: string
  readonly agents: readonly string[]
  readonly description: string
  readonly inputSchema: JsonObject
  readonly effects: { readonly mode: string; readonly repeat: string; readonly risk: readonly string[] }
  /** The file, or the server of MCP, that it came from; absent for those that the program made itself. */
  readonly origin?: string
}

/** What came of a tool that was called by hand. */
export interface ToolCallResource {
  readonly toolName: string
  readonly content: Json
  readonly isError: boolean
  readonly code?: string
}

/** The todos of a session's agents. */
export interface TodosResource {
  readonly todos: readonly Todo[]
  readonly progress: TodoProgress
}

/** The world after a tick of a run's branch. */
export interface TickResource {
  readonly tick: number
  readonly world: Snapshot
}

/** The finished ticks of a run's branch: the run's first, the branch's newest, and the labels of some. */
export interface TicksResource {
  readonly first: number
  readonly last: number
  readonly labels: Readonly<Record<string, number>>
}

/** What a label stands on now. */
export interface LabelResource {
  readonly run: string
  readonly label: string
  readonly tick: number
}

/** What is different between two ticks. */
export interface DifferenceResource extends Difference {
  readonly changes: readonly ComponentChange[]
}

/** A tick as it goes on elsewhere: what a checkpoint file holds. */
export type CheckpointResource = CheckpointFile

/** A call whose effect outside a fork or an undo does not take back. */
export interface EffectResource {
  readonly toolName: string
  readonly toolCallId: string
}

/** A run that goes on from the past of another, and what that one did outside since. */
export interface ForkResource extends RunResource {
  readonly outsideEffects: readonly EffectResource[]
}

/** What a session that was put back does not undo. */
export interface UndoResource {
  readonly outsideEffects: readonly EffectResource[]
}

/** A list and where it goes on; no `next` at its end. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next?: string
}

/** Whether the server can do its work. */
export interface HealthResource {
  readonly status: 'ok' | 'degraded' | 'closing'
  readonly version: string
  readonly uptime: number
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string }>>
}

/** Numbers since the server began, and of its store. */
export interface StatsResource {
  readonly uptime: number
  readonly runs: Readonly<Record<RunStatus, number>>
  readonly sessions: number
  readonly connections: { readonly http: number; readonly streams: number; readonly sockets: number }
  readonly memory: { readonly heapUsed: number; readonly rss: number }
}

/** A cap, what counts towards it, and what happens when it is reached. */
export interface LimitResource {
  readonly name: string
  readonly limit: number
  readonly unit: string
  readonly overflow: string
}

/** One error shape for every failed request. */
export interface ErrorResource {
  readonly error: {
    readonly code: string
    readonly message: string
    /** Whether the same request may succeed later. */
    readonly retryable: boolean
    /** Of this request: the log has it too. */
    readonly requestId: string
    readonly data?: JsonObject
  }
}

export type { Answer }
