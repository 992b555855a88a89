// Whatever an agent of any make throws, gives back or tells, its run ends once, with an error that says what was wrong,
// and the process lives on.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError } from '../error/error.ts'
import { memory } from './backend/memory/memory.ts'
import type { AgentRuntime, RunContext } from './agent-runtime.ts'
import { createRuntime } from './runtime.ts'
import type { RunOutcome } from './run-outcome.ts'

/** Runs code that keeps to no type. */
async function outcomeOf(run: (context: RunContext) => unknown): Promise<RunOutcome> {
  const agent = { key: 'odd', run: async (context: RunContext) => run(context) } as unknown as AgentRuntime
  await using runtime = await createRuntime({
    store: memory(),
    agents: [agent],
    retry: { initialWait: 1, maxRetries: 1 },
  })
  const handle = await runtime.submit('odd', 'go')
  const outcome = await handle.outcome()
  const types = (await handle.log()).map(({ type }) => type)
  assert.equal(types.at(-1), `run.${outcome.record.status}`)
  assert.equal((await handle.messages()).length > 0, true)
  return outcome
}

const circular = new Error('in a circle')
circular.cause = circular
const trap = new Proxy(
  {},
  {
    get: () => assert.fail('looked at'),
    getPrototypeOf: () => assert.fail('looked at'),
    has: () => assert.fail('looked at'),
  },
)
const unreadable = Object.create(Error.prototype, { message: { get: () => assert.fail('looked at') } }) as Error
const self: { self?: object } = {}
self.self = self

describe('an agent that throws', () => {
  for (const [name, value, message] of [
    ['null', null, /^null$/],
    ['undefined', undefined, /^undefined$/],
    ['a text', 'plain words', /^plain words$/],
    ['a frozen object', Object.freeze({ a: 1 }), /^{"a":1}$/],
    ['an error that is its own cause', circular, /^in a circle$/],
    ['an error without a readable message', unreadable, /./],
    ['an error whose message is no text', Object.assign(new Error(), { message: {} }), /./],
    ['what must not be looked at', trap, /cannot be read/],
    ['a symbol', Symbol('s'), /^Symbol\(s\)$/],
    ['a bigint', 10n, /./],
    ['broken Unicode', new Error('\ud800'), /^\ufffd$/],
    ['very many words', new Error('x'.repeat(1_000_000)), /^x{10000}$/],
  ] as const) {
    test(`${name} fails, and says so`, async () => {
      const { record, error } = await outcomeOf(() => {
        throw value
      })
      assert.deepEqual([record.status, error?.code], ['failed', 'run_failed'])
      assert.match(error?.message ?? '', message)
    })
  }
})

describe('an agent that gives back', () => {
  for (const [name, value, message] of [
    ['a text', 'hello', /is a string: give back { output }/],
    ['a list', [1], /is a list: give back { output }/],
    ['a circle', { output: self }, /not plain JSON/],
    ['a bigint', { output: 1n }, /a bigint is not JSON/],
    ['what is too deep', { output: JSON.parse('['.repeat(1000) + ']'.repeat(1000)) }, /not plain JSON/],
    ['a text as messages', { output: 1, messages: 'nope' }, /it is no list of messages/],
    ['nothing as a message', { output: 1, messages: [null] }, /a message is an object/],
    ['a stranger', { output: 1, messages: [{ role: 'alien', content: '' }] }, /there is no role "alien"/],
    ['a part of no type', { output: 1, messages: [{ role: 'assistant', content: [{}] }] }, /no part of type/],
    ['half a call', { output: 1, messages: [{ role: 'assistant', content: [{ type: 'tool-call' }] }] }, /toolCallId/],
    ['half a result', { output: 1, messages: [{ role: 'tool', content: 'x' }] }, /toolCallId/],
    ['words as usage', { output: 1, usage: 'lots' }, /a usage that is none/],
    ['debts as usage', { output: 1, usage: { inputTokens: -5 } }, /a usage that is none/],
  ] as const) {
    test(`${name} fails, and says so`, async () => {
      const { record, error } = await outcomeOf(() => value)
      assert.deepEqual([record.status, error?.code], ['failed', 'invalid_value'])
      assert.match(error?.message ?? '', message)
    })
  }

  for (const [name, error, message] of [
    ['a text', 'no luck', 'no luck'],
    ['one of odd fields', { code: 5, message: {}, retryable: 'perhaps', data: self }, 'The agent failed.'],
  ] as const) {
    test(`${name} as its error fails with it, and keeps the output`, async () => {
      const outcome = await outcomeOf(() => ({ output: 'so far', error }))
      assert.deepEqual([outcome.record.status, outcome.result.output], ['failed', 'so far'])
      assert.deepEqual(outcome.error, { code: 'run_failed', message, retryable: false })
    })
  }

  test('nothing succeeds, with an output of null', async () => {
    for (const nothing of [undefined, null, {}]) {
      const { record, result } = await outcomeOf(() => nothing)
      assert.deepEqual([record.status, result.output], ['succeeded', null])
    }
  })

  test('a part of a usage is paid for that much', async () => {
    const { result } = await outcomeOf(() => ({ output: 1, usage: { inputTokens: 7 } }))
    assert.deepEqual(result.usage, { inputTokens: 7, outputTokens: 0, totalTokens: 0 })
  })
})

test('what an agent tells of what was said and spent must be that', async () => {
  const refusals: unknown[] = []
  const { record, result } = await outcomeOf(async ({ emit, say }) => {
    for (const event of [
      { type: 'message.added', message: null },
      { type: 'message.added', message: { role: 'alien' } },
      { type: 'model.replied', usage: { inputTokens: '5' } },
      { type: 'model.replied', usage: null },
    ]) {
      try {
        emit(event)
      } catch (error) {
        refusals.push((error as TellurionError).code)
      }
    }
    await say('hello' as never).catch((error: TellurionError) => refusals.push(error.code))
    await say({ role: 'user', content: 5 } as never).catch((error: TellurionError) => refusals.push(error.code))
    return { output: 'Done.' }
  })
  assert.deepEqual(
    refusals,
    Array.from({ length: 6 }, () => 'invalid_value'),
  )
  assert.equal(record.status, 'succeeded')
  assert.equal(result.usage.totalTokens, 0)
})
