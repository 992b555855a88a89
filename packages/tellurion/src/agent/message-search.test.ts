import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { assistant, user, type Message } from '../message/message.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { createArtifacts } from '../tool/artifact.ts'
import { World } from '../world/world.ts'
import { Agent } from './agent.ts'
import { Conversation } from './component.ts'
import { ConversationArchive } from './context-component.ts'
import { historyTool, searchHistory, searchMessages } from './message-search.ts'

const talk: readonly Message[] = [
  user('Where is the key of the cellar?'),
  assistant('Under the blue flower pot.'),
  user('And the wine?'),
  assistant([
    { type: 'text', text: 'Let me look.' },
    { type: 'tool-call', toolCallId: 'c', toolName: 'look', input: {} },
  ]),
  { role: 'tool', toolCallId: 'c', toolName: 'look', content: 'The wine stands in the cellar, left of the door.' },
  assistant('In the cellar.'),
  user('日本語の住所は東京です'),
]
const places = (query: string, limit?: number): number[] =>
  searchMessages(talk, query, limit === undefined ? {} : { limit }).map(({ index }) => index)

describe('searching messages', () => {
  test('finds what holds the words, the best first, whoever said it', () => {
    assert.deepEqual(places('flower'), [1])
    assert.deepEqual(places('FLOWER pots? pot!'), [1])
    assert.equal(places('wine door')[0], 4)
    assert.deepEqual(new Set(places('cellar')), new Set([0, 4, 5]))
    assert.equal(places('cellar', 1).length, 1)
    assert.deepEqual(places('東京'), [6])
    assert.deepEqual([places('garage'), places(''), places('?!')], [[], [], []])
    const [best] = searchMessages(talk, 'wine door')
    assert.deepEqual([best?.role, best?.from], ['tool', 'conversation'])
    assert.ok(best!.score > 0 && best!.score <= 1)
  })

  test('refuses options that are none', () => {
    assert.throws(() => searchMessages([], 'x', { limt: 1 } as never), /Did you mean 'limit'/)
    assert.throws(() => searchMessages([], 'x', { limit: -1 }), /limit must be a whole number/)
  })

  test('shows the part around the word', () => {
    const long = `${'a '.repeat(2_000)}the needle is here ${'b '.repeat(2_000)}`
    const [found] = searchMessages([user(long)], 'needle')
    assert.match(found?.excerpt ?? '', /^….*the needle is here.*…$/)
    assert.ok(found!.excerpt.length <= 302)
  })

  test('law: whatever the messages and the query, each found message holds a word that was looked for', () => {
    const word = fc.constantFrom('tea', 'cup', 'Öl', 'x1', '茶', '🌍', '\ud800', '')
    const text = fc.array(word, { maxLength: 8 }).map((words) => words.join(' '))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), text, fc.nat(5), (texts, query, limit) => {
        const found = searchMessages(
          texts.map((each) => user(each)),
          query,
          { limit },
        )
        assert.ok(found.length <= limit)
        const wanted = query.toLowerCase().split(' ')
        for (const { index } of found)
          assert.ok(
            texts[index]!.toLowerCase()
              .split(' ')
              .some((each) => wanted.includes(each)),
          )
        for (let at = 1; at < found.length; at++) assert.ok(found[at - 1]!.score >= found[at]!.score)
      }),
    )
  })

  test('10,000 messages take a moment', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => user(`${index} ${'some words of a message '.repeat(15)}`))
    many[1_234] = user('the needle')
    const began = process.hrtime.bigint()
    assert.equal(searchMessages(many, 'needle words')[0]?.index, 1_234)
    assert.ok(process.hrtime.bigint() - began < 3_000_000_000n)
  })
})

describe('searching the history of an entity', () => {
  async function history() {
    const artifacts = createArtifacts(memoryKeyValue(), 's')
    const world = new World({ resources: { artifacts } })
    const kept = await artifacts.put(JSON.stringify([user('The safe opens with 4711.')]))
    const entity = world.spawn(
      Conversation([user('Good evening')]),
      ConversationArchive([
        { summary: 'They spoke of the cellar and its wine.', messages: talk },
        { summary: 'They spoke of a safe.', messages: [], artifact: kept! },
      ]),
    )
    return { world, entity }
  }

  test('finds what was taken out of the conversation, its summaries, and what became an artifact', async () => {
    const { world, entity } = await history()
    const found = async (query: string) =>
      (await searchHistory(world, entity, query)).map(({ role, from, index }) => [role, from, index])
    assert.deepEqual(await found('evening'), [['user', 'conversation', 0]])
    assert.deepEqual(await found('flower'), [['assistant', 'archive', 1]])
    assert.deepEqual(await found('4711'), [['user', 'archive', 7]])
    assert.deepEqual((await found('spoke')).length, 2)
    assert.deepEqual(await searchHistory(new World(), 0 as never, 'x'), [])
  })

  test('as a tool: the model looks up what it is no longer shown', async () => {
    const model = scriptedModel([
      { calls: [{ toolName: 'searchHistory', input: { query: 'flower pot' } }] },
      { calls: [{ toolName: 'searchHistory', input: { query: '' } }] },
      'Under the flower pot.',
    ])
    const session = new Agent({ name: 'a', model, tools: { ...historyTool() } }).session()
    session.world.append(session.entity, ConversationArchive, { summary: 'Of a cellar.', messages: talk })
    const { messages } = await session.generate('Where was the key?')
    const [found, refused] = messages.filter((message) => message.role === 'tool')
    assert.deepEqual(JSON.parse(String(found?.content)), {
      messages: [{ role: 'assistant', index: 1, from: 'archive', excerpt: 'Under the blue flower pot.' }],
    })
    assert.equal(refused?.isError, true)
  })
})
