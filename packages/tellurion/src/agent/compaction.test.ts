// Compaction, line by line: its stages, what always stays, what a summary is, and what happens without one.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError } from '../error/error.ts'
import type { CompactionCompleted } from '../event/event.ts'
import { assistant, system, textOf, user, type Message } from '../message/message.ts'
import { failure } from '../model/failure.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { scriptedModel, type Script } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createArtifacts } from '../tool/artifact.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import { readArchive } from './compaction-archive.ts'
import { isSummary } from './compaction-exchange.ts'
import { summarySegments } from './compaction-summary.ts'
import { Conversation, TurnUsage } from './component.ts'
import { ConversationArchive } from './context-component.ts'
import { compactContext, type CompactContextOptions } from './compact-context.ts'
import { contextTokens, tokensOf } from './context-size.ts'
import { extractiveModel } from './extractive-model.ts'
import type { Session } from './session.ts'

/** One token a character, so that a test can say exactly how long something is. */
const countTokens = (text: string): number => text.length

const good = summarySegments.map((name) => `## ${name}\nWhat is known of ${name}.`).join('\n')

interface Bench {
  readonly session: Session
  readonly events: CompactionCompleted[]
  readonly said: () => readonly Message[]
}

/** A session with a past, under compaction. The agent answers "Right." to everything. */
function bench(past: readonly Message[], options: CompactContextOptions, replies: readonly Script[] = []): Bench {
  const model = scriptedModel(replies.length === 0 ? () => 'Right.' : replies)
  const agent = new Agent({ name: 'a', model, systems: [compactContext({ countTokens, ...options })] })
  const session = agent.session()
  session.world.append(session.entity, Conversation, ...past)
  const events: CompactionCompleted[] = []
  session.world.on('compaction.completed', (event) => void events.push(event))
  return { session, events, said: () => [...session.messages] }
}

const call = (id: string, content: string, toolName = 'read'): Message[] => [
  assistant([{ type: 'tool-call', toolCallId: id, toolName, input: { of: id } }]),
  { role: 'tool', toolCallId: id, toolName, content },
]
const chat = (count: number, length = 100): Message[] =>
  Array.from({ length: count }, (_, index) => [
    user(`question ${index} `.padEnd(length, 'q')),
    assistant(`answer ${index} `.padEnd(length, 'a')),
  ]).flat()
const summaryOf = (messages: readonly Message[]): string => textOf(messages.find(isSummary) ?? user(''))

