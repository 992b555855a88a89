import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOf } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import type { JsonObject } from '../schema/json.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import type { Delta } from '../world/delta.ts'
import type { Entity } from '../world/entity.ts'
import { run } from '../world/runner.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import { Agent } from './agent.ts'
import { Conversation, LLM } from './component.ts'
import { ConversationArchive } from './context-component.ts'
import { hear } from './conversation.ts'
import { handoff, type HandoffHistory } from './handoff.ts'

const main = 1 as Entity
const call = (toolName: string, input: JsonObject) => ({ calls: [{ toolName, input }] })

function desk(history: HandoffHistory, input: JsonObject, billingScript: Parameters<typeof scriptedModel>[0]) {
  const refund = tool({ description: 'r', inputSchema: { type: 'object' }, effects: 'read', execute: () => 'refunded' })
  const billingModel = scriptedModel(billingScript)
  const billing = new Agent({
    name: 'billing',
    model: billingModel,
    instructions: 'You do billing.',
    tools: { refund },
  })
  const triageModel = scriptedModel(['Who are you?', call('toBilling', input), 'never'])
  const triage = new Agent({
    name: 'triage',
    model: triageModel,
    instructions: 'You route.',
    tools: { toBilling: handoff(billing, { history }) },
  })
  return { triage, billing, triageModel, billingModel }
}

