import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { planAndExecute } from '../agent/plan-and-execute.ts'
import { planBySearch } from '../agent/plan-by-search.ts'
import { planTool } from '../agent/plan-tool.ts'
import { reflection } from '../agent/reflection.ts'
import { systemClock } from '../clock/clock.ts'
import type { ModelRequest } from '../port/model.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import type { BackendOpener } from './backend.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'

/** A store that outlives the runtimes that use it. */
async function lastingStore(): Promise<BackendOpener> {
  const backend = await memory()({ clock: systemClock })
  return async () => ({ ...backend, close: async () => {} })
}

/** A model that says what `reply` makes of a request, but once hangs where `hangsAt` says, until its process is gone. */
function mortal(reply: (request: ModelRequest) => ScriptedReply, hangsAt: (request: ModelRequest) => boolean) {
  const hanging = Promise.withResolvers<void>()
  let hung = false
  const model = scriptedModel((request) => {
    if (hung || !hangsAt(request)) return reply(request)
    hung = true
    hanging.resolve()
    return new Promise<never>(() => {})
  })
  return { model, hanging: hanging.promise }
}

/** Runs an agent until its model hangs, closes the runtime, and lets another one go on. */
async function stoppedOnce(agent: Agent, hanging: Promise<void>) {
  const store = await lastingStore()
  const first = await createRuntime({ store, agents: [agent], patience: { grace: 0 } })
  const { id } = await first.submit('a', 'go')
  await hanging
  await first.close()
  await using second = await createRuntime({ store, agents: [agent] })
  const run = second.run(id)
  const result = await run.result()
  const events: { type: string }[] = []
  for await (const event of run.events()) events.push(event)
  return { result, events: events.map(({ type }) => type) }
}

const lastOf = ({ messages }: ModelRequest): string => String(messages.at(-1)?.content)

test('a durable plan goes on where its process was stopped, between two steps', async () => {
  const done: string[] = []
  const planner = scriptedModel(['["a","b","c"]', '["b","d"]', '["d"]'])
  const { model, hanging } = mortal(
    (request) => {
      done.push(lastOf(request))
      return `did ${lastOf(request)}`
    },
    (request) => lastOf(request).endsWith('b'),
  )
  const { result, events } = await stoppedOnce(
    new Agent({ name: 'a', model, systems: planAndExecute({ planner }) }),
    hanging,
  )
  assert.equal(result.text, 'did Step 3/3: d')
  assert.deepEqual(done, ['Step 1/3: a', 'Step 2/3: b', 'Step 3/3: d'])
  assert.equal(planner.calls, 3)
  assert.equal(events.filter((type) => type === 'plan.step_completed').length, 3)
  assert.equal(events.filter((type) => type === 'plan.revised').length, 2)
})

test('a durable search goes on with the tree that it has paid for', async () => {
  const peeked: string[] = []
  const peek = tool({
    description: 'Looks',
    inputSchema: z.object({ at: z.string() }),
    effects: 'read',
    execute: ({ at }) => {
      peeked.push(at)
      return `${at}!`
    },
  })
  const reply = (request: ModelRequest): ScriptedReply => {
    const { system = '', messages } = request
    if (system.startsWith('You look for a plan')) return lastOf(request).endsWith('none') ? '["left","right"]' : '[]'
    if (system.startsWith('You judge')) return lastOf(request).includes('right!') ? '0.9' : '0.2'
    if (messages.at(-1)?.role === 'tool') return `I saw ${lastOf(request)}`
    return { calls: [{ toolName: 'peek', input: { at: lastOf(request).split(': ').at(-1) ?? '' } }] }
  }
  let judged = 0
  const { model, hanging } = mortal(reply, ({ system = '' }) => system.startsWith('You judge') && ++judged === 2)
  const agent = new Agent({ name: 'a', model, tools: { peek }, systems: planBySearch({ depth: 2 }) })
  const { result, events } = await stoppedOnce(agent, hanging)
  assert.equal(result.text, 'I saw right!')
  assert.deepEqual(peeked.toSorted(), ['left', 'right', 'right'], 'each step once on a fork, and the best one for real')
  assert.equal(events.filter((type) => type === 'search.node_scored').length, 2)
  assert.equal(events.filter((type) => type === 'tool.ended').length, 1)
})

test('a durable agent plans by its tool, with the leave of a person, and has its answer reviewed', async () => {
  const critic = scriptedModel(['{"accepted": false, "critique": "Louder."}', '{"accepted": true}'])
  const model = scriptedModel([{ calls: [{ toolName: 'plan', input: { steps: ['sing'] } }] }, 'La.', 'LA!'])
  const plan = planTool({ needsApproval: true })
  const agent = new Agent({ name: 'a', model, tools: { plan }, systems: [reflection({ critic })] })
  await using runtime = await createRuntime({ store: memory(), agents: [agent] })
  const chat = runtime.session('a')
  const waiting = await chat.generate('Sing')
  assert.equal(waiting.status, 'waiting')
  assert.equal((await chat.answer(waiting.interactions[0]!.id, 'approve')).text, 'LA!')
})
