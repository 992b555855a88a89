// Options that cannot be meant are refused where they are given, with what to write instead.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'

const agent = new Agent({ name: 'a', model: scriptedModel(() => 'ok') })
const numbers = [Number.NaN, -1, '5', null]

describe('createRuntime', () => {
  const opened = async (options: object): Promise<void> => {
    const runtime = await createRuntime({ store: memory(), agents: [agent], ...options })
    await runtime.close()
  }
  const unknown = (name: string) => ({ code: 'unknown_option', message: new RegExp(`Did you mean '${name}'`) })
  const invalid = (message: RegExp) => ({ code: 'invalid_option', message })

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
    await assert.rejects(createRuntime(undefined as never), invalid(/createRuntime must be an object/))
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
