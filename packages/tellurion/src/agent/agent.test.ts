import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import { user } from '../message/message.ts'
import { failure } from '../model/failure.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { Halted } from '../world/lifecycle.ts'
import { defineSystem } from '../world/system.ts'
import { World } from '../world/world.ts'
import { run } from '../world/runner.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { compactContext } from './compact-context.ts'
import { Conversation, ToolRegistry } from './component.ts'
import { extractiveModel } from './extractive-model.ts'
import { factExtraction } from './fact-extraction.ts'
import { factRecall } from './fact-recall.ts'
import { createFacts } from './fact-store.ts'
import type { AgentResult } from './result.ts'
import { retrieval } from './retrieval.ts'
import { hasToolCall, isStepCount } from './stop-when.ts'

const add = tool({
  description: 'Adds two numbers',
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  effects: 'read',
  execute: ({ a, b }) => a + b,
})
const callAdd = { calls: [{ toolName: 'add', input: { a: 1, b: 2 } }] }
const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

describe('generate', () => {
  test('answers a plain question with one model call', async () => {
    const model = scriptedModel(['Hello!'])
    const agent = new Agent({ name: 'helper', model, instructions: 'Be brief.' })
    const result = await agent.generate('Hi')
    assert.equal(result.text, 'Hello!')
    assert.equal(result.status, 'succeeded')
    assert.equal(result.stopReason, 'idle')
    assert.equal(result.finishReason, 'stop')
    assert.equal(result.steps, 1)
    assert.deepEqual(
      result.messages.map((message) => message.role),
      ['user', 'assistant'],
    )
    assert.equal(model.calls, 1)
    assert.equal(model.requests[0]?.system, 'Be brief.')
  })

  test('runs tools and counts the usage of every call once', async () => {
    const usage = { inputTokens: 5, outputTokens: 2, totalTokens: 7, cacheReadTokens: 1 }
    const model = scriptedModel([
      { ...callAdd, usage },
      { text: 'It is 3.', usage },
    ])
    const result = await new Agent({ name: 'a', model, tools: { add } }).generate('1 + 2?')
    assert.equal(result.text, 'It is 3.')
    assert.deepEqual(result.usage, { inputTokens: 10, outputTokens: 4, totalTokens: 14, cacheReadTokens: 2 })
    assert.deepEqual(
      result.messages.map((message) => message.role),
      ['user', 'assistant', 'tool', 'assistant'],
    )
    assert.deepEqual(
      model.requests[0]?.tools?.map((spec) => spec.name),
      ['add'],
    )
  })

  test('calls instructions for every model call and takes parts and messages as input', async () => {
    let count = 0
    const model = scriptedModel(['a', 'b', 'c'])
    const agent = new Agent({ name: 'a', model, instructions: async () => `version ${++count}` })
    await agent.generate('one')
    await agent.generate([{ type: 'text', text: 'two' }])
    await agent.generate(user('three'))
    assert.deepEqual(
      model.requests.map((request) => request.system),
      ['version 1', 'version 2', 'version 3'],
    )
    await assert.rejects(agent.generate(5 as never), code('invalid_option'))
  })

  test('a permanent error is one model call, rejects, and keeps what there is', async () => {
    const refused = failure('authentication', 'bad key', { status: 401 })
    const model = scriptedModel(() => refused)
    const error = await new Agent({ name: 'a', model }).generate('Hi').catch((reason: unknown) => reason)
    assert.ok(error instanceof TellurionError)
    assert.equal(error.code, 'model_authentication')
    assert.equal(model.calls, 1)
    const result = error.result as AgentResult
    assert.equal(result.status, 'failed')
    assert.equal(result.stopReason, 'failed')
    assert.equal(result.messages.length, 1)
  })

  test('a reply that dies half-way is kept as partial, without its calls', async () => {
    const events = [
      { type: 'text.delta', text: 'It is ' },
      { type: 'tool.call', call: { type: 'tool-call', toolCallId: 'x', toolName: 'add', input: { a: 1, b: 2 } } },
      { type: 'error', failure: failure('network', 'cut') },
    ] as const
    const model = scriptedModel([{ events }, 'Whole.'])
    const chat = new Agent({ name: 'a', model, tools: { add } }).session()
    await assert.rejects(chat.generate('1 + 2?'), code('model_network'))
    assert.deepEqual(chat.messages.at(-1), { role: 'assistant', content: 'It is ', partial: true })
    const next = await chat.generate('Again')
    assert.equal(next.text, 'Whole.')
  })

  test('an exhausted script ends the run with its own reason', async () => {
    const result = await new Agent({ name: 'a', model: scriptedModel([]) }).generate('Hi')
    assert.equal(result.status, 'succeeded')
    assert.equal(result.stopReason, 'provider_exhausted')
  })

  test('cancelled resolves, before the start and in the middle', async () => {
    const early = new AbortController()
    early.abort()
    const model = scriptedModel(['never'])
    const agent = new Agent({ name: 'a', model })
    const before = await agent.generate('Hi', { abortSignal: early.signal })
    assert.equal(before.status, 'cancelled')
    assert.equal(model.calls, 0)

    const clock = virtualClock()
    const slow = new Agent({ name: 'a', model: scriptedModel([{ text: 'abc' }], { chunkSize: 1, delay: 10, clock }) })
    const controller = new AbortController()
    const running = slow.generate('Hi', { abortSignal: controller.signal, resources: { clock } })
    await clock.advance(15)
    controller.abort()
    const result = await running
    assert.equal(result.status, 'cancelled')
    assert.equal(result.text, 'a')
    assert.equal(clock.pending, 0)
  })
})