describe('a handoff', () => {
  test('full: the other agent sees everything and answers, now and later', async () => {
    const { triage, triageModel, billingModel } = desk('full', {}, [call('refund', {}), 'Refunded.', 'Still here.'])
    const chat = triage.session()
    await chat.generate('Hello')
    const result = await chat.generate('I want my money')
    assert.equal(result.text, 'Refunded.')
    assert.equal(triageModel.calls, 2)
    assert.equal(billingModel.requests[0]?.system, 'You do billing.')
    assert.deepEqual(
      billingModel.requests[0]?.tools?.map(({ name }) => name),
      ['refund'],
    )
    assert.deepEqual(
      [...billingModel.requests[0]!.messages].map(({ role }) => role),
      ['user', 'assistant', 'user', 'assistant', 'tool'],
    )
    assert.equal((await chat.generate('And?')).text, 'Still here.')
    assert.equal(chat.world.require(chat.entity, LLM).home, 'triage')
  })

  test('summary: the other agent sees what the first one wrote, and the past is archived', async () => {
    const { triage, billingModel } = desk('summary', { summary: 'Wants a refund of 5.' }, ['Done.'])
    const chat = triage.session()
    await chat.generate('Hello')
    const result = await chat.generate('I want my money')
    assert.equal(result.text, 'Done.')
    const seen = [...billingModel.requests[0]!.messages].map(textOf)
    assert.deepEqual(seen, ['[triage handed over] Wants a refund of 5.'])
    const archive = chat.world.require(chat.entity, ConversationArchive)
    assert.ok(archive.at(0)?.messages.some((message) => textOf(message) === 'I want my money'))
  })

  test('message: it sees the message alone', async () => {
    const { triage, billingModel } = desk('message', { message: 'Refund 5 to Ada.' }, ['Done.'])
    const chat = triage.session()
    await chat.generate('Hello')
    assert.equal((await chat.generate('I want my money')).text, 'Done.')
    assert.deepEqual([...billingModel.requests[0]!.messages].map(textOf), ['[triage handed over] Refund 5 to Ada.'])
  })

  test('agents may hand over to each other, and each time the conversation goes on', async () => {
    const a: Agent = new Agent({
      name: 'a',
      model: scriptedModel([call('toB', {}), 'a again']),
      tools: { toB: handoff(() => b, { name: 'b' }) },
    })
    const b: Agent = new Agent({
      name: 'b',
      model: scriptedModel([call('toA', {})]),
      tools: { toA: handoff(a) },
    })
    const result = await a.generate('go')
    assert.equal(result.text, 'a again')
  })

  test('two in one reply: the first counts, the second is told', async () => {
    const b = new Agent({ name: 'b', model: scriptedModel(['I am b']) })
    const c = new Agent({ name: 'c', model: scriptedModel(['I am c']) })
    const model = scriptedModel([
      {
        calls: [
          { toolName: 'toB', input: {} },
          { toolName: 'toC', input: {} },
        ],
      },
    ])
    const a = new Agent({ name: 'a', model, tools: { toB: handoff(b), toC: handoff(c) } })
    const result = await a.generate('go')
    assert.equal(result.text, 'I am b')
    const told = result.messages.filter(({ role }) => role === 'tool').map(textOf)
    assert.match(told[1]!, /goes to 'b' already/)
  })

  test('what is said meanwhile is not lost with the past', async () => {
    const billing = new Agent({
      name: 'billing',
      model: scriptedModel(({ messages }) => [...messages].map(textOf).join()),
    })
    const toBilling = handoff(billing, { history: 'summary' })
    const triage = new Agent({
      name: 'triage',
      model: scriptedModel([call('toBilling', { summary: 's' })]),
      tools: { toBilling },
    })
    const world = new World()
    triage.furnish(world)
    hear(world, main, 'My money')
    await run(world, { main, maxTicks: 1 })
    hear(world, main, 'And hurry.')
    await run(world, { main })
    const said = world.require(main, Conversation).toArray().map(textOf)
    assert.deepEqual(said, ['[triage handed over] s', 'And hurry.', '[triage handed over] s,And hurry.'])
  })

  for (const history of ['full', 'summary', 'message'] as const) {
    test(`law: cut off after any commit, ${history} comes to the same end, and nobody is asked twice`, async () => {
      const build = () => {
        const desk = [call('go', { summary: 's', message: 'm' }), call('look', {}), 'The end.']
        const look = tool({ description: 'l', inputSchema: { type: 'object' }, effects: 'read', execute: () => 'fog' })
        const asked: string[] = []
        const reply = (name: string) => (request: ModelRequest) => {
          asked.push(name)
          const results = [...request.messages].filter(({ role }) => role === 'tool').length
          return name === 'a' ? desk[0]! : desk[Math.min(2, 1 + (history === 'full' ? results - 1 : results))]!
        }
        const b = new Agent({ name: 'b', model: scriptedModel(reply('b')), tools: { look } })
        const inputs = { full: {}, summary: { summary: 's' }, message: { message: 'm' } }
        desk[0] = call('go', inputs[history])
        const a = new Agent({ name: 'a', model: scriptedModel(reply('a')), tools: { go: handoff(b, { history }) } })
        return { a, asked }
      }
      const end = (world: World) => [world.require(main, LLM), world.require(main, Conversation).toArray()]
      const drive = async (world: World, cutAt: number): Promise<Delta[] | undefined> => {
        const journal: Delta[] = []
        const sink = async (delta: Delta) => {
          journal.push(JSON.parse(JSON.stringify(delta)) as Delta)
          await Promise.resolve()
          if (journal.length === cutAt) throw new Error('cut')
        }
        const cut = await run(world, { main, sink }).then(
          () => false,
          () => true,
        )
        return cut ? journal : undefined
      }
      const begin = () => {
        const { a, asked } = build()
        const world = new World({ components: a.components })
        const empty = snapshot(world)
        a.furnish(world)
        hear(world, main, 'go')
        return { a, asked, world, empty, begun: JSON.parse(JSON.stringify(world.takeDelta())) as Delta }
      }
      const whole = begin()
      await drive(whole.world, Infinity)
      assert.deepEqual(whole.asked, ['a', 'b', 'b'])
      for (let cutAt = 1; ; cutAt++) {
        const { a, asked, world, empty, begun } = begin()
        const journal = await drive(world, cutAt)
        if (journal === undefined) return assert.ok(cutAt > 4, `${cutAt} commits`)
        const resumed = restore(empty, { components: a.components, deltas: [begun, ...journal] })
        a.bindTo(resumed)
        await drive(resumed, Infinity)
        assert.deepEqual(end(resumed), end(whole.world), `cut after commit ${cutAt}`)
        assert.deepEqual(asked, ['a', 'b', 'b'], `cut after commit ${cutAt}`)
      }
    })
  }

  test('a stored world goes on with the agent it was handed to', async () => {
    const { triage, billingModel } = desk('full', {}, ['Here.', 'Again.'])
    const chat = triage.session()
    await chat.generate('Hello')
    await chat.generate('money')
    const world = restore(snapshot(chat.world), { components: triage.components })
    triage.bindTo(world)
    hear(world, chat.entity, 'Once more')
    await run(world)
    assert.equal(billingModel.calls, 2)
  })

  test('misuse is told', () => {
    const a = new Agent({ name: 'a', model: scriptedModel([]) })
    assert.throws(() => handoff(a, { history: 'half' as never }), /full.*summary.*message/)
    assert.throws(() => handoff(() => a), /needs the name/)
    const other = new Agent({ name: 'a', model: scriptedModel([]) })
    const third = new Agent({ name: 'b', model: scriptedModel([]), tools: { to: handoff(a), too: handoff(other) } })
    const self = new Agent({ name: 'a', model: scriptedModel([]), tools: { to: handoff(other) } })
    for (const agent of [third, self]) assert.throws(() => agent.session(), { code: 'duplicate_name', message: /'a'/ })
    assert.throws(() => handoff(a, { hstory: 'full' } as never), /Did you mean 'history'/)
  })
})
