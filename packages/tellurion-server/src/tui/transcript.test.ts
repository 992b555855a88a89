import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { visibleWidth } from '@earendil-works/pi-tui'
import fc from 'fast-check'
import type { Message } from 'tellurion'
import type { EventResource, Json } from 'tellurion/protocol'
import { createTheme } from './theme.ts'
import { Transcript } from './transcript.ts'

const plain = createTheme(false)

const linesOf = (transcript: Transcript, width = 60): string[] =>
  Array.from({ length: transcript.length }, (_, index) => transcript.at(index)!.lines(width)).flat()

/** A transcript after these events, as one text. */
const shown = (...events: EventResource[]): string => {
  const transcript = new Transcript(plain)
  for (const event of events) transcript.take(event)
  return linesOf(transcript).join('\n')
}

const added = (message: Message): EventResource => ({ type: 'message.added', entity: 1, message, seq: 1 })
const user = (content: string): EventResource => added({ role: 'user', content })
const assistant = (content: string): EventResource => added({ role: 'assistant', content })
const delta = (text: string): EventResource => ({ type: 'text.delta', entity: 1, text })
const called = (toolCallId: string, input: Json = { a: 1 }): EventResource => ({
  type: 'tool.called',
  entity: 1,
  toolCallId,
  toolName: 'weather',
  input,
})
const ended = (toolCallId: string, content: string, isError = false): EventResource => ({
  type: 'tool.ended',
  entity: 1,
  toolCallId,
  toolName: 'weather',
  content,
  isError,
})

