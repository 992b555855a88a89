// The door `tellurion/protocol`: what servers and clients say to each other.

export type {
  AgentResource,
  BranchResource,
  CheckpointResource,
  DifferenceResource,
  EffectResource,
  ErrorResource,
  EventResource,
  ForkResource,
  HealthResource,
  InteractionResource,
  LabelResource,
  LimitResource,
  MessageResource,
  Page,
  ResultResource,
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
export type {
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
  ResultQuery,
  RunQuery,
  SteerRequest,
  ToolCallRequest,
  UndoRequest,
  UndoSessionRequest,
} from './request.ts'
export type { Bodies, Responses } from './exchange.ts'
export { pathOf, routes } from './route.ts'
export type { Route, RouteName, Scope } from './route.ts'
export { closeCodes, heartbeatEvery, maxWaiting, socketProtocol, tokenProtocol } from './socket.ts'
export type { ClientFrame, ClientFrameType, ServerFrame, ServerFrameType } from './socket.ts'
export { jsonProblem, maxJsonDepth } from '../schema/plain-json.ts'
export type { Json, JsonObject } from '../schema/json.ts'
