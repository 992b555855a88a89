import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import { seededRandom } from '../id/random.ts'
import { user } from '../message/message.ts'
import { failure } from '../model/failure.ts'
import type { ModelRequest } from '../port/model.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { run } from '../world/runner.ts'
import { defineSystem } from '../world/system.ts'
import { World } from '../world/world.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { agentComponents, Budget, Conversation, LLM } from './component.ts'
import { makePlan } from './plan.ts'
import { Plan, PlanSearch, SearchNode, SearchTree } from './plan-component.ts'
import { planBySearch, type PlanBySearchOptions } from './plan-by-search.ts'
import { isStepCount } from './stop-when.ts'
import { asTool } from './sub-agent.ts'
import { treeSearch } from './tree-search.ts'
import { worldTool } from './world-tool.ts'

/** The steps that a request of the search is about. */
function stepsIn({ messages }: ModelRequest): string[] {
  const [, list = ''] = String(messages.at(0)?.content).split('Steps so far:\n')
  return list === 'none' ? [] : list.split('\n').map((line) => (JSON.parse(line) as { step: string }).step)
}

const proposes = ({ system = '' }: ModelRequest): boolean => system.startsWith('You look for a plan')
const judges = ({ system = '' }: ModelRequest): boolean => system.startsWith('You judge')

/** What a model of a landscape says: three ways from everywhere, each way so good as `scoreOf` says. */
function landscape(scoreOf: (path: readonly string[]) => number | string, ways: readonly string[] = ['a', 'b', 'c']) {
  return (request: ModelRequest): ScriptedReply => {
    if (proposes(request)) return JSON.stringify(ways)
    if (judges(request)) return String(scoreOf(stepsIn(request)))
    return 'Done.'
  }
}

/** A session that searches, of a model that says what `reply` makes of each request. */
function searching(
  reply: (request: ModelRequest) => ScriptedReply,
  search: PlanBySearchOptions = {},
  { seed = 1, ...options }: Partial<AgentOptions> & { seed?: number } = {},
) {
  const model = scriptedModel(reply)
  const session = new Agent({ name: 'a', model, systems: planBySearch(search), ...options }).session()
  session.world.bind('random', seededRandom(seed))
  const events: Event[] = []
  session.world.on('*', (event) => events.push(event))
  const plan = () => session.world.require(session.entity, Plan)
  return {
    session,
    model,
    events,
    plan,
    steps: () => plan().steps.map(({ description }) => description),
    tree: () => session.world.require(session.entity, SearchTree),
    nodes: () => session.world.query(SearchNode).map(([entity, [node]]) => ({ entity, ...node })),
    searches: () => model.requests.filter((request) => proposes(request) || judges(request)).length,
  }
}

const failed = async (promise: Promise<unknown>): Promise<TellurionError> => {
  const error = await promise.catch((thrown: unknown) => thrown)
  assert.ok(error instanceof TellurionError)
  return error
}

/** How much of the one best path a path begins with, and a little noise. */
const prefixOf = (best: readonly string[]) => (path: readonly string[]) => {
  let right = 0
  while (right < path.length && path[right] === best[right]) right++
  return 0.9 * (right / best.length) + 0.01 * path.length
}

