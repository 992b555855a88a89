import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createRedactor } from '../secret/redactor.ts'
import { limitedResponse } from './event-limit.ts'
import { MessageGate } from './message-gate.ts'

const stream = (chunks: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
      controller.close()
    },
  })

const read = (chunks: readonly string[], type: string, most = 100): Promise<string> =>
  limitedResponse(new Response(stream(chunks), { headers: { 'content-type': type } }), most).text()

describe('an answer', () => {
  test('that is one text is bounded as a whole', async () => {
    assert.equal(await read(['x'.repeat(60), 'x'.repeat(40)], 'application/json'), 'x'.repeat(100))
    await assert.rejects(read(['x'.repeat(60), 'x'.repeat(41)], 'application/json'), { code: 'egress_too_large' })
  })

  for (const end of ['\n', '\r\n', '\r'])
    test(`of events with ${JSON.stringify(end)} is bounded event by event, however it is cut`, async () => {
      const events = Array.from({ length: 50 }, (_, at) => `id: ${at}${end}data: ${'x'.repeat(60)}${end}${end}`).join(
        '',
      )
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), async (cuts) => {
          const chunks: string[] = []
          for (let at = 0, turn = 0; at < events.length; turn++) {
            const size = cuts[turn % cuts.length] ?? 1
            chunks.push(events.slice(at, at + size))
            at += size
          }
          assert.equal(await read(chunks, 'text/event-stream; charset=utf-8'), events)
        }),
        { numRuns: 30 },
      )
      const long = `data: ${'x'.repeat(60)}${end}data: ${'x'.repeat(60)}${end}`
      await assert.rejects(read([events, long], 'text/event-stream'), { code: 'egress_too_large' })
    })

  test('without a body stays as it is', () => {
    const response = new Response(null, { status: 202 })
    assert.equal(limitedResponse(response, 1), response)
  })
})

describe('the gate', () => {
  const open = () => {
    const clock = virtualClock()
    const delivered: unknown[] = []
    const troubles: string[] = []
    const redactor = createRedactor(['canary-4711'])
    const gate = new MessageGate({
      clock,
      redactor,
      deliver: (message) => void delivered.push(message),
      onTrouble: (what) => void troubles.push(what),
    })
    return { clock, delivered, troubles, gate }
  }
  const note = { jsonrpc: '2.0', method: 'notifications/message', params: {} } as const

  test('lets so many notifications through a second, and every answer', async () => {
    const { clock, delivered, troubles, gate } = open()
    for (let at = 0; at < 2_000; at++) gate.take(note)
    for (let id = 0; id < 600; id++) gate.take({ jsonrpc: '2.0', id, result: {} })
    await clock.settle()
    assert.deepEqual([delivered.length, troubles.length], [500 + 600, 1])
    await clock.advance(1_000)
    gate.take(note)
    await clock.settle()
    assert.equal(delivered.length, 1_101)
  })

  test('keeps the order', async () => {
    const { clock, delivered, gate } = open()
    const messages = [note, { jsonrpc: '2.0', id: 1, result: {} }, note, { jsonrpc: '2.0', id: 2, result: {} }] as const
    for (const message of messages) gate.take(message)
    await clock.settle()
    assert.deepEqual(delivered, messages)
  })

  test('takes secrets out, and answers for what it refuses', async () => {
    const { clock, delivered, troubles, gate } = open()
    gate.take({ jsonrpc: '2.0', id: 1, result: { text: 'it is canary-4711' } })
    gate.take(JSON.parse('{"jsonrpc":"2.0","id":2,"result":{"__proto__":{}}}') as never)
    gate.take(JSON.parse('{"jsonrpc":"2.0","method":"notifications/message","params":{"constructor":1}}') as never)
    await clock.settle()
    assert.deepEqual(delivered[0], { jsonrpc: '2.0', id: 1, result: { text: 'it is [redacted]' } })
    assert.match(JSON.stringify(delivered[1]), /"id":2,"error":\{"code":-32098,"message":"its answer is not plain JSON/)
    assert.deepEqual([delivered.length, troubles.length], [2, 2])
  })
})
