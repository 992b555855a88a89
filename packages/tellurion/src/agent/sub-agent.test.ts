import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import type { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import type { JsonObject } from '../schema/json.ts'

import { scriptedModel } from '../testing/scripted-model.ts'
import { macrotask, virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { answer } from './interaction.ts'
import { Budget, Children, ChildWorld, TurnUsage } from './component.ts'
import { openInteractions } from './open-interaction.ts'
import { handoff } from './handoff.ts'
import { asTool, delegateTool, type AsToolOptions } from './sub-agent.ts'
import { run } from '../world/runner.ts'

const usage = { inputTokens: 60, outputTokens: 40, totalTokens: 100 }
const says = (text: string) => ({ text, usage })
const calls = (...inputs: { toolName: string; input: JsonObject }[]) => ({ calls: inputs, usage })
const asks = (...tasks: string[]) => calls(...tasks.map((task) => ({ toolName: 'helper', input: { task } })))

/** A boss whose model says `script`, with one helper. */
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

describe('a sub-agent', () => {
  test('works in a world of its own, and its text is the result of the call', async () => {
    const { boss, models } = team({ boss: [asks('count to two'), says('It says: one two')], helper: [says('one two')] })
    const session = boss.session()
    const events: Event[] = []
    session.world.on('*', (event) => events.push(event))
    const result = await session.generate('go')
    assert.equal(result.text, 'It says: one two')
    assert.deepEqual(
      models.helper.requests[0]?.messages.at(0),
      { role: 'user', content: 'count to two' },
      'it hears its task and nothing of the caller',
    )
    assert.equal(models.helper.requests[0]?.messages.length, 1)
    const told = [...session.messages].find((message) => message.role === 'tool')
    assert.equal(told?.content, 'one two')
    assert.deepEqual(
      events.filter(({ type }) => type.startsWith('child.')).map(({ type }) => type),
      ['child.spawned', 'child.ended'],
    )
    assert.equal(session.world.get(session.entity, Children), undefined)
    assert.equal(result.usage.totalTokens, 300, 'what it spent is counted for the turn')
    assert.equal(result.steps, 2)
  })

  test('fails alone: the caller reads why and goes on', async () => {
    const boom = () => {
      throw new Error('no idea')
    }
    const { boss } = team({ boss: [asks('x'), says('It failed.')], helper: boom })
    const session = boss.session()
    const result = await session.generate('go')
    assert.equal(result.text, 'It failed.')
    const told = [...session.messages].find((message) => message.role === 'tool')
    assert.match(String(told?.content), /The agent 'helper' failed/)
    assert.equal(told?.isError, true)
  })

  test('is given up after its time, and its work is stopped', async () => {
    const clock = virtualClock()
    let stopped = false
    const slow = tool({
      description: 's',
      inputSchema: z.object({}),
      effects: 'read',
      timeout: Infinity,
      execute: (_input, { abortSignal }) =>
        new Promise((_resolve, reject) => {
          abortSignal.addEventListener('abort', () => {
            stopped = true
            reject(abortSignal.reason as Error)
          })
        }),
    })
    const { boss } = team({
      boss: [asks('x'), says('late')],
      helper: [calls({ toolName: 'slow', input: {} }), says('never')],
      helperOptions: { tools: { slow } },
      asTool: { timeout: 1000 },
    })
    const running = boss.generate('go', { resources: { clock } })
    await clock.runAll()
    const result = await running
    assert.equal(result.text, 'late')
    assert.equal(stopped, true)
    const told = result.messages.find((message) => message.role === 'tool')
    assert.match(String(told?.content), /did not end in time/)
  })

  test('works beside others, five at a time', async () => {
    let now = 0
    let most = 0
    const gate = tool({
      description: 'g',
      inputSchema: z.object({}),
      effects: 'read',
      execute: async () => {
        most = Math.max(most, ++now)
        await macrotask()
        now--
      },
    })
    const { boss, models } = team({
      boss: [asks('1', '2', '3', '4', '5', '6', '7'), says('done')],
      helper: ({ messages }) =>
        messages.at(-1)?.role === 'tool' ? says('ok') : calls({ toolName: 'gate', input: {} }),
      helperOptions: { tools: { gate } },
    })
    const result = await boss.generate('go')
    assert.equal(result.text, 'done')
    assert.equal(most, 5)
    assert.equal(models.helper.calls, 14)
    const told = result.messages.filter((message) => message.role === 'tool')
    assert.deepEqual(
      told.map(({ content }) => content),
      Array.from({ length: 7 }, () => 'ok'),
    )
  })

  test('may use the tools it is given, of its own', async () => {
    const made = (name: string) =>
      tool({ description: name, inputSchema: z.object({}), effects: 'read', execute: () => name })
    const { boss, models } = team({
      boss: [asks('x'), says('.')],
      helper: [says('.')],
      helperOptions: { tools: { a: made('a'), b: made('b') } },
      asTool: { tools: ['b'] },
    })
    await boss.generate('go')
    assert.deepEqual(
      models.helper.requests[0]?.tools?.map(({ name }) => name),
      ['b'],
    )
  })

  test('that calls itself is stopped by depth', async () => {
    const model = scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? says(String(messages.at(-1)?.content))
        : calls({ toolName: 'next', input: { task: 'deeper' } }),
    )
    const a = new Agent({ name: 'a', model, tools: {} })
    const b = new Agent({ name: 'b', model, tools: { next: asTool(a, { description: 'n' }) } })
    const c = new Agent({ name: 'c', model, tools: { next: asTool(b, { description: 'n' }) } })
    const d = new Agent({ name: 'd', model, tools: { next: asTool(c, { description: 'n' }) } })
    const e = new Agent({ name: 'e', model, tools: { next: asTool(d, { description: 'n' }) } })
    const result = await e.generate('go')
    assert.match(result.text, /levels of sub-agents/)
    const shallow = await c.generate('go')
    assert.doesNotMatch(shallow.text, /levels/)
  })

  test('one tool may stand for several agents', async () => {
    const first = new Agent({ name: 'first', model: scriptedModel([says('I am first')]) })
    const second = new Agent({ name: 'second', model: scriptedModel([says('I am second')]) })
    const delegate = delegateTool([
      { agent: first, description: 'the first' },
      { agent: second, description: 'the second' },
    ])
    const model = scriptedModel([calls({ toolName: 'delegate', input: { agent: 'second', task: 't' } }), says('end')])
    const result = await new Agent({ name: 'boss', model, tools: { delegate } }).generate('go')
    assert.equal(result.messages.find((message) => message.role === 'tool')?.content, 'I am second')
    assert.throws(() => delegateTool([]), /at least one/)
    assert.throws(
      () =>
        delegateTool([
          { agent: first, description: 'a' },
          { agent: first, description: 'b' },
        ]),
      /'first'/,
    )
    assert.throws(() => delegateTool([{ agent: first, description: 'a' }], { inputSchema: {} } as never), /no option/)
    assert.throws(() => asTool(first, { description: 'x', budgets: {} } as never), /no option 'budgets'/)
    assert.throws(() => asTool(first, undefined as never), /asTool takes one object/)
  })

  test('of what is no agent is refused when it is made', () => {
    for (const none of [undefined, null, {}, 'helper', { name: 'helper' }] as never[]) {
      assert.throws(() => asTool(none, { description: 'x' }), /asTool takes an agent: new Agent/)
      assert.throws(() => delegateTool([{ agent: none, description: 'x' }]), /delegateTool takes an agent/)
      assert.throws(() => handoff(none), /handoff takes an agent/)
    }
  })

  test('whose options cannot be meant is refused when it is made', () => {
    const agent = new Agent({ name: 'a', model: scriptedModel([]) })
    const make = (options: object) => () => asTool(agent, { description: 'x', ...options })
    for (const modelCalls of [Number.NaN, -1, Infinity, '5']) {
      assert.throws(make({ budget: { modelCalls } }), /asTool budget.modelCalls must be a number from 0/)
    }
    assert.throws(make({ budget: 5 }), /must be an object/)
    assert.throws(make({ budget: { token: 5 } }), /Did you mean 'tokens'/)
    assert.throws(make({ budget: { cost: 5, price: () => 1 } }), /no 'price'/)
    assert.throws(make({ tools: 'read' }), /list of names/)
    for (const maxLength of [0, -1, Number.NaN]) assert.throws(make({ maxLength }), /above 0/)
  })
})

describe('the allowance of a sub-agent', () => {
  test('is a part of what is left, set aside while it works, and the rest comes back', async () => {
    const seen: unknown[] = []
    const look = tool({
      description: 'l',
      inputSchema: z.object({}),
      effects: 'read',
      execute: () => void seen.push(1),
    })
    const { boss } = team({
      boss: [asks('a', 'b'), says('done')],
      helper: ({ messages }) =>
        messages.at(-1)?.role === 'tool' ? says('ok') : calls({ toolName: 'look', input: {} }),
      helperOptions: { tools: { look } },
      budget: { modelCalls: 10 },
    })
    const session = boss.session()
    const lent: (number | undefined)[] = []
    session.world.on('child.spawned', () => {
      const budget = session.world.require(session.entity, Budget)
      lent.push(...Object.values(budget.lent ?? {}).map(({ modelCalls }) => modelCalls))
    })
    const result = await session.generate('go')
    assert.equal(result.text, 'done')
    // Nine calls were left: a third for the first of two, a third of the rest for the second.
    assert.deepEqual(lent, [3, 3, 2])
    assert.deepEqual(session.world.require(session.entity, Budget).lent, {})
  })

  test('a hundred that spend at one time never pass together what one could not', async () => {
    const { boss, models } = team({
      boss: ({ messages }) =>
        messages.at(-1)?.role === 'tool' ? says('end') : asks(...Array.from({ length: 100 }, (_, index) => `${index}`)),
      // A helper that would go on for ever.
      helper: () => calls({ toolName: 'look', input: {} }),
      helperOptions: {
        tools: { look: tool({ description: 'l', inputSchema: z.object({}), effects: 'read', execute: () => 'x' }) },
      },
      budget: { modelCalls: 50 },
    })
    await boss.generate('go').catch((error: TellurionError) => assert.equal(error.code, 'budget_exceeded'))
    assert.ok(models.boss.calls + models.helper.calls <= 50, `${models.boss.calls + models.helper.calls} calls`)
    assert.ok(models.helper.calls > 30, 'and it is used')
  })

  test('tokens and money are bounded the same way', async () => {
    const price = ({ totalTokens }: { totalTokens: number }) => totalTokens / 1000
    const { boss } = team({
      boss: ({ messages }) => (messages.at(-1)?.role === 'tool' ? says('end') : asks('1', '2', '3', '4')),
      helper: () => calls({ toolName: 'look', input: {} }),
      helperOptions: {
        tools: { look: tool({ description: 'l', inputSchema: z.object({}), effects: 'read', execute: () => 'x' }) },
        budget: { tokens: 1_000_000, price },
      },
      budget: { cost: 30, price },
    })
    const session = boss.session()
    const result = await session
      .generate('go')
      .catch((error: TellurionError) => error.result as Awaited<ReturnType<typeof session.generate>>)
    assert.ok((result.usage.cost ?? 0) <= 30, `cost ${result.usage.cost}`)
    assert.ok((result.usage.cost ?? 0) > 0.5)
  })
})

describe('a sub-agent that asks a person', () => {
  const remove = tool({
    description: 'r',
    inputSchema: z.object({ path: z.string() }),
    needsApproval: true,
    effects: { mode: 'write', repeat: 'keyed' },
    execute: ({ path }) => `removed ${path}`,
  })
  const make = () =>
    team({
      boss: [asks('clean up'), says('clean')],
      helper: ({ messages }) =>
        messages.at(-1)?.role === 'tool'
          ? says(String(messages.at(-1)?.content))
          : calls({ toolName: 'remove', input: { path: '/logs' } }),
      helperOptions: { tools: { remove } },
    })

  test('asks through its caller, and goes on with the answer', async () => {
    const session = make().boss.session()
    const waiting = await session.generate('go')
    assert.equal(waiting.status, 'waiting')
    const [asked] = waiting.interactions
    assert.equal(asked?.toolName, 'remove')
    assert.deepEqual(asked?.input, { path: '/logs' })
    const result = await session.answer(asked!.id, 'approve')
    assert.equal(result.text, 'clean')
    assert.equal([...session.messages].find((message) => message.role === 'tool')?.content, 'removed /logs')
    assert.equal(session.world.count(Children), 0)
    assert.deepEqual(session.world.entities(), [session.entity])
  })

  test('can still be answered after an answer that is no JSON', async () => {
    const session = make().boss.session()
    const [asked] = (await session.generate('go')).interactions
    const wrong = { deny: 'no', because: () => {} }
    assert.throws(() => answer(session.world, asked!.id, wrong), { code: 'invalid_value' })
    assert.equal(session.interactions.length, 1)
    assert.equal((await session.answer(asked!.id, 'approve')).text, 'clean')
  })

  test('and gets no answer in time is paid for, and leaves nothing behind', async () => {
    const clock = virtualClock()
    const { boss } = team({
      boss: [asks('clean up'), says('too late')],
      helper: () => calls({ toolName: 'remove', input: { path: '/logs' } }),
      helperOptions: { tools: { remove } },
      asTool: { timeout: 1000 },
      budget: { modelCalls: 10 },
    })
    const session = boss.session()
    session.world.bind('clock', clock)
    const waiting = await session.generate('go')
    assert.equal(waiting.status, 'waiting')
    await clock.advance(1001)
    const stop = await run(session.world)
    assert.equal(stop.reason, 'idle')
    assert.match(String([...session.messages].find(({ role }) => role === 'tool')?.content), /did not end in time/)
    assert.equal(session.world.require(session.entity, TurnUsage).usage.totalTokens, 300)
    assert.equal(session.world.require(session.entity, TurnUsage).asides, 1)
    assert.equal(session.world.count(ChildWorld), 0)
    assert.equal(session.world.count(Children), 0)
    assert.deepEqual(session.interactions, [])
  })

  test('survives in a snapshot of its caller: all of it is data', async () => {
    const { boss } = make()
    const session = boss.session()
    const waiting = await session.generate('go')
    const stored = JSON.parse(JSON.stringify(snapshot(session.world))) as ReturnType<typeof snapshot>
    const world = restore(stored, { components: boss.components })
    boss.bindTo(world)
    assert.equal(openInteractions(world)[0]?.id, waiting.interactions[0]?.id)
    answer(world, waiting.interactions[0]!.id, { deny: 'not today' })
    const stop = await run(world)
    assert.equal(stop.reason, 'idle')
  })

  test('a cancelled turn leaves nothing of it', async () => {
    const session = make().boss.session()
    const waiting = await session.generate('go')
    assert.equal(waiting.status, 'waiting')
    const gone = new AbortController()
    gone.abort()
    const result = await session.answer(waiting.interactions[0]!.id, 'approve', { abortSignal: gone.signal })
    assert.equal(result.status, 'cancelled')
    assert.equal(session.world.count(Children), 0)
    assert.deepEqual(session.interactions, [])
    assert.deepEqual(session.world.entities(), [session.entity])
  })
})
