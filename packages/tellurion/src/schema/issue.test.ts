import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { issuePlace, issuesText } from './issue.ts'

describe('issuesText', () => {
  it('puts the place before the message', () => {
    assert.equal(
      issuesText([{ message: 'expected string, got 5', path: ['a', 0, { key: 'b' }] }]),
      '/a/0/b: expected string, got 5',
    )
    assert.equal(issuesText([{ message: 'bad' }]), 'bad')
    assert.equal(issuesText([]), 'not valid')
  })

  it('escapes keys as JSON pointers do', () => {
    assert.equal(issuePlace({ message: '', path: ['a/b', 'c~d', Symbol('s')] }), '/a~1b/c~0d/Symbol(s)')
  })

  it('is one well-formed line of bounded length, whatever the issues say', () => {
    const text = issuesText([
      { message: 'two\nlines', path: ['x'] },
      { message: `${'m'.repeat(399)}🌍` },
      { message: '\ud800' },
    ])
    assert.equal(text, `/x: two lines; ${'m'.repeat(399)}\ufffd…; \ufffd`)
    const many = issuesText(Array.from({ length: 12 }, (_, index) => ({ message: `m${index}` })))
    assert.equal(many, 'm0; m1; m2; m3; m4; and 7 more')
  })

  it('reads what zod reports', () => {
    const result = z.object({ place: z.string() }).safeParse({ place: 5 })
    assert.match(issuesText(result.error?.issues ?? []), /^\/place: .*expected string, received number$/)
  })
})
