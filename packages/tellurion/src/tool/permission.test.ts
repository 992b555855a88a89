import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import { countedIds } from '../id/id.ts'
import type { ToolCallPart } from '../message/message.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { Json } from '../schema/json.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createApproval, type ApprovalRule } from './approval.ts'
import { decide, hashInput, type DecideOptions } from './decide.ts'
import type { Grant } from './grant.ts'
import { createPermissions } from './permission.ts'
import { tool } from './tool.ts'
import { createToolbox } from './toolbox.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

function setUp(options: { limit?: number } = {}) {
  const clock = virtualClock()
  const keyValue = memoryKeyValue({ clock })
  const permissions = createPermissions({ keyValue, clock, ids: countedIds(), ...options })
  return { clock, keyValue, permissions }
}

const runs = tool({
  description: 'Runs',
  inputSchema: z.object({ command: z.string(), times: z.number().default(1) }),
  needsApproval: true,
  execute: () => assert.fail('deciding must not run anything'),
})
const reads = tool({ description: 'Reads', inputSchema: z.object({}), effects: 'read', execute: () => 1 })
const writes = tool({ description: 'Writes', inputSchema: z.object({}), effects: 'write', execute: () => 1 })
const toolbox = createToolbox({ shell: runs, shell_admin: runs, reads, writes })

function call(toolName: string, input: Json = { command: 'git status' }): ToolCallPart {
  return { type: 'tool-call', toolCallId: 'c', toolName, input }
}

async function verdict(part: ToolCallPart, options: Omit<DecideOptions, 'toolbox'>): Promise<string> {
  const { decision } = await decide(part, { toolbox, ...options })
  if (decision.verdict === 'reject') return decision.code
  const permission = 'permission' in decision ? `, ${decision.permission}` : ''
  return `${decision.verdict} by ${decision.by}${permission}`
}

