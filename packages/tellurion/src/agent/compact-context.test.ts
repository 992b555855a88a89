import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError } from '../error/error.ts'
import { assistant, user, type Message } from '../message/message.ts'
import { estimateRequestTokens, estimateTokens } from '../model/token-estimate.ts'
import { loadTokenCounter } from '../model/tokenizer.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { run } from '../world/runner.ts'
import { World } from '../world/world.ts'
import { Agent } from './agent.ts'
import { compaction } from './compaction.ts'
import { compactContext, type CompactContextOptions } from './compact-context.ts'
import { Conversation, LLM, Skills, SystemPrompt } from './component.ts'
import { CompactionConfig, Reminders, Retrieved } from './context-component.ts'
import { Plan } from './plan-component.ts'
import { makePlan } from './plan.ts'
import { contextTokens, conversationTokens, counterOf, windowOf } from './context-size.ts'
import { requestFor } from './request.ts'

describe('options', () => {
  const wrong: readonly [options: unknown, code: string, words: RegExp][] = [
    [null, 'invalid_option', /takes one object/],
    [{ windo: 1 }, 'unknown_option', /no option 'windo'.*window/],
    [{ window: 0 }, 'invalid_option', /window must be a whole number from 1/],
    [{ threshold: 0.5 }, 'invalid_option', /threshold must be a whole number/],
    [{ keep: Number.NaN }, 'invalid_option', /keep must be/],
    [{ stages: { shorten: 1.2 } }, 'invalid_option', /stages\.shorten must be a fraction/],
    [{ stages: { sumarise: 0.5 } }, 'unknown_option', /no option 'sumarise'.*summarise/],
    [{ stages: 0.5 }, 'invalid_option', /takes one object/],
    [{ archive: 'disk' }, 'invalid_option', /'log' or 'artifact'/],
    [{ countTokens: 'words' }, 'invalid_option', /countTokens must be a function/],
    [{ summaryModel: {} }, 'invalid_option', /Expected a model/],
  ]
  for (const [options, code, words] of wrong) {
    test(`${JSON.stringify(options)} is refused`, () => {
      assert.throws(
        () => compactContext(options as CompactContextOptions),
        (error: unknown) => error instanceof TellurionError && error.code === code && words.test(error.message),
      )
    })
  }

  test('live things are bound by name, everything else is data', () => {
    const summaryModel = scriptedModel([], { name: 'test/small' })
    const { initial, resources } = compactContext({ window: 1_000, summaryModel, countTokens: estimateTokens })
    const expected = { window: 1_000, summaryModel: 'test/small', counter: 'estimateTokens' }
    assert.deepEqual(initial?.[0]?.value, expected)
    assert.deepEqual(resources, { models: { 'test/small': summaryModel }, tokenCounters: { estimateTokens } })
  })
})

describe('the size of a context', () => {
  const look = tool({ description: 'Looks at something', inputSchema: { type: 'object' }, execute: () => 'seen' })

  test('is that of the request that would be sent', async () => {
    const model = scriptedModel([])
    const instructions = 'Be brief and to the point.'
    const { world, entity } = new Agent({ name: 'a', model, tools: { look }, instructions }).session()
    const said: Message[] = [user('How are you?'), assistant('Fine, thank you.'), user('Good to hear.')]
    world.append(entity, Conversation, ...said)
    world.set(entity, SystemPrompt, { text: 'Answer in Dutch.' })
    world.set(entity, Skills, [{ name: 'cook', description: 'Boils what can be boiled. '.repeat(20).trim() }])
    world.set(entity, Reminders, [{ kind: 'own', severity: 'info', text: 'Mind the gap. '.repeat(20).trim() }])
    world.set(entity, Plan, makePlan(['look around '.repeat(20), 'leap '.repeat(20)]))
    const configuration = world.resource<Record<string, never>>('agents')['a']!
    const request = await requestFor(world, entity, configuration)
    const size = contextTokens(world, entity, estimateTokens)
    assert.ok(Math.abs(size - estimateRequestTokens(request)) <= 5, `${size}, ${estimateRequestTokens(request)}`)
    const documents = [{ id: 'd', text: 'x'.repeat(400), source: 's', score: 1 }]
    world.set(entity, Retrieved, { query: 'q', documents })
    assert.equal(contextTokens(world, entity, estimateTokens), size + 100)
  })

  test('is measured once: only what is new is counted again', () => {
    let counted = 0
    const count = (text: string): number => (counted++, text.length)
    const world = new World()
    const entity = world.spawn(Conversation(Array.from({ length: 1_000 }, (_, index) => user(`message ${index}`))))
    const first = conversationTokens(world.require(entity, Conversation), count)
    assert.equal(counted, 1_000)
    world.append(entity, Conversation, user('one more'))
    assert.equal(conversationTokens(world.require(entity, Conversation), count), first + 4 + 'one more'.length)
    assert.equal(counted, 1_001)
    const shorter = user('short')
    world.splice(entity, Conversation, { start: 3, deleteCount: 1, items: [shorter] })
    const after = conversationTokens(world.require(entity, Conversation), count)
    assert.equal(after, first + 4 + 'one more'.length + 'short'.length - 'message 3'.length)
    assert.equal(counted, 1_002)
  })

  test('has a window: as configured, as the model is known, or 128,000', () => {
    const world = new World({
      resources: { models: { m: scriptedModel([]), c: scriptedModel([], { name: 'anthropic/claude-sonnet-5' }) } },
    })
    assert.equal(windowOf(world, world.spawn(LLM({ model: 'm' }))), 128_000)
    assert.equal(windowOf(world, world.spawn(LLM({ model: 'c' }))), 200_000)
    assert.equal(windowOf(world, world.spawn(LLM({ model: 'c' }), CompactionConfig({ window: 5 }))), 5)
    assert.equal(windowOf(world, world.spawn(LLM({ model: 'gone' }))), 128_000)
    assert.equal(windowOf(new World(), new World().spawn()), 128_000)
  })

  test('is counted by a tokenizer where nobody says otherwise', async () => {
    const world = new World({ resources: { tokenCounters: { estimateTokens } } })
    assert.equal(await counterOf(world, world.spawn()), await loadTokenCounter())
    assert.equal(counterOf(world, world.spawn(CompactionConfig({ counter: 'estimateTokens' }))), estimateTokens)
  })
})

test('compaction by hand: a world with the component and the reference’s threshold', async () => {
  const small = scriptedModel(['## Task Overview\nx\n## Key Decisions\ny\n## Progress\nz\n## Context\nw'])
  const world = new World({ resources: { models: { m: scriptedModel(['Right.']), small } }, systems: [compaction] })
  const said = Array.from({ length: 40 }, (_, index) => [
    user(`question ${index}?`),
    assistant(`answer ${index}.`),
  ]).flat()
  const entity = world.spawn(
    LLM({ model: 'm' }),
    Conversation([...said, user('Go on.')]),
    CompactionConfig({ threshold: 100, summaryModel: 'small' }),
  )
  await run(world)
  assert.equal(world.require(entity, Conversation).length, 8)
  assert.equal(small.calls, 1)
})

test('an entity without the component costs nothing and is left alone', async () => {
  const world = new World({ systems: [compaction] })
  world.spawn(LLM({ model: 'm' }), Conversation([user('x'.repeat(10_000_000))]))
  assert.equal((await run(world)).ticks, 0)
})
