// A coding agent on a folder: it reads, searches and edits by anchors, and all it did is undone from its messages. What it
// may touch is one folder, whatever it asks for. (LOOM-13, LOOM-53, LOOM-61)

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel, type Script } from 'tellurion/testing'
import { createWorkspace, fileTools, undoEdits } from 'tellurion/workspace'

const root = mkdtempSync(join(tmpdir(), 'project-'))
mkdirSync(join(root, 'src'))
writeFileSync(join(root, 'src/price.ts'), 'export function price(net: number): number {\n  return net * 1.16\n}\n')
const before = readFileSync(join(root, 'src/price.ts'), 'utf8')

const call = (toolName: string, input: Record<string, unknown>) => ({ calls: [{ toolName, input: input as never }] })
const script = scriptedModel([
  call('grepFiles', { pattern: String.raw`\b1\.16\b` }),
  // The anchor comes from what the search has shown.
  (({ messages }) => {
    const [, at] = /:(\d+:\w{4})\|/.exec(String(messages.at(messages.length - 1)?.content)) ?? []
    return call('editFile', { path: 'src/price.ts', edits: [{ at, text: '  return net * 1.19' }] })
  }) satisfies Script,
  call('readFile', { path: '../../etc/passwd' }),
  call('writeFile', { path: 'CHANGES.md', content: '- The tax is 19 %.\n' }),
  'The tax is 19 % now.',
])

const workspace = createWorkspace({ root, hidden: ['.env*'] })
const coder = new Agent({
  name: 'coder',
  model: modelFromEnv() ?? script,
  instructions: 'You change code with your tools. Search first, then edit by the anchors you were shown.',
  tools: { ...fileTools(workspace) },
})
const session = coder.session()
const { text } = await session.generate('The tax rate in src is 19 % now, not 16 %. Note it in CHANGES.md.')
for (const { role, content } of session.messages) if (role === 'tool') console.log(String(content).split('\n', 1)[0])
// prints: src/price.ts:2:
// prints: Edited src/price.ts, now of 3 lines.
// prints: write the path without '..', from the root of the workspace on
// prints: Wrote CHANGES.md
console.log(text)
// prints: The tax is 19 % now.

const { undone, refused } = await undoEdits(workspace, session.messages, { artifacts: session.artifacts })
for (const { path, action } of undone) console.log(path, action)
// prints: CHANGES.md deleted
// prints: src/price.ts restored
console.log(refused.length, readFileSync(join(root, 'src/price.ts'), 'utf8') === before)
// prints: 0 true
rmSync(root, { recursive: true })