describe('permissions', () => {
  test('stand for calls of a tool, by name and by arguments, with who granted them', async () => {
    const { clock, permissions } = setUp()
    const granted = await permissions.grant({ allow: 'shell', where: { command: 'git *' }, by: 'ada' })
    assert.deepEqual(granted, {
      id: 'permission_1',
      verdict: 'allow',
      tool: 'shell',
      where: { command: 'git *' },
      by: 'ada',
      at: clock.now(),
    })
    assert.deepEqual(await permissions.list(), [granted])
    assert.equal(await verdict(call('shell'), { permissions }), 'allow by ada, permission_1')
    assert.equal(await verdict(call('shell', { command: 'rm -rf' }), { permissions }), 'ask by needsApproval')
    assert.equal(await verdict(call('shell_admin'), { permissions }), 'ask by needsApproval')
    assert.equal(await permissions.revoke('permission_1'), true)
    assert.equal(await verdict(call('shell'), { permissions }), 'ask by needsApproval')
    assert.equal(await permissions.revoke('permission_1'), false)
  })

  test('see the input as the tool will get it', async () => {
    const { permissions } = setUp()
    await permissions.grant({ allow: '*', where: { times: 1 }, by: 'ada' })
    assert.match(await verdict(call('shell'), { permissions }), /^allow/)
    assert.match(await verdict(call('shell', { command: 'x', times: 2 }), { permissions }), /^ask/)
  })

  test('can be bound to the very arguments, in which a star is only a star', async () => {
    const { permissions } = setUp()
    const input = { command: 'ls *' }
    await permissions.grant({ allow: 'shell', inputHash: await hashInput(call('shell', input)), by: 'ada' })
    assert.match(await verdict(call('shell', input), { permissions }), /^allow/)
    assert.match(await verdict(call('shell', { command: 'ls -l' }), { permissions }), /^ask/)
    assert.match(await verdict(call('shell', { ...input, times: 1 }), { permissions }), /^ask/)
  })

  test('that deny go before those that allow; among equals the newest speaks', async () => {
    const { clock, permissions } = setUp()
    await permissions.grant({ allow: 'shell', by: 'ada' })
    await clock.advance(1)
    await permissions.grant({ allow: 'sh*', by: 'bob' })
    assert.match(await verdict(call('shell'), { permissions }), /^allow by bob/)
    await permissions.grant({ deny: 'shell', where: { command: 'git push*' }, by: 'eve', reason: 'not from here' })
    await clock.advance(1)
    await permissions.grant({ allow: '*', by: 'ada' })
    assert.match(await verdict(call('shell'), { permissions }), /^allow by ada/)
    const { decision } = await decide(call('shell', { command: 'git push' }), { toolbox, permissions })
    assert.deepEqual(decision, { verdict: 'deny', by: 'eve', permission: 'permission_3', reason: 'not from here' })
  })

  test('lapse', async () => {
    const { clock, permissions } = setUp()
    const { expires } = await permissions.grant({ allow: 'shell', by: 'ada', ttl: 1_000 })
    assert.equal(expires, clock.now() + 1_000)
    assert.deepEqual((await permissions.list())[0]?.expires, expires)
    await clock.advance(999)
    assert.match(await verdict(call('shell'), { permissions }), /^allow/)
    await clock.advance(1)
    assert.match(await verdict(call('shell'), { permissions }), /^ask/)
    assert.deepEqual(await permissions.list(), [])
  })

  test('of one id replace each other, and of one scope stay there', async () => {
    const { keyValue, permissions } = setUp()
    await permissions.grant({ id: 'a', allow: 'shell', by: 'ada' })
    await permissions.grant({ id: 'a', deny: 'shell', by: 'bob' })
    assert.match(await verdict(call('shell'), { permissions }), /^deny by bob/)
    const others = createPermissions({ keyValue, scope: { scope: 'project', owner: 'x' } })
    assert.deepEqual(await others.list(), [])
    assert.equal(await others.revoke('a'), false)
    assert.match(await verdict(call('shell'), { permissions: others }), /^ask/)
  })

  test('are at most so many, and all of many are seen', async () => {
    const { permissions } = setUp({ limit: 1_100 })
    for (let index = 0; index < 1_100; index++)
      await permissions.grant({ allow: `tool_${index}`, by: 'ada', id: `p${index}` })
    await assert.rejects(permissions.grant({ allow: 'shell', by: 'ada' }), code('store_full'))
    await permissions.grant({ allow: 'shell', by: 'ada', id: 'p1099' })
    assert.equal((await permissions.list()).length, 1_100)
    assert.match(await verdict(call('shell'), { permissions }), /^allow by ada, p1099/)
  })
})

