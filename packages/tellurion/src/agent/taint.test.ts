// Where strangers' words came from, as an entity's data: written in the moment in which they enter, kept through whatever
// happens to the conversation, and gone only with them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json } from '../schema/json.ts'
import { scriptedModel, type Script, type ScriptedReply } from '../testing/scripted-model.ts'
import type { TaintSource, Trust } from '../message/trust.ts'
import { tool, type AnyTool } from '../tool/tool.ts'
import { createToolbox } from '../tool/toolbox.ts'
import type { Delta } from '../world/delta.ts'
import type { Entity } from '../world/entity.ts'
import { run } from '../world/runner.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { World } from '../world/world.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { agentComponents, Conversation, Taint } from './component.ts'
import { hear } from './conversation.ts'
import { asTool } from './sub-agent.ts'
import { excerptOf, taint } from './taint.ts'

const source = (trust: Trust, execute: () => unknown = () => 'words'): AnyTool =>
  tool({ description: 'd', inputSchema: { type: 'object' }, effects: 'read', trust, execute: async () => execute() })
const acts = (ran: Json[]) =>
  tool({ description: 'd', inputSchema: { type: 'object' }, execute: (input) => void ran.push(input) })
const calls = (...names: string[]): ScriptedReply => ({
  calls: names.map((toolName) => ({ toolName, input: { of: toolName } })),
})

function agentOf(replies: readonly Script[], tools: Record<string, AnyTool>, more: Partial<AgentOptions> = {}): Agent {
  return new Agent({ name: 'a', model: scriptedModel(replies), tools, ...more })
}

const taintOf = ({ world, entity }: { world: World; entity: Entity }): readonly TaintSource[] =>
  world.get(entity, Taint) ?? []

