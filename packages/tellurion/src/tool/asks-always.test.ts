import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ToolCallPart } from '../message/message.ts'
import { createApproval } from './approval.ts'
import { decide, type DecideOptions, type Decision } from './decide.ts'
import { tool } from './tool.ts'
import { createToolbox } from './toolbox.ts'

const call: ToolCallPart = { type: 'tool-call', toolCallId: 'c1', toolName: 'launch', input: {} }

async function decisionOf(needsApproval: true | 'always', options: Partial<DecideOptions> = {}): Promise<Decision> {
  const launch = tool({
    description: 'd',
    inputSchema: { type: 'object' },
    needsApproval,
    execute: () => assert.fail('it ran'),
  })
  return (await decide(call, { toolbox: createToolbox({ launch }), ...options })).decision
}

const allowing: Partial<DecideOptions> = { approval: createApproval([{ allow: '*' }]) }
const granting: Partial<DecideOptions> = { permissions: { authorise: async () => ({ verdict: 'allow', by: 'ada' }) } }

describe("needsApproval: 'always'", () => {
  it('asks where a rule or an earlier answer would allow', async () => {
    for (const options of [{}, allowing, granting, { ...allowing, ...granting }]) {
      assert.equal((await decisionOf('always', options)).verdict, 'ask')
    }
    // The same with `true` is allowed: what is tested is the word.
    for (const options of [allowing, granting]) assert.equal((await decisionOf(true, options)).verdict, 'allow')
  })

  it('is denied by rules and by earlier answers all the same', async () => {
    const rule = createApproval([{ deny: '*' }])
    assert.equal((await decisionOf('always', { approval: rule })).verdict, 'deny')
    const denied = { verdict: 'deny', by: 'ada', reason: 'never' } as const
    assert.equal((await decisionOf('always', { permissions: { authorise: async () => denied } })).verdict, 'deny')
  })
})
