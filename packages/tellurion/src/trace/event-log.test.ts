import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Event, EventRecord } from '../event/event.ts'
import { logEvents, type EventLogOptions } from './event-log.ts'
import { createLog } from './log.ts'

interface Line {
  readonly level: string
  readonly message: string
  readonly [name: string]: unknown
}

function reader(options?: EventLogOptions): {
  read: (event: Event | EventRecord) => void
  lines: Line[]
  raw: string[]
} {
  const raw: string[] = []
  const lines: Line[] = []
  const write = (line: string): void => {
    raw.push(line)
    lines.push(JSON.parse(line))
  }
  const log = createLog({ level: 'debug', write }).with({ correlationId: 'c1' })
  return { read: logEvents(log, options), lines, raw }
}

const input = { word: 'hush-hush' }
const call = { type: 'tool-call', toolCallId: 'c', toolName: 'lookUp', input } as const
const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
const turn: readonly Event[] = [
  { type: 'run.started', agent: 'a' },
  { type: 'message.added', entity: 1, message: { role: 'user', content: 'my secret question' } },
  { type: 'model.called', entity: 1, model: 'test/m' },
  { type: 'tool.delta', entity: 1, toolCallId: 'c', toolName: 'lookUp', delta: '{"word":"hush-hush"}' },
  { type: 'model.replied', entity: 1, model: 'test/m', usage, finishReason: 'tool-calls' },
  { type: 'stream.ended', entity: 1, message: { role: 'assistant', content: [call] } },
  {
    type: 'interaction.requested',
    entity: 1,
    interaction: { id: 'i', kind: 'approval', entity: 1, prompt: 'hush-hush?', input },
  },
  { type: 'tool.called', entity: 1, toolCallId: 'c', toolName: 'lookUp', input },
  { type: 'tool.progress', entity: 1, toolCallId: 'c', toolName: 'lookUp', progress: 'hush-hush is near' },
  { type: 'tool.ended', entity: 1, toolCallId: 'c', toolName: 'lookUp', content: 'classified answer', isError: false },
  { type: 'text.delta', entity: 1, text: 'a private matter' },
  { type: 'message.added', entity: 1, message: { role: 'assistant', content: 'a private matter' } },
  { type: 'run.succeeded', stopReason: 'idle' },
]

function watchTurn(options?: EventLogOptions): ReturnType<typeof reader> {
  const watched = reader(options)
  for (const event of turn) watched.read(event)
  return watched
}

describe('logEvents', () => {
  it('writes what happened in a turn, each with its level', () => {
    const { lines } = watchTurn()
    const shown = lines.map(({ level, message }) => `${level} ${message}`)
    assert.deepEqual(shown.slice(0, 3), ['info run.started', 'debug message.added', 'debug model.called'])
    assert.ok(shown.includes('info tool.called') && shown.includes('info tool.ended'))
    assert.equal(shown.at(-1), 'info run.succeeded')
    assert.equal(shown.length, turn.length - 2, 'deltas are left to the whole that follows them')
    assert.ok(lines.every((line) => line['correlationId'] === 'c1'))
  })

  it('leaves out what was said, and says how long it was', () => {
    const { lines, raw } = watchTurn()
    assert.doesNotMatch(raw.join('\n'), /secret question|hush-hush|classified|private/)
    const ended = lines.find(({ message }) => message === 'tool.ended')
    assert.equal(ended?.['contentLength'], 'classified answer'.length)
    assert.equal(ended?.['toolName'], 'lookUp')
  })

  it('shows it all when asked', () => {
    const { raw } = watchTurn({ content: true })
    for (const words of ['secret question', 'hush-hush', 'classified', 'private'])
      assert.ok(raw.some((line) => line.includes(words)))
  })

  const error = { code: 'model_network', message: 'gone', retryable: true } as const
  const cases: readonly [Event | EventRecord, string][] = [
    [{ type: 'run.failed', stopReason: 'failed', error }, 'error'],
    [{ type: 'failure.occurred', entity: 1, error, system: 's' }, 'error'],
    [{ type: 'tool.denied', entity: 1, toolCallId: 'c', reason: 'no', by: 'rule 1' }, 'warn'],
    [{ type: 'tool.ended', entity: 1, toolCallId: 'c', toolName: 't', content: '', isError: true }, 'warn'],
    [{ type: 'stream.restarted', entity: 1, failure: { kind: 'network', ...error } }, 'warn'],
    [{ type: 'run.cancelled' }, 'info'],
    [{ type: 'mood.changed' }, 'info'],
  ]
  for (const [event, level] of cases)
    it(`gives ${event.type} the level ${level}`, () => {
      const { read, lines } = reader()
      read(event)
      assert.deepEqual(
        lines.map((line) => [line.level, line.message]),
        [[level, event.type]],
      )
    })

  it("shows a program's own events with all their fields", () => {
    const { read, lines } = reader()
    read({ type: 'mood.changed', content: 'glad' } as EventRecord)
    assert.equal(lines[0]?.['content'], 'glad')
  })
})
