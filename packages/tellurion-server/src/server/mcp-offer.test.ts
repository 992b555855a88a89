import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Agent, tool } from 'tellurion'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createMcpServer } from './mcp-server.ts'

const look = tool({ description: 'Looks', inputSchema: { type: 'object', properties: {} }, execute: () => 1 })
const prompt = { description: 'x', render: () => 'x' }
const resource = { name: 'x', mediaType: 'text/plain', read: () => 'x' }

describe('what an MCP server offers is checked when it is made', () => {
  const wrong: readonly [string, object, RegExp][] = [
    ['an unknown option', { offers: {} }, /no option 'offers'/],
    ['an unknown part', { offer: { tool: {} } }, /offers no 'tool'/],
    ['an agent without a runtime', { offer: { agents: ['guide'] } }, /'guide' needs a runtime/],
    ['a tool that is none', { offer: { tools: { a: {} } } }, /tool 'a'/],
    ['two tools of one name', { offer: { tools: [{ look }, { look }] } }, /two tools named 'look'/],
    ['a prompt without words', { offer: { prompts: { a: { description: 'x' } } } }, /prompt 'a' needs/],
    ['a prompt without a name', { offer: { prompts: { 'a b': prompt } } }, /prompt 'a b' needs/],
    ['a person that is neither', { offer: { askClient: 'yes' } }, /askClient must be true or false/],
    ['a resource without an address', { offer: { resources: { notes: resource } } }, /resource 'notes' needs/],
    ['a resource with half a parameter', { offer: { resources: { 'notes://{a': resource } } }, /needs an address/],
    [
      'a resource with a parameter of two words',
      { offer: { resources: { 'n://{a b}': resource } } },
      /needs an address/,
    ],
    ['a resource with parameters that touch', { offer: { resources: { 'n://{a}{b}': resource } } }, /needs an address/],
    ['a resource that cannot be read', { offer: { resources: { 'n://a': { name: 'x' } } } }, /needs an address/],
    ['a cap that is not there', { offer: {}, limits: { mcp: 1 } }, /limits has no 'mcp'/],
  ]
  for (const [what, options, message] of wrong)
    test(what, () => {
      assert.throws(() => createMcpServer({ offer: {}, ...options } as never), message)
    })

  test('agents and tools share their names', async () => {
    const agents = ['look', 'getRun'].map((name) => new Agent({ name, model: scriptedModel([]) }))
    const runtime = await createRuntime({ store: memory(), agents, work: false })
    try {
      const offers = [{ tools: { look } }, { tools: { cancelRun: look }, agents: ['look'] }, { agents: ['getRun'] }]
      for (const offer of offers) {
        assert.throws(() => createMcpServer({ offer, runtime }), { code: 'duplicate_tool' }, JSON.stringify(offer))
      }
      assert.throws(() => createMcpServer({ offer: { agents: ['lok'] }, runtime }), /Did you mean 'look'/)
      await createMcpServer({ offer: { tools: { getRun: look }, agents: [] }, runtime }).close()
      await createMcpServer({ offer: { agents: { look: 'Looks things up' } }, runtime }).close()
    } finally {
      await runtime.close()
    }
  })
})
