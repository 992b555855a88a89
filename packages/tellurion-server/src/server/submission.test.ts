import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Agent, asTool, tool, type AgentOptions } from 'tellurion'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createServer } from './server.ts'

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

/** Agents of which each has the next one work for it, so many levels deep. */
function lineage(levels: number): Agent {
  const model = scriptedModel(({ messages }) => {
    const last = messages.at(-1)
    return last?.role === 'tool'
      ? `> ${String(last.content)}`
      : { calls: [{ toolName: 'next', input: { task: 'go' } }] }
  })
  const bottom = new Agent({ name: `a${levels}`, model: scriptedModel(() => 'the bottom') })
  return Array.from({ length: levels }, (_, index) => levels - 1 - index).reduce(
    (below, level) =>
      new Agent({ name: `a${level}`, model, tools: { next: asTool(below, { description: 'The next one' }) } }),
    bottom,
  )
}

/** What becomes of a run that a client asks for: its text, or the code of its error. */
async function asked(t: TestContext, agent: Agent, budget: object): Promise<string> {
  const runtime = await createRuntime({ store: memory(), agents: [agent] })
  const server = createServer({ runtime })
  t.after(() => server.close({ grace: 100 }))
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ input: 'go', budget })
  const request = new Request('http://localhost/api/v1/runs', { method: 'POST', headers, body })
  const made = await server.handle(request, { identity: { user: 'ada', scopes: ['write'] } })
  const { id } = (await made.json()) as { id: string }
  return runtime
    .run(id)
    .result()
    .then(
      ({ text }) => text,
      (error: { code: string }) => error.code,
    )
}

describe('the budget that a client asks for', () => {
  it('takes ticks away, and gives no more than the agent allows', async (t) => {
    assert.equal(await asked(t, scout(50), { ticks: 20 }), 'budget_exceeded')
    assert.equal(await asked(t, scout(50), { ticks: 1_000_000 }), 'A harbour.')
    assert.equal(await asked(t, scout(120), { ticks: 1_000_000 }), 'budget_exceeded')
    assert.equal(await asked(t, scout(120, { ticks: 300 }), { ticks: 200 }), 'A harbour.')
    assert.equal(await asked(t, scout(120, { ticks: 300 }), { ticks: 110 }), 'budget_exceeded')
  })

  it('gives no more levels of sub-agents than are usual', async (t) => {
    assert.match(await asked(t, lineage(3), { depth: 50 }), /the bottom/)
    assert.doesNotMatch(await asked(t, lineage(5), { depth: 50 }), /the bottom/)
    assert.doesNotMatch(await asked(t, lineage(2), { depth: 1 }), /the bottom/)
  })
})
