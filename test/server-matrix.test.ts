// Who may do what: every route of the table by every kind of identity. A route that is not in here fails.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { routes, type RouteName } from 'tellurion/protocol'
import { openServerDesk, type Asker, type ServerDesk } from './server-desk.ts'

/** How a route is asked in the matrix: its path, its body, and whether what it is about is ada's. */
interface Row {
  readonly path: string
  readonly body?: unknown
  /** What it is about belongs to ada: to others it is not there. */
  readonly owned?: true
}

const run = (rest = ''): Row => ({ path: `/api/v1/runs/RUN${rest}`, owned: true })
const session = (rest = ''): Row => ({ path: `/api/v1/sessions/SESSION${rest}`, owned: true })
const task = (): Row => ({ path: '/api/v1/tasks/RUN', owned: true })

const rows: Readonly<Record<RouteName, Row>> = {
  health: { path: '/health' },
  apiHealth: { path: '/api/v1/health' },
  openapi: { path: '/openapi.json' },
  reference: { path: '/docs' },
  stats: { path: '/api/v1/stats' },
  limits: { path: '/api/v1/limits' },
  metrics: { path: '/api/v1/metrics' },
  prometheus: { path: '/metrics' },
  createSession: { path: '/api/v1/sessions', body: {} },
  listSessions: { path: '/api/v1/sessions' },
  getSession: session(),
  deleteSession: session(),
  sessionMessages: session('/messages'),
  sessionBranches: session('/branches'),
  sessionRuns: session('/runs'),
  sessionTodos: session('/todos'),
  undoSession: { ...session('/undo'), body: {} },
  createMessage: { path: '/api/v1/messages', body: { content: 'Hi', session_id: 'SESSION' }, owned: true },
  streamMessage: { path: '/api/v1/messages/stream', body: { content: 'Hi', session_id: 'SESSION' }, owned: true },
  createRun: { path: '/api/v1/runs', body: { input: 'Hi', session: 'SESSION' }, owned: true },
  listRuns: { path: '/api/v1/runs' },
  getRun: run(),
  deleteRun: run(),
  runEvents: run('/events'),
  runResult: run('/result'),
  runMessages: run('/messages'),
  cancelRun: run('/cancel'),
  pauseRun: run('/pause'),
  resumeRun: run('/resume'),
  steerRun: { ...run('/steer'), body: { input: 'x' } },
  retryRun: run('/retry'),
  forkRun: { ...run('/fork'), body: { tick: 1 } },
  undoRun: { ...run('/undo'), body: {} },
  runTick: run('/ticks/1'),
  runTicks: run('/ticks'),
  labelTick: { ...run('/ticks'), body: { label: 'x' } },
  exportTick: run('/ticks/1/checkpoint'),
  importRun: { path: '/api/v1/runs/import', body: { checkpoint: { snapshot: null } } },
  runDifference: run('/difference?from=0&to=1'),
  editMessage: { ...run('/messages/MESSAGE/edit'), body: { input: 'x' } },
  regenerateMessage: { ...run('/messages/MESSAGE/regenerate'), body: {} },
  createTask: { path: '/api/v1/tasks', body: { content: 'Hi', session_id: 'SESSION' }, owned: true },
  listTasks: { path: '/api/v1/tasks' },
  getTask: task(),
  deleteTask: task(),
  listInteractions: { path: '/api/v1/interactions' },
  answerInteraction: { path: '/api/v1/interactions/INTERACTION', body: { answer: 'deny', run: 'ASKING' }, owned: true },
  listAgents: { path: '/api/v1/agents' },
  listTools: { path: '/api/v1/tools' },
  callTool: { path: '/api/v1/tools/call', body: { tool: 'look', arguments: { what: 'x' } } },
  cacheStats: { path: '/api/v1/cache/stats' },
  clearCache: { path: '/api/v1/cache' },
  mcpMessage: { path: '/mcp', body: {} },
  mcpStream: { path: '/mcp' },
  mcpEnd: { path: '/mcp' },
  socket: { path: '/ws' },
}

