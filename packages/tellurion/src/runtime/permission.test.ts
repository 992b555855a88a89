// Answers that stand for later calls: written down in a store of their own, from any process, across restarts.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { sqliteKeyValueFile } from '../store/sqlite/key-value-file.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { createPermissions, type Permissions } from '../tool/permission.ts'
import { tool } from '../tool/tool.ts'
import { sqlite } from './backend/sqlite/sqlite.ts'
import { createRuntime, type Runtime } from './runtime.ts'

const folder = mkdtempSync(join(tmpdir(), 'permission-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const store = sqlite(join(folder, 'runs.db'), { synchronous: 'normal' })

function payer(paid: string[], permissions?: Permissions): Agent {
  const pay = tool({
    description: 'Pays',
    inputSchema: z.object({ to: z.string() }),
    needsApproval: true,
    execute: ({ to }) => void paid.push(to),
  })
  const model = scriptedModel(({ messages }) => {
    const newest = messages.at(-1)!
    return newest.role === 'tool' ? 'Done.' : { calls: [{ toolName: 'pay', input: { to: String(newest.content) } }] }
  })
  const approval = permissions === undefined ? {} : { approval: { permissions } }
  return new Agent({ name: 'payer', model, tools: { pay }, ...approval })
}

async function settled(runtime: Runtime, to: string): Promise<string> {
  const run = await runtime.submit('payer', to)
  return (await run.result()).status
}

test('an answer from another process stands after a restart, until it is revoked', async () => {
  const paid: string[] = []
  const open = async () => {
    const keyValue = await sqliteKeyValueFile(join(folder, 'permissions.db'))
    const permissions = createPermissions({ keyValue })
    const runtime = await createRuntime({ store, agents: [payer(paid, permissions)] })
    return { permissions, runtime, close: async () => (await runtime.close(), keyValue.close()) }
  }
  const first = await open()
  const run = await first.runtime.submit('payer', 'ada')
  const [asked] = (await run.result()).interactions
  await first.close()

  // A process that knows neither the agent nor its permissions.
  const teller = await createRuntime({ store, agents: [], work: false })
  await assert.rejects(teller.interactions.answer(asked!.id, { always: 'approve', ttl: -5 }), /ttl/)
  await teller.interactions.answer(asked!.id, { always: 'approve', where: { to: 'a*' } }, { by: 'grace' })
  await teller.close()

  const second = await open()
  assert.equal((await second.runtime.run(run.id).result()).status, 'succeeded')
  assert.equal(await settled(second.runtime, 'alan'), 'succeeded')
  assert.equal(await settled(second.runtime, 'bob'), 'waiting')
  await second.close()

  const third = await open()
  const [granted] = await third.permissions.list()
  assert.deepEqual([granted?.by, granted?.where, granted?.tool], ['grace', { to: 'a*' }, 'pay'])
  assert.equal(await settled(third.runtime, 'anna'), 'succeeded')
  await third.permissions.revoke(granted!.id)
  assert.equal(await settled(third.runtime, 'alma'), 'waiting')
  assert.deepEqual(paid, ['ada', 'alan', 'anna'])
  await third.close()
})

test('where nobody keeps permissions the answer is refused, and good for one call when that was not known', async () => {
  const paid: string[] = []
  const runtime = await createRuntime({ store, agents: [payer(paid)] })
  const run = await runtime.submit('payer', 'eve')
  const [asked] = (await run.result()).interactions
  await assert.rejects(runtime.interactions.answer(asked!.id, { always: 'approve' }), { code: 'invalid_answer' })
  const teller = await createRuntime({ store, agents: [], work: false })
  await teller.interactions.answer(asked!.id, { always: 'approve' })
  await teller.close()
  const events = run.events()
  for await (const event of events) if (event.type === 'run.succeeded') break
  assert.equal((await run.result()).status, 'succeeded')
  assert.equal(await settled(runtime, 'eve'), 'waiting')
  assert.deepEqual(paid, ['eve'])
  await runtime.close()
})
