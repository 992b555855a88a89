import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { Agent, type AgentOptions } from './agent.ts'
import type { AgentResult } from './result.ts'
import type { TurnOptions } from './turn-options.ts'

const usage = { inputTokens: 100, outputTokens: 50, totalTokens: 150 }
const ran: number[] = []
const step = tool({ description: 's', inputSchema: z.object({}), effects: 'read', execute: () => void ran.push(1) })
const call = { calls: [{ toolName: 'step', input: {} }], usage }

/** An agent that never stops by itself. */
function endless(budget: NonNullable<AgentOptions['budget']>, calls = 1) {
  const model = scriptedModel(() => ({ calls: Array.from({ length: calls }, () => call.calls[0]!), usage }))
  return { model, agent: new Agent({ name: 'a', model, tools: { step }, budget }) }
}

async function stopped(agent: Agent, options = {}): Promise<{ error: TellurionError; result: AgentResult }> {
  const error = await agent.generate('go', options).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof TellurionError)
  assert.equal(error.code, 'budget_exceeded')
  const result = error.result as AgentResult
  assert.equal(result.stopReason, 'budget')
  return { error, result }
}

describe('a budget', () => {
  test('that is none is refused when the agent is made', () => {
    const make = (budget: unknown) => () => new Agent({ name: 'a', model: scriptedModel([]), budget: budget as never })
    for (const tokens of [Infinity, Number.NaN, -1, '5', null]) {
      assert.throws(make({ tokens }), /budget.tokens must be a number from 0, not .*; leave it out for no limit/)
    }
    for (const budget of [5, 'x', []]) assert.throws(make(budget), /must be an object/)
    assert.throws(make({ cost: 5, price: 3 }), /price must be a function/)
  })

  test('of model calls ends the turn before the call that would pass it', async () => {
    const { model, agent } = endless({ modelCalls: 3 })
    const { result, error } = await stopped(agent)
    assert.equal(model.calls, 3)
    assert.equal(result.steps, 3)
    assert.equal(error.data?.['limit'], 'modelCalls')
    assert.equal(result.messages.at(-1)?.role, 'tool')
  })

  test('of tokens counts the estimate and the longest answer before the call', async () => {
    const { model, agent } = endless({ tokens: 1000 })
    await stopped(agent, { settings: { maxOutputTokens: 500 } })
    // After three calls 450 are spent; 500 more and the input no longer fit.
    assert.equal(model.calls, 3)
    const { agent: none, model: unasked } = endless({ tokens: 100 })
    await stopped(none)
    assert.equal(unasked.calls, 0)
  })

  test('of money asks the price function first', async () => {
    const price = ({ totalTokens }: { totalTokens: number }) => totalTokens / 1000
    const { model, agent } = endless({ cost: 0.4, price })
    await stopped(agent, { settings: { maxOutputTokens: 100 } })
    assert.ok(model.calls >= 1)
    assert.throws(() => endless({ cost: 1 }), /price/)
  })

  test('of tool calls lets none of a reply run that would pass it', async () => {
    ran.length = 0
    const { agent } = endless({ toolCalls: 5 }, 3)
    const { result } = await stopped(agent)
    assert.equal(ran.length, 3)
    assert.equal(result.messages.filter((message) => message.role === 'tool').length, 6)
  })

  test('of time is measured by the clock', async () => {
    const clock = virtualClock()
    const slow = tool({
      description: 's',
      inputSchema: z.object({}),
      effects: 'read',
      execute: () => new Promise((resolve) => void clock.timer(100, () => resolve('ok'))),
    })
    const model = scriptedModel(() => call)
    const agent = new Agent({ name: 'a', model, tools: { step: slow }, budget: { wallTime: 250 } })
    const running = stopped(agent, { resources: { clock } })
    await clock.runAll()
    await running
    assert.equal(model.calls, 3)
  })

  test('of ticks says how many a turn has, also more than the usual hundred', async () => {
    const limited = async (budget: object, options: TurnOptions = {}) => {
      const error = await endless(budget)
        .agent.generate('go', options)
        .catch((thrown: unknown) => thrown)
      assert.ok(error instanceof TellurionError)
      return [error.code, (error.result as AgentResult).steps]
    }
    assert.deepEqual(await limited({ modelCalls: 1_000 }), ['run_limit', 100])
    assert.deepEqual(await limited({ ticks: 250 }), ['budget_exceeded', 250])
    assert.deepEqual(await limited({ ticks: 7.5 }), ['budget_exceeded', 8])
    assert.deepEqual(await limited({ ticks: 250 }, { maxTicks: 30 }), ['run_limit', 30])
  })

  test('is new with each turn', async () => {
    const model = scriptedModel(['one', 'two', 'three'])
    const chat = new Agent({ name: 'a', model, budget: { modelCalls: 1 } }).session()
    for (const text of ['one', 'two', 'three']) assert.equal((await chat.generate('go')).text, text)
  })

  test('that is misspelled is refused', () => {
    assert.throws(() => endless({ modelCall: 1 } as never), /modelCalls/)
    assert.throws(() => endless({ tokens: -1 }), /tokens/)
  })
})
