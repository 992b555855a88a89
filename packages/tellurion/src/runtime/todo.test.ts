// The todo list of a stored session: the same for each of its runs, and after a restart.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { todoTools } from '../agent/todo-tools.ts'
import type { Json } from '../schema/json.ts'
import { backendPlace } from '../testing/backends.node.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { createRuntime } from './runtime.ts'

const call = (toolName: string, input: Json): ScriptedReply => ({ calls: [{ toolName, input }] })
const farmer = (...replies: ScriptedReply[]): Agent =>
  new Agent({ name: 'farmer', model: scriptedModel(replies), tools: { ...todoTools() } })

test('a todo list goes through the runs of a session, and a restart', async () => {
  const store = backendPlace('sqlite')
  const todos = [
    { title: 'Sow', ref: 'sow' },
    { title: 'Reap', dependsOn: ['sow'] },
  ]
  const done = (id: number) => call('updateTodos', { todos: [{ id, status: 'completed' }] })
  const first = await createRuntime({ store, agents: [farmer(call('addTodos', { todos }), done(1), 'Sown.')] })
  assert.equal((await first.session('farmer', { id: 'farm' }).generate('Farm.')).text, 'Sown.')
  await first.close()
  await using second = await createRuntime({ store, agents: [farmer(done(2), 'Reaped.')] })
  const { messages } = await second.session('farmer', { id: 'farm' }).generate('Reap.')
  const result = messages.find(({ role }) => role === 'tool')
  assert.deepEqual(JSON.parse(String(result?.content)).progress, { percent: 100, completed: 2, total: 2 })
})
