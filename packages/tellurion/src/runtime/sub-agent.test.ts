// Sub-agents as runs of their own: they begin with the commit that wants them, their end comes as mail, and their parent
// holds no worker while it waits.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent, type AgentOptions } from '../agent/agent.ts'
import { Children } from '../agent/component.ts'
import { asTool, type AsToolOptions } from '../agent/sub-agent.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import type { JsonObject } from '../schema/json.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import type { Backend } from './backend.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime, type Runtime } from './runtime.ts'

const usage = { inputTokens: 60, outputTokens: 40, totalTokens: 100 }
const says = (text: string) => ({ text, usage })
const calls = (...inputs: { toolName: string; input: JsonObject }[]) => ({ calls: inputs, usage })
const asks = (...tasks: string[]) => calls(...tasks.map((task) => ({ toolName: 'helper', input: { task } })))

function team(given: {
  boss: Parameters<typeof scriptedModel>[0]
  helper: Parameters<typeof scriptedModel>[0]
  budget?: AgentOptions['budget']
  helperOptions?: Partial<AgentOptions>
  asTool?: Partial<AsToolOptions>
}) {
  const models = { boss: scriptedModel(given.boss), helper: scriptedModel(given.helper) }
  const helper = new Agent({ name: 'helper', model: models.helper, ...given.helperOptions })
  const boss = new Agent({
    name: 'boss',
    model: models.boss,
    tools: { helper: asTool(helper, { description: 'Helps.', ...given.asTool }) },
    ...(given.budget === undefined ? {} : { budget: given.budget }),
  })
  return { boss, helper, models }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 1000, 'it never came')
    await new Promise<void>((resolve) => void systemClock.timer(2, resolve))
  }
}

