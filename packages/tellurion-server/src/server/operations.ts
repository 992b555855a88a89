// Every operation by its route: one for each row of the protocol's table.

import type { RouteName } from 'tellurion/protocol'
import { pauseRun, resumeRun, retryRun, steerRun } from './control-route.ts'
import { answerInteraction, listInteractions } from './interaction-route.ts'
import { mcpEnd, mcpMessage, mcpStream } from './mcp-route.ts'
import { createMessage, streamMessage } from './message-route.ts'
import type { Operation } from './operation.ts'
import { apiHealth, cacheStats, clearCache, health, limits, metrics, prometheus, stats } from './operation-route.ts'
import {
  editMessage,
  exportTick,
  forkRun,
  importRun,
  labelTick,
  regenerateMessage,
  runDifference,
  runTick,
  runTicks,
  undoRun,
} from './past-route.ts'
import { openapi, reference } from './reference-route.ts'
import {
  cancelRun,
  createRun,
  createTask,
  deleteRun,
  deleteTask,
  getRun,
  getTask,
  listRuns,
  listTasks,
  runMessages,
  runResult,
} from './run-route.ts'
import {
  createSession,
  deleteSession,
  getSession,
  listSessions,
  sessionBranches,
  sessionMessages,
  sessionRuns,
  sessionTodos,
  undoSession,
} from './session-route.ts'
import { runEvents, socket } from './stream-route.ts'
import { callTool, listAgents, listTools } from './tool-route.ts'

/** The operations. */
export const operations: Readonly<Record<RouteName, Operation>> = {
  health,
  apiHealth,
  openapi,
  reference,
  stats,
  limits,
  metrics,
  prometheus,
  createSession,
  listSessions,
  getSession,
  deleteSession,
  sessionMessages,
  sessionBranches,
  sessionRuns,
  sessionTodos,
  undoSession,
  createMessage,
  streamMessage,
  createRun,
  listRuns,
  getRun,
  deleteRun,
  runEvents,
  runResult,
  runMessages,
  cancelRun,
  pauseRun,
  resumeRun,
  steerRun,
  retryRun,
  forkRun,
  undoRun,
  runTick,
  runTicks,
  labelTick,
  exportTick,
  importRun,
  runDifference,
  editMessage,
  regenerateMessage,
  createTask,
  listTasks,
  getTask,
  deleteTask,
  listInteractions,
  answerInteraction,
  listAgents,
  listTools,
  callTool,
  cacheStats,
  clearCache,
  mcpMessage,
  mcpStream,
  mcpEnd,
  socket,
}
