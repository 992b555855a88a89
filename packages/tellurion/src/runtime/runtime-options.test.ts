// Options that cannot be meant are refused where they are given, with what to write instead.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'

const agent = new Agent({ name: 'a', model: scriptedModel(() => 'ok') })
const foreign: AgentRuntime = { key: 'f', run: async ({ input }) => ({ output: input }) }
const numbers = [Number.NaN, -1, '5', null]

const invalid = (message: RegExp) => ({ code: 'invalid_option', message })

describe('createRuntime', () => {
  const opened = async (options: object): Promise<void> => {
    const runtime = await createRuntime({ store: memory(), agents: [agent], ...options })
    await runtime.close()
  }
  const unknown = (name: string) => ({ code: 'unknown_option', message: new RegExp(`Did you mean '${name}'`) })

  test('names the nearest of what it does not know, at every level', async () => {
    await assert.rejects(opened({ maxConcurent: 3 }), unknown('maxConcurrent'))
    await assert.rejects(opened({ patience: { leese: 5 } }), unknown('lease'))
    await assert.rejects(opened({ retry: { maxretries: 5 } }), unknown('maxRetries'))
    await assert.rejects(opened({ state: { component: [] } }), unknown('components'))
    await assert.rejects(opened({ ports: { clok: 1 } }), unknown('clock'))
    await assert.rejects(opened({ budgets: { usr: {} } }), unknown('user'))
    await assert.rejects(opened({ budgets: { user: { token: 5 } } }), unknown('tokens'))
    await assert.rejects(opened({ budgets: { tenant: { wallTime: 5 } } }), { code: 'unknown_option' })
  })

  test('takes a store and a list of agents', async () => {
    for (const store of [undefined, 'sqlite:x', {}]) await assert.rejects(opened({ store }), invalid(/store must be/))
    for (const agents of [undefined, agent]) await assert.rejects(opened({ agents }), invalid(/agents must be a list/))
    await assert.rejects(createRuntime(undefined as never), invalid(/createRuntime takes one object/))
    await assert.rejects(opened({ work: 'no' }), invalid(/work must be true or false/))
  })

  test('takes counts and durations that are some', async () => {
    for (const value of numbers) {
      await assert.rejects(opened({ maxConcurrent: value }), invalid(/maxConcurrent must be a whole number from 1/))
      await assert.rejects(opened({ maxSessions: value }), invalid(/maxSessions must be a whole number from 0/))
    }
    for (const value of [0, 1.5, Infinity]) await assert.rejects(opened({ maxConcurrent: value }), invalid(/whole/))
    for (const name of ['lease', 'heartbeat', 'timeout', 'grace', 'stall', 'idle']) {
      for (const value of [Number.NaN, -1, '5']) {
        await assert.rejects(opened({ patience: { [name]: value } }), invalid(new RegExp(`patience.${name} must be`)))
      }
    }
    for (const lease of [1500.5, Infinity]) await assert.rejects(opened({ patience: { lease } }), invalid(/whole/))
    await opened({ patience: { grace: 0, idle: Infinity, timeout: Infinity, lease: undefined } })
  })

  test('takes no heartbeat that would let leases lapse', async () => {
    await assert.rejects(opened({ patience: { heartbeat: 5000 } }), invalid(/heartbeat .* must be below the lease/))
    await assert.rejects(opened({ patience: { lease: 500 } }), invalid(/must be below the lease/))
  })

  test('takes accounts that are some', async () => {
    for (const tokens of [...numbers, Infinity]) {
      await assert.rejects(opened({ budgets: { user: { tokens } } }), invalid(/budgets.user.tokens must be a number/))
    }
    for (const user of [5, null]) await assert.rejects(opened({ budgets: { user } }), invalid(/must be an object/))
    for (const per of [0, -1, Number.NaN]) {
      await assert.rejects(opened({ budgets: { user: { tokens: 5, per } } }), invalid(/budgets.user.per must be/))
    }
    await using runtime = await createRuntime({
      store: memory(),
      agents: [agent],
      work: false,
      budgets: { user: () => ({ tokens: Number.NaN }) },
    })
    await assert.rejects(runtime.submit('a', 'go'), invalid(/budgets.user.tokens must be a number/))
  })
})

