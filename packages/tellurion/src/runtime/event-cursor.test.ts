// Reading the events of a run: from any number that is one, and from nothing else.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import type { RunHandle } from './run-handle.ts'
import { createRuntime } from './runtime.ts'

async function numbers(run: RunHandle, after: number): Promise<(number | undefined)[]> {
  const seen: (number | undefined)[] = []
  for await (const { seq } of run.events({ after })) seen.push(seq)
  return seen
}

for (const material of materials) {
  describe(`the events of a run on ${material}`, () => {
    test('are read from any number, also one that is not there yet', async () => {
      const agent = new Agent({ name: 'a', model: scriptedModel(['ok']) })
      await using runtime = await createRuntime({ store: backendPlace(material), agents: [agent] })
      const run = await runtime.submit('a', 'go')
      await run.result()
      const { events } = await run.record()
      const all = Array.from({ length: events }, (_, index) => index + 1)
      for (let after = 0; after <= events + 1; after++) assert.deepEqual(await numbers(run, after), all.slice(after))
      assert.deepEqual(await numbers(run, Number.MAX_SAFE_INTEGER), [])
      assert.deepEqual(await run.log({ after: Number.MAX_SAFE_INTEGER }), [])
    })

    test('are not read after what is no number of one', async () => {
      const agent = new Agent({ name: 'a', model: scriptedModel(['ok']) })
      await using runtime = await createRuntime({ store: backendPlace(material), agents: [agent] })
      const run = await runtime.submit('a', 'go')
      await run.result()
      for (const after of [-1, Number.NaN, 1.5, Infinity, -Infinity, 2 ** 53, '2', null] as number[]) {
        const refused = { code: 'invalid_option', message: /after must be the number of an event, from 0/ }
        await assert.rejects(numbers(run, after), refused, String(after))
        await assert.rejects(run.log({ after }), refused, String(after))
      }
    })
  })
}
