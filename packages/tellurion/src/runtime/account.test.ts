// Budgets of users and tenants: lent to runs when they are created, settled when they end, on every backend.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent, type AgentOptions } from '../agent/agent.ts'
import { TellurionError } from '../error/error.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { claimOf, freshAccount, grantFrom, lentFrom, settledWith } from './account.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import { createRuntime } from './runtime.ts'
import type { RuntimeOptions } from './runtime-options.ts'

const usage = { inputTokens: 60, outputTokens: 40, totalTokens: 100 }
const exceeded = (error: unknown) => error instanceof TellurionError && error.code === 'budget_exceeded'
const look = tool({ description: 'l', inputSchema: z.object({}), effects: 'read', execute: () => 'x' })

/** An agent that never stops by itself. */
function endless(budget?: AgentOptions['budget']) {
  const model = scriptedModel(() => ({ calls: [{ toolName: 'look', input: {} }], usage }))
  return { model, agent: new Agent({ name: 'a', model, tools: { look }, ...(budget === undefined ? {} : { budget }) }) }
}

describe('a grant', () => {
  const claim = { id: 'user.ada', limits: { tokens: 1000, modelCalls: 10 } }

  test('is what is asked, at most what is left', () => {
    const record = lentFrom(freshAccount(claim), { tokens: 700 })
    assert.deepEqual(grantFrom([{ claim, record }], { tokens: 500 }), {
      status: 'granted',
      limits: { tokens: 300, modelCalls: 1 },
    })
    assert.deepEqual(grantFrom([], { tokens: 5 }), { status: 'granted', limits: { tokens: 5 } })
  })

  test('is refused where an account has nothing left, and says which', () => {
    const record = settledWith(
      lentFrom(freshAccount(claim), { tokens: 700 }),
      { tokens: 700 },
      {
        modelCalls: 0,
        toolCalls: 0,
        tokens: 1000,
        cost: 0,
      },
    )
    assert.deepEqual(record.lent.tokens, 0)
    assert.deepEqual(grantFrom([{ claim, record }]), {
      status: 'refused',
      account: 'user.ada',
      limit: 'tokens',
      allowed: 1000,
    })
  })

  test('of fractions leaves nothing behind', () => {
    const parts = [0.1, 0.2, 0.3, 0.7].map((cost) => ({ cost }))
    const lent = parts.reduce((record, limits) => lentFrom(record, limits), freshAccount(claim))
    const none = { modelCalls: 0, toolCalls: 0, tokens: 0, cost: 0 }
    assert.equal(parts.reduce((record, limits) => settledWith(record, limits, none), lent).lent.cost, 0)
  })

  test('accounts begin anew with their time', () => {
    const limits = { tokens: 5, per: 1000 }
    assert.equal(claimOf('user', 'ada', { limits, now: 1999 })?.id, 'user.ada.1000')
    assert.equal(claimOf('user', 'ada', { limits, now: 2000 })?.id, 'user.ada.2000')
    assert.equal(claimOf('user', 'ada', { limits, now: 2000 })?.ends, 3000)
    assert.equal(claimOf('user', 'ada', { limits: () => undefined, now: 0 }), undefined)
  })
})