for (const material of materials) {
  test(`submit on ${material} stores nothing that cannot be meant`, async () => {
    await using runtime = await createRuntime({ store: backendPlace(material), agents: [agent, foreign], work: false })
    const refused = async (options: object, message: RegExp): Promise<void> => {
      await assert.rejects(runtime.submit('a', 'go', options), invalid(message), JSON.stringify(options))
    }
    await assert.rejects(runtime.submit('a', 'go', { sesion: 's' } as never), {
      code: 'unknown_option',
      message: /Did you mean 'session'/,
    })
    for (const priority of [Number.NaN, Infinity, 1.5, '1']) await refused({ priority }, /priority must be a whole/)
    for (const delay of [Number.NaN, Infinity, -1, '1']) await refused({ delay }, /delay must be a number of mill/)
    for (const metadata of [5, [], null, { at: Number.NaN }, { f: () => {} }, { when: new Date(0) }]) {
      await refused({ metadata }, /metadata must be an object of plain JSON/)
    }
    for (const name of ['session', 'user', 'tenant']) await refused({ [name]: '../x' }, /id .*64 letters/)
    for (const key of ['', 'x'.repeat(257), 'a\nb', 5]) await refused({ idempotencyKey: key }, /printable/)
    for (const budget of [5, { tokens: Infinity }, { tokens: Number.NaN }]) await refused({ budget }, /budget/)
    for (const input of [undefined, null, 5, {}, { role: 'system', content: 'x' }]) {
      await assert.rejects(runtime.submit('a', input as never), invalid(/input must be a text/))
    }
    for (const input of [undefined, Number.NaN, () => {}, { when: new Date(0) }, { deep: [Infinity] }]) {
      await assert.rejects(runtime.submit('f', input as never), invalid(/input must be a text.*JSON/))
    }
    assert.deepEqual(await runtime.runs(), [])
    const { priority, availableAt, createdAt } = await (
      await runtime.submit('f', { any: ['json', null] }, { priority: -3, delay: 0.5 })
    ).record()
    assert.deepEqual([priority, availableAt - createdAt], [-3, 1])
  })

  test(`a run on ${material} may have a budget of cost, whose price its agent knows`, async () => {
    const usage = { inputTokens: 5, outputTokens: 5, totalTokens: 10 }
    const priced = new Agent({
      name: 'priced',
      model: scriptedModel(() => ({ text: 'ok', usage })),
      budget: { cost: 9, price: () => 2 },
    })
    await using runtime = await createRuntime({ store: backendPlace(material), agents: [priced] })
    assert.equal((await runtime.execute('priced', 'go', { budget: { cost: 3 } })).usage.cost, 2)
    await assert.rejects(runtime.execute('priced', 'go', { budget: { cost: 1 } }), { code: 'budget_exceeded' })
  })
}

test('lists are asked for by what there is, at most so many', async () => {
  await using runtime = await createRuntime({ store: memory(), agents: [agent], work: false })
  await runtime.submit('a', 'go')
  for (const list of [runtime.runs.bind(runtime), runtime.sessions.bind(runtime)]) {
    for (const limit of [Number.NaN, -1, 1.5, Infinity, '5'] as number[]) {
      await assert.rejects(list({ limit }), invalid(/limit must be a whole number from 0/))
    }
    assert.deepEqual(await list({ limit: 0 }), [])
    await assert.rejects(list({ usr: 'ada' } as never), { code: 'unknown_option', message: /Did you mean 'user'/ })
  }
})

test('ids, keys and filters that are no texts are refused, on every store alike', async () => {
  for (const material of materials) {
    await using runtime = await createRuntime({ store: backendPlace(material), agents: [], work: false })
    const odd: never[] = [null, 42, true, ['x'], {}] as never[]
    for (const value of odd) {
      for (const name of ['session', 'user', 'tenant', 'idempotencyKey']) {
        await assert.rejects(
          runtime.submit('a', 'x', { [name]: value }),
          { code: 'invalid_option' },
          `${name} ${String(value)}`,
        )
      }
      await assert.rejects(runtime.submit(value, 'x'), { code: 'invalid_option' })
      await assert.rejects(runtime.createSession({ id: value }), { code: 'invalid_option' })
      assert.throws(() => runtime.run(value), { code: 'invalid_option' })
      for (const name of ['session', 'user', 'agent', 'parent', 'before']) {
        await assert.rejects(runtime.runs({ [name]: value }), { code: 'invalid_option' }, `runs by ${name}`)
      }
      await assert.rejects(runtime.sessions({ user: value }), { code: 'invalid_option' })
      await assert.rejects(runtime.interactions.list({ agent: value }), { code: 'invalid_option' })
    }
    for (const status of ['queued', 'queued,running', ['gone'], [null], 5]) {
      await assert.rejects(runtime.runs({ status: status as never }), { code: 'invalid_option' })
    }
    await assert.rejects(runtime.runs({ limit: 1e308 }), { code: 'invalid_option' })
  }
})
