// The laws of compaction over random histories: no call without its result, no result without its call, what must stay
// stays, nothing is lost, and a run that is cut off after any commit comes to the same end.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assistant, system, textOf, toolCallsOf, user, type Message } from '../message/message.ts'
import { failure } from '../model/failure.ts'
import type { ModelRequest } from '../port/model.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import type { Delta } from '../world/delta.ts'
import type { Entity } from '../world/entity.ts'
import { run } from '../world/runner.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import { Agent } from './agent.ts'
import { readArchive } from './compaction-archive.ts'
import { isSummary, recentStart } from './compaction-exchange.ts'
import { agentComponents, Conversation } from './component.ts'
import { ConversationArchive } from './context-component.ts'
import { compactContext } from './compact-context.ts'
import { extractiveModel } from './extractive-model.ts'
import { LogView } from '../world/log.ts'

const countTokens = (text: string): number => text.length

/** Why messages could not be sent: a call without its results behind it, or results without their call. */
function assertPaired(messages: readonly Message[]): void {
  const open = new Set<string>()
  for (const message of messages) {
    if (message.role === 'tool') assert.ok(open.delete(message.toolCallId), 'a result without its call')
    else assert.equal(open.size, 0, 'a call without its result')
    for (const call of toolCallsOf(message)) open.add(call.toolCallId)
  }
  assert.equal(open.size, 0)
}

let id = 0
const text = fc.oneof(
  fc.constant('again and again '.repeat(20)),
  fc.nat(400).map((length) => `${id++} `.padEnd(length, 'x')),
)
const round = fc.array(text, { maxLength: 3 }).chain((outputs) =>
  fc.tuple(text, fc.boolean()).map(([said, partial]): Message[] => {
    const ids = outputs.map(() => `c${id++}`)
    const calls = ids.map((toolCallId) => ({
      type: 'tool-call' as const,
      toolCallId,
      toolName: 't',
      input: { of: id },
    }))
    const results = outputs.map((content, index): Message => {
      return { role: 'tool', toolCallId: ids[index]!, toolName: 't', content }
    })
    const reply: Message = calls.length > 0 ? assistant([{ type: 'text', text: said }, ...calls]) : assistant(said)
    return [
      ...(partial ? [{ role: 'assistant' as const, content: 'half of', partial: true as const }] : []),
      reply,
      ...results,
    ]
  }),
)
const exchange = fc
  .tuple(fc.array(text, { minLength: 1, maxLength: 2 }), fc.array(round, { maxLength: 5 }), fc.nat(20))
  .map(([requests, rounds, chance]): Message[] => [
    ...requests.map(user),
    ...(chance === 0 ? [system(`a word in between ${id++}`)] : []),
    ...rounds.flat(),
  ])

test('law: whatever the history, a compacted conversation is whole, and with its archive complete', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        past: fc.array(exchange, { maxLength: 10 }).map((list) => list.flat()),
        window: fc.integer({ min: 200, max: 8_000 }),
        keep: fc.integer({ min: 1, max: 5 }),
        summariser: fc.constantFrom('extracts', 'fails', 'talks'),
        archive: fc.constantFrom('log' as const, 'artifact' as const),
        withSystem: fc.boolean(),
      }),
      async ({ past, window, keep, summariser, archive, withSystem }) => {
        const history = withSystem ? [system('Be good.'), ...past] : past
        const models = {
          extracts: extractiveModel(),
          fails: scriptedModel(() => failure('permission', 'no')),
          talks: scriptedModel(() => 'Hello! How are you?'),
        }
        const clock = virtualClock()
        const model = scriptedModel(() => 'Right.')
        const systems = [compactContext({ window, keep, archive, countTokens, summaryModel: models[summariser] })]
        const session = new Agent({ name: 'a', model, systems }).session()
        session.world.append(session.entity, Conversation, ...history)
        const whole = LogView.from([...history, user('the request')])
        const turn = session.generate('the request', { resources: { clock } })
        await clock.runAll()
        assert.equal((await turn).text, 'Right.')
        const request = [...model.requests[0]!.messages]
        assertPaired(request)
        // The newest exchanges, the system text and the request are as they were.
        const newest = whole.slice(recentStart(whole, keep))
        assert.deepEqual(request.slice(request.length - newest.length), newest)
        assert.deepEqual(
          request.filter(({ role }) => role === 'system'),
          history.filter(({ role }) => role === 'system'),
        )
        assert.equal(request.filter((message) => textOf(message) === 'the request').length, 1)
        assert.ok(request.filter(isSummary).length <= 1)
        // Nothing is lost: every message is in the request or in the archive, as it was.
        const kept = [...request, ...(await readArchive(session.world, session.entity))].map((each) =>
          JSON.stringify(each),
        )
        for (const message of whole) assert.ok(kept.includes(JSON.stringify(message)))
        const items = session.world.get(session.entity, ConversationArchive) ?? []
        // Where hardly anything is replaced, the words that stand for it are longer: some hundred characters, and no more.
        for (const { tokens } of items) assert.ok(tokens!.after <= tokens!.before + 700)
      },
    ),
    { numRuns: 200 },
  )
})