for (const material of materials) {
  describe(`a sub-agent under a runtime on ${material}`, () => {
    const open = (boss: Agent, more: { maxConcurrent?: number } = {}): Promise<Runtime> =>
      createRuntime({ store: backendPlace(material), agents: [boss], ...more })

    test('is a run of its own, for which its parent waits without a worker', async () => {
      const { boss } = team({ boss: [asks('one', 'two'), says('All done.')], helper: () => says('did it') })
      // One worker for three runs: a parent that held it would never end.
      await using runtime = await open(boss, { maxConcurrent: 1 })
      const run = await runtime.submit('boss', 'go')
      const result = await run.result()
      assert.equal(result.text, 'All done.')
      assert.equal(result.usage.totalTokens, 400, 'what they spent is counted')
      const children = await runtime.runs({ parent: run.id })
      assert.equal(children.length, 2)
      for (const child of children) {
        assert.equal(child.agent, 'helper')
        assert.equal(child.status, 'succeeded')
      }
      const types: string[] = []
      for await (const event of run.events()) types.push(event.type)
      assert.equal(types.filter((type) => type === 'child.spawned').length, 2)
      assert.equal(types.filter((type) => type === 'child.ended').length, 2)
    })

    test('is worked on where its parent is, without a queue, however far below', { timeout: 10_000 }, async () => {
      const { boss: lead } = team({ boss: [asks('one', 'two'), says('led')], helper: () => says('did it') })
      const chief = new Agent({
        name: 'chief',
        model: scriptedModel([calls({ toolName: 'lead', input: { task: 'it' } }), says('All done.')]),
        tools: { lead: asTool(lead, { description: 'Leads.' }) },
      })
      await using runtime = await createRuntime({ store: backendPlace(material), agents: [chief], work: false })
      assert.equal((await runtime.execute('chief', 'go')).text, 'All done.')
      assert.deepEqual(
        (await runtime.runs()).map(({ status }) => status),
        Array(4).fill('succeeded'),
      )
    })

    test('that fails fails alone', async () => {
      const boom = (): never => {
        throw new Error('no idea')
      }
      const { boss } = team({ boss: [asks('x'), says('It failed.')], helper: boom })
      await using runtime = await open(boss)
      const run = await runtime.submit('boss', 'go')
      const result = await run.result()
      assert.equal(result.text, 'It failed.')
      const [child] = await runtime.runs({ parent: run.id })
      assert.equal(child?.status, 'failed')
      assert.match(String(result.messages.find(({ role }) => role === 'tool')?.content), /no idea/)
    })

    test('is cancelled with its parent', async () => {
      let stopped = false
      const began = Promise.withResolvers<void>()
      const long = tool({
        description: 'l',
        inputSchema: z.object({}),
        effects: 'read',
        execute: (_input, { abortSignal }) =>
          new Promise<never>((_resolve, reject) => {
            began.resolve()
            abortSignal.addEventListener('abort', () => {
              stopped = true
              reject(abortSignal.reason as Error)
            })
          }),
      })
      const { boss } = team({
        boss: [asks('x'), says('never')],
        helper: [calls({ toolName: 'long', input: {} }), says('never')],
        helperOptions: { tools: { long } },
      })
      await using runtime = await open(boss)
      const run = await runtime.submit('boss', 'go')
      await began.promise
      await until(async () => (await run.record()).status === 'waiting')
      await run.cancel()
      const result = await run.result()
      assert.equal(result.status, 'cancelled')
      await until(async () => (await runtime.runs({ parent: run.id }))[0]?.status === 'cancelled')
      assert.equal(stopped, true)
    })

    test('is cancelled when its parent fails without having been at work', async () => {
      const { boss } = team({ boss: [asks('x', 'y')], helper: () => new Promise<never>(() => {}) })
      await using runtime = await open(boss)
      const run = await runtime.submit('boss', 'go')
      await until(async () => (await runtime.runs({ parent: run.id, status: ['running'] })).length === 2)
      await until(async () => (await run.record()).status === 'waiting')
      runtime.agents.unregister('boss')
      await run.steer('wake up')
      await assert.rejects(run.result(), { code: 'unknown_agent' })
      await until(async () => (await runtime.runs({ parent: run.id, status: ['cancelled'] })).length === 2)
    })

    test('asks a person, and whoever waits for its parent hears of it', async () => {
      const remove = tool({
        description: 'r',
        inputSchema: z.object({ path: z.string() }),
        needsApproval: true,
        effects: { mode: 'write', repeat: 'keyed' },
        execute: ({ path }) => `removed ${path}`,
      })
      const { boss } = team({
        boss: [asks('clean'), says('clean')],
        helper: ({ messages }) =>
          messages.at(-1)?.role === 'tool'
            ? says(String(messages.at(-1)?.content))
            : calls({ toolName: 'remove', input: { path: '/logs' } }),
        helperOptions: { tools: { remove } },
      })
      await using runtime = await open(boss)
      const run = await runtime.submit('boss', 'go')
      const waiting = await run.result()
      assert.equal(waiting.status, 'waiting')
      assert.equal(waiting.interactions[0]?.toolName, 'remove')
      const [asked, ...more] = await runtime.interactions.list()
      assert.equal(more.length, 0, 'it is asked once')
      assert.equal(asked?.agent, 'helper')
      await runtime.interactions.answer(asked.id, 'approve')
      await until(async () => (await run.record()).status === 'succeeded')
      const result = await run.result()
      assert.equal(result.text, 'clean')
      assert.equal(result.messages.find(({ role }) => role === 'tool')?.content, 'removed /logs')
    })

    test('that asks in a chat is answered in the chat', async () => {
      const careful = tool({
        description: 'c',
        inputSchema: z.object({}),
        needsApproval: true,
        effects: { mode: 'write', repeat: 'keyed' },
        execute: () => 'done',
      })
      const { boss } = team({
        boss: [asks('it'), says('It is done.')],
        helper: ({ messages }) =>
          messages.at(-1)?.role === 'tool' ? says('ok') : calls({ toolName: 'careful', input: {} }),
        helperOptions: { tools: { careful } },
      })
      await using runtime = await open(boss)
      const chat = runtime.session('boss', { id: 'chat' })
      const waiting = await chat.generate('go')
      assert.equal(waiting.status, 'waiting')
      const [asked, ...more] = await chat.interactions()
      assert.deepEqual([asked?.toolName, more.length], ['careful', 0])
      const result = await chat.answer(asked!.id, 'approve')
      assert.equal(result.text, 'It is done.')
      assert.deepEqual(await chat.interactions(), [])
    })

    test('that asks is heard of at once, however far below', { timeout: 10_000 }, async () => {
      const careful = tool({ description: 'c', inputSchema: z.object({}), needsApproval: true, execute: () => 'done' })
      const { boss: lead } = team({
        boss: () => asks('it'),
        helper: () => calls({ toolName: 'careful', input: {} }),
        helperOptions: { tools: { careful } },
      })
      const chief = new Agent({
        name: 'chief',
        model: scriptedModel(() => calls({ toolName: 'lead', input: { task: 'it' } })),
        tools: { lead: asTool(lead, { description: 'Leads.' }) },
      })
      // Time stands still: nobody looks by themselves.
      const ports = { clock: virtualClock(1) }
      await using runtime = await createRuntime({ store: backendPlace(material), agents: [chief], ports })
      const waiting = await (await runtime.submit('chief', 'go')).result()
      assert.deepEqual([waiting.status, waiting.interactions[0]?.toolName], ['waiting', 'careful'])
    })

    test('is given up after its time', async () => {
      const { boss } = team({
        boss: [asks('x'), says('too late')],
        helper: () => new Promise<never>(() => {}),
        asTool: { timeout: 60 },
      })
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [boss],
        patience: { heartbeat: 20, lease: 100 },
      })
      const run = await runtime.submit('boss', 'go')
      const result = await run.result()
      assert.equal(result.text, 'too late')
      assert.match(String(result.messages.find(({ role }) => role === 'tool')?.content), /did not end in time/)
      await until(async () => (await runtime.runs({ parent: run.id }))[0]?.status === 'cancelled')
    })

    test('that is given up is paid for all the same', async () => {
      const slow = tool({
        description: 's',
        inputSchema: z.object({}),
        effects: 'read',
        execute: (_input, { abortSignal }) =>
          new Promise<never>((_resolve, reject) => {
            abortSignal.addEventListener('abort', () => reject(abortSignal.reason as Error))
          }),
      })
      const { boss, models } = team({
        boss: ({ messages }) => (messages.at(-1)?.role === 'tool' ? says('too late') : asks('x', 'y')),
        helper: () => calls({ toolName: 'slow', input: {} }),
        helperOptions: { tools: { slow } },
        asTool: { timeout: 80, budget: { modelCalls: 4 } },
        budget: { modelCalls: 10 },
      })
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [boss],
        budgets: { user: { modelCalls: 100, tokens: 1_000_000 } },
        patience: { heartbeat: 20, lease: 100 },
      })
      const run = await runtime.submit('boss', 'go')
      const result = await run.result()
      assert.equal(result.text, 'too late')
      assert.equal(result.messages.filter(({ role }) => role === 'tool').length, 2)
      const { spent, lent } = await runtime.spending({ user: 'local' })
      assert.equal(models.helper.calls, 2)
      assert.equal(spent.modelCalls, models.boss.calls + models.helper.calls)
      assert.equal(spent.tokens, 400)
      assert.equal(result.usage.totalTokens, 400)
      assert.deepEqual(lent, { modelCalls: 0, toolCalls: 0, tokens: 0, cost: 0 })
      const ends: string[] = []
      for await (const event of run.events()) if (event.type === 'child.ended') ends.push(event.status)
      assert.deepEqual(ends, ['timed_out', 'timed_out'])
    })

    test('that is given up with sub-agents of its own at work takes what it lent them with it', async () => {
      const long = tool({
        description: 'l',
        inputSchema: z.object({}),
        effects: 'read',
        execute: (_input, { abortSignal }) =>
          new Promise<never>((_resolve, reject) => {
            abortSignal.addEventListener('abort', () => reject(abortSignal.reason as Error))
          }),
      })
      const { boss: lead, models } = team({
        boss: () => asks('it'),
        helper: () => calls({ toolName: 'long', input: {} }),
        helperOptions: { tools: { long } },
        asTool: { budget: { modelCalls: 5 } },
      })
      const chief = new Agent({
        name: 'chief',
        model: scriptedModel(({ messages }) =>
          messages.at(-1)?.role === 'tool' ? says('too late') : calls({ toolName: 'lead', input: { task: 'it' } }),
        ),
        tools: { lead: asTool(lead, { description: 'Leads.', budget: { modelCalls: 10 }, timeout: 100 }) },
        budget: { modelCalls: 20 },
      })
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [chief],
        budgets: { user: { modelCalls: 100 } },
        patience: { heartbeat: 20, lease: 100 },
      })
      const run = await runtime.submit('chief', 'go')
      assert.equal((await run.result()).text, 'too late')
      assert.equal(models.helper.calls, 1)
      // Two of the chief, one of the lead, and five that the lead had lent: nobody has said what became of them.
      const { spent, lent } = await runtime.spending({ user: 'local' })
      assert.deepEqual([spent.modelCalls, lent.modelCalls], [8, 0])
    })

    test('that nobody could work on is taken to have spent its allowance', async () => {
      const careful = tool({ description: 'c', inputSchema: z.object({}), needsApproval: true, execute: () => 'done' })
      const { boss } = team({
        boss: ({ messages }) => (messages.at(-1)?.role === 'tool' ? says('end') : asks('x')),
        helper: () => calls({ toolName: 'careful', input: {} }),
        helperOptions: { tools: { careful } },
        asTool: { budget: { modelCalls: 4 } },
        budget: { modelCalls: 20 },
      })
      await using runtime = await createRuntime({
        store: backendPlace(material),
        agents: [boss],
        budgets: { user: { modelCalls: 100 } },
      })
      const run = await runtime.submit('boss', 'go')
      const [asked] = (await run.result()).interactions
      runtime.agents.unregister('helper')
      await runtime.interactions.answer(asked!.id, 'approve')
      await until(async () => (await run.record()).status === 'succeeded')
      assert.equal((await run.result()).text, 'end')
      assert.equal((await runtime.spending({ user: 'local' })).spent.modelCalls, 6)
    })

    test('spends no more than what its parent lent it', async () => {
      const look = tool({ description: 'l', inputSchema: z.object({}), effects: 'read', execute: () => 'x' })
      const { boss, models } = team({
        boss: ({ messages }) =>
          messages.at(-1)?.role === 'tool' ? says('end') : asks(...Array.from({ length: 12 }, (_, n) => `${n}`)),
        helper: () => calls({ toolName: 'look', input: {} }),
        helperOptions: { tools: { look } },
        budget: { modelCalls: 30 },
      })
      await using runtime = await open(boss)
      const run = await runtime.submit('boss', 'go')
      await run.result().catch((error: TellurionError) => assert.equal(error.code, 'budget_exceeded'))
      assert.ok(models.boss.calls + models.helper.calls <= 30)
      assert.ok(models.helper.calls > 15)
      for (const child of await runtime.runs({ parent: run.id })) assert.equal(child.stopReason, 'budget')
    })

    test('goes on when its parent is forked; the fork closes the call', async () => {
      const go = Promise.withResolvers<void>()
      const { boss } = team({
        boss: ({ messages }) => (messages.at(-1)?.role === 'tool' ? says(String(messages.at(-1)?.content)) : asks('x')),
        helper: async () => {
          await go.promise
          return says('here')
        },
      })
      await using runtime = await open(boss)
      const run = await runtime.submit('boss', 'go')
      await until(async () => (await run.record()).status === 'waiting')
      const fork = await run.fork({ tick: await run.lastTick() })
      const forked = await fork.result()
      assert.match(forked.text, /cancelled by fork/)
      go.resolve()
      assert.equal((await run.result()).text, 'here')
    })
  })
}

