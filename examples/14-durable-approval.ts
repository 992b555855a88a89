// Approval across a restart: a call waits for a person in the store, not in a process. Days later another process asks
// what is open, answers, and the run goes on; the answer is good for exactly these arguments, once. (ECS-105, ECS-58, ECS-79)

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, tool } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'
import { createRuntime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { scriptedModel } from 'tellurion/testing'
import { z } from 'zod'

const folder = mkdtempSync(join(tmpdir(), 'approval-'))

/** What each process of this program does first. */
const openRuntime = () => {
  const pay = tool({
    description: 'Pay an invoice',
    inputSchema: z.object({ to: z.string(), euros: z.number() }),
    needsApproval: true,
    // A service that is given the key twice pays once.
    effects: { mode: 'write', repeat: 'keyed', paths: ({ to }) => [to] },
    execute: ({ to, euros }) => `paid ${euros} euros to ${to}`,
  })
  const script = scriptedModel(({ messages }) =>
    messages.at(-1)?.role === 'tool'
      ? `Done: ${String(messages.at(-1)?.content)}.`
      : { calls: [{ toolName: 'pay', input: { to: 'ada', euros: 40 } }] },
  )
  const agent = new Agent({ name: 'clerk', model: modelFromEnv() ?? script, tools: { pay } })
  return createRuntime({ store: sqlite(join(folder, 'runs.db')), agents: [agent] })
}

// Monday, one process.
const monday = await openRuntime()
const { id } = await monday.submit('clerk', 'Pay what we owe Ada')
console.log((await monday.run(id).result()).status)
// prints: waiting
await monday.close()

// Thursday, another one.
await using thursday = await openRuntime()
const [open] = await thursday.interactions.list({ agent: 'clerk' })
console.log(open?.prompt)
// prints: Allow pay with {"euros":40,"to":"ada"}?
if (open !== undefined) await thursday.interactions.answer(open.id, 'approve', { by: 'grace' })
const late = thursday.interactions.answer(open?.id ?? '', 'deny')
await late.catch((error: { code: string }) => console.log(error.code))
// prints: unknown_interaction

for await (const event of thursday.run(id).events()) if (event.type === 'tool.approved') console.log(`by ${event.by}`)
// prints: by grace
console.log((await thursday.run(id).result()).text)
// prints: Done: paid 40 euros to ada.
rmSync(folder, { recursive: true })