class Crash extends Error {}

test('law: cut off after any commit, a run under compaction comes to the same end', async () => {
  const replyTo = ({ messages }: ModelRequest): ScriptedReply => {
    const done = messages.at(-1)?.role === 'tool' ? Number(textOf(messages.at(-1)!).split(' ')[1]) : -1
    return done === 11 ? 'The end.' : { calls: [{ toolName: 'look', input: { at: done + 1 } }] }
  }
  const build = (): { agent: Agent; ran: number[]; asked: () => number } => {
    const ran: number[] = []
    const look = tool({
      description: 'Looks',
      inputSchema: { type: 'object' },
      effects: 'read',
      execute: ({ at }) => (ran.push(at as number), `seen ${String(at)} `.padEnd(300, '.')),
    })
    const small = extractiveModel()
    let asked = 0
    const summaryModel = {
      ...small,
      stream: (...given: Parameters<typeof small.stream>) => (asked++, small.stream(...given)),
    }
    const systems = [compactContext({ window: 2_500, countTokens, summaryModel })]
    return {
      agent: new Agent({ name: 'a', model: scriptedModel(replyTo), tools: { look }, systems }),
      ran,
      asked: () => asked,
    }
  }
  const start = (agent: Agent): { world: World; entity: Entity; empty: ReturnType<typeof snapshot> } => {
    const world = new World({ components: agentComponents })
    const empty = snapshot(world)
    const entity = agent.furnish(world)
    world.append(entity, Conversation, user('Look at all of it.'))
    return { world, entity, empty }
  }
  const end = (world: World, entity: Entity): string =>
    JSON.stringify([world.require(entity, Conversation), world.get(entity, ConversationArchive)])

  const whole = build()
  const first = start(whole.agent)
  let commits = 0
  await run(first.world, { main: first.entity, sink: async () => void commits++ })
  const expected = end(first.world, first.entity)
  const compactions = first.world.require(first.entity, ConversationArchive).length
  assert.ok(commits >= 20 && compactions >= 2, `${commits} commits, ${compactions} compactions`)

  for (let crashAt = 1; crashAt <= commits; crashAt++) {
    const { agent, ran, asked } = build()
    const { world, entity, empty } = start(agent)
    const journal: Delta[] = []
    await assert.rejects(
      run(world, {
        main: entity,
        sink: async (delta) => {
          journal.push(JSON.parse(JSON.stringify(delta)) as Delta)
          await Promise.resolve()
          if (journal.length === crashAt) throw new Crash()
        },
      }),
      Crash,
    )
    const resumed = restore(empty, { components: agentComponents, deltas: journal })
    agent.bindTo(resumed)
    await run(resumed, { main: entity, sink: async () => {} })
    assert.equal(end(resumed, entity), expected, `crash after commit ${crashAt}`)
    assert.ok(ran.length <= 13 && asked() <= compactions + 1)
  }
})