describe('tree search', () => {
  test('finds the one best path of depth 3 of 64 every time, whatever the seed, with half the calls it takes to see all', async () => {
    const ways = ['a', 'b', 'c', 'd']
    for (let seed = 0; seed < 100; seed++) {
      const random = seededRandom(seed + 1_000)
      const best = Array.from({ length: 3 }, () => ways[Math.floor(random() * 4)]!)
      const search = { depth: 3, branching: 4 }
      const { session, steps, tree } = searching(landscape(prefixOf(best), ways), search, { seed })
      await session.generate('Find the way')
      assert.deepEqual(steps(), best, `seed ${seed}`)
      assert.ok(tree().calls <= 60)
    }
  })

  test('finds a path of which nothing is known before its end', async () => {
    const ways = ['a', 'b', 'c']
    for (let seed = 0; seed < 30; seed++) {
      const random = seededRandom(seed + 2_000)
      const best = Array.from({ length: 3 }, () => ways[Math.floor(random() * 3)]!).join()
      const { session, steps } = searching(
        landscape((path) => (path.join() === best ? 1 : 0.1)),
        { depth: 3 },
        { seed },
      )
      await session.generate('Find the way')
      assert.equal(steps().join(), best, `seed ${seed}`)
    }
  })

  test('keeps what it finds as a plan, which is then carried out', async () => {
    const { session, plan, events, searches, model } = searching(landscape(prefixOf(['b', 'a'])), { depth: 2 })
    const result = await session.generate('Find the way')
    assert.equal(result.text, 'Done.')
    assert.deepEqual(
      plan().steps.map(({ description, result: found }) => [description, found]),
      [
        ['b', 'Done.'],
        ['a', 'Done.'],
      ],
    )
    assert.equal(plan().objective, 'Find the way')
    assert.equal(plan().completed, true)
    assert.equal(model.calls, searches() + 2)
    assert.equal(result.steps, 2, 'a search is no step of the turn')
    const revised = events.filter(({ type }) => type === 'plan.revised')
    assert.deepEqual(revised, [{ type: 'plan.revised', entity: session.entity, oldSteps: [], newSteps: ['b', 'a'] }])
  })

  test('has nodes that are entities, and tells of each score once', async () => {
    const { session, nodes, events, tree } = searching(landscape(prefixOf(['c'])), { depth: 1, branching: 2 })
    await session.generate('go')
    const [root, ...children] = nodes()
    assert.deepEqual(
      children.map(({ step, parent, depth, owner }) => ({ step, parent, depth, owner })),
      ['a', 'b'].map((step) => ({ step, parent: root?.entity, depth: 1, owner: session.entity })),
    )
    const scored = events.filter((event) => event.type === 'search.node_scored')
    assert.deepEqual(
      new Map(scored.map(({ nodeId, score }) => [nodeId, score])),
      new Map(children.map(({ entity, score }) => [entity, score ?? -1])),
    )
    assert.equal(scored.length, 2)
    assert.equal(tree().ended, true)
    const visits = children.reduce((sum, child) => sum + child.visits, 0)
    assert.equal(root?.visits, visits)
  })

  test('is the same for the same seed and the same replies, and tries other ways for another', async () => {
    const scored = async (seed: number) => {
      const { session, events } = searching(landscape(prefixOf(['c', 'c', 'c'])), { depth: 3 }, { seed })
      await session.generate('go')
      return events.flatMap((event) => (event.type === 'search.node_scored' ? [[event.nodeId, event.score]] : []))
    }
    assert.deepEqual(await scored(7), await scored(7))
    const others = await Promise.all([8, 9, 10, 11].map(scored))
    const first = JSON.stringify(await scored(7))
    assert.ok(others.some((other) => JSON.stringify(other) !== first))
  })

  test('obeys its budget of calls, also where the agent has none, and ends once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          depth: fc.integer({ min: 1, max: 6 }),
          branching: fc.integer({ min: 1, max: 5 }),
          calls: fc.integer({ min: 1, max: 40 }),
          exploration: fc.double({ min: 0, max: 3, noNaN: true }),
        }),
        fc.integer(),
        async (search, seed) => {
          const { session, searches, tree, steps, nodes } = searching(
            landscape((path) => ((path.length * 7) % 10) / 10, ['a', 'b', 'c', 'd', 'e', 'f']),
            search,
            { seed },
          )
          await session.generate('go')
          assert.ok(searches() <= search.calls, `${searches()} of ${search.calls}`)
          assert.equal(tree().calls, searches())
          assert.equal(tree().ended, true)
          assert.ok(steps().length <= search.depth)
          for (const { children = [] } of nodes()) assert.ok(children.length <= search.branching)
          const before = searches()
          await session.generate('thanks', { maxTicks: 5 }).catch(() => {})
          assert.ok(searches() <= before + search.calls)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('searches anew for the next request, and lets the old nodes go', async () => {
    const { session, nodes, model } = searching(
      landscape(() => 0.5),
      { depth: 1 },
    )
    await session.generate('one')
    const first = nodes().map(({ entity }) => entity)
    await session.generate('two')
    const second = nodes().map(({ entity }) => entity)
    assert.equal(second.length, first.length)
    assert.ok(second.every((entity) => !first.includes(entity)))
    assert.match(String(model.requests.at(-2)?.messages.at(0)?.content), /Objective: "two"/)
  })

  test('asks for distinct next steps, at most as many as it branches', async () => {
    const reply = (request: ModelRequest): ScriptedReply =>
      proposes(request) ? '["Look", "look", "leap", "LEAP", "land", "lie"]' : judges(request) ? '0.5' : 'Done.'
    const { session, nodes } = searching(reply, { depth: 1, branching: 3 })
    await session.generate('go')
    assert.deepEqual(
      nodes().map(({ step }) => step.toLowerCase()),
      ['', 'look', 'leap', 'land'],
    )
  })

  test('takes the first of equals', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { session, steps } = searching(
        landscape(() => 0.5),
        { depth: 1 },
        { seed },
      )
      await session.generate('go')
      assert.deepEqual(steps(), ['a'])
    }
  })

  test('counts scores that do not parse as 0, and clamps others', async () => {
    const scores: Record<string, string> = { a: 'superb', b: '-7', c: 'NaN', d: '900', e: '{"score": 0.5}' }
    const { session, nodes, steps } = searching(
      landscape(([step = '']) => scores[step] ?? '', Object.keys(scores)),
      { depth: 1, branching: 5 },
    )
    await session.generate('go')
    assert.deepEqual(
      nodes().flatMap(({ step, score }) => (step === '' ? [] : [[step, score]])),
      [
        ['a', 0],
        ['b', 0],
        ['c', 0],
        ['d', 1],
        ['e', 0.5],
      ],
    )
    assert.deepEqual(steps(), ['d'])
  })

  test('ends a path where nothing comes after it, or nothing that can be read', async () => {
    const reply = (request: ModelRequest): ScriptedReply => {
      if (judges(request)) return stepsIn(request).length === 1 ? '0.9' : '0.1'
      if (!proposes(request)) return 'Done.'
      return stepsIn(request).length === 0 ? '["a","b"]' : stepsIn(request)[0] === 'a' ? '[]' : 'Enough, I think.'
    }
    const { session, steps, searches } = searching(reply, { depth: 5 })
    await session.generate('go')
    assert.deepEqual(steps(), ['a'])
    assert.equal(searches(), 5)
  })

  test('leaves to reasoning what takes no plan', async () => {
    const { session, searches, plan } = searching((request) => (proposes(request) ? '[]' : 'Hello.'))
    const result = await session.generate('Hi')
    assert.equal(result.text, 'Hello.')
    assert.equal(searches(), 1)
    assert.deepEqual(plan().steps, [])
  })

  test('may be the work of another model', async () => {
    const planner = scriptedModel(landscape(prefixOf(['b'])))
    const { session, steps, searches } = searching(() => 'Done.', { depth: 1, planner })
    await session.generate('go')
    assert.deepEqual(steps(), ['b'])
    assert.equal(searches(), 0)
  })

  test('alone in a world searches by hand', async () => {
    const model = scriptedModel(landscape(prefixOf(['b', 'b'])))
    const world = new World({ resources: { models: { m: model } }, systems: [treeSearch] })
    const entity = world.spawn(LLM({ model: 'm' }), Conversation([user('go')]), PlanSearch({ depth: 2 }))
    assert.equal((await run(world)).reason, 'idle')
    const { steps, completed } = world.require(entity, Plan)
    assert.deepEqual([steps.map(({ description }) => description), completed], [['b', 'b'], false])
    assert.equal(world.header.tick, 1)
  })
})

