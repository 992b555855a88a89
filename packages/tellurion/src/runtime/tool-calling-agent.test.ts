import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import { failure } from '../model/failure.ts'
import type { JsonObject } from '../schema/json.ts'
import { backendPlace } from '../testing/backends.node.ts'
import { createTestContext, type TestContextOptions } from '../testing/run-context.ts'
import { scriptedModel, type Script } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { createRuntime } from './runtime.ts'
import { executeWithEvents, toolCallingAgent } from './tool-calling-agent.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const call = (toolName: string, input: JsonObject, toolCallId = toolName) => ({
  toolCallId,
  toolName,
  input,
})
const empty = z.object({})

function bench(
  script: readonly Script[],
  execute: () => unknown = () => 'gone',
): {
  readonly model: ReturnType<typeof scriptedModel>
  readonly agent: ReturnType<typeof toolCallingAgent>
  readonly tools: NonNullable<TestContextOptions['tools']>
} {
  const model = scriptedModel(script)
  const tools = {
    read: tool({
      description: 'Reads',
      inputSchema: z.object({ n: z.number() }),
      effects: 'read',
      execute: ({ n }) => n,
    }),
    drop: tool({
      description: 'Drops',
      inputSchema: empty,
      effects: { mode: 'write', repeat: 'safe' },
      needsApproval: true,
      execute,
    }),
    send: tool({ description: 'Sends', inputSchema: empty, execute }),
  }
  return { model, tools, agent: toolCallingAgent({ key: 'clerk', model, tools, instructions: 'Be brief.' }) }
}

describe('a tool calling agent', () => {
  test('asks, performs and asks again; each call has its one result, in call order', async () => {
    const { model, agent, tools } = bench([
      { calls: [call('read', { n: 1 }, 'a'), call('read', { n: 'x' }, 'b'), call('gone', {}, 'c')] },
      'Done.',
    ])
    const context = createTestContext({ input: 'go', tools })
    assert.deepEqual(await agent.run(context), { output: 'Done.' })
    assert.deepEqual(
      context.messages.map((message) => (message.role === 'tool' ? message.toolCallId : message.role)),
      ['user', 'assistant', 'a', 'b', 'c', 'assistant'],
    )
    assert.equal(model.requests[0]?.system, 'Be brief.')
    assert.equal(model.requests[0]?.tools?.length, 3)
    const ended = context.events.filter(({ type }) => type === 'tool.ended')
    assert.deepEqual(
      ended.map((event) => [event['toolCallId'], event['isError'], event['code']]),
      [
        ['a', false, undefined],
        ['b', true, 'tool_input_invalid'],
        ['c', true, 'unknown_tool'],
      ],
    )
  })

  test('goes on in the middle of a batch: what has a result is not performed again', async () => {
    const { agent, tools, model } = bench(['Done.'])
    const context = createTestContext({
      tools,
      messages: [
        { role: 'user', content: 'go' },
        {
          role: 'assistant',
          content: [
            { type: 'tool-call', toolCallId: 'a', toolName: 'read', input: { n: 1 } },
            { type: 'tool-call', toolCallId: 'b', toolName: 'read', input: { n: 2 } },
          ],
        },
        { role: 'tool', toolCallId: 'a', toolName: 'read', content: 'kept' },
      ],
    })
    await agent.run(context)
    assert.deepEqual(
      context.messages.slice(2, 4).map(({ content }) => content),
      ['kept', '2'],
    )
    assert.equal(model.requests.length, 1)
  })

  test('asks a person before a call that needs it', async () => {
    for (const [answer, ran] of [
      ['approve', 1],
      ['deny', 0],
    ] as const) {
      let count = 0
      const { agent, tools } = bench([{ calls: [call('drop', {})] }, 'Done.'], () => void count++)
      const first = createTestContext({ input: 'go', tools })
      await assert.rejects(agent.run(first), code('aborted'))
      const { id = '', choices } = first.questions[0] ?? {}
      assert.deepEqual(choices, ['approve', 'deny'])
      const second = createTestContext({ tools, resumes: first, answers: { [id]: answer } })
      assert.equal((await agent.run(second)).output, 'Done.')
      assert.equal(count, ran)
      assert.match(String(second.messages.at(-2)?.content), answer === 'deny' ? /denied/ : /nothing/)
    }
  })

  test('never repeats by itself a call whose outcome is unknown', async () => {
    let count = 0
    const { agent, tools } = bench([{ calls: [call('send', {})] }, 'Done.'], () => {
      count++
      // The process dies here.
      first.cancel()
      return 'sent'
    })
    const first = createTestContext({ input: 'go', tools })
    await assert.rejects(agent.run(first))
    const second = createTestContext({ tools, resumes: first })
    await assert.rejects(agent.run(second))
    assert.match(second.questions[0]?.prompt ?? '', /outcome of send is unknown/)
    const again = createTestContext({ tools, resumes: second, answers: { [second.questions[0]?.id ?? '']: 'run' } })
    assert.equal((await agent.run(again)).output, 'Done.')
    assert.equal(count, 2)
    const failed = createTestContext({ tools, resumes: first, answers: { [second.questions[0]?.id ?? '']: 'failed' } })
    const { agent: other } = bench(['Done.'])
    assert.equal((await other.run(failed)).output, 'Done.')
    assert.equal(count, 2)
    assert.match(String(failed.messages.at(-2)?.content), /unknown/)
  })

  test('ends at its limit of steps, and with the error of its model', async () => {
    const endless = scriptedModel(Array.from({ length: 9 }, () => ({ calls: [call('gone', {})] })))
    const bounded = toolCallingAgent({ key: 'k', model: endless, maxSteps: 3 })
    assert.equal((await bounded.run(createTestContext({ input: 'go' }))).error?.code, 'run_limit')
    assert.equal(endless.requests.length, 3)
    const broken = bench([failure('authentication', 'bad key')])
    await assert.rejects(broken.agent.run(createTestContext({ input: 'go' })), code('model_authentication'))
    assert.throws(() => toolCallingAgent({ key: 'k', model: endless, maxStep: 1 } as never), /maxSteps/)
  })

  test('is run durably: usage counts, text streams, a failure that may pass is tried again', async () => {
    const { agent } = bench([failure('network', 'gone'), { calls: [call('read', { n: 1 })] }, 'Hello'])
    await using runtime = await createRuntime({
      store: backendPlace('memory'),
      agents: [agent],
      retry: { initialWait: 1, maxWait: 1 },
    })
    const run = await runtime.submit('clerk', 'Hi')
    const types: string[] = []
    for await (const event of run.events()) types.push(event.type)
    const result = await run.result()
    assert.equal(result.text, 'Hello')
    assert.equal(result.steps, 2)
    assert.ok(result.usage.totalTokens > 0)
    assert.ok(types.includes('text.delta') && types.includes('run.retrying'))
    assert.equal((await run.record()).usage?.totalTokens, result.usage.totalTokens)
  })

  test('executeWithEvents tells of one call', async () => {
    const { tools } = bench([])
    const context = createTestContext({ tools })
    const part = { type: 'tool-call', toolCallId: 'x', toolName: 'read', input: { n: 7 } } as const
    assert.equal((await executeWithEvents(context, part)).content, '7')
    assert.deepEqual(context.events, [
      { type: 'tool.called', toolCallId: 'x', toolName: 'read', input: { n: 7 } },
      { type: 'tool.ended', toolCallId: 'x', toolName: 'read', content: '7', isError: false },
    ])
  })
})
