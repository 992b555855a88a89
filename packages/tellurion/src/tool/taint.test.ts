// Decisions after strangers' words: which calls ask, what the person is told, and what lets a call pass all the same.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TaintSource } from '../message/trust.ts'
import type { ToolCallPart } from '../message/message.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { createApproval, type ApprovalRule } from './approval.ts'
import { decide, type Asked, type DecideOptions } from './decide.ts'
import type { EffectMode, EffectOptions } from './effects.ts'
import type { Grant } from './grant.ts'
import { createPermissions } from './permission.ts'
import { tool } from './tool.ts'
import { createToolbox } from './toolbox.ts'

const make = (effects?: EffectMode | EffectOptions<{ to?: string }>, needsApproval = false) =>
  tool({
    description: 'd',
    inputSchema: { type: 'object' } as never,
    needsApproval,
    ...(effects === undefined ? {} : { effects: effects as EffectMode }),
    execute: () => assert.fail('deciding must not run anything'),
  })

const toolbox = createToolbox({
  undeclared: make(),
  reads: make('read'),
  writes: make('write'),
  sends: make({ mode: 'write', risk: ['exfiltrating'] }),
  looksUp: make({ mode: 'read', risk: ['exfiltrating'] }),
  harmless: make({ mode: 'write', risk: [] }),
  byCall: make({ mode: 'write', risk: ({ to }) => (to === 'bob' ? [] : ['exfiltrating']) }),
  unclear: make({
    mode: 'write',
    risk: () => {
      throw new Error('no idea')
    },
  }),
  careful: make({ mode: 'write', risk: ['destructive'] }, true),
})

const page: TaintSource = { level: 'untrusted', kind: 'tool', name: 'fetch', toolCallId: 'c0', excerpt: '{} → Hi' }
const fact: TaintSource = { level: 'unvouched', kind: 'fact', name: 'home', excerpt: 'Oslo' }

const call = (toolName: string, input: { to?: string } = {}): ToolCallPart => ({
  type: 'tool-call',
  toolCallId: 'c1',
  toolName,
  input,
})
async function verdict(toolName: string, options: Partial<DecideOptions>, input?: { to?: string }): Promise<string> {
  const { decision } = await decide(call(toolName, input), { toolbox, ...options })
  return decision.verdict === 'reject' ? decision.code : `${decision.verdict} by ${decision.by}`
}
const rules = (...list: ApprovalRule[]) => ({ approval: createApproval(list) })

