import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { countedIds } from 'tellurion/runtime'
import { virtualClock } from 'tellurion/testing'
import { tool } from 'tellurion'
import { createMcpServer, type McpServerOptions } from './mcp-server.ts'

const ada = { user: 'ada', scopes: ['write'] } as const
const accept = 'application/json, text/event-stream'
const nothing = { type: 'object', properties: {} } as const

function open(more: Partial<McpServerOptions> = {}) {
  const clock = virtualClock()
  let finish = (): void => {}
  const wait = tool({
    description: 'Waits',
    inputSchema: nothing,
    execute: () => new Promise<string>((resolve) => (finish = () => resolve('done'))),
  })
  const server = createMcpServer({
    offer: { tools: { wait } },
    ports: { clock, ids: countedIds() },
    limits: { mcpSessions: 2, mcpIdle: 1000, streams: 5 },
    ...more,
  })
  const ask = async (method: string, { body, session }: { body?: object; session?: string } = {}) => {
    const request = new Request('http://localhost/mcp', {
      method,
      headers: {
        accept,
        'content-type': 'application/json',
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }) }),
    })
    return server.handle(request, { identity: ada })
  }
  const begin = async (): Promise<string> => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    const response = await ask('POST', { body: { method: 'initialize', params } })
    await response.text()
    return response.headers.get('mcp-session-id') ?? ''
  }
  const status = async (session: string): Promise<number> => {
    const response = await ask('POST', { session, body: { method: 'ping' } })
    await response.text()
    return response.status
  }
  return { clock, server, ask, begin, status, finish: () => finish() }
}

describe('MCP sessions', () => {
  test('end when nobody asked for the time they are kept, counted from the last word', async () => {
    const { clock, server, begin, status } = open()
    const id = await begin()
    await clock.advance(900)
    assert.equal(await status(id), 200)
    await clock.advance(900)
    assert.equal(await status(id), 200)
    await clock.advance(1200)
    assert.equal(await status(id), 404)
    await server.close()
  })

  test('with a call at work are kept, however silent, and are not made room of', async () => {
    const { clock, server, ask, begin, status, finish } = open()
    const [a, b] = [await begin(), await begin()]
    const calls = [a, b].map((session) =>
      ask('POST', { session, body: { method: 'tools/call', params: { name: 'wait' } } }),
    )
    const answers = await Promise.all(calls)
    await clock.advance(5000)
    await assert.rejects(begin(), { code: 'rate_limited' })
    assert.deepEqual([await status(a), await status(b)], [200, 200])
    finish()
    await server.close()
    await Promise.all(answers.map((answer) => answer.text()))
  })

  test('make room for a new one when one is silent: the longest silent goes', async () => {
    const { clock, server, begin, status } = open()
    const a = await begin()
    await clock.advance(10)
    const b = await begin()
    await clock.advance(10)
    assert.equal(await status(a), 200, 'now b is the longest silent')
    const c = await begin()
    assert.deepEqual([await status(a), await status(b), await status(c)], [200, 404, 200])
    await server.close()
  })

  test('a beginning that is none makes none', async () => {
    const { server, ask, begin, status } = open({ limits: { mcpSessions: 1 } })
    const id = await begin()
    const body = { method: 'initialize', params: {} }
    assert.equal((await ask('POST', { body })).status, 400)
    assert.equal(await status(id), 200)
    await server.close()
  })

  test('end with their server, and it takes no more', async () => {
    const { server, begin, ask } = open()
    await begin()
    await server.close()
    await assert.rejects(ask('POST', { body: { method: 'ping' } }), { code: 'runtime_closed' })
    await server.close()
  })

  test('open streams of a user are bounded', async () => {
    const { server, ask, begin } = open({ limits: { streams: 2 } })
    const session = await begin()
    const held = await Promise.all(
      [1, 2].map(() => ask('POST', { session, body: { method: 'tools/call', params: { name: 'wait' } } })),
    )
    await assert.rejects(ask('POST', { session, body: { method: 'ping' } }), { code: 'rate_limited' })
    await held[0]?.body?.cancel()
    await (await ask('POST', { session, body: { method: 'ping' } })).text()
    await server.close()
  })
})
