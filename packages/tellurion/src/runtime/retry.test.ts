// Another try for a dead letter: with an allowance of its own, of what the run was asked, and paid for once.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { asTool } from '../agent/sub-agent.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { textOf } from '../message/message.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import type { BackendOpener } from './backend.ts'
import type { Hints } from './hints.ts'
import { createRuntime } from './runtime.ts'

const usage = { inputTokens: 60, outputTokens: 40, totalTokens: 100 }
const look = tool({ description: 'l', inputSchema: z.object({}), effects: 'read', execute: () => 'x' })
const code = (name: string) => (error: unknown) => error instanceof TellurionError && error.code === name

/** The same place, whose hints of mail are lost as long as it is deaf. */
function deafened(place: BackendOpener, isDeaf: () => boolean): BackendOpener {
  return async (ports) => {
    const backend = await place(ports)
    const listen: Hints['listen'] = (fn, run) =>
      backend.hints.listen((hint) => {
        if (hint.type !== 'mail' || !isDeaf()) fn(hint)
      }, run)
    return { ...backend, hints: { ...backend.hints, listen } }
  }
}

for (const material of materials) {
  describe(`another try on ${material}`, () => {
    test('has its whole budget again, and what the first one spent is paid for once', async () => {
      const model = scriptedModel(() => ({ calls: [{ toolName: 'look', input: {} }], usage }))
      const agent = new Agent({ name: 'a', model, tools: { look }, budget: { modelCalls: 2 } })
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [agent],
        budgets: { user: { modelCalls: 40 } },
      })
      const run = await runtime.submit('a', 'go')
      await assert.rejects(run.result(), code('budget_exceeded'))
      assert.equal(model.calls, 2)
      await run.retry()
      await assert.rejects(run.result(), code('budget_exceeded'))
      assert.equal(model.calls, 4)
      const { spent, lent } = await runtime.spending({ user: 'local' })
      assert.equal(spent.modelCalls, 4)
      assert.equal(lent.modelCalls, 0)
    })

    test('hears what was said to a try that ran out of time, and nothing of what was wanted of it', async () => {
      const clock = virtualClock()
      const begun = Promise.withResolvers<void>()
      const model = scriptedModel(({ messages }) => {
        begun.resolve()
        return model.calls === 1 ? new Promise<never>(() => {}) : [...messages].map(textOf).join(', ')
      })
      await using runtime = await createRuntime({
        // Nobody at work hears of mail before the time is over.
        store: deafened(backendPlace(material), () => true),
        agents: [new Agent({ name: 'a', model })],
        patience: { timeout: 80 },
        ports: { clock },
      })
      const run = await runtime.submit('a', 'go')
      await begun.promise
      await run.steer('and listen')
      await run.pause()
      await run.cancel()
      const late = assert.rejects(run.result(), code('run_timeout'))
      await clock.advance(80)
      await late
      assert.equal((await run.record()).status, 'timed_out')
      await run.retry()
      assert.equal((await run.result()).text, 'go, and listen')
    })

    test('that runs out of time and fails can be cancelled, although a cancel had come too late for the first', async () => {
      const clock = virtualClock()
      const begun = Promise.withResolvers<void>()
      const model = scriptedModel(() => (begun.resolve(), new Promise<never>(() => {})))
      let deaf = true
      await using runtime = await createRuntime({
        store: deafened(backendPlace(material), () => deaf),
        agents: [new Agent({ name: 'a', model })],
        patience: { timeout: 80 },
        ports: { clock },
      })
      const run = await runtime.submit('a', 'go')
      await begun.promise
      await run.cancel()
      const late = assert.rejects(run.result(), code('run_timeout'))
      await clock.advance(80)
      await late
      deaf = false
      await run.retry()
      await run.cancel()
      assert.equal((await run.result()).status, 'cancelled')
    })

    test('hears what an attempt had taken in that failed before it kept anything', async () => {
      const backend = await backendPlace(material)({ clock: systemClock })
      let broken = true
      const store: BackendOpener = async () => ({
        ...backend,
        store: {
          ...backend.store,
          commit: async (commit) => {
            if (broken && commit.end === undefined) throw new TellurionError('store_corrupt', 'The store is damaged.')
            return backend.store.commit(commit)
          },
        },
      })
      const model = scriptedModel(({ messages }) =>
        [...messages].length < 3 ? { calls: [{ toolName: 'look', input: {} }] } : 'Done.',
      )
      const agents = [new Agent({ name: 'a', model, tools: { look } })]
      await using runtime = await createRuntime({ store, agents, work: false })
      const run = await runtime.submit('a', 'go')
      await run.steer('and listen')
      await run.work()
      await assert.rejects(run.result(), code('store_corrupt'))
      broken = false
      await run.retry()
      await run.work()
      const said = (await run.result()).messages.filter(({ role }) => role === 'user').map(textOf)
      assert.deepEqual(said, ['go', 'and listen'])
    })

    test('of an agent of any make has its whole budget again', async () => {
      let calls = 0
      const foreign: AgentRuntime = {
        key: 'f',
        async run(context) {
          for (;;) {
            const release = context.reserve({ modelCalls: 1 })
            calls++
            context.emit({ type: 'model.replied', model: 'm', usage, finishReason: 'stop' })
            release()
          }
        },
      }
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [foreign],
        budgets: { user: { modelCalls: 40 } },
      })
      const run = await runtime.submit('f', 'go', { budget: { modelCalls: 3 } })
      await assert.rejects(run.result(), code('budget_exceeded'))
      await run.retry()
      await assert.rejects(run.result(), code('budget_exceeded'))
      assert.equal(calls, 6)
      assert.equal((await runtime.spending({ user: 'local' })).spent.modelCalls, 6)
    })

    test('says its input where nobody knew the agent the first time', async () => {
      const backend = await backendPlace(material)({ clock: systemClock })
      const store: BackendOpener = async () => ({ ...backend, close: async () => {} })
      const make = (name: string) => new Agent({ name, model: scriptedModel(() => ({ text: `${name} here`, usage })) })
      const budgets = { user: { modelCalls: 40 } }
      await using old = await createRuntime({ store, agents: [make('a')], budgets })
      const { id } = await old.submit('b', 'hello b')
      await assert.rejects(old.run(id).result(), code('unknown_agent'))
      assert.equal((await old.spending({ user: 'local' })).spent.modelCalls, 0, 'nothing was spent')
      await old.close()
      await using later = await createRuntime({ store, agents: [make('a'), make('b')], budgets })
      await later.run(id).retry()
      const { text, messages } = await later.run(id).result()
      assert.equal(text, 'b here')
      assert.deepEqual(messages.map(textOf), ['hello b', 'b here'])
      assert.equal((await later.spending({ user: 'local' })).spent.modelCalls, 1)
    })

    test('says its input anew where its session has gone on', async () => {
      let asked = 0
      const model = scriptedModel(({ messages }) => {
        if (++asked === 1) throw new Error('not now')
        return { text: `to ${textOf(messages.at(-1)!)}`, usage }
      })
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [new Agent({ name: 'a', model })],
        budgets: { user: { modelCalls: 40 } },
      })
      const first = await runtime.submit('a', 'first', { session: 's' })
      await assert.rejects(first.result())
      const second = await runtime.submit('a', 'second', { session: 's' })
      assert.equal((await second.result()).text, 'to second')
      await first.retry()
      const { text, messages } = await first.result()
      assert.equal(text, 'to first')
      assert.deepEqual(messages.map(textOf), ['first', 'to first'])
      assert.equal((await runtime.spending({ user: 'local' })).spent.modelCalls, 2)
    })

    test('draws on the account of its own time, also one that worked for another run', async () => {
      const clock = virtualClock(1)
      const model = scriptedModel(() => ({ calls: [{ toolName: 'look', input: {} }], usage }))
      const helper = new Agent({ name: 'helper', model, tools: { look }, budget: { modelCalls: 2 } })
      const boss = new Agent({
        name: 'boss',
        model: scriptedModel(({ messages }) =>
          messages.at(-1)?.role === 'tool'
            ? { text: 'end', usage }
            : { calls: [{ toolName: 'helper', input: { task: 't' } }], usage },
        ),
        tools: { helper: asTool(helper, { description: 'd', budget: { modelCalls: 2 } }) },
      })
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [boss],
        budgets: { user: { modelCalls: 4, per: 60_000 }, tenant: { modelCalls: 100 } },
        ports: { clock },
      })
      const spentNow = async (): Promise<number> => (await runtime.spending({ user: 'local' })).spent.modelCalls
      const run = await runtime.submit('boss', 'go', { tenant: 'acme', budget: { modelCalls: 4 } })
      assert.equal((await run.result()).text, 'end')
      assert.equal(await spentNow(), 4)
      const [child] = await runtime.runs({ parent: run.id })
      assert.deepEqual([child?.status, child?.tenant], ['failed', 'acme'])
      const again = runtime.run(child!.id)
      await assert.rejects(again.retry(), code('budget_exceeded'))
      await clock.advance(60_000)
      await again.retry()
      await assert.rejects(again.result(), code('budget_exceeded'))
      assert.equal(model.calls, 4)
      assert.equal(await spentNow(), 2)
      const { spent, lent } = await runtime.spending({ tenant: 'acme' })
      assert.deepEqual([spent.modelCalls, lent.modelCalls], [6, 0])
    })

    test('keeps the work of the first one where nothing came between', async () => {
      let fails = true
      const model = scriptedModel(({ messages }) => {
        if (messages.at(-1)?.role !== 'tool') return { calls: [{ toolName: 'look', input: {} }], usage }
        if (fails) throw new Error('not now')
        return { text: 'seen', usage }
      })
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [new Agent({ name: 'a', model, tools: { look } })],
      })
      const run = await runtime.submit('a', 'go')
      await assert.rejects(run.result())
      fails = false
      await run.retry()
      const { text, messages } = await run.result()
      assert.equal(text, 'seen')
      assert.deepEqual(
        messages.map(({ role }) => role),
        ['user', 'assistant', 'tool', 'assistant'],
      )
    })
  })

  test(`a run that is cancelled before it began has done, said and spent nothing on ${material}`, async () => {
    const foreign: AgentRuntime = { key: 'f', run: async () => ({ output: 'a first answer', usage }) }
    const agent = new Agent({ name: 'a', model: scriptedModel(() => ({ text: 'a first answer', usage })) })
    await using runtime = await createRuntime({
      store: backendPlace(material),
      agents: [agent, foreign],
      budgets: { user: { tokens: 1_000_000 } },
    })
    for (const name of ['a', 'f']) {
      const first = await runtime.submit(name, 'one', { session: 's' })
      await first.result()
      const before = (await runtime.spending({ user: 'local' })).spent
      const second = await runtime.submit(name, 'two', { session: 's', delay: 600_000 })
      await second.cancel()
      const { status, text, output, messages, steps, usage: spent } = await second.result()
      assert.deepEqual({ status, text, output, messages, steps }, nothing)
      assert.equal(spent.totalTokens, 0)
      assert.equal((await second.record()).usage, undefined)
      assert.deepEqual((await runtime.spending({ user: 'local' })).spent, before)
    }
  })
}

const nothing = { status: 'cancelled', text: '', output: undefined, messages: [], steps: 0 }
