import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import { react, reactSteps } from './react.ts'

const weather = tool({
  description: 'Weather',
  inputSchema: z.object({ place: z.string() }),
  effects: 'read',
  execute: ({ place }) => `${place}: rain`,
})
const asks = (...places: string[]) => places.map((place) => ({ toolName: 'weather', input: { place } }))

describe('react', () => {
  test('tells the model to think before it acts, and reads its thoughts, actions and observations', async () => {
    const model = scriptedModel([
      { text: 'I need both.', calls: asks('Oslo', 'Bergen') },
      { reasoning: 'One is missing.', calls: asks('Rome') },
      'Rain everywhere.',
    ])
    const agent = new Agent({ name: 'a', model, tools: { weather }, ...react({ instructions: 'Be brief.' }) })
    const { messages } = await agent.generate('Where does it rain?')
    assert.match(model.requests[0]?.system ?? '', /^Be brief\.\n\nWork in turns of thought, action and observation/)
    assert.deepEqual(reactSteps(messages), [
      {
        thought: 'I need both.',
        actions: [
          { toolName: 'weather', input: { place: 'Oslo' }, observation: 'Oslo: rain' },
          { toolName: 'weather', input: { place: 'Bergen' }, observation: 'Bergen: rain' },
        ],
      },
      {
        thought: 'One is missing.',
        actions: [{ toolName: 'weather', input: { place: 'Rome' }, observation: 'Rome: rain' }],
      },
      { thought: 'Rain everywhere.', actions: [] },
    ])
  })

  test('ends a turn that goes round in circles', async () => {
    const model = scriptedModel(() => ({ calls: asks('Oslo') }))
    const agent = new Agent({ name: 'a', model, tools: { weather }, ...react({ maxSteps: 3 }) })
    const result = await agent.generate('go')
    assert.equal(result.stopReason, 'stop_when')
    assert.equal(result.steps, 3)
  })

  test('takes instructions that are a function', async () => {
    const model = scriptedModel(['Hi.'])
    await new Agent({ name: 'a', model, ...react({ instructions: async () => 'It is noon.' }) }).generate('go')
    assert.match(model.requests[0]?.system ?? '', /^It is noon\.\n\nWork in turns/)
  })

  test('shows what has no result yet, and passes over what died half-way', () => {
    assert.deepEqual(reactSteps([]), [])
    assert.deepEqual(
      reactSteps([
        { role: 'tool', toolCallId: 'x', toolName: 'y', content: 'stray' },
        { role: 'assistant', content: 'Half', partial: true },
        { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 'c', toolName: 'look', input: {} }] },
        { role: 'tool', toolCallId: 'other', toolName: 'look', content: 'foreign' },
      ]),
      [{ thought: '', actions: [{ toolName: 'look', input: {} }] }],
    )
  })

  test('refuses options that make no sense', () => {
    assert.throws(() => react({ maxSteps: 0 }), /positive integer/)
    assert.throws(() => react({ steps: 3 } as never), /no option 'steps'/)
  })
})
