// Secrets in pieces of live events, and what else is said meanwhile.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import type { Event } from '../event/event.ts'
import { createRedactor } from '../secret/redactor.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { memory } from './backend/memory/memory.ts'
import { allThatIsLive, liveRedaction } from './live-redaction.ts'
import { createRuntime } from './runtime.ts'

const text = (piece: string, entity = 1): Event => ({ type: 'text.delta', entity, text: piece })
const call = { entity: 1, toolCallId: 'c', toolName: 'runBash' }
const arguments_ = (delta: string, toolCallId = 'c'): Event => ({ type: 'tool.delta', ...call, toolCallId, delta })
const printed = (piece: string, stream = 'stdout'): Event => ({
  type: 'tool.progress',
  ...call,
  progress: { stream, text: piece },
})
const inChild = (event: Event): Event => ({
  type: 'child.progress',
  entity: 1,
  toolCallId: 'c',
  child: 'child',
  agent: 'helper',
  event: event as never,
})
const reply = (type: 'stream.ended' | 'stream.started'): Event => ({ type, entity: 1 })
const ended: Event = { type: 'tool.ended', ...call, content: '', isError: false }

const cases: readonly (readonly [string, readonly Event[], readonly Event[]])[] = [
  ['a reply', [text('It is top'), text('secret.')], [text('It is '), text('[redacted].')]],
  ['what ends as a beginning', [text('on top'), reply('stream.ended')], [text('on '), text('top')]],
  [
    'two things at a time',
    [
      text('top'),
      arguments_('{"a":"x'),
      printed('y'),
      text('sec'),
      text('top', 2),
      arguments_('topsecret"}'),
      text('ret.'),
    ],
    [arguments_('{"a":"x'), printed('y'), arguments_('[redacted]"}'), text('[redacted].')],
  ],
  [
    'something else in between does not let it out',
    [text('top'), { type: 'tool.started', ...call }, ended, text('secret.')],
    [{ type: 'tool.started', ...call }, text('[redacted].')],
  ],
  [
    'what code prints',
    [printed('top'), printed('top', 'stderr'), printed('secret.'), printed('!', 'stderr'), ended],
    [printed('[redacted].'), printed('top!', 'stderr')],
  ],
  [
    'a sub-agent',
    [inChild(text('top')), text('x'), inChild(text('secret.')), inChild(text('to')), inChild(reply('stream.ended'))],
    [text('x'), inChild(text('[redacted].')), inChild(text('to')), inChild(reply('stream.ended'))],
  ],
  [
    'a whole report',
    [{ type: 'tool.progress', ...call, progress: { at: 'topsecret' } }],
    [{ type: 'tool.progress', ...call, progress: { at: '[redacted]' } }],
  ],
  [
    'a name',
    [{ ...call, type: 'tool.delta', toolName: 'topsecret', delta: 'x' }],
    [{ ...call, type: 'tool.delta', toolName: '[redacted]', delta: 'x' }],
  ],
]

describe('live events', () => {
  for (const [name, given, shown] of cases) {
    test(`${name}`, () => {
      const take = liveRedaction(createRedactor(['topsecret']))
      assert.deepEqual(given.flatMap(take), shown)
    })
  }

  test('of a run are whole before what is kept says that they have ended', async () => {
    const model = scriptedModel(['It is on top'], { chunkSize: 4 })
    await using runtime = await createRuntime({
      store: memory(),
      agents: [new Agent({ name: 'a', model })],
      ports: { redactor: createRedactor(['topsecret']) },
    })
    const run = await runtime.submit('a', 'Go')
    const seen: string[] = []
    for await (const event of run.events({ recent: true })) {
      if (event.type === 'text.delta') seen.push(event.text)
      if (event.type === 'stream.ended') seen.push('|')
    }
    assert.equal(seen.join(''), 'It is on top|')
  })

  test('without secrets they pass, and kept ones are not among them', () => {
    const given = [text('top'), ended, text('secret')]
    assert.deepEqual(given.flatMap(allThatIsLive), [text('top'), text('secret')])
    assert.deepEqual([text('a'), ended, text('b')].flatMap(liveRedaction(createRedactor(['topsecret']))), [
      text('a'),
      text('b'),
    ])
  })
})
