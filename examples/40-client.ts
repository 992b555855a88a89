// A client of a server: two programs, one of which serves runs, and one that asks for them, watches, is asked, and answers.
// Here both are in one file; the second knows nothing but an address and a token. (AT-61, AT-83, AT-26)

import { Agent, tool } from 'tellurion'
import { createClient } from 'tellurion/client'
import { modelFromEnv } from 'tellurion/model'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createServer } from 'tellurion-server/server'
import { z } from 'zod'

// The first program.
const remove = tool({
  description: 'Delete old logs',
  inputSchema: z.object({ olderThanDays: z.number() }),
  needsApproval: true,
  execute: ({ olderThanDays }) => `logs older than ${olderThanDays} days are gone`,
})
const script = scriptedModel(({ messages }) =>
  messages.at(-1)?.role === 'tool'
    ? `Done: ${String(messages.at(-1)?.content)}.`
    : { calls: [{ toolName: 'remove', input: { olderThanDays: 30 } }] },
)
const keeper = new Agent({ name: 'keeper', model: modelFromEnv() ?? script, tools: { remove } })
const runtime = await createRuntime({ store: memory(), agents: [keeper] })
const token = 'a-token-of-some-length'
const server = createServer({ runtime, identities: [{ user: 'ada', token, scopes: ['write'] }] })
const { url } = await server.listen()

// The second.
const client = createClient({ baseURL: url, token })
const turn = client.sessions.stream('housekeeping', 'Clean up')
let after = 0
for await (const event of turn) after = event.seq ?? after
const { run, status, interactions } = await turn.result()
console.log(status, interactions[0]?.prompt ?? '')
// prints: waiting Allow remove with {"olderThanDays":30}?

if (interactions[0] !== undefined) await client.interactions.answer(interactions[0].id, 'approve', { run })
for await (const event of client.runs.events(run, { after }))
  if (event.type === 'tool.approved') console.log(`by ${event.by}`)
// prints: by ada
console.log((await client.runs.result(run)).text)
// prints: Done: logs older than 30 days are gone.

// The same over a WebSocket, which goes on where it was when its connection breaks.
const socket = client.socket()
const { last } = await client.runs.ticks(run)
socket.send({ type: 'subscribe_tasks', run_id: run })
for await (const frame of socket) if (frame.type === 'task_completed') break
console.log(last > 0, socket.state)
// prints: true closed
await server.close()
