import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import { textOf, user, type Messages } from '../message/message.ts'
import { failure } from '../model/failure.ts'
import { scriptedModel, type Script } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Halted } from '../world/lifecycle.ts'
import { run } from '../world/runner.ts'
import { World } from '../world/world.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { Conversation, ConversationLimit, LLM, Steering } from './component.ts'
import { errorHandling } from './error-handling.ts'
import { holds, makePlan } from './plan.ts'
import { Plan, type PlanValue } from './plan-component.ts'
import { planning } from './planning.ts'
import { reasoning } from './reasoning.ts'
import type { AgentResult } from './result.ts'
import type { Session } from './session.ts'
import { isStepCount } from './stop-when.ts'

const look = tool({
  description: 'Looks around',
  inputSchema: z.object({ at: z.string() }),
  effects: 'read',
  execute: ({ at }) => `saw ${at}`,
})
const looks = (at: string) => ({ calls: [{ toolName: 'look', input: { at } }] })

/** A session whose agent has a plan; and its events. */
function withPlan(script: readonly Script[], steps: readonly string[], options: Partial<AgentOptions> = {}) {
  const model = scriptedModel(script)
  const session = new Agent({ name: 'a', model, tools: { look }, systems: [planning], ...options }).session()
  session.world.set(session.entity, Plan, makePlan(steps))
  const events: Event[] = []
  session.world.on('*', (event) => events.push(event))
  return { model, session, events }
}

const planOf = ({ world, entity }: Session): PlanValue => world.require(entity, Plan)
const told = (session: Session): string[] =>
  [...session.messages].map((message) => `${message.role}: ${textOf(message)}`)
const rejected = async (promise: Promise<AgentResult>): Promise<TellurionError> => {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof TellurionError)
  return error
}

