import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Event } from '../event/event.ts'
import { TellurionError } from '../error/error.ts'
import { failure } from '../model/failure.ts'
import type { ModelRequest } from '../port/model.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { restore, snapshot } from '../world/snapshot.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { agentComponents } from './component.ts'
import { makePlan } from './plan.ts'
import { Plan, Planner } from './plan-component.ts'
import { planning } from './planning.ts'
import { replanning } from './replanning.ts'
import type { Session } from './session.ts'

const isReplanner = ({ system = '' }: ModelRequest): boolean => system.startsWith('You revise the plan')
const promptOf = (request: ModelRequest): string => String(request.messages.at(0)?.content)

/** A session with a plan whose steps are all `done`, and a replanner that says `revisions` in order. */
function revised(
  steps: readonly string[],
  revisions: readonly (ScriptedReply | (() => ScriptedReply))[],
  options: Partial<AgentOptions> = {},
) {
  const asked: ModelRequest[] = []
  const model = scriptedModel((request) => {
    if (!isReplanner(request)) return `done: ${String(request.messages.at(-1)?.content)}`
    const revision = revisions[asked.length]
    asked.push({ ...request, messages: [...request.messages] })
    if (revision === undefined) return failure('unknown', 'no more', { code: 'provider_exhausted' })
    return typeof revision === 'function' ? revision() : revision
  })
  const session = new Agent({ name: 'a', model, systems: [planning, replanning], ...options }).session()
  session.world.set(session.entity, Plan, makePlan(steps))
  const events: Event[] = []
  session.world.on('*', (event) => events.push(event))
  return { session, model, asked, events }
}

const stepsOf = ({ world, entity }: Session): string[] =>
  world.require(entity, Plan).steps.map(({ description }) => description)
const revisionsIn = (events: readonly Event[]) => events.filter(({ type }) => type === 'plan.revised')