for (const material of materials) {
  describe(`accounts on ${material}`, () => {
    const open = (agent: RuntimeOptions['agents'][number], more: Partial<RuntimeOptions>) =>
      createRuntime({ store: backendPlace(material), agents: [agent], ...more })

    test('a hundred runs at one time never spend together what one could not', async () => {
      const { model, agent } = endless({ modelCalls: 7 })
      await using runtime = await open(agent, { budgets: { user: { modelCalls: 60 } }, maxConcurrent: 20 })
      const submitted = await Promise.allSettled(
        Array.from({ length: 100 }, () => runtime.submit('a', 'go', { user: 'ada' })),
      )
      const runs = submitted.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      for (const each of submitted) if (each.status === 'rejected') assert.ok(exceeded(each.reason))
      // Eight of seven, one of four, and then there is nothing left.
      assert.equal(runs.length, 9)
      for (const run of runs) await assert.rejects(run.result(), exceeded)
      assert.equal(model.calls, 60)
      const { spent, lent } = await runtime.spending({ user: 'ada' })
      assert.equal(spent.modelCalls, 60)
      assert.equal(lent.modelCalls, 0)
      await assert.rejects(runtime.submit('a', 'go', { user: 'ada' }), exceeded)
      const other = await runtime.submit('a', 'go', { user: 'bob', budget: { modelCalls: 1 } })
      await assert.rejects(other.result(), exceeded)
    })

    test('what is not spent comes back', async () => {
      const agent = new Agent({ name: 'a', model: scriptedModel(() => ({ text: 'ok', usage })) })
      await using runtime = await open(agent, { budgets: { user: { tokens: 20_000 } } })
      for (let times = 0; times < 20; times++) {
        await runtime.execute('a', 'go', { budget: { tokens: 20_000 } })
      }
      const { spent, lent } = await runtime.spending({ user: 'local' })
      assert.equal(spent.tokens, 2000)
      assert.equal(lent.tokens, 0)
    })

    test('a run without a budget of its own gets a tenth', async () => {
      const { model, agent } = endless()
      await using runtime = await open(agent, { budgets: { user: { modelCalls: 30 } } })
      const run = await runtime.submit('a', 'go')
      await assert.rejects(run.result(), exceeded)
      assert.equal(model.calls, 3)
      assert.deepEqual((await run.record()).limits, { modelCalls: 3 })
    })

    test('a tenant stands above its users', async () => {
      const { model, agent } = endless({ modelCalls: 5 })
      await using runtime = await open(agent, {
        budgets: { user: { modelCalls: 8 }, tenant: (name) => (name === 'acme' ? { modelCalls: 12 } : undefined) },
      })
      const submit = (user: string) => runtime.submit('a', 'go', { user, tenant: 'acme' })
      const runs = [await submit('ada'), await submit('ada'), await submit('bob')]
      assert.deepEqual(await Promise.all(runs.map(async (run) => (await run.record()).limits?.modelCalls)), [5, 3, 4])
      await assert.rejects(submit('eve'), exceeded)
      for (const run of runs) await assert.rejects(run.result(), exceeded)
      assert.equal(model.calls, 12)
      assert.equal((await runtime.spending({ tenant: 'acme' })).spent.modelCalls, 12)
    })

    test('an account begins anew with its time', async () => {
      const clock = virtualClock()
      const { agent } = endless({ modelCalls: 2 })
      await using runtime = await open(agent, {
        budgets: { user: { modelCalls: 2, per: 60_000 } },
        work: false,
        ports: { clock },
      })
      await runtime.submit('a', 'go')
      await assert.rejects(runtime.submit('a', 'go'), exceeded)
      await clock.advance(60_000)
      await runtime.submit('a', 'go')
    })

    test('a dead letter that is tried again gets a new allowance, or is refused', async () => {
      const { agent } = endless({ modelCalls: 2 })
      await using runtime = await open(agent, { budgets: { user: { modelCalls: 4 } } })
      const run = await runtime.submit('a', 'go')
      await assert.rejects(run.result(), exceeded)
      await run.retry()
      await assert.rejects(run.result(), exceeded)
      await assert.rejects(run.retry(), exceeded)
      assert.equal((await runtime.spending({ user: 'local' })).spent.modelCalls, 4)
    })

    test('agents of any make are held to it too', async () => {
      const foreign: AgentRuntime = {
        key: 'f',
        tools: { look },
        async run(context) {
          for (;;) {
            const release = context.reserve({ modelCalls: 1 })
            context.emit({ type: 'model.replied', model: 'm', usage, finishReason: 'stop' })
            release()
            await context.tools.execute('look', {})
          }
        },
      }
      await using runtime = await open(foreign, { budgets: { user: { modelCalls: 30, toolCalls: 1000 } } })
      const run = await runtime.submit('f', 'go')
      await assert.rejects(run.result(), exceeded)
      assert.equal((await run.record()).stopReason, 'budget')
      const few = await runtime.submit('f', 'go', { budget: { toolCalls: 2 } })
      await assert.rejects(few.result(), exceeded)
      const { spent } = await runtime.spending({ user: 'local' })
      assert.equal(spent.modelCalls, 6)
      assert.equal(spent.toolCalls, 5)
    })

    test('a budget that is no budget is told at once', async () => {
      const { agent } = endless()
      await using runtime = await open(agent, { work: false })
      await assert.rejects(runtime.submit('a', 'go', { budget: { token: 5 } as never }), /Did you mean 'tokens'/)
      await assert.rejects(runtime.submit('a', 'go', { budget: { tokens: -5 } }), /number from 0/)
    })
  })
}