describe('limits', () => {
  const endless = (): ReturnType<typeof scriptedModel> => scriptedModel(() => callAdd)

  test('maxTicks ends a model that never stops calling tools, with a partial result', async () => {
    const agent = new Agent({ name: 'a', model: endless(), tools: { add } })
    const error = await agent.generate('go', { maxTicks: 5 }).catch((reason: unknown) => reason)
    assert.ok(error instanceof TellurionError)
    assert.equal(error.code, 'run_limit')
    assert.equal((error.result as AgentResult).steps, 5)
    assert.equal((error.result as AgentResult).stopReason, 'max_ticks')
  })

  test('stopWhen ends the turn between model calls, with the results of the last ones', async () => {
    const model = endless()
    const agent = new Agent({ name: 'a', model, tools: { add }, stopWhen: isStepCount(3) })
    const result = await agent.generate('go')
    assert.equal(result.stopReason, 'stop_when')
    assert.equal(result.steps, 3)
    assert.equal(model.calls, 3)
    assert.equal(result.messages.at(-1)?.role, 'tool')
  })

  test('conditions are alternatives, and a new turn counts anew', async () => {
    const model = endless()
    const agent = new Agent({ name: 'a', model, tools: { add }, stopWhen: [isStepCount(50), hasToolCall('add')] })
    const chat = agent.session()
    assert.equal((await chat.generate('go')).steps, 1)
    assert.equal((await chat.generate('go on')).steps, 1)
    assert.equal(model.calls, 2)
  })
})

describe('sessions', () => {
  test('remember, and run one turn at a time', async () => {
    const model = scriptedModel(['one', 'two'])
    const chat = new Agent({ name: 'a', model }).session()
    const first = chat.generate('first')
    await assert.rejects(chat.generate('meanwhile'), code('already_running'))
    await first
    const second = await chat.generate('second')
    assert.equal(second.text, 'two')
    assert.equal(second.messages.length, 2)
    assert.equal(model.requests[1]?.messages.length, 3)
    assert.equal(chat.messages.length, 4)
  })

  test('know nothing of each other', async () => {
    const model = scriptedModel(['one', 'two'])
    const agent = new Agent({ name: 'a', model })
    await agent.session().generate('secret')
    await agent.session().generate('other')
    assert.equal(model.requests[1]?.messages.length, 1)
  })

  test('go on after a failure: new input lifts the halt', async () => {
    const model = scriptedModel([failure('service', 'down'), 'up'])
    const chat = new Agent({ name: 'a', model }).session()
    await assert.rejects(chat.generate('Hi'), code('model_service'))
    assert.ok(chat.world.has(chat.entity, Halted))
    assert.equal((await chat.generate('Again')).text, 'up')
  })
})