describe('a transcript', () => {
  it('shows what is said, thought and called', () => {
    const reply: Message = {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Oslo is\nin Norway' },
        { type: 'text', text: 'Let me **see**.' },
        { type: 'tool-call', toolCallId: 'c1', toolName: 'weather', input: { place: 'Oslo' } },
      ],
    }
    assert.equal(
      shown(user('Weather?\nIn Oslo?'), added(reply), called('c1'), ended('c1', 'rain\nsnow'), assistant('Rain.')),
      [
        '> Weather?',
        '  In Oslo?',
        '  thought: Oslo is in Norway',
        'Let me see.',
        '  ✓ weather {"place":"Oslo"} → rain (+1 lines)',
        'Rain.',
      ].join('\n'),
    )
  })

  it('puts a blank line between what differs, none between calls', () => {
    const transcript = new Transcript(plain)
    for (const event of [user('a'), called('c1'), called('c2'), assistant('b')]) transcript.take(event)
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => transcript.apart(index)),
      [false, true, false, true],
    )
  })

  it('streams a reply below what was sent, and ends with the whole of it', () => {
    const transcript = new Transcript(plain)
    const said = transcript.send('Hello', { steers: false, why: 'sending' })
    assert.deepEqual(linesOf(transcript), ['> Hello', '  (sending)'])
    said.pending = undefined
    transcript.take(delta('It ra'))
    transcript.send('In Celsius', { steers: true, why: 'is heard later' })
    transcript.take(delta('ins.'))
    assert.deepEqual(linesOf(transcript), ['> Hello', 'It rains.', '> In Celsius', '  (is heard later)'])
    // The events that are kept come with the commit behind the reply.
    for (const event of [user('Hello'), assistant('It rains.'), user('In Celsius')]) transcript.take(event)
    assert.deepEqual(linesOf(transcript), ['> Hello', 'It rains.', '> In Celsius'])
  })

  it('does not show twice what lags behind the whole', () => {
    assert.equal(shown(delta('It '), assistant('It rains.'), delta('rains'), delta('.')), 'It rains.')
    assert.equal(
      shown(assistant('It rains.'), delta('It rains.'), { type: 'run.succeeded', stopReason: 'idle' }),
      'It rains.',
    )
    assert.equal(shown(assistant('It rains.'), delta('Now')), 'It rains.\nNow', 'another reply')
    const thought: Message = { role: 'assistant', content: [{ type: 'reasoning', text: 'hm' }] }
    assert.equal(shown(added(thought), { type: 'reasoning.delta', entity: 1, text: 'hm' }), '  thought: hm')
  })

  it('begins a reply anew', () => {
    const failure = { code: 'provider_error', message: 'gone', retryable: true } as never
    assert.equal(
      shown(delta('It ra'), { type: 'stream.restarted', entity: 1, failure }, delta('Snow')),
      '(the reply begins anew: gone)\nSnow',
    )
    const error = { code: 'model_timeout', message: 'Too late.', retryable: true } as never
    assert.equal(
      shown(
        delta('It ra'),
        { type: 'run.retrying', error, availableAt: 0 },
        { type: 'run.resumed', agent: 'a', attempt: 2 },
      ),
      'Too late. It will be tried again.',
    )
  })

  it('says that the beginning is missing when the connection broke in the middle', () => {
    const transcript = new Transcript(plain)
    transcript.take(delta('It ra'))
    transcript.tear()
    assert.deepEqual(linesOf(transcript), [])
    transcript.take(delta('today.'))
    assert.deepEqual(linesOf(transcript), ['… today.'])
    transcript.take(assistant('It rains today.'))
    transcript.take(delta('And'))
    assert.deepEqual(linesOf(transcript), ['It rains today.', 'And'])
  })

  it('follows a call through everything that may become of it', () => {
    const states: EventResource[] = [
      called('c1'),
      {
        type: 'interaction.requested',
        entity: 1,
        interaction: { id: 'i', kind: 'approval', entity: 1, prompt: '', toolCallId: 'c1' },
      },
      { type: 'tool.approved', entity: 1, toolCallId: 'c1', by: 'ada' },
      { type: 'tool.started', entity: 1, toolCallId: 'c1', toolName: 'weather' },
      { type: 'tool.progress', entity: 1, toolCallId: 'c1', toolName: 'weather', progress: { percent: 50 } },
      { type: 'child.spawned', entity: 1, toolCallId: 'c1', toolName: 'weather', child: 'x', agent: 'guide' },
      ended('c1', 'rain'),
      { type: 'tool.started', entity: 1, toolCallId: 'c1', toolName: 'weather' },
    ]
    assert.deepEqual(
      states.map((_, index) => shown(...states.slice(0, index + 1))),
      [
        '  · weather {"a":1}',
        '  ? weather {"a":1} → waits for your answer',
        '  · weather {"a":1}',
        '  … weather {"a":1}',
        '  … weather {"a":1} → {"percent":50}',
        '  … weather {"a":1} → guide begins',
        '  ✓ weather {"a":1} → rain',
        '  ✓ weather {"a":1} → rain',
      ],
    )
    assert.equal(
      shown(states[3]!, states[4]!, called('c1')),
      '  … weather {"a":1} → {"percent":50}',
      'live events run ahead',
    )
    const denied: EventResource = {
      type: 'tool.denied',
      entity: 1,
      toolCallId: 'c1',
      reason: 'not on Fridays',
      by: 'ada',
    }
    assert.equal(shown(called('c1'), denied, ended('c1', 'was denied', true)), '  ⊘ weather {"a":1} → not on Fridays')
    assert.equal(shown(called('c1'), ended('c1', 'It broke.', true)), '  ✗ weather {"a":1} → It broke.')
    assert.equal(shown(called('c1'), { type: 'run.cancelled' }), '  ✗ weather {"a":1}\n(stopped)')
    // The same id in another turn is another call.
    assert.equal(
      shown(called('c1'), ended('c1', 'rain'), called('c1', {}), ended('c1', 'snow')),
      '  ✓ weather {"a":1} → rain\n  ✓ weather {} → snow',
    )
  })

  it('recalls what was said before', () => {
    const transcript = new Transcript(plain)
    transcript.recall([
      { role: 'system', content: 'hidden' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'See' },
          { type: 'image', mediaType: 'image/png', url: 'https://x' },
        ],
      },
      { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 'c1', toolName: 'look', input: {} }] },
      { role: 'tool', toolCallId: 'c1', toolName: 'look', content: 'a cat' },
      { role: 'assistant', content: 'A c', partial: true },
    ])
    assert.deepEqual(linesOf(transcript), ['> See [+1 attachment]', '  ✓ look {} → a cat', 'A c', '(cut off)'])
  })

  it('tells how runs go', () => {
    const error = { code: 'model_failed', message: 'No key.', retryable: false } as never
    assert.equal(shown({ type: 'run.failed', stopReason: 'failed', error }), 'No key.')
    assert.equal(shown({ type: 'run.paused' }), '(paused)')
    assert.equal(shown({ type: 'run.succeeded', stopReason: 'idle' }), '')
    assert.equal(shown({ type: 'run.succeeded', stopReason: 'stop_when' }), '(ended: stop_when)')
    assert.equal(
      shown({ type: 'plan.revised', entity: 1, oldSteps: [], newSteps: ['look', 'say'] }),
      'Plan:\n1. look\n2. say',
    )
    assert.equal(shown({ type: 'agent.handed_over', entity: 1, from: 'a', to: 'b', history: 'full' }), '(b goes on)')
  })

  it('keeps what was never heard, and takes back what was not sent', () => {
    const transcript = new Transcript(plain)
    const first = transcript.send('one', { steers: false, why: 'sending' })
    const second = transcript.send('two', { steers: false, why: 'sending' })
    transcript.send('three', { steers: true, why: 'later' })
    transcript.take({ type: 'run.cancelled' })
    transcript.keep(first)
    assert.equal(transcript.unsend(second), true)
    assert.equal(transcript.unsend(second), false)
    assert.deepEqual(linesOf(transcript), ['> three', '  (was not heard)', '(stopped)', '> one', '  (sending)'])
  })

  it('forgets the oldest where there are too many', () => {
    const transcript = new Transcript(plain)
    for (let index = 0; index < 5200; index++) transcript.take(user(`${index}`))
    assert.ok(transcript.length <= 5000 && transcript.length > 4000)
    assert.deepEqual(transcript.at(transcript.length - 1)?.lines(20), ['> 5199'])
  })

  it('never shows a control, a bidi character or a line that is too wide', () => {
    const hostile = fc
      .array(
        fc.constantFrom(
          '\u001b[2J',
          '\u009b',
          '\u202e',
          '\u0007',
          '\r',
          '\n',
          '日本',
          '👩‍👩‍👧',
          'word ',
          'x'.repeat(30),
          '\ud83d',
          '\t',
        ),
        {
          maxLength: 12,
        },
      )
      .map((parts) => parts.join(''))
    const styled = createTheme(true)
    fc.assert(
      fc.property(hostile, fc.integer({ min: 12, max: 60 }), fc.boolean(), (text, width, open) => {
        const transcript = new Transcript(styled)
        const error = { code: 'internal', message: text, retryable: false } as never
        const events: EventResource[] = [
          user(text),
          delta(text),
          added({
            role: 'assistant',
            content: [
              { type: 'reasoning', text },
              { type: 'text', text },
            ],
          }),
          { ...called('c1', { [text]: text }), toolName: text } as EventResource,
          { type: 'tool.progress', entity: 1, toolCallId: 'c1', toolName: text, progress: text },
          { type: 'tool.denied', entity: 1, toolCallId: 'c1', reason: text, by: text },
          ended('c1', text),
          ended('c2', text, true),
          { type: 'message.delivered', entity: 1, from: 2, sender: text, text },
          { type: 'plan.revised', entity: 1, oldSteps: [], newSteps: [text] },
          { type: 'run.failed', stopReason: 'failed', error },
        ]
        for (const event of events) transcript.take(event)
        transcript.send(text, { steers: false, why: text })
        for (let index = 0; index < transcript.length; index++) {
          const entry = transcript.at(index)!
          if (entry.kind === 'call' || entry.kind === 'thought') entry.open = open
        }
        for (const line of linesOf(transcript, width)) {
          assert.ok(visibleWidth(line) <= width, `${visibleWidth(line)} > ${width}: ${JSON.stringify(line)}`)
          // eslint-disable-next-line no-control-regex
          assert.doesNotMatch(line.replace(/\u001b\[\d+m/g, ''), /[\p{Cc}\p{Bidi_Control}\p{Surrogate}]/u)
        }
      }),
      { numRuns: 150 },
    )
  })
})