describe('taint', () => {
  test('is the trust of the tools whose results came, with the call and how it begins', async () => {
    const tools = {
      page: source('untrusted', () => 'Buy\u202e now\n\nor never'),
      plain: source('unvouched'),
      own: source('trusted'),
    }
    const session = agentOf([calls('page', 'plain', 'own'), calls('plain'), 'Done.'], tools).session()
    await session.generate('Go.')
    assert.deepEqual(
      taintOf(session).map(({ level, kind, name, excerpt }) => [level, kind, name, excerpt]),
      [
        ['untrusted', 'tool', 'page', '{"of":"page"} → Buy now or never'],
        ['unvouched', 'tool', 'plain', '{"of":"plain"} → words'],
      ],
    )
    assert.equal(taintOf(session)[0]!.toolCallId, 'call_1')
  })

  test('errors are words of the tool; denials, wrong arguments and unknown tools are our own', async () => {
    const strict = tool({
      description: 'd',
      inputSchema: { type: 'object', required: ['x'] },
      trust: 'untrusted',
      execute: () => 'never',
    })
    const throws = source('untrusted', () => {
      throw new Error('no such page')
    })
    const denied = source('untrusted')
    const tools = { strict, throws, denied }
    const session = agentOf([calls('strict', 'denied', 'unknown'), 'Done.', calls('throws'), 'Done.'], tools, {
      approval: [{ deny: 'denied' }, { allow: '*' }],
    }).session()
    await session.generate('Go.')
    assert.deepEqual(taintOf(session), [])
    await session.generate('Go.')
    assert.match(taintOf(session)[0]?.excerpt ?? '', /no such page/)
  })

  test('is noted of a tool that is taken back while it runs', async () => {
    const ran: Json[] = []
    let offered = true
    const page = source('untrusted', () => {
      offered = false
      return 'words'
    })
    const own = createToolbox({ page, act: acts(ran) })
    const tools = { ...own, get: (name: string) => (offered || name !== 'page' ? own.get(name) : undefined) }
    const session = new Agent({ name: 'a', model: scriptedModel([calls('page'), calls('act')]), tools }).session()
    const { status } = await session.generate('Go.')
    assert.deepEqual([taintOf(session)[0]?.name, status, ran], ['page', 'waiting', []])
  })

  test('is committed with the result that brought it, never after', async () => {
    const world = new World({ components: agentComponents })
    const ran: Json[] = []
    const agent = agentOf([calls('page', 'act'), calls('act'), 'Done.'], { page: source('untrusted'), act: acts(ran) })
    const entity = agent.furnish(world)
    hear(world, entity, 'Go.')
    const names = (delta: Delta): string[] =>
      delta.operations.map((operation) => ('component' in operation ? String(operation.component) : ''))
    let seen = 0
    const sink = async (delta: Delta): Promise<void> => {
      const text = JSON.stringify(delta)
      // The commit that first holds the page's words holds where they came from.
      if (!text.includes('"words"') || seen > 0) return
      seen++
      assert.ok(names(delta).length > 0 && text.includes('"Taint"'), text.slice(0, 400))
    }
    const stop = await run(world, { main: entity, sink })
    assert.deepEqual([stop.reason, seen], ['waiting', 1])
  })

  test('whatever commit a run is cut off after, no call gets around it', async () => {
    const build = (ran: Json[]) => {
      const tools = { page: source('untrusted'), plain: source('unvouched'), act: acts(ran) }
      return agentOf([calls('page', 'plain'), calls('act'), calls('act'), 'Done.'], tools)
    }
    const commits: ReturnType<typeof snapshot>[] = []
    const world = new World({ components: agentComponents })
    const entity = build([]).furnish(world)
    hear(world, entity, 'Go.')
    await run(world, { main: entity, sink: async (_delta, at) => void commits.push(snapshot(at)) })
    assert.ok(commits.length >= 4)
    for (const [index, commit] of commits.entries()) {
      const ran: Json[] = []
      // A model that has been asked goes on by what the conversation holds.
      const again = restore(JSON.parse(JSON.stringify(commit)) as typeof commit, { components: agentComponents })
      const tools = { page: source('untrusted'), plain: source('unvouched'), act: acts(ran) }
      const model = scriptedModel(({ messages }) => {
        const newest = messages.at(-1)
        return newest?.role === 'user' ? calls('page', 'plain') : calls('act')
      })
      new Agent({ name: 'a', model, tools }).bindTo(again)
      const stop = await run(again, { main: entity, maxTicks: 20 })
      assert.deepEqual([stop.reason, ran], ['waiting', []], `after commit ${index}`)
    }
  })

  test('calls of one reply were chosen before their results came: they run, those of the next reply ask', async () => {
    const ran: Json[] = []
    const session = agentOf([calls('page', 'act'), calls('act')], {
      page: source('untrusted'),
      act: acts(ran),
    }).session()
    const { status, interactions } = await session.generate('Go.')
    assert.deepEqual([ran.length, status, interactions.length], [1, 'waiting', 1])
    assert.deepEqual(
      interactions[0]?.taint?.map(({ name }) => name),
      ['page'],
    )
  })

  test('stays through later turns, a trimmed conversation, and being stored', async () => {
    const ran: Json[] = []
    const agent = agentOf([calls('page'), 'Done.', 'Fine.', calls('act')], {
      page: source('untrusted'),
      act: acts(ran),
    })
    const session = agent.session()
    await session.generate('Go.')
    await session.generate('Thanks.')
    const { world, entity } = session
    world.splice(entity, Conversation, { start: 0, deleteCount: world.require(entity, Conversation).length, items: [] })
    const again = restore(JSON.parse(JSON.stringify(snapshot(world))), { components: agentComponents })
    assert.deepEqual(again.get(entity, Taint), taintOf(session))
    agent.bindTo(again)
    hear(again, entity, 'Go on.')
    const stop = await run(again, { main: entity })
    assert.deepEqual([stop.reason, ran.length], ['waiting', 0])
  })

  test('goes back with the words', async () => {
    const ran: Json[] = []
    const tools = { page: source('untrusted'), act: acts(ran) }
    const session = agentOf([calls('page'), 'Done.', calls('act'), 'Done.'], tools).session()
    await session.generate('Go.')
    assert.equal(taintOf(session).length, 1)
    await session.undo()
    assert.equal(taintOf(session).length, 0)
    assert.deepEqual([(await session.generate('Go.')).status, ran.length], ['succeeded', 1])
  })

  test('a sub-agent that read nothing leaves its caller as it was', async () => {
    const helper = new Agent({ name: 'b', model: scriptedModel(['Fine.']) })
    const ran: Json[] = []
    const tools = { ask: asTool(helper, { description: 'd' }), act: acts(ran) }
    const task: Script = { calls: [{ toolName: 'ask', input: { task: 'x' } }] }
    const session = agentOf([task, calls('act'), 'Done.'], tools).session()
    assert.deepEqual(
      [(await session.generate('Go.')).status, taintOf(session)],
      [
        'succeeded',
        [
          {
            level: 'unvouched',
            kind: 'tool',
            name: 'act',
            toolCallId: 'call_2',
            excerpt: '{"of":"act"} → Done; the tool returned nothing.',
          },
        ],
      ],
    )
  })

  test('keeps the newest eight of each level, and the level whatever comes', () => {
    const world = new World({ components: agentComponents })
    const entity = world.spawn()
    const of = (level: 'untrusted' | 'unvouched', index: number): TaintSource => ({
      level,
      kind: 'tool',
      name: `t${index}`,
    })
    taint(world, entity, [of('untrusted', 0)])
    for (let index = 0; index < 100; index++) taint(world, entity, [of('unvouched', index)])
    assert.deepEqual(
      taintOf({ world, entity }).map(({ name }) => name),
      ['t92', 't93', 't94', 't95', 't96', 't97', 't98', 't99', 't0'],
    )
    for (let index = 1; index < 100; index++) taint(world, entity, [of('untrusted', index)])
    assert.equal(taintOf({ world, entity }).length, 16)
    assert.deepEqual(taintOf({ world, entity }).at(-1)?.name, 't99')
  })

  test('what is known already is not written again', () => {
    const world = new World({ components: agentComponents })
    const entity = world.spawn()
    const one: TaintSource = { level: 'unvouched', kind: 'tool', name: 'a', toolCallId: 'c1', excerpt: 'first' }
    taint(world, entity, [one])
    world.takeDelta()
    taint(world, entity, [{ ...one, toolCallId: 'c2', excerpt: 'second' }])
    assert.deepEqual([world.takeDelta().operations.length, taintOf({ world, entity })], [0, [one]])
  })

  test('excerpts are one line in which nothing hides, and never long', () => {
    assert.equal(excerptOf('a\u0000\u001b[31m\n\tb\u2028c\u202ed\u200be\u{e0041}f'), 'a [31m b c d e f')
    const long = excerptOf(`${'x'.repeat(279)}\u{1f600}${'y'.repeat(1_000_000)}`)
    assert.ok(long.length <= 280 && long.isWellFormed())
  })
})
