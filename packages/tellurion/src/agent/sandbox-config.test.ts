import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOf, type ToolMessage } from '../message/message.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool, type ToolContext, type ToolLimits } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import { SandboxConfig } from './component.ts'

/** One call of a tool by an entity that has these limits; without any, by one that has none. */
async function callUnder(
  limits: ToolLimits | undefined,
  execute: (context: ToolContext) => unknown,
): Promise<ToolMessage> {
  const work = tool({
    description: 'Works',
    inputSchema: { type: 'object' },
    execute: (_input, context) => execute(context),
  })
  const model = scriptedModel([{ calls: [{ toolName: 'work', input: {} }] }, 'done'])
  const chat = new Agent({ name: 'a', model, tools: { work } }).session()
  if (limits !== undefined) chat.world.set(chat.entity, SandboxConfig, limits)
  const { messages } = await chat.generate('go')
  return messages.find(({ role }) => role === 'tool') as ToolMessage
}

describe('SandboxConfig', () => {
  test('is told to the tool, and nothing where there is none', async () => {
    const seen: unknown[] = []
    const look = ({ limits }: ToolContext): string => (seen.push(limits), 'ok')
    await callUnder({ timeout: 5_000, memory: 1 << 26, maxOutput: 500 }, look)
    await callUnder(undefined, look)
    assert.deepEqual(seen, [{ timeout: 5_000, memory: 1 << 26, maxOutput: 500 }, undefined])
  })

  test('ends every tool at its time', async () => {
    const signals: AbortSignal[] = []
    const message = await callUnder({ timeout: 20 }, ({ abortSignal }) => {
      signals.push(abortSignal)
      return new Promise(() => {})
    })
    assert.equal(message.isError, true)
    assert.match(textOf(message), /did not end within 20 ms/)
    assert.equal(signals[0]?.aborted, true)
  })

  test('bounds every result, and keeps the whole as an artifact', async () => {
    const long = await callUnder({ maxOutput: 200 }, () => 'x'.repeat(5_000))
    assert.ok(textOf(long).startsWith('xxxx') && textOf(long).length < 500)
    const whole = await callUnder(undefined, () => 'x'.repeat(5_000))
    assert.equal(textOf(whole).length, 5_000)
  })
})
