import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { createPermissions, type Permissions } from '../tool/permission.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import type { Answer } from './interaction.ts'
import { asTool } from './sub-agent.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

/** Removes what it is told to. */
function janitor(permissions?: Permissions): { agent: Agent; removed: string[] } {
  const removed: string[] = []
  const remove = tool({
    description: 'Removes',
    inputSchema: z.object({ name: z.string() }),
    execute: ({ name }) => void removed.push(name),
  })
  const model = scriptedModel(({ messages }) => {
    const newest = messages.at(-1)!
    return newest.role === 'tool'
      ? String(newest.content)
      : { calls: [{ toolName: 'remove', input: { name: String(newest.content) } }] }
  })
  const approval = { safeMode: true, ...(permissions === undefined ? {} : { permissions }) }
  return { agent: new Agent({ name: 'janitor', model, tools: { remove }, approval }), removed }
}

describe('an answer that stands', () => {
  const cases: [string, Answer, readonly [input: string, status: string][], readonly string[]][] = [
    ['for the tool', { always: 'approve' }, [['b', 'succeeded']], ['a', 'b']],
    [
      'for the same arguments',
      { always: 'approve', where: 'same' },
      [
        ['a', 'succeeded'],
        ['b', 'waiting'],
      ],
      ['a', 'a'],
    ],
    [
      'for a pattern',
      { always: 'approve', where: { name: 'b*' } },
      [
        ['bb', 'succeeded'],
        ['a', 'waiting'],
      ],
      ['a', 'bb'],
    ],
    ['against the tool', { always: 'deny', reason: 'keep it' }, [['b', 'succeeded']], []],
  ]
  for (const [name, given, later, wanted] of cases) {
    test(name, async () => {
      const permissions = createPermissions({ keyValue: memoryKeyValue() })
      const { agent, removed } = janitor(permissions)
      const first = agent.session()
      const [asked] = (await first.generate('a')).interactions
      const result = await first.answer(asked!.id, given, { by: 'ada' })
      assert.equal(result.status, 'succeeded')
      const [granted] = await permissions.list()
      assert.deepEqual([granted?.id, granted?.by, granted?.tool], [asked!.id, 'ada', 'remove'])
      for (const [input, status] of later) assert.equal((await agent.session().generate(input)).status, status, input)
      assert.deepEqual(removed, wanted)
      if (granted?.verdict === 'deny') assert.match((await agent.generate('c')).text, /denied: keep it/)
    })
  }

  test('is told of as who granted it, and revoked from the next call on', async () => {
    const permissions = createPermissions({ keyValue: memoryKeyValue() })
    const { agent } = janitor(permissions)
    const chat = agent.session()
    const events: Event[] = []
    chat.world.on('tool.approved', (event) => events.push(event))
    const [asked] = (await chat.generate('a')).interactions
    await chat.answer(asked!.id, { always: 'approve' }, { by: 'ada' })
    await chat.generate('b')
    const told = events.map((event) => (event.type === 'tool.approved' ? [event.by, event.permission] : []))
    assert.deepEqual(told, [
      ['ada', undefined],
      ['ada', asked!.id],
    ])
    await permissions.revoke(asked!.id)
    assert.equal((await chat.generate('c')).status, 'waiting')
  })

  test('is refused where nobody keeps it, or where it is none, and the question stays open', async () => {
    const { agent, removed } = janitor()
    const chat = agent.session()
    const [asked] = (await chat.generate('a')).interactions
    await assert.rejects(chat.answer(asked!.id, { always: 'approve' }), /keeps no permissions/)
    const other = janitor(createPermissions({ keyValue: memoryKeyValue() })).agent.session()
    const [open] = (await other.generate('a')).interactions
    for (const wrong of [{ always: 'yes' }, { always: 'approve', where: 'all' }, { always: 'approve', ttl: -1 }]) {
      await assert.rejects(other.answer(open!.id, wrong as never), (error) =>
        ['invalid_answer', 'invalid_option'].some((each) => code(each)(error)),
      )
    }
    assert.deepEqual([chat.interactions.length, other.interactions.length, removed], [1, 1, []])
    assert.equal((await other.answer(open!.id, 'approve')).status, 'succeeded')
  })

  test('to a question of a sub-agent is kept by that, or good for one call where it keeps none', async () => {
    for (const permissions of [createPermissions({ keyValue: memoryKeyValue() }), undefined]) {
      const { agent: helper, removed } = janitor(permissions)
      const model = scriptedModel(({ messages }) => {
        const newest = messages.at(-1)!
        return newest.role === 'tool' ? 'Done.' : { calls: [{ toolName: 'helper', input: { task: 'a' } }] }
      })
      const boss = new Agent({ name: 'boss', model, tools: { helper: asTool(helper, { description: 'Helps.' }) } })
      const chat = boss.session()
      const [asked] = (await chat.generate('go')).interactions
      assert.equal((await chat.answer(asked!.id, { always: 'approve' }, { by: 'ada' })).text, 'Done.')
      const again = await boss.session().generate('go')
      assert.equal(again.status, permissions === undefined ? 'waiting' : 'succeeded')
      assert.deepEqual(removed, permissions === undefined ? ['a'] : ['a', 'a'])
    }
  })
})
