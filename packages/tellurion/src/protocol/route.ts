// The routes of a server: their methods, paths and who may use them. Server and client read this table, and nothing else
// of each other.

/** What an identity may do: look, make and change, or also see what is everybody's. */
export type Scope = 'public' | 'read' | 'write' | 'admin'

/** One route. Paths have `{parameters}`. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly scope: Scope
  readonly summary: string
}

const route = (method: Route['method'], path: string, scope: Scope, summary: string): Route => ({
  method,
  path,
  scope,
  summary,
})

/** Every route by its name. */
export const routes = {
  health: route('GET', '/health', 'public', 'Whether the server can do its work'),
  apiHealth: route('GET', '/api/v1/health', 'public', 'Whether the server can do its work'),
  openapi: route('GET', '/openapi.json', 'public', 'This interface as an OpenAPI 3.1 document'),
  reference: route('GET', '/docs', 'public', 'This interface as a page to read'),
  stats: route('GET', '/api/v1/stats', 'admin', 'Numbers of the server and its store'),
  limits: route('GET', '/api/v1/limits', 'read', 'Every cap, and what happens when it is reached'),
  metrics: route('GET', '/api/v1/metrics', 'admin', 'Metrics as JSON'),
  prometheus: route('GET', '/metrics', 'admin', 'Metrics as Prometheus text'),
  createSession: route('POST', '/api/v1/sessions', 'write', 'Make a session'),
  listSessions: route('GET', '/api/v1/sessions', 'read', 'Sessions, newest first'),
  getSession: route('GET', '/api/v1/sessions/{session}', 'read', 'A session'),
  deleteSession: route('DELETE', '/api/v1/sessions/{session}', 'write', 'Delete a session and all that belongs to it'),
  sessionMessages: route('GET', '/api/v1/sessions/{session}/messages', 'read', 'What has been said, as it stands'),
  sessionBranches: route('GET', '/api/v1/sessions/{session}/branches', 'read', 'The branches of a session'),
  sessionRuns: route('GET', '/api/v1/sessions/{session}/runs', 'read', 'The runs that stand in a session'),
  sessionTodos: route('GET', '/api/v1/sessions/{session}/todos', 'read', 'The todos of a session'),
  undoSession: route('POST', '/api/v1/sessions/{session}/undo', 'write', 'Go back by some turns'),
  createMessage: route('POST', '/api/v1/messages', 'write', 'Say something and wait for the turn'),
  streamMessage: route('POST', '/api/v1/messages/stream', 'write', 'Say something and watch the turn'),
  createRun: route('POST', '/api/v1/runs', 'write', 'Make a run'),
  listRuns: route('GET', '/api/v1/runs', 'read', 'Runs, newest first'),
  getRun: route('GET', '/api/v1/runs/{run}', 'read', 'A run'),
  deleteRun: route('DELETE', '/api/v1/runs/{run}', 'write', 'Cancel a run'),
  runEvents: route('GET', '/api/v1/runs/{run}/events', 'read', 'The events of a run: a stream, or a page as JSON'),
  runResult: route('GET', '/api/v1/runs/{run}/result', 'read', 'How a run ended; waits for the end'),
  runMessages: route('GET', '/api/v1/runs/{run}/messages', 'read', 'The messages of a run, with their ids'),
  cancelRun: route('POST', '/api/v1/runs/{run}/cancel', 'write', 'Cancel a run; answers when its work has stopped'),
  pauseRun: route('POST', '/api/v1/runs/{run}/pause', 'write', 'Pause a run after its present tick'),
  resumeRun: route('POST', '/api/v1/runs/{run}/resume', 'write', 'Go on with a paused run'),
  steerRun: route('POST', '/api/v1/runs/{run}/steer', 'write', 'Say something in the middle of the work'),
  retryRun: route('POST', '/api/v1/runs/{run}/retry', 'write', 'Give a failed run another try'),
  forkRun: route('POST', '/api/v1/runs/{run}/fork', 'write', 'Another run that goes on from a tick'),
  undoRun: route('POST', '/api/v1/runs/{run}/undo', 'write', 'Put the session back by some ticks'),
  runTick: route('GET', '/api/v1/runs/{run}/ticks/{tick}', 'read', 'The world after a tick'),
  runTicks: route('GET', '/api/v1/runs/{run}/ticks', 'read', 'The ticks of a run, and their labels'),
  labelTick: route('POST', '/api/v1/runs/{run}/ticks', 'write', 'Name a tick, to be gone back to'),
  exportTick: route('GET', '/api/v1/runs/{run}/ticks/{tick}/checkpoint', 'read', 'A tick as it goes on elsewhere'),
  importRun: route('POST', '/api/v1/runs/import', 'write', 'A run that goes on from a checkpoint'),
  runDifference: route('GET', '/api/v1/runs/{run}/difference', 'read', 'What is different between two ticks'),
  editMessage: route('POST', '/api/v1/runs/{run}/messages/{message}/edit', 'write', 'Say a message otherwise'),
  regenerateMessage: route(
    'POST',
    '/api/v1/runs/{run}/messages/{message}/regenerate',
    'write',
    'Have the model answer anew',
  ),
  createTask: route('POST', '/api/v1/tasks', 'write', 'Make a run, as a task'),
  listTasks: route('GET', '/api/v1/tasks', 'read', 'Runs, as tasks'),
  getTask: route('GET', '/api/v1/tasks/{run}', 'read', 'A run, as a task'),
  deleteTask: route('DELETE', '/api/v1/tasks/{run}', 'write', 'Cancel a run'),
  listInteractions: route('GET', '/api/v1/interactions', 'read', 'What waits for a person, across runs'),
  answerInteraction: route('POST', '/api/v1/interactions/{interaction}', 'write', 'Answer an interaction, once'),
  listAgents: route('GET', '/api/v1/agents', 'read', 'The agents that runs may ask for'),
  listTools: route('GET', '/api/v1/tools', 'read', 'The tools of all agents'),
  callTool: route('POST', '/api/v1/tools/call', 'write', 'Call a tool by hand'),
  cacheStats: route('GET', '/api/v1/cache/stats', 'admin', 'What the cache holds'),
  clearCache: route('DELETE', '/api/v1/cache', 'admin', 'Empty the cache'),
  mcpMessage: route('POST', '/mcp', 'write', 'The Model Context Protocol: a message'),
  mcpStream: route('GET', '/mcp', 'write', 'The Model Context Protocol: what the server says by itself'),
  mcpEnd: route('DELETE', '/mcp', 'write', 'The Model Context Protocol: the end of a session'),
  socket: route('GET', '/ws', 'read', 'The WebSocket'),
} as const satisfies Record<string, Route>

/** The name of a route. */
export type RouteName = keyof typeof routes

/** The path of a route with its parameters filled in and encoded. */
export function pathOf(name: RouteName, parameters: Readonly<Record<string, string | number>> = {}): string {
  return routes[name].path.replaceAll(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(String(parameters[key] ?? '')),
  )
}
