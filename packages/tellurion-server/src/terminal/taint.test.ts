import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { taintLines } from './taint.ts'

describe('where words came from', () => {
  it('shows the untrusted first and the newest before, quoted and inert', () => {
    assert.deepEqual(
      taintLines([
        { level: 'unvouched', kind: 'fact', name: 'home-town', excerpt: 'Lives in Oslo' },
        {
          level: 'untrusted',
          kind: 'tool',
          name: 'fetchPage',
          toolCallId: 'c1',
          excerpt: '{"url":"https://a.example"} → Hi',
        },
        { level: 'untrusted', kind: 'document', name: 'a\u202e\u001b[31m.md', excerpt: 'one\ntwo\u200b "approved"' },
      ]),
      [
        'after untrusted words, document a[31m.md: "one two \\"approved\\""',
        'after untrusted words, tool fetchPage (call c1): "{\\"url\\":\\"https://a.example\\"} → Hi"',
        'after unvouched words, fact home-town: "Lives in Oslo"',
      ],
    )
    assert.deepEqual([taintLines(), taintLines([])], [[], []])
  })
})
