import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TellurionError } from '../error/error.ts'
import type { LogFields, LogLevel } from '../port/log.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createLog, type LogOptions } from './log.ts'

const start = Date.UTC(2026, 10, 20, 9, 30)

function written(options: LogOptions, use: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = []
  use(createLog({ clock: virtualClock(start), write: (line) => void lines.push(line), ...options }))
  return lines
}

describe('createLog', () => {
  it('writes one JSON object a line with time, level, message and fields', () => {
    const [line = ''] = written({ fields: { service: 'demo' } }, (log) =>
      log.with({ correlationId: 'c1', runId: 'r1' }).info('started', { count: 2 }),
    )
    assert.equal(
      line,
      '{"time":"2026-11-20T09:30:00.000Z","level":"info","message":"started","service":"demo","correlationId":"c1","runId":"r1","count":2}',
    )
  })

  for (const [least, expected] of [
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['error', ['error']],
  ] as [LogLevel, string[]][]) {
    it(`writes from ${least} up`, () => {
      const lines = written({ level: least }, (log) => {
        log.debug('debug')
        log.info('info')
        log.warn('warn')
        log.error('error')
      })
      assert.deepEqual(
        lines.map((line) => JSON.parse(line).message),
        expected,
      )
    })
  }

  it('starts at info', () =>
    assert.deepEqual(
      written({}, (log) => log.debug('quiet')),
      [],
    ))

  it('adds fields without changing the log they came from', () => {
    const lines = written({}, (log) => {
      log.with({ runId: 'r1' }).info('one')
      log.info('two')
    })
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).runId),
      ['r1', undefined],
    )
  })

  it('lets no field forge time, level or message', () => {
    const [line = ''] = written({}, (log) => log.info('real', { level: 'error', message: 'forged', time: 'never' }))
    assert.deepEqual(JSON.parse(line), {
      time: '2026-11-20T09:30:00.000Z',
      level: 'info',
      message: 'real',
      'fields.level': 'error',
      'fields.message': 'forged',
      'fields.time': 'never',
    })
  })

  for (const format of ['json', 'text'] as const) {
    it(`hides secrets at any depth and in any case (${format})`, () => {
      const [line = ''] = written({ format, redact: ['pin'] }, (log) =>
        log.info('x', {
          apiKey: 's3cret',
          headers: { Authorization: 's3cret', list: [{ PIN: 's3cret' }] },
          user: 'ada',
        }),
      )
      assert.ok(!line.includes('s3cret'), line)
      assert.equal(line.match(/\[redacted\]/g)?.length, 3)
      assert.match(line, /ada/)
    })
  }

  it('writes text that a person can read', () => {
    const [line] = written({ format: 'text' }, (log) =>
      log.warn('slow', { runId: 'r-1', note: 'two words', n: 3, none: undefined }),
    )
    assert.equal(line, '2026-11-20T09:30:00.000Z WARN  slow runId=r-1 note="two words" n=3')
  })

  it('keeps a line one line, and inert', () => {
    const [line = ''] = written({ format: 'text' }, (log) =>
      log.info('a\nINFO forged \u001b[31m', { x: 'b\r\nc \u202e', y: '\u2028' }),
    )
    assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\u202e]/u)
    const [json = ''] = written({}, (log) => log.info('a\nb'))
    assert.ok(!json.includes('\n'))
  })

  it('never throws: not for a writer that does, nor for values that are no JSON', () => {
    assert.doesNotThrow(() =>
      createLog({
        write: () => {
          throw new Error('disk full')
        },
      }).error('x'),
    )
    const circle: Record<string, unknown> = { big: 10n, at: 'x' }
    circle['self'] = circle
    const twice = { a: 1 }
    const [line = ''] = written({}, (log) => log.info('x', { circle, list: [twice, twice] } as unknown as LogFields))
    assert.deepEqual(JSON.parse(line).circle, { big: '10', at: 'x', self: '[circular]' })
    assert.deepEqual(JSON.parse(line).list, [{ a: 1 }, { a: 1 }])
  })

  it('refuses options, levels and formats that do not exist, naming the nearest', () => {
    const refused = (options: object, words: RegExp) =>
      assert.throws(
        () => createLog(options),
        (error) => error instanceof TellurionError && error.code === 'unknown_option' && words.test(error.message),
      )
    refused({ level: 'wran' }, /log level 'wran'.*'warn'/)
    refused({ format: 'jsn' }, /log format 'jsn'.*'json'/)
    refused({ levle: 'info' }, /option of a log 'levle'.*'level'/)
  })
})