describe('systems', () => {
  test('an agent may bring its own, and replace a built-in one', async () => {
    const seen: string[] = []
    const spy = defineSystem({
      name: 'spy',
      priority: 1,
      query: [Conversation],
      each: (entity, world) => void seen.push(String(world.require(entity, Conversation).length)),
    })
    const noMemory = defineSystem({ name: 'memory', priority: 10, query: [ToolRegistry], each: () => {} })
    const chat = new Agent({ name: 'a', model: scriptedModel(['x']), systems: [spy, noMemory] }).session()
    await chat.generate('Hi')
    assert.deepEqual(seen, ['2', '2'])
    const names = chat.world.systemNames()
    assert.deepEqual(names.slice(-3), ['errorHandling', 'spy', 'memory'])
    assert.equal(names.filter((name) => name === 'memory').length, 1)
  })

  test('one that throws on every tick fails the run instead of turning for ever', async () => {
    const broken = defineSystem({
      name: 'broken',
      query: [Conversation],
      each: () => {
        throw new Error('no')
      },
    })
    const agent = new Agent({ name: 'a', model: scriptedModel(['x']), systems: [broken] })
    await assert.rejects(agent.generate('Hi'), code('system_failed'))
  })

  test('two agents live in one world, each with its own model, tools and conversation', async () => {
    const world = new World()
    const ada = new Agent({ name: 'ada', model: scriptedModel([callAdd, 'three']), tools: { add } })
    const bob = new Agent({ name: 'bob', model: scriptedModel([callAdd, 'no tool']) })
    const [a, b] = [ada.furnish(world), bob.furnish(world)]
    world.append(a, Conversation, user('1 + 2?'))
    world.append(b, Conversation, user('1 + 2?'))
    assert.equal((await run(world)).reason, 'idle')
    const contents = (entity: typeof a) =>
      world
        .require(entity, Conversation)
        .toArray()
        .map((message) => message.content)
    assert.equal(contents(a).at(-1), 'three')
    assert.equal(contents(a).at(-2), '3')
    assert.match(String(contents(b).at(-2)), /no tool 'add'/)
    assert.throws(() => ada.furnish(world), code('duplicate_name'))
  })

  test('different things under one name are refused in one world, before one agent is given those of another', () => {
    const shelf = (name: string) => ({ retrieve: async () => [{ id: name, text: name, source: name, score: 1 }] })
    const make = (name: string, systems: AgentOptions['systems'] = []) =>
      new Agent({ name, model: scriptedModel([]), systems })
    const world = new World()
    const [one, other] = [shelf('one'), shelf('other')]
    make('a', retrieval({ retriever: one })).furnish(world)
    make('b', retrieval({ retriever: one })).furnish(world)
    assert.throws(
      () => make('c', retrieval({ retriever: other })).furnish(world),
      (error: unknown) => code('duplicate_name')(error) && /'documents' in retrievers/.test((error as Error).message),
    )
    make('d', retrieval({ retriever: other, name: 'others' })).furnish(world)
    const facts = createFacts(memoryKeyValue())
    make('e', [factRecall(facts), factExtraction(facts)]).furnish(world)
    assert.throws(() => make('f', [factRecall(createFacts(memoryKeyValue()))]).furnish(world), code('duplicate_name'))
    // Models and counters are what their names say, whoever made them.
    for (const name of ['g', 'h']) {
      const countTokens = (text: string): number => text.length
      make(name, [compactContext({ summaryModel: extractiveModel(), countTokens })]).furnish(world)
    }
  })
})

describe('an agent that is misspelled', () => {
  const model = scriptedModel(['x'])
  const wrong: [string, unknown, RegExp][] = [
    ['unknown_option', { name: 'a', model, instruction: 'x' }, /instructions/],
    ['invalid_name', { name: 'a b', model }, /name/],
    ['invalid_option', { name: 'a', model: 'openai/gpt-5' }, /model\('openai\/gpt-5'\)/],
    ['invalid_option', { name: 'a', model, stopWhen: 20 }, /isStepCount/],
    ['invalid_option', { name: 'a', model, tools: { add: () => 1 } }, /tool\(\{/],
    ['invalid_option', { name: 'a', model, instructions: 5 }, /instructions/],
    ['unknown_option', { name: 'a', model, approval: [{ alow: '*' }] }, /allow/],
  ]
  for (const [expected, options, hint] of wrong) {
    test(`${expected}: ${hint.source}`, () => {
      assert.throws(
        () => new Agent(options as never),
        (error: unknown) => code(expected)(error) && hint.test((error as Error).message),
      )
    })
  }

  test('an unknown option of a turn names the nearest', async () => {
    const agent = new Agent({ name: 'a', model })
    await assert.rejects(agent.generate('x', { abortsignal: undefined } as never), /abortSignal/)
  })
})
