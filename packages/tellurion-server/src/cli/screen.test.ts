import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Event } from 'tellurion'
import { Screen } from './screen.ts'
import { turnView } from './turn-view.ts'

/** A stream that keeps what is written to it. */
function paper(terminal?: { columns: number }): {
  text: string
  isTTY?: boolean
  columns?: number
  write(text: string): void
} {
  return {
    text: '',
    ...(terminal === undefined ? {} : { isTTY: true, ...terminal }),
    write(text) {
      this.text += text
    },
  }
}

describe('a screen', () => {
  it('colours at a terminal only, and not where it is not wanted', () => {
    const shown = (terminal: boolean, env: Record<string, string>): string => {
      const output = paper(terminal ? { columns: 80 } : undefined)
      new Screen(output, env).line('x', 'warning')
      return output.text
    }
    assert.equal(shown(true, {}), '\u001b[33mx\u001b[0m\n')
    assert.equal(shown(false, {}), 'x\n')
    assert.equal(shown(true, { NO_COLOR: '1' }), 'x\n')
    assert.equal(shown(true, { TERM: 'dumb' }), 'x\n')
  })

  it('wraps text and cuts notes at a terminal, and leaves a pipe alone', () => {
    const terminal = paper({ columns: 12 })
    const screen = new Screen(terminal, { NO_COLOR: '1' })
    screen.text('some words ')
    screen.text('to wrap')
    screen.note('a note that is too long')
    assert.equal(terminal.text, 'some words\nto wrap\na note tha…\n')
    const pipe = paper()
    new Screen(pipe, {}).note('a note that is too long for a terminal'.repeat(5))
    assert.equal(pipe.text, `${'a note that is too long for a terminal'.repeat(5)}\n`)
  })

  it('begins a line only where none is open', () => {
    const output = paper()
    const screen = new Screen(output, {})
    screen.text('open')
    screen.line('line')
    screen.text('closed\n')
    screen.line('line')
    screen.endLine()
    assert.equal(output.text, 'open\nline\nclosed\nline\n')
  })
})

describe('the view of a turn', () => {
  const entity = 1
  const failure = { kind: 'network', code: 'model_network', message: 'cut\noff', retryable: true } as const
  const call = { entity, toolCallId: 'c', toolName: 'read_file' }
  const events: Event[] = [
    { type: 'stream.started', entity },
    { type: 'text.delta', entity, text: 'Let me \u001b[31mlook' },
    { type: 'stream.ended', entity },
    { type: 'tool.called', ...call, input: { path: 'a\u202e\n' } },
    { type: 'tool.ended', ...call, content: 'one\u0007\ntwo\nthree\n', isError: false },
    { type: 'tool.ended', ...call, content: 'no such file', isError: true },
    { type: 'text.delta', entity, text: 'Half' },
    { type: 'stream.restarted', entity, failure },
    { type: 'text.delta', entity, text: 'Whole.' },
    { type: 'run.succeeded', stopReason: 'idle' },
  ]

  it('shows text as it comes, and one inert line for each call and result', () => {
    const output = paper()
    const screen = new Screen(output, {})
    const view = turnView(screen, screen)
    for (const event of events) view(event)
    screen.endLine()
    assert.equal(
      output.text,
      [
        'Let me [31mlook',
        '→ read_file {"path":"a\\u202e\\n"}',
        '← read_file one (+2 lines)',
        '✗ read_file no such file',
        'Half',
        '(the reply begins anew: cut off)',
        'Whole.',
        '',
      ].join('\n'),
    )
  })

  it('keeps answers and remarks apart', () => {
    const [answers, remarks] = [paper(), paper()]
    const view = turnView(new Screen(answers, {}), new Screen(remarks, {}))
    for (const event of events) view(event)
    assert.equal(answers.text, 'Let me [31mlook\nHalf\nWhole.')
    assert.equal(remarks.text.split('\n').length, 5)
  })
})
