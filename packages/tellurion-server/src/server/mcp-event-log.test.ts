import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { createMcpEventLog } from './mcp-event-log.ts'

const message = (text: string): JSONRPCMessage => ({ jsonrpc: '2.0', method: 'x', params: { text } })

async function replayed(log: ReturnType<typeof createMcpEventLog>, after: string) {
  const seen: string[] = []
  const send = async (id: string): Promise<void> => void seen.push(id)
  return { stream: await log.replayEventsAfter(after, { send }), seen }
}

test('what came after an event in its stream is sent again, and nothing of other streams', async () => {
  const log = createMcpEventLog(10_000)
  const a = await log.storeEvent('a', {} as JSONRPCMessage)
  const b = await log.storeEvent('b', message('b1'))
  const a1 = await log.storeEvent('a', message('a1'))
  const a2 = await log.storeEvent('a', message('a2'))
  assert.deepEqual(await replayed(log, a), { stream: 'a', seen: [a1, a2] })
  assert.deepEqual(await replayed(log, a2), { stream: 'a', seen: [] })
  assert.deepEqual(await replayed(log, b), { stream: 'b', seen: [] })
  assert.equal(await log.getStreamIdForEventId?.(a1), 'a')
  assert.equal(await log.getStreamIdForEventId?.('99'), undefined)
})

test('the oldest go when there are too many bytes, or too many messages', async () => {
  const log = createMcpEventLog(1000)
  const first = await log.storeEvent('a', message('x'.repeat(500)))
  const second = await log.storeEvent('a', message('x'.repeat(500)))
  assert.equal(await log.getStreamIdForEventId?.(first), undefined)
  await assert.rejects(replayed(log, first), /not kept any more/)
  assert.equal((await replayed(log, second)).stream, 'a')
  const small = createMcpEventLog(10_000_000)
  for (let count = 0; count < 1500; count++) await small.storeEvent('a', message('x'))
  assert.equal(await small.getStreamIdForEventId?.('500'), undefined)
  assert.equal(await small.getStreamIdForEventId?.('501'), 'a')
})
