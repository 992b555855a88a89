import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import { failure } from '../model/failure.ts'
import { scriptedModel, type Script } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { Plan } from './plan-component.ts'
import { planAndExecute, type PlanAndExecuteOptions } from './plan-and-execute.ts'
import type { Session } from './session.ts'

/** An agent whose planner says `plans`, and that does each step it is told of. */
function planned(plans: readonly Script[], given: PlanAndExecuteOptions = {}, options: Partial<AgentOptions> = {}) {
  const planner = scriptedModel(plans, { name: 'test/planner' })
  const worker = scriptedModel(({ messages }) => `did ${String(messages.at(-1)?.content)}`)
  const systems = planAndExecute({ planner, replan: false, ...given })
  const agent = new Agent({ name: 'a', model: worker, systems, ...options })
  return { agent, session: agent.session(), planner, worker }
}

const stepsOf = ({ world, entity }: Session): string[] =>
  world.require(entity, Plan).steps.map(({ description }) => description)

async function codeOf(promise: Promise<unknown>): Promise<TellurionError> {
  const error = await promise.catch((thrown: unknown) => thrown)
  assert.ok(error instanceof TellurionError)
  return error
}

describe('plan and execute', () => {
  test('makes a plan before anybody answers, and carries it out', async () => {
    const search = tool({ description: 'Finds pages', inputSchema: z.object({}), effects: 'read', execute: () => '' })
    const { session, planner, worker } = planned(['["find","tell"]'], {}, { tools: { search } })
    const result = await session.generate('Where is Oslo?')
    assert.equal(result.text, 'did Step 2/2: tell')
    assert.equal(planner.calls, 1)
    assert.equal(worker.calls, 2)
    assert.equal(
      planner.requests[0]?.messages.at(0)?.content,
      'Objective: "Where is Oslo?"\nTools that will be there:\n- search: Finds pages',
    )
    assert.equal(planner.requests[0]?.tools, undefined, 'a planner calls no tools')
  })

  test('plans each request, knowing what was said before', async () => {
    const { session, planner } = planned(['["a"]', '["b"]'])
    await session.generate('one')
    await session.generate('two')
    assert.deepEqual(stepsOf(session), ['b'])
    assert.equal(
      planner.requests[1]?.messages.at(0)?.content,
      'Objective: "two"\nSaid before:\n- user: "one"\n- user: "Step 1/1: a"\n- assistant: "did Step 1/1: a"',
    )
  })

  test('answers at once what takes no plan', async () => {
    const { session, planner, worker } = planned(['[]'])
    const result = await session.generate('Hi')
    assert.equal(result.text, 'did Hi')
    assert.deepEqual([planner.calls, worker.calls], [1, 1])
  })

  test('asks the planner a second time for what can be read, and then fails', async () => {
    const { session, planner } = planned(['First, look around.', 'So: ["look"]'])
    assert.equal((await session.generate('go')).text, 'did Step 1/1: look')
    assert.match(String(planner.requests[1]?.messages.at(0)?.content), /was no JSON list of at most 20 texts/)
    for (const nonsense of ['no', '{"plan": true}', JSON.stringify(Array.from({ length: 1_000_000 }, () => 'x'))]) {
      const failing = planned([nonsense, nonsense, '["never"]'])
      const error = await codeOf(failing.session.generate('go'))
      assert.equal(error.code, 'planning_error')
      assert.match(error.message, /^Making a plan failed: .* no JSON list of at most 20 steps, 2 times$/)
      assert.equal(failing.planner.calls, 2)
      assert.equal(failing.worker.calls, 0)
    }
  })

  test('fails with planning_error where the planner does', async () => {
    const { session } = planned([failure('authentication', 'bad key')])
    const error = await codeOf(session.generate('go'))
    assert.equal(error.code, 'planning_error')
    assert.equal(error.data?.['cause'], 'model_authentication')
    const exhausted = planned([])
    assert.equal((await exhausted.session.generate('go')).stopReason, 'provider_exhausted')
  })

  test('stops at its budget with a reason', async () => {
    const { session, worker } = planned(['["a","b","c"]'], {}, { budget: { modelCalls: 3 } })
    assert.equal((await codeOf(session.generate('go'))).code, 'budget_exceeded')
    assert.equal(worker.calls, 2)
  })

  test('goes on with an unfinished plan in the next turn', async () => {
    const worker = scriptedModel([failure('service', 'down'), 'A.', 'B.'])
    const planner = scriptedModel(['["a","b"]'])
    const session = new Agent({
      name: 'a',
      model: worker,
      systems: planAndExecute({ planner, replan: false }),
    }).session()
    assert.equal((await codeOf(session.generate('go'))).code, 'planning_error')
    assert.equal((await session.generate('try again')).text, 'B.')
    assert.equal(planner.calls, 1)
  })

  test('revises by the planner after each step unless told otherwise', async () => {
    const { session, planner } = planned(['["a","b"]', '["x"]'], { replan: true })
    await session.generate('go')
    assert.deepEqual(stepsOf(session), ['a', 'x'])
    assert.equal(planner.calls, 2)
  })

  test('plans by the model of the agent where none is given', async () => {
    const model = scriptedModel(['["a"]', 'A.'])
    const result = await new Agent({ name: 'a', model, systems: planAndExecute({ replan: false }) }).generate('go')
    assert.equal(result.text, 'A.')
  })

  test('makes plans of as many steps as it may', async () => {
    const { session } = planned(['["a","b","c"]', '["a","b"]'], { maxSteps: 2 })
    await session.generate('go')
    assert.deepEqual(stepsOf(session), ['a', 'b'])
  })

  test('keeps two agents of one world apart', async () => {
    const { agent: one } = planned(['["a"]'])
    const { session } = planned(['["never"]'], {}, { name: 'b' })
    const planner = scriptedModel(['["b"]'], { name: 'test/other' })
    const two = new Agent({ name: 'c', model: scriptedModel(['C.']), systems: planAndExecute({ planner }) })
    one.bindTo(session.world)
    two.bindTo(session.world)
    const models = Object.keys(session.world.resource<object>('models'))
    assert.deepEqual(models.toSorted(), ['a', 'b', 'c', 'planner/test/other', 'planner/test/planner'])
  })

  test('refuses options that make no sense', () => {
    assert.throws(() => planAndExecute({ maxSteps: 1_001 }), /maxSteps must be a whole number from 1 to 1000/)
    assert.throws(() => planAndExecute({ replanning: true } as never), /no option 'replanning'/)
    assert.throws(() => planAndExecute({ planner: 3 as never }), TellurionError)
  })
})
