import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Message } from 'tellurion'
import type { RunEvent, RunRecord } from 'tellurion/runtime'
import { serverFrames } from './schema-frame.ts'
import { chat, chunks, framedEvents, plainEvents, type Scene, type Telling } from './telling.ts'

const record: RunRecord = {
  id: 'run_1',
  agent: 'guide',
  session: 's1',
  branch: 'b1',
  status: 'running',
  priority: 0,
  input: { input: 'Hi' },
  metadata: {},
  user: 'ada',
  createdAt: 1,
  availableAt: 1,
  epoch: 1,
  retries: 0,
  crashes: 0,
  mail: 1,
  read: 0,
  events: 9,
  firstTick: 1,
  interactions: [],
  ranFor: 0,
}

const scene = (streamed = ''): Scene => ({ record, seq: 7, streamed })

interface Told {
  readonly type: keyof typeof serverFrames
  readonly seq?: number
  readonly data: { readonly content?: string; readonly anew?: true; readonly type?: string; readonly status?: string }
}

const told = (telling: Telling, event: RunEvent, streamed?: string): Told[] =>
  telling.tell(event, scene(streamed)).map((text) => JSON.parse(text) as Told)

const reply = (content: string): RunEvent => ({
  type: 'message.added',
  entity: 1,
  message: { role: 'assistant', content },
  seq: 7,
  at: 1,
})

const events: readonly RunEvent[] = [
  { type: 'run.started', agent: 'guide', seq: 7, at: 1 },
  { type: 'text.delta', entity: 1, text: 'x' },
  {
    type: 'stream.restarted',
    entity: 1,
    failure: { kind: 'network', code: 'model_network', message: 'gone', retryable: true },
  },
  reply('Hello'),
  { type: 'tool.called', entity: 1, toolCallId: 'c', toolName: 't', input: { a: 1 }, seq: 7, at: 1 },
  { type: 'run.heartbeat', attempt: 1 },
  { type: 'run.succeeded', stopReason: 'idle', seq: 7, at: 1 },
]

describe('tellings', () => {
  test('say only what their schemas allow', () => {
    for (const telling of [framedEvents, chat, chunks]) {
      for (const text of [...events.flatMap((event) => telling.tell(event, scene())), ...telling.end(record)]) {
        const frame = JSON.parse(text) as Told
        assert.deepEqual(serverFrames[frame.type].parse(frame), frame)
      }
    }
  })

  test('of plain events give them as they are', () => {
    for (const event of events) assert.deepEqual(told(plainEvents, event), [event])
    assert.deepEqual(plainEvents.end(record), [])
  })

  test('of framed events give each with its number', () => {
    for (const event of events) {
      const [frame] = told(framedEvents, event)
      assert.deepEqual([frame?.type, frame?.seq, frame?.data], ['event', event.seq, event])
    }
    assert.deepEqual(
      framedEvents.end(record).map((text) => (JSON.parse(text) as Told).type),
      ['task_completed'],
    )
  })

  test('of a chat give each thing its frame, and the end once', () => {
    assert.deepEqual(
      events.flatMap((event) => told(chat, event, 'Hello').map(({ type }) => type)),
      ['task_updated', 'stream_data', 'stream_data', 'message', 'event', 'event'],
    )
    assert.deepEqual(
      chunks.end(record).map((text) => (JSON.parse(text) as Told).type),
      ['task_completed', 'stream_complete'],
    )
    assert.equal(told(chunks, events[1]!)[0]?.type, 'stream_chunk')
  })

  test('give what was missing of a reply, so that its pieces always make up its text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (whole, streamed) => {
        const pieces = told(chat, reply(whole), streamed).filter(({ type }) => type === 'stream_data')
        let shown = streamed
        for (const { data } of pieces) shown = data.anew === true ? data.content! : shown + data.content!
        assert.equal(shown, whole)
      }),
    )
    assert.deepEqual(told(chat, reply('Hello'), 'Hel')[0]?.data, { content: 'lo' })
    assert.deepEqual(told(chat, reply('Hello'), 'lo')[0]?.data, { content: 'Hello', anew: true })
    const asked: Message = { role: 'user', content: 'Hello' }
    assert.deepEqual(
      told(chat, { type: 'message.added', entity: 1, message: asked, seq: 7, at: 1 }, 'Hel').map(({ type }) => type),
      ['message'],
    )
  })
})
