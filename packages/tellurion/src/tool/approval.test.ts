import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  approveAlways,
  approveByPerson,
  approveNever,
  createApproval,
  type ApprovalRule,
  type Authorisation,
} from './approval.ts'

async function verdict(rules: readonly ApprovalRule[], toolName: string, input: unknown = {}): Promise<string> {
  const { verdict, by } = await createApproval(rules).authorise({ toolCallId: 'c', toolName, input })
  return `${verdict} by ${by}`
}

function refusal(rules: unknown): string {
  try {
    createApproval(rules as ApprovalRule[])
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`
  }
  return 'accepted'
}

describe('approval rules', () => {
  const rules: readonly ApprovalRule[] = [
    { allow: 'read_*' },
    { deny: 'shell', where: { command: 'rm *' }, reason: 'never remove' },
    { ask: 'shell', where: { command: 'git *' }, prompt: 'Run git?' },
    { allow: 'put', where: { count: 3, deep: { on: true, list: ['a*', null] } } },
  ]

  it('let the first that matches decide', async () => {
    assert.equal(await verdict(rules, 'read_file'), 'allow by rule 1')
    assert.equal(await verdict(rules, 'shell', { command: 'rm -rf /' }), 'deny by rule 2')
    assert.equal(await verdict(rules, 'shell', { command: 'git push', cwd: '/' }), 'ask by rule 3')
    assert.equal(await verdict([{ deny: '*' }, ...rules], 'read_file'), 'deny by rule 1')
  })

  it('deny when none matches', async () => {
    assert.equal(await verdict(rules, 'shell', { command: 'ls' }), 'deny by rules')
    assert.equal(await verdict(rules, 'unread_file'), 'deny by rules')
    assert.equal(await verdict([], 'anything'), 'deny by rules')
  })

  it('match arguments by shape, own properties only', async () => {
    const put = (input: unknown): Promise<string> => verdict(rules, 'put', input)
    assert.equal(await put({ count: 3, deep: { on: true, list: ['abc', null], more: 1 }, more: 1 }), 'allow by rule 4')
    const others: readonly unknown[] = [
      { count: '3', deep: { on: true, list: ['a', null] } },
      { count: 3, deep: { on: 'true', list: ['a', null] } },
      { count: 3, deep: { on: true, list: ['a', null, 1] } },
      { count: 3, deep: { on: true, list: ['b', null] } },
      { count: 3, deep: [{ on: true }] },
      { count: 3 },
      Object.create({ count: 3, deep: { on: true, list: ['a', null] } }),
      null,
      [],
      'put',
    ]
    for (const input of others) assert.equal(await put(input), 'deny by rules', JSON.stringify(input))
    assert.equal(await verdict([{ allow: 'x', where: { constructor: '*' } }], 'x', {}), 'deny by rules')
  })

  it('give reason and prompt', () => {
    const approval = createApproval(rules)
    const of = (input: unknown): unknown => approval.authorise({ toolCallId: 'c', toolName: 'shell', input })
    assert.deepEqual(of({ command: 'rm x' }), { verdict: 'deny', by: 'rule 2', reason: 'never remove' })
    assert.deepEqual(of({ command: 'git x' }), { verdict: 'ask', by: 'rule 3', prompt: 'Run git?' })
  })

  it('take functions, also asynchronous ones, and are synchronous without', async () => {
    const small: ApprovalRule = { allow: 'pay', where: ({ input }) => (input as { sum: number }).sum < 10 }
    const known: ApprovalRule = { ask: 'pay', where: async ({ toolName }) => toolName === 'pay' }
    assert.equal(await verdict([small, known], 'pay', { sum: 5 }), 'allow by rule 1')
    assert.equal(await verdict([small, known], 'pay', { sum: 50 }), 'ask by rule 2')
    assert.equal(
      await verdict([{ deny: 'pay', where: async () => false }, small, known], 'pay', { sum: 50 }),
      'ask by rule 3',
    )
    assert.equal(
      createApproval([small, known]).authorise({ toolCallId: 'c', toolName: 'pay', input: { sum: 5 } }) instanceof
        Promise,
      false,
    )
  })

  it('deny when a function fails or answers neither true nor false', async () => {
    const failing = [
      () => {
        throw new Error('no database')
      },
      () => Promise.reject(new Error('no database')),
    ]
    for (const where of failing) {
      const result = await createApproval([{ allow: '*', where }, { allow: '*' }]).authorise({
        toolCallId: 'c',
        toolName: 'x',
        input: {},
      })
      assert.deepEqual(result, { verdict: 'deny', by: 'rule 1', reason: 'the approval rule failed: no database' })
    }
    for (const answer of ['yes', undefined, 1, null, Promise.resolve('yes'), Promise.resolve(undefined)]) {
      const odd = (() => answer) as unknown as () => boolean
      for (const rule of [{ allow: '*' }, { deny: '*' }, { ask: '*' }]) {
        assert.equal(await verdict([{ ...rule, where: odd }, { allow: '*' }], 'x'), 'deny by rule 1')
      }
    }
  })

  it('have the three policies of the reference as lists', async () => {
    assert.equal(await verdict(approveAlways, 'x'), 'allow by rule 1')
    assert.equal(await verdict(approveNever, 'x'), 'deny by rule 1')
    assert.equal(await verdict(approveByPerson, 'x'), 'ask by rule 1')
  })

  it('evaluate as the definition says', () => {
    const name = fc.constantFrom('a', 'b', 'ab', 'ba')
    const pattern = fc.constantFrom('a', 'b', '*', 'a*', '*b')
    const where = fc.constantFrom<Record<string, string> | undefined>(undefined, { v: 'a*' }, { v: 'b' }, { w: '*' })
    const rule = fc
      .tuple(fc.constantFrom('allow', 'deny', 'ask'), pattern, where)
      .map(([kind, tool, w]) => ({ [kind]: tool, ...(w ? { where: w } : {}) }) as unknown as ApprovalRule)
    const input = fc.dictionary(fc.constantFrom('v', 'w'), fc.constantFrom('a', 'ab', 'b'))
    const like = (text: string, wanted: string): boolean =>
      new RegExp(`^${wanted.replaceAll('*', '.*')}$`, 's').test(text)
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), name, input, (list, toolName, given) => {
        const expected = list.find((each) => {
          const { where: w, ...kind } = each as unknown as { where?: Record<string, string> } & Record<string, string>
          const fits = Object.entries(w ?? {}).every(([key, wanted]) => key in given && like(given[key] ?? '', wanted))
          return like(toolName, String(Object.values(kind)[0])) && fits
        })
        const got = createApproval(list).authorise({ toolCallId: 'c', toolName, input: given }) as Authorisation
        assert.equal(got.verdict, expected ? Object.keys(expected).find((key) => key !== 'where') : 'deny')
        assert.equal(got.by, expected ? `rule ${list.indexOf(expected) + 1}` : 'rules')
      }),
      { numRuns: 1_000 },
    )
  })

  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['no list', { allow: '*' }, /^invalid_option: approval must be a list/],
    ['a rule that is a text', ['*'], /^invalid_option: approval rule 1 must be an object/],
    [
      'an unknown verdict',
      [{ allow: '*' }, { alow: 'x' }],
      /^unknown_option: approval rule 2 has no option 'alow'. Did you mean 'allow'\?/,
    ],
    ['two verdicts', [{ allow: 'x', deny: 'y' }], /^invalid_option: approval rule 1 must have one of/],
    ['no verdict', [{ where: {} }], /^invalid_option: approval rule 1 must have one of/],
    ['an empty name', [{ allow: '' }], /^invalid_option: approval rule 1 must have one of/],
    ['a where that is neither', [{ allow: 'x', where: 'git *' }], /^invalid_option: where of approval rule 1/],
  ]
  for (const [what, rules, expected] of cases) it(`refuse ${what}`, () => assert.match(refusal(rules), expected))
})