describe('replanning', () => {
  test('asks after each finished step, with objective, results and what remains', async () => {
    const { session, asked } = revised(['a', 'b', 'c'], ['["b","c"]', '["c"]'])
    await session.generate('Reach "the" end')
    assert.equal(asked.length, 2, 'a completed plan is not revised')
    assert.equal(
      promptOf(asked[1]!),
      [
        'Objective: "Reach \\"the\\" end"',
        'Steps that are done, with their results:',
        '{"step":"a","result":"done: Step 1/3: a"}',
        '{"step":"b","result":"done: Step 2/3: b"}',
        'Steps that remain:',
        '["c"]',
      ].join('\n'),
    )
  })

  test('replaces what remains and keeps what is done', async () => {
    const { session, events } = revised(['a', 'b'], ['Better so: ["x", {"description":"y"}].', '["y"]'])
    const result = await session.generate('go')
    assert.deepEqual(stepsOf(session), ['a', 'x', 'y'])
    assert.equal(result.text, 'done: Step 3/3: y')
    assert.deepEqual(revisionsIn(events), [
      { type: 'plan.revised', entity: session.entity, oldSteps: ['a', 'b'], newSteps: ['a', 'x', 'y'] },
    ])
    assert.equal(session.world.require(session.entity, Plan).steps[0]?.result, 'done: Step 1/2: a')
  })

  test('of an unchanged list makes no event', async () => {
    const { session, events } = revised(['a', 'b'], ['[ "b" ]'])
    await session.generate('go')
    assert.deepEqual(revisionsIn(events), [])
    assert.equal(session.world.require(session.entity, Plan).completed, true)
  })

  test('may end the plan early', async () => {
    const { session, events, model } = revised(['a', 'b', 'c'], ['[]'])
    const result = await session.generate('go')
    assert.equal(result.text, 'done: Step 1/3: a')
    assert.deepEqual(stepsOf(session), ['a'])
    assert.equal(session.world.require(session.entity, Plan).completed, true)
    assert.equal(revisionsIn(events).length, 1)
    assert.equal(model.calls, 2)
  })

  test('leaves the plan where the answer cannot be read, and asks once for each progress', async () => {
    const unreadable = ['I would not change it.', '{"a":1}', '[1]', '["ok", ""]', `["${'x'.repeat(300_000)}`, '']
    const steps = Array.from({ length: unreadable.length + 1 }, (_, index) => `step ${index}`)
    const { session, asked, events } = revised(steps, unreadable)
    await session.generate('go')
    assert.deepEqual(stepsOf(session), steps)
    assert.equal(asked.length, unreadable.length)
    assert.deepEqual(revisionsIn(events), [])
    assert.equal(session.world.require(session.entity, Plan).completed, true)
  })

  test('leaves the plan where the model fails, or has nothing left to say', async () => {
    const { session, asked } = revised(['a', 'b', 'c'], [failure('service', 'down')])
    const result = await session.generate('go')
    assert.equal(result.stopReason, 'idle')
    assert.deepEqual(stepsOf(session), ['a', 'b', 'c'])
    assert.equal(asked.length, 2)
  })

  test('leaves a plan that somebody else has changed meanwhile', async () => {
    const { session } = revised(
      ['a', 'b'],
      [
        () => {
          session.world.update(session.entity, Plan, (plan) => ({
            ...plan,
            steps: [...plan.steps.slice(0, 1), { description: 'mine' }],
          }))
          return '["late"]'
        },
        '["mine"]',
      ],
    )
    await session.generate('go')
    assert.deepEqual(stepsOf(session), ['a', 'mine'])
  })

  test('may be the work of another model', async () => {
    const critic = scriptedModel(['["x"]'])
    const { session, asked } = revised(['a', 'b'], [])
    session.world.bind('models', { ...session.world.resource<object>('models'), critic })
    session.world.set(session.entity, Planner, { model: 'critic' })
    await session.generate('go')
    assert.deepEqual(stepsOf(session), ['a', 'x'])
    assert.equal(asked.length, 0)
  })

  test('keeps its marker with the plan', async () => {
    const { session, asked } = revised(['a', 'b', 'c'], ['["b","c"]'], {
      stopWhen: ({ steps }) => steps >= 1,
    })
    await session.generate('go')
    assert.equal(asked.length, 1)
    const stored = JSON.stringify(snapshot(session.world))
    const copy = restore(JSON.parse(stored), { components: agentComponents })
    assert.equal(copy.require(session.entity, Plan).considered, 1)
    assert.equal(copy.require(session.entity, Plan).objective, 'go')
  })

  test('counts what it asks for the turn, and for its budget', async () => {
    const { session } = revised(['a', 'b', 'c'], ['["b","c"]', '["c"]'], { budget: { modelCalls: 4 } })
    const error = await session.generate('go').catch((thrown: unknown) => thrown)
    assert.ok(error instanceof TellurionError)
    assert.equal(error.code, 'budget_exceeded')
    assert.equal(session.world.require(session.entity, Plan).current, 2)
  })
})

describe('a model that revises for ever', () => {
  /** Each time as many steps remain as before. */
  const endless = (options: Partial<AgentOptions> = {}) => {
    let count = 0
    return revised(
      ['a', 'b'],
      Array.from({ length: 3_000 }, () => () => JSON.stringify([`new ${++count}`, `and ${count}`])),
      options,
    )
  }

  test('is stopped by the ticks of a run, with a reason', async () => {
    const { session } = endless()
    const error = await session.generate('go').catch((thrown: unknown) => thrown)
    assert.ok(error instanceof TellurionError)
    assert.equal(error.code, 'run_limit')
  })

  test('is stopped by a budget, with a reason', async () => {
    const { session, model } = endless({ budget: { modelCalls: 10 } })
    const error = await session.generate('go').catch((thrown: unknown) => thrown)
    assert.ok(error instanceof TellurionError)
    assert.equal(error.code, 'budget_exceeded')
    assert.equal(model.calls, 10)
  })

  test('comes to the end of the longest plan without either', async () => {
    const { session } = endless()
    const result = await session.generate('go', { maxTicks: null })
    assert.equal(result.stopReason, 'idle')
    assert.equal(stepsOf(session).length, 1_000)
  })
})
