// Skills: folders with a SKILL.md that a model reads when it needs them. It is told of names and descriptions alone; the
// instructions and the files beside them are read on demand, and nothing in them is run. (LOOM-36)

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Agent } from 'tellurion'
import { defineSkill, loadSkills, skillTools } from 'tellurion/agent'
import { scriptedModel } from 'tellurion/testing'

const folder = mkdtempSync(join(tmpdir(), 'skills-'))
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
write(
  'invoices/SKILL.md',
  `---
name: invoices
description: >
  Writes invoices.
  Use it when somebody is to be billed.
license: MIT
---
1. Look up the rate in references/rates.md.
2. Multiply, and add nothing.
`,
)
write('invoices/references/rates.md', '95 euros an hour')
write('broken/SKILL.md', '---\nname: broken\ndescription: !!js/function "process.exit()"\n---\n')
symlinkSync('/etc', join(folder, 'invoices/etc'))

const found = await loadSkills(folder)
for (const { path, message } of found.problems) console.log(path.slice(folder.length + 1), message)
// prints: broken/SKILL.md line 3: a text that begins with '!' must be in quotes

const manners = defineSkill({ name: 'manners', description: 'How we write to customers.', instructions: 'Say please.' })
const read = (input: { name: string; file?: string }) => ({ calls: [{ toolName: 'readSkill', input }] })
const model = scriptedModel([
  read({ name: 'invoices' }),
  read({ name: 'invoices', file: 'references/rates.md' }),
  read({ name: 'invoices', file: 'etc/passwd' }),
  'Please pay 190 euros.',
])
const clerk = new Agent({ name: 'clerk', model, tools: { ...skillTools([...found.skills, manners]) } })
const { text, messages } = await clerk.generate('Bill Ada for two hours')

console.log(model.requests[0]?.system)
// prints: - invoices: Writes invoices. Use it when somebody is to be billed.
// prints: - manners: How we write to customers.
for (const message of messages) if (message.role === 'tool') console.log(message.content)
// prints: 1. Look up the rate in references/rates.md.
// prints: 95 euros an hour
// prints: has no file 'etc/passwd'
console.log(text)
// prints: Please pay 190 euros.
rmSync(folder, { recursive: true })
