import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Call, type CallFacts } from './call.ts'
import { exactLines } from './exact.ts'
import { createTheme } from './theme.ts'

const call = (facts: Partial<CallFacts>): Call =>
  new Call('c1', { toolName: 'read_file', input: { path: 'a\u202etxt' }, state: 'done', ...facts }, createTheme(false))

describe('a tool call', () => {
  it('is one line when it is folded, however much there is to say', () => {
    const long = call({ input: { path: 'x'.repeat(200) }, content: 'y'.repeat(200) })
    const [line = '', ...more] = long.lines(40)
    assert.equal(more.length, 0)
    assert.equal(line, '  ✓ read_file {"pat… → yyyyyyyyyyyyyyyy…')
    assert.equal(call({ content: 'short' }).lines(60)[0], '  ✓ read_file {"path":"a\\u202etxt"} → short')
  })

  it('shows exact arguments and the exact result when it is unfolded', () => {
    const one = call({ content: 'first  line\n\u001b[31m\tsecond\n' })
    one.open = true
    assert.deepEqual(one.lines(60), [
      '  ✓ read_file',
      '    arguments',
      '      {',
      '        "path": "a\\u202etxt"',
      '      }',
      '    result',
      '      first  line',
      '      \\u001b[31m    second',
      '      ',
    ])
    one.open = false
    one.selected = true
    assert.equal(one.lines(60)[0]?.slice(0, 4), '❯ ✓ ')
  })

  it('says why it was denied, and how far it is', () => {
    const denied = call({ state: 'denied', why: 'not\non Fridays', content: 'The call was denied.' })
    denied.open = true
    assert.deepEqual(denied.lines(60).slice(5), [
      '    denied: not on Fridays',
      '    result',
      '      The call was denied.',
    ])
    const running = call({ state: 'running', progress: 'half' })
    running.open = true
    assert.deepEqual(running.lines(60).slice(5), ['    half'])
  })
})

describe('exact lines', () => {
  it('lose nothing where they are broken', () => {
    const text = 'a  b   c    d     e 日本語日本語 x'
    for (const width of [12, 13, 17, 30]) {
      const lines = exactLines(text, { width, by: 2 })
      assert.equal(lines.map((line) => line.slice(2)).join(''), text)
    }
    assert.deepEqual(exactLines('ab\n\ncd', { width: 20, by: 1 }), [' ab', ' ', ' cd'])
  })
})