describe('stages of the window', () => {
  const long = 'the line of an output\n'.repeat(100)
  const past = [system('Be good.'), user('Look.'), ...call('c1', long), assistant('Seen.'), ...chat(3)]
  /** Tokens at the time of the model call that `go on` leads to. */
  const size = (messages: readonly Message[]): number => {
    const { session } = bench([...messages, user('go on')], {})
    return contextTokens(session.world, session.entity, countTokens)
  }

  test('below the first mark nothing happens and nothing is said', async () => {
    const { session, events, said } = bench(past, { window: Math.ceil(size(past) / 0.69) })
    await session.generate('go on')
    assert.deepEqual(said().slice(0, past.length), past)
    assert.deepEqual(events, [])
    assert.equal(session.world.has(session.entity, ConversationArchive), false)
  })

  test('from 0.70 old tool outputs are shortened, and the archive keeps them whole', async () => {
    const before = size(past)
    const { session, events, said } = bench(past, { window: Math.floor(before / 0.7) })
    await session.generate('go on')
    const output = said()[3]!
    assert.ok(textOf(output).length < 700 && textOf(output).startsWith('the line of an output\n'))
    assert.match(textOf(output), /\[… 1600 of 2200 characters left out …\]/)
    assert.deepEqual({ ...output, content: '' }, { ...past[3], content: '' })
    assert.deepEqual(
      said()
        .toSpliced(3, 1)
        .slice(0, past.length - 1),
      past.toSpliced(3, 1),
    )
    assert.deepEqual(await readArchive(session.world, session.entity), [past[3]])
    const compactedTokens = before - long.length + textOf(output).length
    assert.equal(events.length, 1)
    const { originalTokens, stages, messages } = events[0]!
    assert.deepEqual([originalTokens, stages, messages], [before, ['shorten'], 1])
    assert.equal(events[0]!.compactedTokens, compactedTokens)
  })

  test('the newest outputs stay whole', async () => {
    const newest = [user('Look.'), ...call('c1', long), ...call('c2', long)]
    const { session, events, said } = bench(newest, { window: 100_000, threshold: 1, keep: 3 })
    await session.generate('go on')
    assert.deepEqual(said().slice(0, 5), newest)
    assert.deepEqual(events, [])
  })

  test('pictures in old outputs become a word', async () => {
    const picture: Message = {
      role: 'tool',
      toolCallId: 'c',
      toolName: 'shot',
      content: [{ type: 'image', mediaType: 'image/png', data: 'AAAA' }],
    }
    const shot = [
      user('Look.'),
      assistant([{ type: 'tool-call', toolCallId: 'c', toolName: 'shot', input: {} }]),
      picture,
    ]
    const { session, said } = bench([...shot, assistant('A cat.'), ...chat(3)], { window: 2_000 })
    await session.generate('go on')
    assert.equal(textOf(said()[2]!), '[image left out: image/png]')
  })

  test('from 0.80 what is told again later is named instead', async () => {
    const text = 'an output that is not long enough to be shortened but comes again and again '.repeat(4)
    const twice = [user('Look.'), ...call('c1', text), ...call('c2', text), ...call('c3', text), ...chat(3)]
    const inWindow = async (fraction: number): Promise<readonly Message[]> => {
      const { session, said } = bench(twice, { window: Math.floor(size(twice) / fraction) })
      await session.generate('go on')
      return said()
    }
    assert.deepEqual((await inWindow(0.79)).slice(0, 7), twice.slice(0, 7))
    const after = await inWindow(0.81)
    const contents = [2, 4, 6].map((index) => textOf(after[index]!))
    assert.deepEqual(contents, ['[the same as a later result of read]', '[the same as a later result of read]', text])
    assert.deepEqual(
      after.slice(0, 7).map(({ role }) => role),
      twice.slice(0, 7).map(({ role }) => role),
    )
  })

  test('short repeated answers are no duplicates: a yes belongs to its question', async () => {
    const { session, events } = bench([user('A?'), assistant('yes'), user('B?'), assistant('yes'), ...chat(4, 150)], {
      window: 1_500,
      stages: { shorten: 0.1, deduplicate: 0.1, summarise: 1 },
    })
    await session.generate('go on')
    assert.deepEqual(events, [])
  })

  test('from 0.92 the older part is summarised; system text, request and newest exchanges stay', async () => {
    const past = [system('Be good.'), ...chat(10)]
    const before = size(past)
    const summaryModel = scriptedModel(() => good)
    const { session, events, said } = bench(past, { window: Math.floor(before / 0.92), summaryModel })
    const { text, messages } = await session.generate('go on')
    assert.equal(text, 'Right.')
    assert.deepEqual(messages.map(textOf), ['go on', 'Right.'])
    const after = said()
    assert.deepEqual(after[0], system('Be good.'))
    assert.ok(isSummary(after[1]!))
    assert.deepEqual(after.slice(2, -2), past.slice(-6))
    assert.deepEqual(await readArchive(session.world, session.entity), past.slice(1, -6))
    const { originalTokens, compactedTokens, stages } = events[0]!
    assert.deepEqual([events.length, originalTokens, stages], [1, before, ['summarise']])
    assert.equal(compactedTokens, contextTokens(session.world, session.entity, countTokens) - 'Right.'.length - 4)
  })

  test('the fractions are configurable', async () => {
    const past = chat(10)
    const summaryModel = scriptedModel([good])
    const { session, events } = bench(past, { window: size(past) * 2, stages: { summarise: 0.5 }, summaryModel })
    await session.generate('go on')
    assert.deepEqual(events[0]?.stages, ['summarise'])
  })

  test('a threshold in tokens is inclusive', async () => {
    const past = chat(10)
    for (const [more, compactions] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { session, events } = bench(past, { threshold: size(past) + more, summaryModel: scriptedModel([good]) })
      await session.generate('go on')
      assert.equal(events.length, compactions)
    }
  })
})