describe('a tree search that cannot go on', () => {
  test('fails with planning_error, and goes on later with what it has paid for', async () => {
    let calls = 0
    const reply = landscape(prefixOf(['b', 'a']))
    const { session, steps, tree, searches } = searching(
      (request) => (++calls === 4 ? failure('service', 'overloaded') : reply(request)),
      { depth: 2 },
    )
    const error = await failed(session.generate('go'))
    assert.equal(error.code, 'planning_error')
    assert.equal(error.message, 'The search for a plan failed: overloaded')
    assert.equal(error.retryable, true)
    assert.equal(tree().calls, 3)
    const stored = JSON.stringify(snapshot(session.world))
    assert.equal(JSON.stringify(snapshot(restore(JSON.parse(stored), { components: agentComponents }))), stored)
    await session.generate('try again')
    assert.deepEqual(steps(), ['b', 'a'])
    assert.equal(tree().objective, 'go')
    assert.equal(searches(), tree().calls + 1, 'one call failed')
  })

  test('fails where the first steps cannot be read', async () => {
    const { session, searches } = searching(() => 'No idea.')
    const error = await failed(session.generate('go'))
    assert.equal(error.code, 'planning_error')
    assert.match(error.message, /gave no JSON list of steps/)
    assert.equal(searches(), 2)
  })

  test('ends a run whose script is exhausted', async () => {
    const { session } = searching(() => failure('unknown', 'no more', { code: 'provider_exhausted' }))
    assert.equal((await session.generate('go')).stopReason, 'provider_exhausted')
  })

  test('stops with the reason of a budget, and keeps the best that it knows', async () => {
    const poor = searching(landscape(prefixOf(['c', 'b'])), { depth: 2 }, { budget: { modelCalls: 6 } })
    const error = await failed(poor.session.generate('go'))
    assert.equal(error.code, 'budget_exceeded')
    assert.equal(poor.model.calls, 6)
    assert.equal(poor.tree().ended, true)
    assert.equal(poor.steps()[0], 'c')
    const none = searching(
      landscape(() => 1),
      {},
      { budget: { modelCalls: 1 } },
    )
    assert.equal((await failed(none.session.generate('go'))).code, 'budget_exceeded')
    assert.equal(none.session.world.has(none.session.entity, Plan), false)
  })

  test('is refused where it could not end: width 10^6 and its like', async () => {
    for (const search of [
      { branching: 1_000_000 },
      { branching: 0 },
      { depth: 1e9 },
      { depth: 2.5 },
      { calls: 1e6 },
      { calls: -1 },
      { exploration: -1 },
    ]) {
      const [name] = Object.keys(search)
      const expected = new RegExp(`The ${name} of a tree search must be`)
      assert.throws(() => planBySearch(search), expected)
      const { session, model } = searching(() => 'never')
      session.world.set(session.entity, PlanSearch, search)
      const error = await failed(session.generate('go'))
      assert.equal(error.code, 'planning_error')
      assert.match(error.message, expected)
      assert.equal(model.calls, 0)
    }
    assert.throws(() => planBySearch({ width: 3 } as never), /no option 'width'/)
  })

  test('is cancelled at once', async () => {
    const controller = new AbortController()
    const { session, model, tree } = searching((request) => {
      if (model.calls === 3) controller.abort()
      return landscape(() => 0.5)(request)
    })
    const result = await session.generate('go', { abortSignal: controller.signal })
    assert.equal(result.status, 'cancelled')
    assert.ok(model.calls <= 3)
    assert.equal(tree().ended, undefined)
  })
})

