// Approval: a call that a rule gives to a person waits, as an ordinary result. The answer is good for exactly the
// arguments that were shown; a denial is something the model reads and works around. (ECS-87)

import { Agent, tool } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'
import { z } from 'zod'

const files = new Set(['app.log', 'old.log', 'notes.md'])

const list = tool({
  description: 'List the files',
  inputSchema: z.object({}),
  effects: 'read',
  execute: () => [...files],
})

const remove = tool({
  description: 'Delete a file',
  inputSchema: z.object({ name: z.string() }),
  effects: { mode: 'write', paths: ({ name }) => [name], risk: ['destructive'] },
  execute: ({ name }) => (files.delete(name) ? `deleted ${name}` : `there is no ${name}`),
})

const script = scriptedModel([
  { calls: [{ toolName: 'list', input: {} }] },
  {
    calls: ['app.log', 'old.log', 'notes.md'].map((name) => ({ toolName: 'remove', input: { name } })),
  },
  'One log is gone.',
])

const janitor = new Agent({
  name: 'janitor',
  tools: { list, remove },
  // The first rule that matches decides; a call that none matches is denied.
  approval: [{ allow: 'list' }, { ask: 'remove', where: { name: '*.log' } }],
  model: modelFromEnv() ?? script,
})

const chat = janitor.session()
let result = await chat.generate('Clean up')

while (result.status === 'waiting') {
  const [interaction] = result.interactions
  if (interaction === undefined) break
  console.log(interaction.prompt)
  const { name } = interaction.input as { name: string }
  const answer = name === 'old.log' ? 'approve' : { deny: 'it is still in use' }
  result = await chat.answer(interaction.id, answer, { by: 'ada' })
}
// prints: Allow remove with {"name":"app.log"}?
// prints: Allow remove with {"name":"old.log"}?

for (const message of chat.messages) if (message.role === 'tool') console.log(message.content)
// prints: it is still in use
// prints: deleted old.log
// prints: no approval rule allows
console.log(result.text, [...files].join(' '))
// prints: One log is gone. app.log notes.md
