import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tool, type Event } from 'tellurion'
import { virtualClock } from 'tellurion/testing'
import { createToolbox, decide, type Tools } from 'tellurion/tool'
import { createMetrics } from 'tellurion/trace'
import { createManualCalls, type AskedCall } from './manual-call.ts'

const inputSchema = { type: 'object', properties: {} } as const

function open(tools: Tools) {
  const toolbox = createToolbox(tools)
  const events: Event[] = []
  const clock = virtualClock()
  const metrics = createMetrics({ clock })
  const read = (event: Event): void => {
    events.push(event)
    metrics.read(event)
  }
  const manual = createManualCalls({ clock, read })
  let calls = 0
  const call = async (toolName: string, approved = true) => {
    const asked: AskedCall = { type: 'tool-call', toolCallId: `call_${++calls}`, toolName, input: {} }
    const decided = approved
      ? await decide(asked, { toolbox })
      : { decision: { verdict: 'deny', reason: 'no', by: 'a test' } as const }
    return manual.perform(asked, decided, { toolbox, user: 'ada' })
  }
  return { call, events, metrics }
}

describe('tool calls by hand', () => {
  test('are counted as those of runs are, with how they ended', async () => {
    const good = tool({ description: 'x', inputSchema, effects: 'read', execute: () => 'fine' })
    const bad = tool({
      description: 'x',
      inputSchema,
      execute: () => {
        throw new Error('no')
      },
    })
    const { call, events, metrics } = open({ good, bad })
    await Promise.all([call('good'), call('good'), call('bad'), call('good', false)])
    const { tools, toolCalls, errorCodes, errors } = metrics.summary()
    assert.deepEqual([toolCalls, errors, errorCodes], [4, 2, { tool_failed: 1, tool_denied: 1 }])
    assert.deepEqual([tools['good']?.calls, tools['good']?.errors, tools['bad']?.errors], [3, 1, 1])
    assert.equal(tools['good']?.duration.count, 3)
    assert.equal(events.length, 8)
  })

  test('keep to the effects of their tools among each other', async () => {
    const order: string[] = []
    const alone = tool({
      description: 'x',
      inputSchema,
      execute: async (_input, { toolCallId }) => {
        order.push(`${toolCallId} in`)
        await Promise.resolve()
        order.push(`${toolCallId} out`)
      },
    })
    const { call } = open({ alone })
    await Promise.all([call('alone'), call('alone')])
    assert.deepEqual(order, ['call_1 in', 'call_1 out', 'call_2 in', 'call_2 out'])
  })

  test('give the tool the key of the request, and else that of the call', async () => {
    const keys: string[] = []
    const key = tool({
      description: 'x',
      inputSchema,
      execute: (_input, context) => void keys.push(context.idempotencyKey),
    })
    const toolbox = createToolbox({ key })
    const manual = createManualCalls({ clock: virtualClock() })
    for (const idempotencyKey of [undefined, 'mine']) {
      const asked: AskedCall = { type: 'tool-call', toolCallId: 'call_1', toolName: 'key', input: {} }
      await manual.perform(asked, await decide(asked, { toolbox }), { toolbox, user: 'ada', idempotencyKey })
    }
    assert.deepEqual(keys, ['call_1', 'mine'])
  })
})
