import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent, type AgentOptions } from '../agent/agent.ts'
import { orchestrate } from '../agent/orchestration.ts'
import { coordinator } from '../agent/strategy.ts'
import { TellurionError } from '../error/error.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import type { SubmitOptions } from './runtime-options.ts'

const look = tool({ description: 'Looks', inputSchema: { type: 'object' }, effects: 'read', execute: () => 'fog' })

/** An agent that looks so many times before it answers. */
function scout(times: number, budget?: AgentOptions['budget']): Agent {
  const model = scriptedModel(({ messages }) =>
    [...messages].filter(({ role }) => role === 'tool').length < times
      ? { calls: [{ toolName: 'look', input: {} }] }
      : 'A harbour.',
  )
  return new Agent({ name: 'scout', model, tools: { look }, ...(budget === undefined ? {} : { budget }) })
}

const open = (agent: Agent): Promise<Runtime> => createRuntime({ store: memory(), agents: [agent] })

/** The text of a run, or the code of its error. */
async function ended(agent: Agent, options: SubmitOptions = {}): Promise<string> {
  await using runtime = await open(agent)
  const run = await runtime.submit(agent.name, 'go', options)
  try {
    return (await run.result()).text
  } catch (error) {
    assert.ok(error instanceof TellurionError)
    return error.code
  }
}

describe('the ticks of a run', () => {
  test('are a hundred, or what a budget says, of the agent or of the run', async () => {
    assert.equal(await ended(scout(90)), 'A harbour.')
    assert.equal(await ended(scout(150)), 'run_limit')
    assert.equal(await ended(scout(150, { ticks: 300 })), 'A harbour.')
    assert.equal(await ended(scout(150), { budget: { ticks: 300 } }), 'A harbour.')
    assert.equal(await ended(scout(150, { ticks: 300 }), { budget: { ticks: 120 } }), 'budget_exceeded')
  })

  test('are enough for an orchestration of many agents, each of which takes some', async () => {
    const tasks = Array.from({ length: 60 }, (_, id) => ({ id, agent: 'digger', task: `Dig hole ${id}.` }))
    const planner = new Agent({ name: 'planner', model: scriptedModel(() => JSON.stringify(tasks)) })
    const digger = new Agent({ name: 'digger', model: scriptedModel(() => 'Dug.') })
    const strategy = coordinator({ planner: 'planner', workers: { digger: 'digs' }, maxTasks: 200 })
    const garden = orchestrate({ name: 'garden', agents: [planner, digger], strategy })
    assert.equal((await ended(garden)).match(/Dug\./g)?.length, 60)
  })
})