/** What an identity may be answered: an exact status, or `ok`, which is whatever the route has to say to its owner. */
function expected(name: RouteName, as: Asker): number | 'ok' {
  const { scope } = routes[name]
  if (scope === 'public') return 'ok'
  if (as === 'nobody' || as === 'stranger') return 401
  const rank = { read: 0, write: 1, admin: 2 }
  const has = { look: 0, ada: 1, bob: 1, root: 2 }[as]
  if (has < rank[scope]) return 403
  return as === 'bob' && rows[name].owned === true ? 404 : 'ok'
}

describe('routes by identities', () => {
  let desk: ServerDesk
  let names: Readonly<Record<string, string>>

  before(async () => {
    desk = await openServerDesk({ limits: { refusals: 100_000, burst: 100_000, requests: 100_000 } })
    const own = await desk.ran('Hello', { session: 'adas' })
    const asking = await desk.ran('remove it')
    const interaction = (await desk.runtime.run(asking.id).record()).interactions[0]!
    names = {
      RUN: own.id,
      SESSION: 'adas',
      MESSAGE: (await desk.runtime.run(own.id).messages()).at(-1)!.id,
      ASKING: asking.id,
      INTERACTION: interaction.id,
    }
  })
  after(() => desk.close())

  const filled = (text: string): string => text.replaceAll(/[A-Z]{3,}/g, (word) => names[word] ?? word)

  test('the matrix is the table of routes', () => {
    assert.deepEqual(Object.keys(rows).sort(), Object.keys(routes).sort())
  })

  for (const name of Object.keys(routes) as RouteName[]) {
    // Those who may do it come last: it may take away what the others are to be refused.
    for (const as of ['nobody', 'stranger', 'bob', 'look', 'ada', 'root'] as const) {
      // What ends or deletes is shown to those who may not; that its owner may is shown elsewhere.
      const wanted = expected(name, as)
      if (wanted === 'ok' && ['deleteSession', 'undoSession', 'undoRun', 'answerInteraction'].includes(name)) continue
      test(`${name} by ${as}: ${wanted}`, async () => {
        const { path, body } = rows[name]
        const question = body === undefined ? {} : { body: JSON.parse(filled(JSON.stringify(body))) }
        const { status, text } = await desk.ask(routes[name].method, filled(path), { as, ...question })
        if (wanted === 'ok') assert.ok(![401, 403, 404, 405, 429, 500].includes(status), `${status}: ${text}`)
        else assert.equal(status, wanted, text)
      })
    }
  }

  test('what is refused says nothing about what is there', async () => {
    const there = await desk.ask('GET', filled('/api/v1/runs/RUN'), { as: 'bob' })
    const nowhere = await desk.ask('GET', '/api/v1/runs/run_nowhere', { as: 'bob' })
    const shape = ({ text }: { text: string }): string => text.replace(/run_\w+/, '').replace(/"requestId":"[^"]+"/, '')
    assert.equal(shape(there), shape(nowhere))
    for (const path of ['/api/v1/nothing', '/api/v1/runs', '/.env']) {
      assert.equal((await desk.ask('GET', path, { as: 'nobody' })).status, 401, path)
    }
  })

  test('lists show what is the asker’s, and everything to an admin', async () => {
    for (const path of ['/api/v1/runs', '/api/v1/sessions', '/api/v1/interactions', '/api/v1/tasks']) {
      const users = async (as: Asker): Promise<unknown[]> =>
        ((await desk.ask('GET', path, { as })).json as { items: unknown[] }).items
      assert.deepEqual(
        await users('bob').then((items) => items.filter((each) => JSON.stringify(each).includes('adas'))),
        [],
        path,
      )
      assert.ok((await users('ada')).length > 0, path)
      assert.ok((await users('root')).length >= (await users('ada')).length, path)
    }
  })
})
