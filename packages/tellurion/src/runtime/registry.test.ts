import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { TellurionError } from '../error/error.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import type { AgentRuntime } from './agent-runtime.ts'
import { Registry } from './registry.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const other: AgentRuntime = { key: 'other', run: async () => ({ output: null }) }
const guide = new Agent({ name: 'guide', model: scriptedModel([]) })

describe('a registry', () => {
  test('knows agents of both makes by their keys, in order', () => {
    const registry = new Registry([guide])
    registry.register(other)
    assert.deepEqual(registry.keys(), ['guide', 'other'])
    assert.equal(registry.get('other'), other)
    assert.equal(registry.find('guide'), guide)
    assert.equal(registry.find('gide'), undefined)
    assert.throws(() => registry.get('gide'), /Did you mean 'guide'/)
  })

  test('takes agents out, one or all', () => {
    const registry = new Registry([guide, other])
    assert.equal(registry.unregister('guide'), true)
    assert.equal(registry.unregister('guide'), false)
    assert.deepEqual(registry.keys(), ['other'])
    registry.clear()
    assert.throws(() => registry.get('other'), code('unknown_agent'))
  })

  test('says of an agent that another copy of the library made what is wrong with it', () => {
    // What the class of another copy makes: the same members, and another identity.
    const foreign = Object.create(null, Object.getOwnPropertyDescriptors(Agent.prototype)) as Agent
    Object.defineProperty(foreign, 'name', { value: 'guide' })
    assert.throws(() => new Registry([foreign]), /agent 'guide' was made by another copy of tellurion.*npx tellurion/)
    assert.throws(() => new Registry([1 as never, guide]), /agents takes agents/)
  })

  test('refuses what is no agent, a second one of a name, and tools that are none', () => {
    const registry = new Registry([other])
    assert.throws(() => registry.register({ ...other }), code('duplicate_name'))
    assert.throws(() => registry.register({ ...other, key: 'a b' }), code('invalid_name'))
    assert.throws(() => registry.register({ key: 'x' } as never), code('invalid_option'))
    assert.throws(() => registry.register(undefined as never), code('invalid_option'))
    assert.throws(
      () => registry.register({ ...other, key: 'x', tools: { t: () => 1 } as never }),
      code('invalid_option'),
    )
    assert.deepEqual(registry.keys(), ['other'])
  })
})
