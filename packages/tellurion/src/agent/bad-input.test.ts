// What a session is given by mistake: a clear error at once, nothing of it in the conversation, no turn that has begun
// without an end, and a session that goes on.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import type { Event } from '../event/event.ts'
import { TellurionError } from '../error/error.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import type { Answer } from './interaction.ts'
import type { Session } from './session.ts'

const careful = tool({
  description: 'Asks first',
  inputSchema: z.object({}),
  needsApproval: true,
  execute: () => 'done with care',
})

function chat(): { session: Session; events: Event[] } {
  const replies = [{ calls: [{ toolName: 'careful', input: {} }] }, 'Done.', 'And again.']
  const session = new Agent({ name: 'a', model: scriptedModel(replies), tools: { careful } }).session()
  const events: Event[] = []
  session.world.on('*', (event) => void events.push(event))
  return { session, events }
}

const refuses = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof TellurionError && error.code === code && words.test(error.message)

describe('input that is none', () => {
  const cases: readonly [what: string, input: unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['an object', {}],
    ['a message of another role', { role: 'assistant', content: 'x' }],
    ['a message without content', { role: 'user' }],
    ['a message with a number', { role: 'user', content: 5 }],
    ['a part that is none', ['x']],
    ['a part of no kind', [{ text: 'x' }]],
    ['a part of another kind', [{ type: 'tool-call', toolCallId: 'c', toolName: 't', input: {} }]],
    ['a text part without text', [{ type: 'text' }]],
    ['an image without data', [{ type: 'image', mediaType: 'image/png' }]],
    ['an image with data and url', [{ type: 'image', mediaType: 'image/png', data: 'AA', url: 'https://a.b' }]],
    ['a file without its type', [{ type: 'file', data: 'AA' }]],
    ['what is not JSON', { role: 'user', content: 'x', at: () => 1 }],
    ['ill-formed text', [{ type: 'text', text: '\ud800' }]],
  ]
  for (const [what, input] of cases) {
    test(`${what} is refused`, async () => {
      const { session, events } = chat()
      await assert.rejects(session.generate(input as string), refuses('invalid_option', /^The input /))
      assert.deepEqual([events, session.messages.length], [[], 0])
      assert.equal((await session.generate('Go')).status, 'waiting')
    })
  }
})

describe('options that are none', () => {
  const cases: readonly [what: string, options: unknown, words: RegExp][] = [
    ['null', null, /takes one object/],
    ['an unknown one', { maxTick: 5 }, /'maxTick'.*maxTicks/],
    ['a limit below 1', { maxTicks: 0 }, /maxTicks/],
    ['a limit that is no number', { maxTicks: '5' }, /maxTicks/],
    ['a signal that is none', { abortSignal: {} }, /abortSignal/],
    ['a controller for its signal', { abortSignal: new AbortController() }, /abortSignal/],
    ['an unknown setting', { settings: { temprature: 1 } }, /'temprature'.*temperature/],
    ['a setting that is not JSON', { settings: { temperature: Number.NaN } }, /settings.*NaN/],
    ['settings that are none', { settings: 5 }, /settings/],
  ]
  for (const [what, options, words] of cases) {
    test(`${what} is refused`, async () => {
      const { session, events } = chat()
      const error = (thrown: unknown): boolean =>
        refuses('invalid_option', words)(thrown) || refuses('unknown_option', words)(thrown)
      await assert.rejects(session.generate('Go', options as object), error)
      assert.deepEqual([events, session.messages.length], [[], 0])
      assert.equal((await session.generate('Go')).status, 'waiting')
    })
  }

  test('input while calls are open is refused, and they stay open', async () => {
    const { session, events } = chat()
    const { interactions } = await session.generate('Go')
    const before = events.length
    await assert.rejects(session.generate('More'), refuses('open_tool_calls', /still open/))
    assert.equal(events.length, before)
    assert.equal((await session.answer(interactions[0]!.id, 'approve')).text, 'Done.')
  })
})

describe('an answer that is none', () => {
  const cases: readonly unknown[] = [
    null,
    undefined,
    5,
    'yes',
    {},
    [],
    { deny: 5 },
    { text: 'x' },
    { choice: 'approve' },
    { deny: 'no', text: 'a result that nobody made' },
    { deny: 'no', choice: 'yes' },
  ]
  for (const given of cases) {
    test(`${JSON.stringify(given)} is refused, and the question stays open`, async () => {
      const { session } = chat()
      const { interactions } = await session.generate('Go')
      const { id } = interactions[0]!
      await assert.rejects(session.answer(id, given as Answer), refuses('invalid_answer', /^Answer with 'approve'/))
      assert.deepEqual(session.interactions, interactions)
      assert.equal((await session.answer(id, 'approve')).text, 'Done.')
    })
  }
})

test('after an answer the result still tells of the whole turn', async () => {
  const { session } = chat()
  const { interactions } = await session.generate('Go')
  const result = await session.answer(interactions[0]!.id, 'approve')
  const roles = result.messages.map((message) => message.role)
  assert.deepEqual([roles, result.steps], [['user', 'assistant', 'tool', 'assistant'], 2])
  assert.equal((await session.generate('More')).messages.length, 2)
})