describe('planning', () => {
  test('carries out one step after the other, each told as a message and in the system text', async () => {
    const { model, session, events } = withPlan(['Found it.', 'Cut it.', 'Here you are.'], ['find', 'cut', 'serve'])
    const result = await session.generate('A pear, please')
    assert.equal(result.text, 'Here you are.')
    assert.equal(result.stopReason, 'idle')
    assert.deepEqual(told(session), [
      'user: A pear, please',
      'user: Step 1/3: find',
      'assistant: Found it.',
      'user: Step 2/3: cut',
      'assistant: Cut it.',
      'user: Step 3/3: serve',
      'assistant: Here you are.',
    ])
    assert.deepEqual(
      model.requests.map(({ system }) => system?.split('\n')[0]),
      ['Step 1/3: find', 'Step 2/3: cut', 'Step 3/3: serve'],
    )
    assert.match(model.requests[0]?.system ?? '', /each in its turn:\n2\. cut\n3\. serve$/)
    assert.deepEqual(planOf(session), {
      objective: 'A pear, please',
      steps: [
        { description: 'find', begun: true, result: 'Found it.' },
        { description: 'cut', begun: true, result: 'Cut it.' },
        { description: 'serve', begun: true, result: 'Here you are.' },
      ],
      current: 3,
      completed: true,
    })
    assert.deepEqual(
      events.filter(({ type }) => type === 'plan.step_completed'),
      ['find', 'cut', 'serve'].map((stepDescription, stepIndex) => ({
        type: 'plan.step_completed',
        entity: session.entity,
        stepIndex,
        stepDescription,
      })),
    )
  })

  test('takes one step a tick, and moves the counter when the work is done, not when it begins', async () => {
    const { session, events } = withPlan([looks('shelf'), looks('cellar'), 'Found.', 'Done.'], ['find', 'end'])
    const counters: string[] = []
    session.world.on('tool.ended', () => counters.push(`${planOf(session).current} while it looks`))
    session.world.on('plan.step_completed', () => counters.push(`${planOf(session).current} after it`))
    const result = await session.generate('go')
    assert.deepEqual(counters, ['0 while it looks', '0 while it looks', '1 after it', '2 after it'])
    assert.equal(result.steps, 4)
    assert.equal(events.filter(({ type }) => type === 'plan.step_completed').length, 2)
    assert.equal(session.world.header.tick, 4)
  })

  test('asks nothing for an empty or a completed plan; reasoning answers then', async () => {
    const { model, session, events } = withPlan(['Hello.', 'Again.'], [])
    assert.equal(planOf(session).completed, true)
    assert.equal((await session.generate('Hi')).text, 'Hello.')
    session.world.set(session.entity, Plan, { steps: [], current: 0, completed: false })
    assert.equal((await session.generate('Hi')).text, 'Again.')
    assert.equal(planOf(session).completed, true)
    assert.equal(model.calls, 2)
    assert.deepEqual(
      events.filter(({ type }) => type.startsWith('plan.')),
      [],
    )
  })

  test('alone in a world asks nothing where nothing is planned', async () => {
    const model = scriptedModel(['never'])
    const world = new World({ resources: { models: { m: model } }, systems: [planning] })
    for (const plan of [makePlan([]), { steps: [{ description: 'x' }], current: 0, completed: true }])
      world.spawn(LLM({ model: 'm' }), Conversation([user('Hi')]), Plan(plan))
    world.spawn(LLM({ model: 'm' }), Conversation([user('Hi')]))
    assert.equal((await run(world)).reason, 'idle')
    assert.equal(model.calls, 0)
  })

  test('makes every ask for an entity with an unfinished plan', async () => {
    const { session, events } = withPlan(['One.', 'Two.'], ['a', 'b'])
    await session.generate('go')
    assert.equal(events.filter(({ type }) => type === 'model.called').length, 2)
    // The order in which both are registered does not matter.
    const model = scriptedModel(['One.'])
    const world = new World({ resources: { models: { m: model } }, systems: [planning, reasoning] })
    world.spawn(LLM({ model: 'm' }), Conversation([user('Hi')]), Plan(makePlan(['only'])))
    await run(world)
    assert.equal(model.calls, 1)
  })

  test('begins a step without any message of a user', async () => {
    const model = scriptedModel(['Done.'])
    const world = new World({ resources: { models: { m: model } }, systems: [planning] })
    const entity = world.spawn(LLM({ model: 'm' }), Conversation(), Plan(makePlan(['look'])))
    await run(world)
    assert.equal(world.require(entity, Plan).completed, true)
    assert.equal(world.require(entity, Plan).objective, undefined)
  })

  test('goes on with a plan where new input comes after a failure, and in the middle of a step', async () => {
    const { session, model } = withPlan([failure('authentication', 'bad key'), 'One.', 'Two.'], ['a', 'b'])
    await rejected(session.generate('go'))
    assert.equal(planOf(session).current, 0)
    assert.equal((await session.generate('the key is mended')).text, 'Two.')
    assert.equal(model.calls, 3)
    assert.deepEqual(told(session).slice(0, 4), [
      'user: go',
      'user: Step 1/2: a',
      'user: the key is mended',
      'assistant: One.',
    ])
  })

  test('takes in what is said meanwhile, in the step that is next', async () => {
    const { session } = withPlan(
      [
        () => {
          session.world.append(session.entity, Steering, user('quickly'))
          return 'One.'
        },
        'Two, quickly.',
      ],
      ['a', 'b'],
    )
    const result = await session.generate('go')
    assert.equal(result.text, 'Two, quickly.')
    assert.deepEqual(told(session).slice(2, 5), ['assistant: One.', 'user: quickly', 'user: Step 2/2: b'])
  })

  test('heeds the conditions that end a turn', async () => {
    const { session, model } = withPlan(['One.', 'Two.', 'Three.'], ['a', 'b', 'c'], { stopWhen: isStepCount(2) })
    const result = await session.generate('go')
    assert.equal(result.stopReason, 'stop_when')
    assert.equal(model.calls, 2)
    assert.equal(planOf(session).current, 2)
    assert.equal((await session.generate('go on')).text, 'Three.')
    assert.equal(planOf(session).completed, true)
  })

  test('says again what it is for where the conversation does not hold it any more', async () => {
    const steps = ['a', 'b', 'c', 'd']
    const { session } = withPlan(['A.', 'B.', 'C.', 'D.'], steps)
    session.world.set(session.entity, ConversationLimit, { max: 4, keep: 1 })
    await session.generate('Bake bread')
    assert.deepEqual(told(session), [
      'user: Step 3/4: c\nThe request was: Bake bread',
      'assistant: C.',
      'user: Step 4/4: d\nThe request was: Bake bread',
      'assistant: D.',
    ])
    assert.equal(planOf(session).objective, 'Bake bread')
  })

  test('finds its objective near the end of a conversation, however long that is', () => {
    const messages = Array.from({ length: 10_000 }, (_, index) => user(`message ${index}`))
    let looked = 0
    const long: Messages = {
      length: messages.length,
      at: (index) => (looked++, messages.at(index)),
      [Symbol.iterator]: () => assert.fail('it reads all of them'),
    }
    assert.ok(holds(long, 'message 9998') && looked === 2, `${looked} messages were looked at`)
    assert.equal(holds(long, 'another'), false)
  })

  test('keeps the beginning of long results, and the whole in the conversation', async () => {
    const long = 'x'.repeat(50_000)
    const { session, events } = withPlan([long, long], ['a', 'b'])
    await session.generate('go')
    for (const { result = '' } of planOf(session).steps) assert.ok(result.length <= 1_000, `${result.length}`)
    assert.equal(session.messages.at(-1)?.content, long)
    assert.deepEqual(
      events.filter(({ type }) => type === 'component.large'),
      [],
    )
  })
})

describe('the output of a turn with a plan', () => {
  const shape = z.object({ sum: z.number() })

  test('is asked for once the plan is done, of the final answer alone', async () => {
    const { session, model } = withPlan(['Words.', 'More words.', '{"sum":3}'], ['a', 'b'])
    const { output } = await session.generate('go', { output: shape })
    assert.deepEqual(output, { sum: 3 })
    assert.deepEqual(
      model.requests.map((request) => request.output !== undefined),
      [false, false, true],
    )
    assert.equal(told(session).at(-2), 'user: The plan is done. Give the final answer.')
  })

  test('is repaired as without one', async () => {
    const { session } = withPlan(['Words.', 'three', '{"sum":3}'], ['a'])
    assert.deepEqual((await session.generate('go', { output: shape })).output, { sum: 3 })
  })
})

