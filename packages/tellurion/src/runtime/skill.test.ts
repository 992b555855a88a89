// Skills of a stored session: it is told of those that its agent has now.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { defineSkill, type Skill } from '../agent/skill.ts'
import { skillTools } from '../agent/skill-tool.ts'
import { backendPlace } from '../testing/backends.node.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { createRuntime } from './runtime.ts'

const poem = defineSkill({ name: 'poem', description: 'Writes poems.', instructions: 'Rhyme.' })
const tune = defineSkill({ name: 'tune', description: 'Hums.', instructions: 'Hum.' })

function bard(skills: readonly Skill[], ...replies: ScriptedReply[]) {
  const model = scriptedModel(replies)
  return { model, agent: new Agent({ name: 'bard', model, tools: { ...skillTools(skills) } }) }
}

test('a stored session reads skills, and is told of those that came since', async () => {
  const store = backendPlace('sqlite')
  const reads = { calls: [{ toolName: 'readSkill', input: { name: 'poem' } }] }
  const before = bard([poem], reads, 'Roses.')
  const first = await createRuntime({ store, agents: [before.agent] })
  const { messages, text } = await first.session('bard', { id: 's' }).generate('A poem!')
  assert.deepEqual([messages.find(({ role }) => role === 'tool')?.content, text], ['Rhyme.', 'Roses.'])
  await first.close()
  const now = bard([tune, poem], 'Hm.')
  await using second = await createRuntime({ store, agents: [now.agent] })
  await second.session('bard', { id: 's' }).generate('A tune!')
  assert.match(now.model.requests[0]?.system ?? '', /- tune: Hums\.\n- poem: Writes poems\.$/)
})