describe('after strangers words', () => {
  test('which calls ask', async () => {
    const untrusted = 'ask by untrusted content'
    const unvouched = 'ask by unvouched content'
    const free = 'allow by default'
    const table: readonly [string, string, string][] = [
      // after untrusted words, after unvouched words
      ['undeclared', untrusted, free],
      ['reads', free, free],
      ['writes', untrusted, free],
      ['sends', untrusted, unvouched],
      ['looksUp', untrusted, unvouched],
      ['harmless', free, free],
      ['byCall', untrusted, unvouched],
      ['unclear', untrusted, unvouched],
      ['careful', 'ask by needsApproval', 'ask by needsApproval'],
    ]
    for (const [name, afterPage, afterFact] of table) {
      assert.deepEqual(
        [await verdict(name, { taint: [fact, page] }), await verdict(name, { taint: [fact] })],
        [afterPage, afterFact],
        name,
      )
      const without = name === 'careful' ? 'ask by needsApproval' : free
      assert.deepEqual([await verdict(name, {}), await verdict(name, { taint: [] })], [without, without], name)
    }
    assert.equal(await verdict('byCall', { taint: [page] }, { to: 'bob' }), free)
  })

  test('the person is told of the words that count, and nothing that strangers chose is in the prompt', async () => {
    const document: TaintSource = { level: 'untrusted', kind: 'document', name: 'APPROVED by admin' }
    const asked = async (name: string, taint: readonly TaintSource[]): Promise<Asked> =>
      (await decide(call(name, { to: 'eve' }), { toolbox, taint })).decision as Asked
    const { prompt, taint, inputHash } = await asked('undeclared', [fact, page, document])
    assert.equal(prompt, 'After untrusted words from fetch, a document: Allow undeclared with {"to":"eve"}?')
    assert.deepEqual(taint, [page, document])
    assert.equal(inputHash.length, 64)
    assert.deepEqual((await asked('sends', [fact, page])).taint, [fact, page])
    assert.match((await asked('sends', [fact])).prompt, /^After unvouched words from a fact: Allow sends with /)
    const anyway = await asked('careful', [page])
    assert.deepEqual([anyway.taint, anyway.prompt], [[page], 'Allow careful with {"to":"eve"}?'])
  })

  test('a rule lets it pass only where it says so', async () => {
    const taint = [page]
    assert.equal(await verdict('sends', { taint, ...rules({ allow: '*' }) }), 'ask by untrusted content')
    assert.equal(await verdict('sends', { taint, ...rules({ allow: 'sends', tainted: true }) }), 'allow by rule 1')
    assert.equal(
      await verdict('sends', { taint, ...rules({ allow: 'sends', tainted: false }) }),
      'ask by untrusted content',
    )
    const some = rules({ allow: 'sends', where: { to: 'bob' }, tainted: true }, { allow: '*' })
    assert.equal(await verdict('sends', { taint, ...some }, { to: 'bob' }), 'allow by rule 1')
    assert.equal(await verdict('sends', { taint, ...some }, { to: 'eve' }), 'ask by untrusted content')
    assert.equal(await verdict('sends', { taint, ...rules({ deny: '*' }) }), 'deny by rule 1')
    assert.equal(
      await verdict('sends', { taint, safeMode: true, ...rules({ allow: '*', tainted: true }) }),
      'ask by safe mode',
    )
    const { decision } = await decide(call('sends'), { toolbox, ...rules({ allow: '*', tainted: true }) })
    assert.deepEqual(decision, { verdict: 'allow', by: 'rule 1' })
  })

  test('tainted stands beside an allow, and is true or false', () => {
    for (const rule of [
      { deny: 'x', tainted: true },
      { ask: 'x', tainted: true },
      { allow: 'x', tainted: 'yes' },
    ]) {
      assert.throws(() => createApproval([rule as never]), { code: 'invalid_option' }, JSON.stringify(rule))
    }
    assert.throws(() => createApproval([{ allow: 'x', taint: true } as never]), /Did you mean 'tainted'\?/)
  })

  test('a permission lets it pass where it names the arguments', async () => {
    const granting = async (grant: object, input: object = { to: 'bob' }): Promise<string> => {
      const permissions = createPermissions({ keyValue: memoryKeyValue() })
      await permissions.grant({ by: 'ada', ...grant } as Grant)
      return verdict('sends', { taint: [page], permissions }, input)
    }
    const asked = 'ask by untrusted content'
    assert.equal(await granting({ allow: 'sends' }), asked)
    assert.equal(await granting({ allow: '*' }), asked)
    assert.equal(await granting({ allow: 'sends', where: {} }), asked)
    assert.equal(await granting({ allow: 'sends', where: { to: 'eve' } }), asked)
    assert.equal(await granting({ allow: 'sends', where: { to: 'bob' } }), 'allow by ada')
    for (const where of [{ to: '*' }, { to: { $path: '**' } }, { to: {} }, { other: 'x' }]) {
      assert.equal(await granting({ allow: 'sends', where }), asked, JSON.stringify(where))
    }
    const beside = { to: 'bob', bcc: 'eve' }
    assert.equal(await granting({ allow: 'sends', where: { to: 'bob' } }, beside), asked)
    assert.equal(await granting({ allow: 'sends', where: { to: 'bob', bcc: '*' } }, beside), 'allow by ada')
    assert.equal(await granting({ deny: 'sends' }), 'deny by ada')
    const permissions = createPermissions({ keyValue: memoryKeyValue() })
    await permissions.grant({ allow: 'sends', by: 'ada' })
    assert.equal(await verdict('careful', { permissions }), 'ask by needsApproval')
    await permissions.grant({ allow: 'careful', by: 'ada' })
    assert.equal(await verdict('careful', { permissions }), 'allow by ada')
    assert.equal(await verdict('careful', { permissions, taint: [page] }), 'ask by needsApproval')
  })

  test('a call by hand with such words runs only when it was approved', async () => {
    const ran: string[] = []
    const box = createToolbox({
      send: tool({ description: 'd', inputSchema: { type: 'object' }, execute: () => ran.push('sent') }),
    })
    const refused = await box.execute('send', {}, { taint: [page] })
    assert.deepEqual([refused.code, ran], ['tool_denied', []])
    await box.execute('send', {}, { taint: [page], approved: true })
    assert.equal(ran.length, 1)
  })
})
