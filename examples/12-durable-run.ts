// A run outlives its process: a worker is killed in the middle of a call, another one goes on without repeating what was
// done, a third process answers, and the past is forked. By hand: start it with `work runs.db` and SECONDS=60, kill -9
// it while it packs, start it again. (ECS-15, ECS-58, ECS-60)

import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, tool } from 'tellurion'
import { createRuntime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { scriptedModel } from 'tellurion/testing'

const [role, file = join(mkdtempSync(join(tmpdir(), 'move-')), 'runs.db')] = process.argv.slice(2)
const pack = tool({
  description: 'Pack a box',
  inputSchema: { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] } as const,
  effects: { mode: 'write', repeat: 'keyed' }, // at work when its process dies, it begins again under the same key
  async execute({ what }) {
    console.log(`packing ${what}`)
    await pause(Number(process.env['SECONDS'] ?? 0.5) * 1000)
  },
})
const drive = tool({ description: 'Go', inputSchema: { type: 'object' }, needsApproval: true, execute: () => 'gone' })
const calls = ['books', 'glass'].map((what) => ({ toolName: 'pack', input: { what } }))
const model = scriptedModel(({ messages }) => {
  if (messages.at(-1)?.content === 'No, stay') return 'We stay.'
  const call = [...calls, { toolName: 'drive', input: {} }][[...messages].filter((each) => each.role === 'tool').length]
  return call === undefined ? 'Moved.' : { calls: [call] }
})
const agents = [new Agent({ name: 'mover', model, tools: { pack, drive } })]
const patience = { lease: 600, heartbeat: 200 }
const runtime = await createRuntime({ store: sqlite(file), agents, work: role === 'work', patience })
const [record] = await runtime.runs()
const run = record === undefined ? await runtime.submit('mover', 'Move house') : runtime.run(record.id)

if (role === 'work') process.once('SIGTERM', () => void runtime.close())
else {
  const work = [...process.execArgv, import.meta.filename, 'work', file]
  const first = spawn(process.execPath, work, { stdio: 'inherit' })
  for await (const { type } of run.events()) if (type === 'tool.ended') break
  await pause(250)
  first.kill('SIGKILL')
  const second = spawn(process.execPath, work, { stdio: 'inherit' })
  const [question] = (await run.result()).interactions
  console.log(question?.prompt)
  await runtime.interactions.answer(question?.id ?? '', 'approve', { by: 'ada' })
  console.log((await run.result()).text)
  const fork = await run.fork({ tick: 2, input: 'No, stay' })
  console.log((await fork.result()).text, 'Not undone:', fork.outsideEffects[0]?.toolName)
  second.kill('SIGTERM')
  await runtime.close()
}
// prints: packing books
// prints: packing glass
// prints: packing glass
// prints: Allow drive with {}?
// prints: Moved.
// prints: We stay. Not undone: drive
