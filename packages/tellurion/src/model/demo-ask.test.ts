import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../clock/clock.ts'
import type { ToolSpec } from '../port/model.ts'
import { callFor, readAsks } from './demo-ask.ts'

const shown = (text: string): string[] =>
  readAsks(text, ['weather']).map(
    ({ kind, subject, input }) => `${kind} ${subject}${input === undefined ? '' : JSON.stringify(input)}`,
  )

describe('readAsks', () => {
  const cases: readonly [text: string, ...asks: string[]][] = [
    ['what is 12*7?', 'calculate 12*7'],
    ['What is (1 + 2) * -3?', 'calculate (1 + 2) * -3'],
    ['what is 7 divided by 2', 'calculate 7 / 2'],
    ['3 x 4 and 5 times 6', 'calculate 3 * 4', 'calculate 5 * 6'],
    ['what is 15% of 80?', 'calculate 15/100*80'],
    ['the square root of 16 plus 2', 'calculate sqrt(16) + 2'],
    ['5 squared', 'calculate 5^2'],
    ['2**10 is 2 to the power of 10', 'calculate 2^10', 'calculate 2 ^ 10'],
    ['1,234 + 5', 'calculate 1234 + 5'],
    ['max(1,2)+3', 'calculate max(1,2)+3'],
    ['what is 3.5 + 2', 'calculate 3.5 + 2'],
    ['Do 2+2. Then 3*3.', 'calculate 2+2', 'calculate 3*3'],
    ['What time is it?', 'time '],
    ['what time is it in Tokyo', 'time Tokyo'],
    ['What time is it in New York and in Paris?', 'time New York', 'time Paris'],
    ['tell me the date', 'time '],
    ['what day is it', 'time '],
    ['show me the time', 'time '],
    ['time in Europe/Paris', 'time Europe/Paris'],
    ['wait 60 seconds', 'wait 60'],
    ['Sleep for a minute, then 2+2', 'wait 60', 'calculate 2+2'],
    ['what is 12*7 and wait 1.5s', 'calculate 12*7', 'wait 1.5'],
    ['wait 2 min', 'wait 120'],
    ['Wait a moment'],
    ['list files', 'list '],
    ['ls', 'list '],
    ['ls src', 'list src'],
    ['please list all files in the folder docs.', 'list docs'],
    ['what files are there?', 'list '],
    ['ls ..', 'list ..'],
    ['read README.md', 'read README.md'],
    ['show me the file "my notes.txt"', 'read my notes.txt'],
    ["what's in package.json?", 'read package.json'],
    ['what does docs/a.md say?', 'read docs/a.md'],
    ['cat ../etc/passwd', 'read ../etc/passwd'],
    ['use weather {"place": {"city": "Oslo"}}', 'tool weather{"place":{"city":"Oslo"}}'],
    ['use weather', 'tool weather{}'],
    ['list files, then read a.txt, 2+2', 'list ', 'read a.txt', 'calculate 2+2'],
    ['What is 12 * 7 and what time is it in Tokyo?', 'calculate 12 * 7', 'time Tokyo'],
    ['hello'],
    ['What is the capital of France?'],
    ['We met on 2026-11-20.'],
    ['I am 20-something, version 1.2.3, and what is node.js?'],
    ['use hammer {"nail": 1}'],
    [''],
  ]
  for (const [text, ...asks] of cases) it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(shown(text), asks))

  it('reads at most eight', () => assert.equal(readAsks('1+1; '.repeat(50), []).length, 8))

  it('takes any text, of any length, in no time', () => {
    const unit = fc.constantFrom(
      ...'read list use what time ( ) { } " + - * / % 1 2 , . ? and in the files sqrt'.split(' '),
      ' ',
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 200 }), (parts) => {
        for (const { subject } of readAsks(parts.join(''), ['weather'])) assert.equal(typeof subject, 'string')
      }),
    )
    const started = systemClock.monotonic()
    for (const piece of ['read ', '(', '-', 'what is ', '1+', 'show me the ', '{', 'use weather {', 'sqrt('])
      readAsks(piece.repeat(100_000), ['weather'])
    assert.ok(systemClock.monotonic() - started < 20_000)
  })
})

const spec = (name: string, ...properties: string[]): ToolSpec => ({
  name,
  description: name,
  inputSchema: { type: 'object', properties: Object.fromEntries(properties.map((each) => [each, {}])) },
})

describe('callFor', () => {
  const tools = [
    spec('calculator', 'precision', 'expression'),
    spec('get_current_time', 'timezone'),
    spec('list_files', 'path'),
    spec('wait', 'seconds'),
  ]
  const ask = (kind: 'calculate' | 'time' | 'list' | 'read' | 'wait', subject: string) =>
    callFor({ kind, subject, at: 0 }, tools)

  it('finds the tool by its name and the argument by its own', () => {
    assert.deepEqual(ask('calculate', '1+1'), { toolName: 'calculator', input: { expression: '1+1' } })
    assert.deepEqual(ask('wait', '60'), { toolName: 'wait', input: { seconds: 60 } })
    assert.deepEqual(ask('list', ''), { toolName: 'list_files', input: {} })
  })

  it('knows the zone of a city', () => {
    assert.deepEqual(ask('time', 'New York')?.input, { timezone: 'America/New_York' })
    assert.deepEqual(ask('time', 'Europe/Paris')?.input, { timezone: 'Europe/Paris' })
    assert.deepEqual(ask('time', 'Atlantis')?.input, { timezone: 'Atlantis' })
    assert.deepEqual(ask('time', '')?.input, {})
  })

  it('calls nothing where no tool serves', () => assert.equal(ask('read', 'a.txt'), undefined))
})
