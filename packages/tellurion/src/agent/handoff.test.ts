import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOf } from '../message/message.ts'
import type { JsonObject } from '../schema/json.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { Agent } from './agent.ts'
import { LLM } from './component.ts'
import { ConversationArchive } from './context-component.ts'
import { handoff, type HandoffHistory } from './handoff.ts'

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

  test('a stored world goes on with the agent it was handed to', async () => {
    const { triage, billingModel } = desk('full', {}, ['Here.', 'Again.'])
    const chat = triage.session()
    await chat.generate('Hello')
    await chat.generate('money')
    const world = restore(snapshot(chat.world), { components: triage.components })
    triage.bindTo(world)
    const { hear } = await import('./conversation.ts')
    const { run } = await import('../world/runner.ts')
    hear(world, chat.entity, 'Once more')
    await run(world)
    assert.equal(billingModel.calls, 2)
  })

  test('misuse is told', () => {
    const a = new Agent({ name: 'a', model: scriptedModel([]) })
    assert.throws(() => handoff(a, { history: 'half' as never }), /full.*summary.*message/)
    assert.throws(() => handoff(() => a), /needs the name/)
    assert.throws(() => handoff(a, { hstory: 'full' } as never), /Did you mean 'history'/)
  })
})
