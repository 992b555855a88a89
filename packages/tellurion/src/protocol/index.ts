// The door `tellurion/protocol`: what servers and clients say to each other.

export type {
  AgentResource,
  BranchResource,
  EffectResource,
  ErrorResource,
  EventResource,
  HealthResource,
  InteractionResource,
  LimitResource,
  MessageResource,
  Page,
  ResultResource,
  RunResource,
  SessionResource,
  StatsResource,
  TickResource,
  TodosResource,
  ToolCallResource,
  ToolResource,
  TurnResource,
} from './resource.ts'
export type {
  AnswerRequest,
  EditRequest,
  ForkRequest,
  NewMessageRequest,
  NewRunRequest,
  NewSessionRequest,
  NewTaskRequest,
  RunQuery,
  ToolCallRequest,
  UndoRequest,
} from './request.ts'
export { pathOf, routes } from './route.ts'
export type { Route, RouteName, Scope } from './route.ts'
export { closeCodes, heartbeatEvery, maxWaiting } from './socket.ts'
export type { ClientFrame, ClientFrameType, ServerFrame, ServerFrameType } from './socket.ts'
