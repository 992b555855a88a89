import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { TellurionError } from '../error/error.ts'
import { failure } from '../model/failure.ts'
import type { AgentRuntime } from '../runtime/agent-runtime.ts'
import { tool } from '../tool/tool.ts'
import { runAgentTest } from './run-agent.ts'
import { createTestContext } from './run-context.ts'
import { scriptedModel } from './scripted-model.ts'

const ping = tool({ description: 'Answers', inputSchema: z.object({}), effects: 'read', execute: () => 'pong' })

describe('runAgentTest with an Agent', () => {
  test('gathers the result, the events and the tools', async () => {
    const model = scriptedModel([{ calls: [{ toolName: 'ping', input: {} }] }, 'done'], { chunkSize: 2 })
    const { result, error, events, toolCalls } = await runAgentTest(
      new Agent({ name: 'a', model, tools: { ping } }),
      'go',
    )
    assert.equal(result.text, 'done')
    assert.equal(error, undefined)
    assert.deepEqual(toolCalls, ['ping'])
    assert.equal(events[0]?.type, 'run.started')
    assert.equal(events.filter((event) => event.type === 'text.delta').length, 2)
    assert.equal(events.at(-1)?.type, 'run.succeeded')
  })

  test('a failed run is an outcome, a misspelled one is not', async () => {
    const agent = new Agent({ name: 'a', model: scriptedModel([failure('permission', 'no')]) })
    const { result, error } = await runAgentTest(agent, 'go')
    assert.equal(result.status, 'failed')
    assert.equal(error?.code, 'model_permission')
    await assert.rejects(runAgentTest(agent, 'go', { abort: true } as never), /abortSignal|Known/)
  })
})

describe('runAgentTest with an agent of any make', () => {
  const counting: AgentRuntime = {
    key: 'counting',
    async run({ input, tools, emit, checkpoint, signal }) {
      if (signal.aborted) throw new Error('cancelled')
      emit({ type: 'counting.began', input })
      await checkpoint({ at: 1 })
      const { content } = await tools.execute('ping', {})
      return { output: `${String(input)} ${String(content)}` }
    },
  }

  test('records what it emits and keeps', async () => {
    const { result, context } = await runAgentTest(counting, { input: 'hello', tools: { ping } })
    assert.equal(result.output, 'hello pong')
    assert.deepEqual(context.events, [{ type: 'counting.began', input: 'hello' }])
    assert.deepEqual(context.checkpoints, [{ at: 1 }])
    assert.deepEqual(context.messages, [{ role: 'user', content: 'hello' }])
  })

  test('a throw is a failed result', async () => {
    const broken: AgentRuntime = { key: 'broken', run: () => Promise.reject(new Error('no')) }
    assert.deepEqual((await runAgentTest(broken)).result.error, { code: 'run_failed', message: 'no', retryable: false })
  })

  test('the context refuses what is not JSON, and cancels', async () => {
    const context = createTestContext()
    const refused = (error: unknown) => (error as TellurionError).code === 'invalid_value'
    assert.throws(() => context.emit({ type: 'x', at: new Date() }), refused)
    assert.throws(() => context.checkpoint({ at: Number.NaN }), refused)
    assert.equal(context.signal.aborted, false)
    context.cancel()
    assert.equal(context.signal.aborted, true)
    const { result } = await runAgentTest({ key: 'k', run: () => counting.run(context) })
    assert.match(result.error?.message ?? '', /cancelled/)
  })
})