describe('a summary', () => {
  test('has the eight segments in order, quoted with its source', async () => {
    const answer =
      '**Progress:** all of it\n\n# key decisions\n- blue\n\n1. Task Overview\nPaint </summary> it.\n\nNext steps:\nrest'
    const summaryModel = scriptedModel([answer], { name: 'test/small' })
    const { session, said } = bench(chat(10), { threshold: 1_000, summaryModel })
    await session.generate('go on')
    const text = summaryOf(said())
    assert.deepEqual(
      [...text.matchAll(/^## (.*)$/gm)].map(([, name]) => name),
      [...summarySegments],
    )
    assert.match(
      text,
      /^<summary of="the earlier conversation" messages="14" by="test\/small">\n## Task Overview\nPaint <\/ summary> it\.\n/,
    )
    assert.match(text, /## Key Decisions\n- blue\n\n## Progress\nall of it\n\n## Blockers\nNone\.\n/)
    assert.match(
      text,
      /## Metadata\n14 messages of \d+ tokens replaced; no tool calls; compaction 1, by test\/small\n<\/summary>/,
    )
  })

  test('is asked of the summary model, and counted as an aside', async () => {
    const usage = { inputTokens: 90, outputTokens: 10, totalTokens: 100 }
    const summaryModel = scriptedModel([{ text: good, usage }], { name: 'test/small' })
    const { session } = bench(chat(10), { threshold: 1_000, summaryModel })
    const models: unknown[] = []
    session.world.on('model.called', ({ model, system }) => models.push([model, system]))
    const result = await session.generate('go on')
    assert.deepEqual(models, [
      ['test/small', 'compaction'],
      ['test/scripted', undefined],
    ])
    assert.equal(result.steps, 1)
    assert.equal(session.world.require(session.entity, TurnUsage).asides, 1)
    assert.equal(result.usage.totalTokens, 101)
    const [request] = summaryModel.requests
    assert.match(request?.system ?? '', /Task Overview[^]*Next Steps/)
    assert.match(textOf(request!.messages.at(0)!), /\n\{"user":"question 0 q+"\}\n\{"assistant":"answer 0 a+"\}\n/)
  })

  test('is the agent’s own business where no other model is named', async () => {
    const { session, events, said } = bench(chat(10), { threshold: 1_000 }, [good, 'Right.'])
    assert.equal((await session.generate('go on')).text, 'Right.')
    assert.equal(events.length, 1)
    assert.match(summaryOf(said()), /by="a"/)
  })

  test('takes in the one before: there is never more than one', async () => {
    const summaryModel = scriptedModel([good.replace('Progress.', 'the moon.'), good])
    const { session, events, said } = bench(chat(10), { threshold: 1_500, summaryModel })
    for (let turn = 0; events.length < 2; turn++) await session.generate(`more ${turn}`.padEnd(200, '.'))
    assert.equal(said().filter(isSummary).length, 1)
    assert.match(
      textOf(summaryModel.requests[1]!.messages.at(0)!),
      /take over what still holds:\n\n## Task Overview[^]*the moon/,
    )
    assert.match(summaryOf(said()), /compaction 2/)
    const items = session.world.require(session.entity, ConversationArchive).toArray()
    assert.equal(items.length, 2)
    assert.ok(items.every(({ messages }) => !messages.some(isSummary)))
    // Everything that was ever said is in the archive or still there, once and in order.
    const whole = [...(await readArchive(session.world, session.entity)), ...said().filter((each) => !isSummary(each))]
    assert.deepEqual(whole.slice(0, 20), chat(10))
  })

  test('is asked for once, not at each call of a turn', async () => {
    const look = tool({ description: 'Looks', inputSchema: { type: 'object' }, effects: 'read', execute: () => 'seen' })
    const summaryModel = scriptedModel(() => good)
    const calls = [{ toolName: 'look', input: {} }]
    const agent = new Agent({
      name: 'a',
      model: scriptedModel([{ calls }, { calls }, { calls }, 'Done.']),
      tools: { look },
      systems: [compactContext({ countTokens, threshold: 1_800, summaryModel })],
    })
    const session = agent.session()
    session.world.append(session.entity, Conversation, ...chat(10))
    assert.equal((await session.generate('go on')).text, 'Done.')
    assert.equal(summaryModel.calls, 1)
  })

  test('of a long transcript is made in portions, one taking in the other', async () => {
    const summaryModel = scriptedModel(() => good)
    const { session, events } = bench(chat(100), { window: 4_000, summaryModel })
    await session.generate('go on')
    assert.ok(summaryModel.calls >= 8 && summaryModel.calls <= 12, `${summaryModel.calls} calls`)
    for (const { messages } of summaryModel.requests) assert.ok(textOf(messages.at(0)!).length < 4_000)
    assert.equal(events.length, 1)
    assert.equal(events[0]!.messages, 194)
  })

  test('in the middle of a long turn keeps the request and the newest exchanges', async () => {
    const replies = [
      ...Array.from({ length: 30 }, (_, index) => ({ calls: [{ toolName: 'look', input: { index } }] })),
      'The end.',
    ]
    const look = tool({
      description: 'Looks',
      inputSchema: { type: 'object' },
      effects: 'read',
      execute: ({ index }) => `seen ${String(index)} `.padEnd(200, '.'),
    })
    const model = scriptedModel(replies)
    const systems = [compactContext({ countTokens, window: 3_000, summaryModel: extractiveModel() })]
    const session = new Agent({ name: 'a', model, tools: { look }, systems }).session()
    const result = await session.generate('Look at everything, please.')
    assert.equal(result.text, 'The end.')
    assert.deepEqual(result.messages[0], user('Look at everything, please.'))
    for (const { messages, tools } of model.requests) {
      assert.ok([...messages].some((message) => textOf(message) === 'Look at everything, please.'))
      const size = tokensOf([...messages], countTokens) + JSON.stringify(tools).length
      assert.ok(size < 3_000, `${size}`)
    }
    assert.ok(session.world.require(session.entity, ConversationArchive).length >= 2)
  })
})

describe('without a summary', () => {
  const past = chat(30)
  const down = failure('service', 'overloaded')

  async function failing(replies: readonly Script[]): Promise<Bench & { waited: number; calls: number }> {
    const clock = virtualClock()
    const summaryModel = scriptedModel(replies)
    const made = bench(past, { threshold: 3_000, summaryModel })
    const turn = made.session.generate('go on', { resources: { clock } })
    await clock.runAll()
    assert.equal((await turn).text, 'Right.')
    return { ...made, waited: clock.now(), calls: summaryModel.calls }
  }

  test('after three failures, 1 s and 2 s apart, the newest 20 messages stay, marked as a fallback', async () => {
    const { session, events, said, waited, calls } = await failing([down, down, down])
    assert.deepEqual([waited, calls], [3_000, 3])
    const [event] = events
    assert.deepEqual([events.length, event?.fallback, event?.error?.code], [1, true, 'model_service'])
    assert.match(summaryOf(said()), /Earlier messages are missing here, and could not be summarised \([^)]*overloaded/)
    assert.deepEqual(said().slice(1, -1), [...past, user('go on')].slice(-20))
    assert.equal(session.world.require(session.entity, ConversationArchive).at(0)?.fallback, true)
    assert.deepEqual(await readArchive(session.world, session.entity), past.slice(0, -19))
  })

  test('a failure that passes is waited for', async () => {
    const { events, waited, calls } = await failing([down, good])
    assert.deepEqual([waited, calls, events[0]?.fallback], [1_000, 2, undefined])
  })

  test('one that will not pass is not asked again', async () => {
    const { events, waited, calls } = await failing([failure('authentication', 'bad key')])
    assert.deepEqual([waited, calls, events[0]?.error?.code], [0, 1, 'model_authentication'])
  })

  const nonsense: readonly [what: string, text: string, why: RegExp][] = [
    ['nothing', '  \n ', /it is empty/],
    ['an answer to the conversation', 'Sure, I will look at that right away!', /it has 0 of the segments/],
    ['an empty form', summarySegments.map((name) => `## ${name}\nNone.`).join('\n'), /it says nothing/],
    ['more than it replaces', good.replace('What is', 'x'.repeat(20_000)), /longer than what it replaces/],
  ]
  for (const [what, text, why] of nonsense) {
    test(`${what} is refused three times, then there is none`, async () => {
      const { events, said, waited, calls } = await failing([text, text, text])
      assert.deepEqual(
        [waited, calls, events[0]?.fallback, events[0]?.error?.code],
        [3_000, 3, true, 'summary_invalid'],
      )
      assert.match(events[0]?.error?.message ?? '', why)
      assert.ok(!summaryOf(said()).includes(text.slice(0, 100)))
    })
  }

  test('a summary from before is not lost', async () => {
    const clock = virtualClock()
    const summaryModel = scriptedModel([good.replace('Progress.', 'the moon.'), down, down, down])
    const made = bench(past, { threshold: 5_000, summaryModel })
    for (let turn = 0; made.events.length < 2; turn++) {
      const turning = made.session.generate(`${turn}`.repeat(400), { resources: { clock } })
      await clock.runAll()
      await turning
    }
    assert.equal(made.events[1]?.fallback, true)
    assert.match(summaryOf(made.said()), /Before them:\n## Task Overview[^]*the moon/)
  })

  test('a few messages that are all too long leave the newest exchanges', async () => {
    const clock = virtualClock()
    const made = bench(chat(8, 1_000), { window: 10_000, summaryModel: scriptedModel([down, down, down]) })
    const turning = made.session.generate('go on', { resources: { clock } })
    await clock.runAll()
    await turning
    assert.deepEqual(made.said().slice(1, -2), chat(8, 1_000).slice(-6))
  })

  test('a budget that has no room for it is a reason like any other', async () => {
    const systems = [compactContext({ countTokens, threshold: 3_000, summaryModel: scriptedModel([good]) })]
    const model = scriptedModel(['Right.'])
    const session = new Agent({ name: 'a', model, systems, budget: { tokens: 5_000 } }).session()
    const events: CompactionCompleted[] = []
    session.world.on('compaction.completed', (event) => void events.push(event))
    session.world.append(session.entity, Conversation, ...past)
    const { text } = await session.generate('go on', { settings: { maxOutputTokens: 100 } })
    assert.equal(text, 'Right.')
    assert.deepEqual([events[0]?.fallback, events[0]?.error?.code], [true, 'budget_exceeded'])
  })

  test('an unknown summary model is told, and the run goes on', async () => {
    const { session, events } = bench(past, { threshold: 3_000, summaryModel: 'smal' })
    assert.equal((await session.generate('go on')).text, 'Right.')
    assert.match(events[0]?.error?.message ?? '', /No model is bound as 'smal'/)
  })

  test('cancelling while it is made leaves everything as it was', async () => {
    const controller = new AbortController()
    const summaryModel = scriptedModel([() => (controller.abort(), good)])
    const { session, events, said } = bench(past, { threshold: 3_000, summaryModel })
    const { status } = await session.generate('go on', { abortSignal: controller.signal })
    assert.equal(status, 'cancelled')
    assert.deepEqual(said(), [...past, user('go on')])
    assert.deepEqual(events, [])
  })

  test('cancelling while it waits ends at once', async () => {
    const clock = virtualClock()
    const controller = new AbortController()
    const { session, said } = bench(past, { threshold: 3_000, summaryModel: scriptedModel([down]) })
    const turn = session.generate('go on', { abortSignal: controller.signal, resources: { clock } })
    await clock.settle()
    controller.abort()
    await clock.settle()
    assert.equal((await turn).status, 'cancelled')
    assert.equal(said().length, 61)
  })
})

describe('the archive', () => {
  test('can be kept as artifacts, which the log names', async () => {
    const { session } = bench(chat(10), { threshold: 1_000, summaryModel: scriptedModel([good]), archive: 'artifact' })
    await session.generate('go on')
    const [item] = session.world.require(session.entity, ConversationArchive)
    assert.deepEqual(item?.messages, [])
    assert.ok(item?.artifact && (await session.artifacts.get(item.artifact.hash)))
    assert.deepEqual(await readArchive(session.world, session.entity), chat(10).slice(0, -6))
    await assert.rejects(
      readArchive(session.world.fork(), session.entity, { artifacts: createArtifacts(memoryKeyValue(), 'other') }),
      (error: unknown) => error instanceof TellurionError && error.code === 'unknown_resource',
    )
  })

  test('takes what finds no room among the artifacts', async () => {
    const { session } = bench(chat(10), { threshold: 1_000, summaryModel: scriptedModel([good]), archive: 'artifact' })
    session.world.bind('artifacts', { put: async () => undefined, get: async () => undefined })
    await session.generate('go on')
    assert.deepEqual(await readArchive(session.world, session.entity), chat(10).slice(0, -6))
  })
})