describe('a failure of planning', () => {
  test('halts the entity with planning_error, which says the step and the cause', async () => {
    const { session, model, events } = withPlan(['One.', failure('authentication', 'bad key')], ['a', 'b'])
    const error = await rejected(session.generate('go'))
    assert.equal(error.code, 'planning_error')
    assert.equal(error.message, 'Step 2 of 2 failed: bad key')
    assert.equal(error.data?.['cause'], 'model_authentication')
    assert.equal(error.retryable, false)
    assert.equal(session.world.get(session.entity, Halted)?.error.code, 'planning_error')
    assert.equal(model.calls, 2, 'a refused key is one call')
    const [failed] = events.filter(({ type }) => type === 'failure.occurred')
    assert.equal(failed?.type === 'failure.occurred' && failed.system, 'planning')
    assert.equal((error.result as AgentResult).text, 'One.')
  })

  test('may be worth trying again where its cause is', async () => {
    const { session } = withPlan([failure('service', 'overloaded')], ['a'])
    assert.equal((await rejected(session.generate('go'))).retryable, true)
  })

  test('is not what ends a script, a budget or a loop', async () => {
    const exhausted = withPlan(['One.'], ['a', 'b'])
    assert.equal((await exhausted.session.generate('go')).stopReason, 'provider_exhausted')
    const poor = withPlan(['One.', 'Two.'], ['a', 'b'], { budget: { modelCalls: 1 } })
    const error = await rejected(poor.session.generate('go'))
    assert.equal(error.code, 'budget_exceeded')
    assert.equal((error.result as AgentResult).stopReason, 'budget')
    assert.equal(poor.model.calls, 1)
    const long = withPlan(
      Array.from({ length: 200 }, () => 'Done.'),
      Array.from({ length: 200 }, () => 'go'),
    )
    assert.equal((await rejected(long.session.generate('go'))).code, 'run_limit')
    assert.equal(long.model.calls, 100)
  })

  test('is a plan that nobody can carry out', async () => {
    const many = { steps: Array.from({ length: 100_000 }, () => ({ description: 'x' })), current: 0, completed: false }
    for (const [plan, expected] of [
      [many, /may have 1000 steps, and this one has 100000/],
      [{ ...makePlan(['a']), current: -1 }, /current step .* not -1/],
      [{ ...makePlan(['a']), current: 0.5 }, /current step .* not 0\.5/],
      [{ ...makePlan(['a']), steps: 'abc' } as never, /steps of a plan must be a list/],
      [{ ...makePlan(['a']), steps: [null] } as never, /Step 1 of a plan must have a description/],
      [{ ...makePlan(['a']), steps: [{ description: 5 }] } as never, /Step 1 of a plan must have a description/],
    ] as const) {
      const { session, model } = withPlan(['never'], [])
      session.world.set(session.entity, Plan, plan)
      const error = await rejected(session.generate('go'))
      assert.equal(error.code, 'planning_error')
      assert.match(error.message, expected)
      assert.equal(model.calls, 0)
    }
  })

  test('is no failure where the counter is past the end', async () => {
    const { session } = withPlan(['Hello.'], ['a'])
    session.world.set(session.entity, Plan, { ...makePlan(['a']), current: 7 })
    assert.equal((await session.generate('Hi')).text, 'Hello.')
  })

  test('hurts no other entity', async () => {
    const world = new World({
      resources: { models: { good: scriptedModel(['Done.']), bad: scriptedModel([failure('service', 'down')]) } },
      systems: [planning, errorHandling],
    })
    const make = (model: string) => world.spawn(LLM({ model }), Conversation([user('go')]), Plan(makePlan(['a'])))
    const [good, bad] = [make('good'), make('bad')]
    await run(world, { main: good })
    assert.equal(world.require(good, Plan).completed, true)
    assert.equal(world.require(bad, Halted).error.code, 'planning_error')
  })
})

describe('makePlan', () => {
  test('makes a plan that has not begun', () => {
    assert.deepEqual(makePlan(['a', 'b'], { objective: 'c' }), {
      objective: 'c',
      steps: [{ description: 'a' }, { description: 'b' }],
      current: 0,
      completed: false,
    })
  })

  test('refuses what is no plan', () => {
    const refused = (steps: unknown, expected: RegExp) =>
      assert.throws(
        () => makePlan(steps as string[]),
        (error: unknown) => {
          assert.ok(error instanceof TellurionError)
          assert.equal(error.code, 'invalid_option')
          assert.match(error.message, expected)
          return true
        },
      )
    refused('look', /takes a list of texts/)
    refused(['look', ' '], /Step 2 of a plan must be a text/)
    refused(['look', 3], /Step 2 .* it is number/)
    refused(['x'.repeat(2_001)], /2001 characters/)
    refused(Array(3), /Step 1 .* it is undefined/)
    refused(
      Array.from({ length: 1_000_000 }, () => 'x'),
      /1000 steps, not 1000000/,
    )
  })
})