describe('the order in which a call is decided', () => {
  const rules = (...list: ApprovalRule[]) => ({ approval: createApproval(list) })

  test('what cannot run is rejected, whatever is granted', async () => {
    const { permissions } = setUp()
    await permissions.grant({ allow: '*', by: 'ada' })
    assert.equal(await verdict(call('nothing'), { permissions }), 'unknown_tool')
    assert.equal(await verdict(call('shell', { command: 5 }), { permissions }), 'tool_input_invalid')
  })

  test('a rule that denies stands against any grant, and so does a list without a match', async () => {
    const { permissions } = setUp()
    await permissions.grant({ allow: '*', by: 'ada' })
    assert.equal(await verdict(call('shell'), { permissions, ...rules({ deny: 'shell' }) }), 'deny by rule 1')
    assert.equal(await verdict(call('shell'), { permissions, ...rules({ allow: 'reads' }) }), 'deny by rules')
  })

  test('a rule that allows is not asked about, also where something denies', async () => {
    const { permissions } = setUp()
    await permissions.grant({ deny: '*', by: 'ada' })
    assert.equal(await verdict(call('shell'), { permissions, ...rules({ allow: 'shell' }) }), 'allow by rule 1')
    assert.equal(await verdict(call('reads', {}), { permissions, safeMode: true }), 'allow by default')
  })

  test('what a rule, a tool or safe mode would ask is granted or denied, and otherwise asked', async () => {
    const { permissions } = setUp()
    const asks = rules({ ask: 'shell', prompt: 'Really?' }, { allow: '*' })
    assert.equal(await verdict(call('shell'), { permissions, ...asks }), 'ask by rule 1')
    assert.equal(await verdict(call('writes', {}), { permissions, ...asks, safeMode: true }), 'ask by safe mode')
    await permissions.grant({ id: 'g', allow: '*', by: 'ada' })
    assert.equal(await verdict(call('shell'), { permissions, ...asks }), 'allow by ada, g')
    assert.equal(await verdict(call('writes', {}), { permissions, ...asks, safeMode: true }), 'allow by ada, g')
    await permissions.grant({ id: 'd', deny: 'shell', by: 'bob' })
    assert.equal(await verdict(call('shell'), { permissions, ...asks }), 'deny by bob, d')
  })

  test('where the store fails, or holds what is no permission, a person is asked', async () => {
    const { keyValue, permissions } = setUp()
    const failing = { authorise: () => Promise.reject(new Error('no disk')) }
    assert.equal(await verdict(call('shell'), { permissions: failing }), 'ask by needsApproval')
    await permissions.grant({ allow: '*', by: 'ada' })
    const scope = { scope: 'global', owner: '' } as const
    const texts = [
      '',
      'null',
      '{"verdict":"deny"',
      '{"verdict":"__proto__","tool":"*","by":"x","at":1}',
      '[]',
      '{"at":1}',
    ]
    for (const text of [...texts, '{"verdict":"allow","tool":"*","by":"x","at":1,"new":true}']) {
      await keyValue.set(scope, 'permission/torn', new TextEncoder().encode(text))
      assert.equal(await verdict(call('shell'), { permissions }), 'ask by needsApproval', text)
      await assert.rejects(permissions.list(), (error) => code('store_corrupt')(error) && /'torn'/.test(String(error)))
    }
    assert.equal((await permissions.grant({ allow: 'reads', by: 'ada' })).tool, 'reads')
    assert.equal(await permissions.revoke('torn'), true)
    assert.match(await verdict(call('shell'), { permissions }), /^allow/)
  })
})

describe('what is no grant', () => {
  const wrong: [string, unknown, RegExp][] = [
    ['nothing', undefined, /takes an object/],
    ['no verdict', { by: 'ada' }, /one of allow and deny/],
    ['two verdicts', { allow: 'x', deny: 'x', by: 'ada' }, /one of allow and deny/],
    ['an empty name', { allow: '', by: 'ada' }, /a name of a tool/],
    ['nobody', { allow: 'x' }, /by whom/],
    ['a misspelled key', { allow: 'x', by: 'ada', wher: {} }, /'where'/],
    ['a pattern that is a list', { allow: 'x', by: 'ada', where: [] }, /where/],
    ['a pattern that is no JSON', { allow: 'x', by: 'ada', where: { at: new Date() } }, /plain JSON/],
    ['a hash that is none', { allow: 'x', by: 'ada', inputHash: 'abc' }, /SHA-256/],
    ['a time that is none', { allow: 'x', by: 'ada', ttl: 0 }, /ttl/],
    ['an id with a path', { allow: 'x', by: 'ada', id: '../x' }, /id/],
    ['a reason that is none', { deny: 'x', by: 'ada', reason: 5 }, /reason/],
  ]
  for (const [name, grant, hint] of wrong) {
    test(name, async () => {
      const { permissions } = setUp()
      const fits = (error: unknown): boolean =>
        error instanceof TellurionError && /^(invalid|unknown)_option$/.test(error.code) && hint.test(error.message)
      await assert.rejects(permissions.grant(grant as Grant), fits)
      assert.throws(() => permissions.check(grant as Grant), fits)
      assert.deepEqual(await permissions.list(), [])
    })
  }
})
