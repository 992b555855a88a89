import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { shellWord } from './shell-word.ts'

test('a plain word stays as it is, and any other is one word for a shell', () => {
  for (const plain of ['my-agent', './data/token', 'http://127.0.0.1:8000']) assert.equal(shellWord(plain), plain)
  for (const text of ['My Agent!', "it's", '$(id)', 'a;b', '*', '', 'ä', '`x`', '"q"', '\\']) {
    const echoed = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })
    assert.equal(echoed, text)
  }
  assert.equal(shellWord('a\u001b[31mb\nc'), "'a[31mb c'")
})