test('a worker that dies after any commit of parent or child leaves a tree that comes to the same end', async () => {
  for (let point = 1; ; point++) {
    const backend = await memory()({ clock: systemClock })
    let commits = 0
    let died = false
    const dead = Promise.withResolvers<void>()
    const death = new AbortController()
    const doubtful: Backend = {
      ...backend,
      close: async () => {},
      queue: {
        ...backend.queue,
        consume: (consumer, { signal }) =>
          backend.queue.consume(consumer, { signal: AbortSignal.any([signal, death.signal]) }),
      },
      store: {
        ...backend.store,
        commit: async (commit) => {
          if (died) return { status: 'fenced' }
          const result = await backend.store.commit(commit)
          if (++commits < point) return result
          died = true
          dead.resolve()
          death.abort()
          return { status: 'fenced' }
        },
        heartbeat: async () => [],
        beginAttempt: async (run, claim) => (died ? undefined : backend.store.beginAttempt(run, claim)),
      },
    }
    const make = () =>
      team({
        boss: ({ messages }) =>
          messages.at(-1)?.role === 'tool'
            ? says([...messages].flatMap((m) => (m.role === 'tool' ? [m.content] : [])).join())
            : asks('a', 'b'),
        helper: ({ messages }) => says(`did ${String(messages.at(-1)?.content)}`),
      }).boss
    const patience = { lease: 5, heartbeat: 1, grace: 0 }
    const first = await createRuntime({ store: async () => doubtful, agents: [make()], patience })
    const { id } = await first.submit('boss', 'go')
    const ended = first.run(id).result()
    await Promise.race([dead.promise, ended])
    if (!died) {
      await first.close()
      assert.ok(point > 8, `${point} points`)
      return
    }
    await using second = await createRuntime({
      store: async () => ({ ...backend, close: async () => {} }),
      agents: [make()],
      patience,
    })
    const result = await second.run(id).result()
    assert.equal(result.text, 'did a,did b', `point ${point}`)
    const children = await second.runs({ parent: id })
    assert.equal(children.length, 2)
    assert.ok(children.every(({ status }) => status === 'succeeded'))
    const world = await second.run(id).at(await second.run(id).lastTick())
    assert.equal(world.count(Children), 0)
    await ended
    await first.close()
  }
})
