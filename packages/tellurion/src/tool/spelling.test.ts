// Spellings: what a rule about hosts, paths and mail addresses takes in, and all the ways in which it cannot be fooled.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import { createApproval } from './approval.ts'
import type { ArgumentPattern } from './argument-pattern.ts'
import { createPermissions } from './permission.ts'
import { createSpelledPattern, matching } from './spelling.ts'

const hosts: readonly [string, string, boolean][] = [
  ['docs.example', 'https://docs.example/', true],
  ['docs.example', 'http://docs.example/a?b#c', true],
  ['docs.example', 'https://DOCS.example:443/x', true],
  ['docs.example', 'https://docs.example@evil.example/', false],
  ['docs.example', 'https://docs.example:x@evil.example/', false],
  ['docs.example', 'https://ada@docs.example/', false],
  ['docs.example', 'https://docs.example.evil.example/', false],
  ['docs.example', 'https://evil.example/docs.example', false],
  ['docs.example', 'https://evil.example/?docs.example', false],
  ['docs.example', 'https://evil.example#docs.example', false],
  ['docs.example', 'https://docs.example:8080/', false],
  ['docs.example:8080', 'https://docs.example:8080/', true],
  ['docs.example', 'https://docs.example./', false],
  ['docs.example', 'https://evil.example\\@docs.example/', false],
  ['docs.example', 'https:\\\\docs.example/', false],
  ['docs.example', 'https:docs.example', false],
  ['docs.example', 'https:///docs.example', false],
  ['docs.example', '//docs.example/', false],
  ['docs.example', 'docs.example', false],
  ['docs.example', 'ftp://docs.example/', false],
  ['docs.example', 'file://docs.example/etc/passwd', false],
  ['docs.example', 'javascript://docs.example/%0aalert(1)', false],
  ['docs.example', 'https://docs.exa\tmple/', false],
  ['docs.example', 'https://docs.example\n.evil.example/', false],
  ['docs.example', ' https://docs.example/', false],
  ['docs.example', 'https://docs.example\u200b/', false],
  ['docs.example', 'https://d\u043ecs.example/', false],
  ['docs.example', 'https://xdocs.example/', false],
  ['*.example', 'https://docs.example/', true],
  ['*.example', 'https://a.b.example/', true],
  ['*.example', 'https://example/', false],
  ['*.example', 'https://evilexample/', false],
  ['*.corp.example', 'https://corp.example.evil/', false],
  ['127.0.0.1', 'http://127.0.0.1/', true],
  ['127.0.0.1', 'http://2130706433/', true],
]

const paths: readonly [string, string, boolean][] = [
  ['reports/**', 'reports/a.txt', true],
  ['reports/**', 'reports/2026/a.txt', true],
  ['reports/**', './reports//a.txt', true],
  ['reports/**', 'reports', true],
  ['reports/*', 'reports/a.txt', true],
  ['reports/*', 'reports/2026/a.txt', false],
  ['reports/*.csv', 'reports/a.csv', true],
  ['reports/*.csv', 'reports/a.csv.exe', false],
  ['**/*.ts', 'a/b/c.ts', true],
  ['a/**/z/**/q', 'a/b/z/c/d/q', true],
  ['a/**/z/**/q', 'a/b/c/d/q', false],
  ['reports/**', 'reports/../secrets/a.txt', false],
  ['reports/**', '../reports/a.txt', false],
  ['reports/**', 'reports/..', false],
  ['reports/**', '/reports/a.txt', false],
  ['/srv/**', '/srv/a', true],
  ['/srv/**', 'srv/a', false],
  ['/srv/**', '//srv/a', true],
  ['/srv/**', '/srv/../etc/passwd', false],
  ['/srv/**', '/srvx/a', false],
  ['reports/**', 'reports\\..\\secrets', false],
  ['reports/**', 'reports/%2e%2e/secrets', false],
  ['reports/**', 'reports%2f..%2fsecrets', false],
  ['reports/**', 'reports/a\u0000.txt', false],
  ['reports/**', 'reports/a\n.txt', false],
  ['reports/**', '~/reports/a', false],
  ['reports/**', 'C:/reports/a', false],
  ['reports/**', 'reports/.. /a', false],
  ['reports/**', 'reports/a.', false],
  ['reports/**', 'Reports/a', false],
  ['reports/**', 'reports/\u202etxt', false],
  ['caf\u00e9/*', 'cafe\u0301/a', true],
  ['reports/**', '', false],
]

const mails: readonly [string, string, boolean][] = [
  ['*@corp.example', 'ada@corp.example', true],
  ['*@corp.example', 'ada+x@CORP.example', true],
  ['*@corp.example', 'eve@evil.example', false],
  ['*@corp.example', 'eve@evil.example,ada@corp.example', false],
  ['*@corp.example', 'eve@evil.example ada@corp.example', false],
  ['*@corp.example', 'Ada <ada@corp.example>', false],
  ['*@corp.example', '"eve@evil.example"@corp.example', false],
  ['*@corp.example', 'eve@evil.example@corp.example', false],
  ['*@corp.example', 'ada@corp.example\nbcc: eve@evil.example', false],
  ['*@corp.example', 'ada@corp.example.evil', false],
  ['*@corp.example', '@corp.example', false],
  ['ada@*', 'ada@anywhere.example', true],
]

