// What goes to and fro: the body that each route takes and the one it answers with when it succeeds (2xx). A failure is an
// `ErrorResource` everywhere.

import type { Message } from '../message/message.ts'
import type { JsonObject } from '../schema/json.ts'
import type {
  AnswerRequest,
  EditRequest,
  ForkRequest,
  ImportRequest,
  LabelRequest,
  NewMessageRequest,
  NewRunRequest,
  NewSessionRequest,
  NewTaskRequest,
  RegenerateRequest,
  SteerRequest,
  ToolCallRequest,
  UndoRequest,
  UndoSessionRequest,
} from './request.ts'
import type {
  AgentResource,
  BranchResource,
  CheckpointResource,
  DifferenceResource,
  EventResource,
  ForkResource,
  HealthResource,
  InteractionResource,
  LabelResource,
  LimitResource,
  MessageResource,
  Page,
  RunResource,
  SessionResource,
  StatsResource,
  TickResource,
  TicksResource,
  TodosResource,
  ToolCallResource,
  ToolResource,
  TurnResource,
  UndoResource,
} from './resource.ts'
import type { RouteName } from './route.ts'
import type { ServerFrame } from './socket.ts'

/** The JSON bodies of requests, by route; what is not here takes none. */
export interface Bodies {
  readonly createSession: NewSessionRequest
  readonly undoSession: UndoSessionRequest
  readonly createMessage: NewMessageRequest
  readonly streamMessage: NewMessageRequest
  readonly createRun: NewRunRequest
  readonly createTask: NewTaskRequest
  readonly steerRun: SteerRequest
  readonly forkRun: ForkRequest
  readonly undoRun: UndoRequest
  readonly labelTick: LabelRequest
  readonly importRun: ImportRequest
  readonly editMessage: EditRequest
  readonly regenerateMessage: RegenerateRequest
  readonly answerInteraction: AnswerRequest
  readonly callTool: ToolCallRequest
}

/**
 * The JSON bodies of answers, by route; `undefined` is 204. `runEvents` and `streamMessage` are streams
 * (`text/event-stream`) with the number of a kept event as its `id:`. Each `data:` of the first is an `EventResource`, of
 * the second a frame as the WebSocket has them for `chat`, with pieces of text as `stream_chunk`.
 */
export interface Responses extends Readonly<Record<RouteName, unknown>> {
  readonly health: HealthResource
  readonly apiHealth: HealthResource
  readonly openapi: JsonObject
  /** HTML. */
  readonly reference: string
  readonly stats: StatsResource
  readonly limits: Page<LimitResource>
  readonly metrics: JsonObject
  /** The Prometheus text format. */
  readonly prometheus: string
  readonly createSession: SessionResource
  readonly listSessions: Page<SessionResource>
  readonly getSession: SessionResource
  readonly deleteSession: undefined
  readonly sessionMessages: Page<Message>
  readonly sessionBranches: Page<BranchResource>
  readonly sessionRuns: Page<RunResource>
  readonly sessionTodos: TodosResource
  readonly undoSession: SessionResource
  readonly createMessage: TurnResource
  readonly streamMessage: ServerFrame
  readonly createRun: RunResource
  readonly listRuns: Page<RunResource>
  readonly getRun: RunResource
  readonly deleteRun: RunResource
  /** As JSON, where no stream is asked for: kept events after number `after`. */
  readonly runEvents: Page<EventResource>
  /** Waits as long as the query's `wait` says (`ResultQuery`); `running` when it is not over by then. */
  readonly runResult: TurnResource
  readonly runMessages: Page<MessageResource>
  readonly cancelRun: RunResource
  readonly pauseRun: RunResource
  readonly resumeRun: RunResource
  readonly steerRun: RunResource
  readonly retryRun: RunResource
  readonly forkRun: ForkResource
  readonly undoRun: UndoResource
  readonly runTick: TickResource
  readonly runTicks: TicksResource
  readonly labelTick: LabelResource
  readonly exportTick: CheckpointResource
  readonly importRun: RunResource
  /** Between the ticks of the query's `from` and `to`, by number or label. */
  readonly runDifference: DifferenceResource
  readonly editMessage: ForkResource
  readonly regenerateMessage: ForkResource
  readonly createTask: RunResource
  readonly listTasks: Page<RunResource>
  readonly getTask: RunResource
  readonly deleteTask: RunResource
  readonly listInteractions: Page<InteractionResource>
  /** The run that asked. */
  readonly answerInteraction: RunResource
  readonly listAgents: Page<AgentResource>
  readonly listTools: Page<ToolResource>
  readonly callTool: ToolCallResource
  readonly cacheStats: JsonObject
  readonly clearCache: undefined
  /** JSON-RPC, as one answer or as a stream. */
  readonly mcpMessage: unknown
  /** JSON-RPC as a stream. */
  readonly mcpStream: unknown
  readonly mcpEnd: unknown
  /** Frames: `ServerFrame`. */
  readonly socket: never
}
