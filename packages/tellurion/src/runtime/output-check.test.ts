import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import type { Schema } from '../schema/infer.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'
import type { SubmitOptions } from './runtime-options.ts'

const said = 'b'
const own = new Agent({ name: 'own', model: scriptedModel(() => JSON.stringify(said)) })
const foreign: AgentRuntime = { key: 'foreign', run: () => Promise.resolve({ output: said }) }
const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

async function outcome(agent: string, output: Schema, outputCheck?: SubmitOptions['outputCheck']): Promise<unknown> {
  const runtime = await createRuntime({ store: memory(), agents: [own, foreign] })
  closing.push(() => runtime.close())
  const run = await runtime.submit(agent, 'x', { output, ...(outputCheck === undefined ? {} : { outputCheck }) })
  return run.result().then(
    (result) => result.output,
    (error: unknown) => (error as { code: string }).code,
  )
}

for (const agent of ['own', 'foreign'])
  describe(`the output of an agent of ${agent === 'own' ? 'this library' : 'another'}`, () => {
    for (const output of [{ type: 'string', pattern: '^a$' }, z.string().regex(/^a$/)] satisfies Schema[]) {
      const kind = 'type' in output && !('parse' in output) ? 'a JSON Schema' : 'another schema'

      test(`is checked as a whole with ${kind} of the program`, async () => {
        assert.equal(await outcome(agent, output), 'output_invalid')
        assert.equal(await outcome(agent, output, 'whole'), 'output_invalid')
      })

      test(`is checked without patterns with ${kind} of a stranger`, async () => {
        assert.equal(await outcome(agent, output, 'bounded'), said)
      })
    }

    test('is checked all the same with a schema of a stranger', async () => {
      assert.equal(await outcome(agent, { type: 'integer' }, 'bounded'), 'output_invalid')
    })
  })

test('only two checks are known', async () => {
  await assert.rejects(outcome('own', { type: 'string' }, 'none' as 'whole'), {
    code: 'invalid_option',
    message: /outputCheck is 'whole' or 'bounded', not "none"/,
  })
})