describe('spelling', () => {
  for (const [form, table] of [
    ['$host', hosts],
    ['$path', paths],
    ['$mail', mails],
  ] as const) {
    test(`${form}: ${table.length} spellings`, () => {
      for (const [pattern, value, expected] of table) {
        assert.equal(
          createSpelledPattern({ [form]: pattern })(value),
          expected,
          `${pattern} and ${JSON.stringify(value)}`,
        )
      }
      for (const value of [undefined, null, 7, {}, [], ['x']]) {
        assert.equal(createSpelledPattern({ [form]: table[0]![0] })(value), false)
      }
    })
  }

  test('stands at any depth, beside plain patterns', () => {
    const pattern = { to: [{ $mail: '*@corp.example' }], options: { file: { $path: 'out/**' }, mode: 'w*' } }
    const matches = matching(pattern)
    const call = (input: unknown) => ({ toolCallId: 'c', toolName: 't', input })
    assert.ok(matches(call({ to: ['ada@corp.example'], options: { file: 'out/a', mode: 'wx' }, more: 1 })))
    assert.ok(!matches(call({ to: ['ada@corp.example', 'eve@evil.example'], options: { file: 'out/a', mode: 'w' } })))
    assert.ok(!matches(call({ to: ['ada@corp.example'], options: { file: '../a', mode: 'w' } })))
  })

  test('holds in rules and in permissions', async () => {
    const where = { url: { $host: '*.corp.example' } }
    const approval = createApproval([{ allow: 'open', where: matching(where) }, { ask: '*' }])
    const request = (url: string) => ({ toolCallId: 'c', toolName: 'open', input: { url }, inputHash: '' })
    const verdict = async (url: string) => (await approval.authorise(request(url))).verdict
    assert.deepEqual(
      [await verdict('https://a.corp.example/'), await verdict('https://corp.example@evil.example/')],
      ['allow', 'ask'],
    )
    const permissions = createPermissions({ keyValue: memoryKeyValue() })
    await permissions.grant({ allow: 'open', where, by: 'ada' })
    assert.equal((await permissions.authorise(request('https://a.corp.example/')))?.verdict, 'allow')
    assert.equal(await permissions.authorise(request('https://a.corp.example.evil/')), undefined)
  })

  test('what cannot be meant is refused where it is said', async () => {
    const wrong: readonly ArgumentPattern[] = [
      { url: { $hosts: 'a' } },
      { url: { $host: '' } },
      { url: { $host: 'a', $path: 'b' } },
      { url: { $host: 'https://a.example' } },
      { url: { $host: 'a.*.example' } },
      { url: { $host: 'ada@a.example' } },
      { url: { $host: 7 } },
      { path: { $path: '../a' } },
      { path: { $path: 'a\\b' } },
      { to: { $mail: 'corp.example' } },
    ]
    const permissions = createPermissions({ keyValue: memoryKeyValue() })
    for (const pattern of wrong) {
      assert.throws(() => matching(pattern), { code: 'invalid_option' }, JSON.stringify(pattern))
      await assert.rejects(permissions.grant({ allow: 'x', where: pattern, by: 'ada' }), { code: 'invalid_option' })
    }
    // In a rule a plain pattern would never match, and one that denies would let everything pass.
    assert.throws(() => createApproval([{ deny: 'open', where: { url: { $host: 'evil.example' } } }]), /matching/)
    assert.throws(() => createApproval([{ deny: 'x', where: { a: 1, b: { c: 'd', $path: 'e' } } }]), /matching/)
  })

  test('no path that leaves its folder passes, however it is made', () => {
    const inside = createSpelledPattern({ $path: 'in/**' })
    const piece = fc.constantFrom(
      '..',
      '.',
      'in',
      'a',
      '',
      '/',
      '\\',
      '%2e%2e',
      '. .',
      '..\u200b',
      '... ',
      '~',
      'in/..',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = pieces.join('/')
        if (!inside(path)) return
        const names: string[] = []
        for (const name of path.split('/'))
          if (name === '..') names.pop()
          else if (name !== '' && name !== '.') names.push(name)
        assert.equal(names[0], 'in', path)
        assert.ok(!path.includes('..'), path)
      }),
    )
  })

  test('long values and patterns with many stars take no time worth telling', () => {
    const path = createSpelledPattern({ $path: `${'**/a*b*c*/'.repeat(30)}z` })
    assert.equal(path(`${'abc/'.repeat(2_000)}y`), false)
    assert.equal(createSpelledPattern('*a'.repeat(200))('a'.repeat(20_000)), true)
  })
})
