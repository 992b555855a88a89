import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { planAndExecute } from '../agent/plan-and-execute.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'

test('a durable plan goes on where its process was stopped, between two steps', async () => {
  const place = memory()
  let backend: Awaited<ReturnType<typeof place>> | undefined
  const store: typeof place = async (options) => (backend ??= { ...(await place(options)), close: async () => {} })
  const done: string[] = []
  let stop: (() => void) | undefined
  const planner = scriptedModel(['["a","b","c"]'])
  const worker = scriptedModel(async ({ messages }) => {
    const step = String(messages.at(-1)?.content)
    if (step.endsWith('b') && stop !== undefined) {
      stop()
      await new Promise(() => {})
    }
    done.push(step)
    return `did ${step}`
  })
  const agents = [new Agent({ name: 'a', model: worker, systems: planAndExecute({ planner, replan: false }) })]
  const first = await createRuntime({ store, agents, patience: { grace: 0 } })
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  const { id } = await first.submit('a', 'go')
  await stopped
  stop = undefined
  await first.close()
  await using second = await createRuntime({ store, agents })
  const result = await second.run(id).result()
  assert.equal(result.text, 'did Step 3/3: c')
  assert.deepEqual(done, ['Step 1/3: a', 'Step 2/3: b', 'Step 3/3: c'])
  assert.equal(planner.calls, 1)
})