describe('a rollout', () => {
  const outside: string[] = []
  const peek = tool({
    description: 'Looks behind a door',
    inputSchema: z.object({ door: z.string() }),
    effects: 'read',
    execute: ({ door }) => (door === 'b' ? 'gold' : 'a goat'),
  })
  const open = tool({
    description: 'Opens a door',
    inputSchema: z.object({ door: z.string() }),
    execute: ({ door }) => void outside.push(door),
  })
  const note = worldTool({ description: 'Notes', inputSchema: z.object({}), change: () => outside.push('noted') })
  const helper = asTool(new Agent({ name: 'helper', model: scriptedModel([]) }), { description: 'Helps' })

  /** Peeks in every step that is tried out, and would do anything else it is allowed to. */
  function curious(request: ModelRequest): ScriptedReply {
    if (proposes(request)) return stepsIn(request).length === 0 ? '["door a","door b"]' : '[]'
    if (judges(request)) return String(request.messages.at(0)?.content).includes('gold') ? '1' : '0'
    const newest = request.messages.at(-1)
    if (newest?.role === 'tool') return `Behind it is ${String(newest.content)}.`
    const door = String(newest?.content).at(-1) ?? ''
    return { calls: (request.tools ?? []).map(({ name }) => ({ toolName: name, input: { door } })) }
  }
  const tools = { peek, open, note, helper }

  test('tries a step with tools that only read, on a fork, and keeps what it finds', async () => {
    outside.length = 0
    const { session, nodes, steps, model, events } = searching(curious, { depth: 2 }, { tools: { peek, open } })
    session.world.on('search.node_scored', () => assert.deepEqual(outside, []))
    await session.generate('Which door?')
    assert.deepEqual(steps(), ['door b'])
    assert.deepEqual(
      nodes().map(({ step, observation, score }) => [step, observation, score]),
      [
        ['', undefined, undefined],
        ['door a', 'Behind it is a goat.', 0],
        ['door b', 'Behind it is gold.', 1],
      ],
    )
    const tried = model.requests.filter(({ system = '' }) => system.startsWith('Step 1/1'))
    assert.deepEqual(
      tried.slice(0, 4).map((request) => request.tools?.map(({ name }) => name)),
      Array.from({ length: 4 }, () => ['peek']),
    )
    assert.deepEqual(outside, ['b'], 'the plan itself is carried out with all tools')
    assert.equal(events.filter(({ type }) => type === 'tool.ended').length, 2, 'a rollout is not shown as work')
  })

  test('may not change the world, nor call for help', async () => {
    outside.length = 0
    const { session, model } = searching(curious, { depth: 1, calls: 10 }, { tools, stopWhen: () => true })
    session.world.on('search.node_scored', () => assert.deepEqual(outside, []))
    await session.generate('Which door?')
    const tried = model.requests.filter(({ system = '' }) => system.startsWith('Step 1/1'))
    assert.deepEqual(
      tried[0]?.tools?.map(({ name }) => name),
      ['peek'],
    )
  })

  test('is carried out without the systems that a program has added', async () => {
    const searched: boolean[] = []
    const watchful = defineSystem({
      name: 'watchful',
      priority: 2,
      query: [Conversation],
      each: (entity, world) => void searched.push(world.has(entity, SearchTree)),
    })
    const systems = [...planBySearch({ depth: 1 }), watchful]
    const { session } = searching(curious, {}, { tools: { peek }, systems })
    await session.generate('go')
    assert.ok(searched.length > 0 && searched.every(Boolean), 'only the fork has no tree')
  })

  test('begins where the steps before it have ended', async () => {
    const reply = (request: ModelRequest): ScriptedReply => {
      if (proposes(request)) return stepsIn(request).length < 2 ? '["on"]' : '[]'
      return judges(request) ? '0.5' : `did ${request.messages.length}`
    }
    const { session, model } = searching(reply, { depth: 2 }, { tools: { peek } })
    await session.generate('go')
    const second = model.requests.find(({ system = '' }) => system.startsWith('Step 2/2'))
    assert.deepEqual(
      [...(second?.messages ?? [])].map(({ role, content }) => `${role}: ${String(content)}`),
      ['user: go', 'user: Step 1/2: on', 'assistant: did 2', 'user: Step 2/2: on'],
    )
  })

  test('leaves other entities of the world alone, and its conversation as it was', async () => {
    const { session } = searching(curious, { depth: 1 }, { tools: { peek } })
    const model = scriptedModel(['Mine.'])
    session.world.bind('models', { ...session.world.resource<object>('models'), peer: model })
    session.world.spawn(LLM({ model: 'peer' }), Conversation(), Plan(makePlan(['mine'])))
    session.world.on('search.node_scored', () => {
      assert.equal(model.calls, 0)
      assert.equal(session.messages.length, 1)
    })
    await session.generate('go')
    assert.equal(model.calls, 1)
  })

  test('spends an allowance out of the budget, which comes back, and counts for the search', async () => {
    const greedy = (request: ModelRequest): ScriptedReply => {
      if (proposes(request)) return '["on"]'
      return judges(request) ? '0.5' : { calls: [{ toolName: 'peek', input: { door: 'a' } }] }
    }
    const { session, tree, nodes, model } = searching(
      greedy,
      { depth: 1, calls: 20 },
      { tools: { peek }, budget: { modelCalls: 100 } },
    )
    const lent: unknown[] = []
    session.world.on('search.node_scored', () => lent.push(session.world.require(session.entity, Budget).lent))
    await session.generate('go').catch(() => {})
    assert.deepEqual(lent, [{}])
    assert.match(nodes()[1]?.observation ?? '', /^It was not finished: The budget of 5 model calls/)
    assert.equal(tree().calls, 7)
    assert.ok(model.calls >= 7)
  })

  test('leaves the whole search within its calls', async () => {
    const greedy = (request: ModelRequest): ScriptedReply => {
      if (proposes(request)) return '["on","off"]'
      return judges(request) ? '0.5' : { calls: [{ toolName: 'peek', input: { door: 'a' } }] }
    }
    for (let calls = 1; calls <= 25; calls++) {
      const given = { tools: { peek }, stopWhen: isStepCount(9) }
      const { session, tree, model, events } = searching(greedy, { depth: 3, calls }, { ...given, seed: calls })
      await session.generate('go').catch(() => {})
      const own = events.filter((event) => event.type === 'model.called' && event.system === undefined).length
      assert.ok(tree().calls <= calls, `${tree().calls} of ${calls}`)
      assert.equal(model.calls - own, tree().calls)
    }
  })

  test('is not made where the search has no calls for it', async () => {
    const { session, tree, nodes } = searching(curious, { depth: 1, calls: 2 }, { tools: { peek } })
    await session.generate('go')
    assert.equal(tree().calls, 2)
    assert.deepEqual(
      nodes().map(({ observation }) => observation),
      [undefined, undefined, undefined],
    )
  })

  test('asks no person: a step that waits for one was not finished', async () => {
    const careful = tool({
      description: 'Looks, when asked',
      inputSchema: z.object({}),
      effects: 'read',
      needsApproval: true,
      execute: () => 'x',
    })
    const { session, nodes } = searching(curious, { depth: 1 }, { tools: { careful } })
    session.world.on('interaction.requested', () =>
      assert.equal(session.world.require(session.entity, SearchTree).ended, true),
    )
    const result = await session.generate('go')
    assert.equal(result.status, 'waiting', 'the plan itself does ask')
    assert.equal(nodes()[1]?.observation, 'It was not finished: waiting')
  })
})
