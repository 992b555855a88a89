import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { OutputChunk } from './execution.ts'
import { Output } from './output.ts'

describe('Output', () => {
  it('tells as it comes, with characters whole, and keeps all', () => {
    const heard: OutputChunk[] = []
    const output = new Output(100, (chunk) => heard.push(chunk))
    const bytes = Buffer.from('né日')
    for (const byte of bytes) assert.equal(output.take('stdout', Buffer.of(byte)), true)
    output.take('stderr', Buffer.from('bad'))
    assert.deepEqual(
      heard.map(({ stream, text }) => `${stream} ${text}`),
      ['stdout n', 'stdout é', 'stdout 日', 'stderr bad'],
    )
    assert.deepEqual(output.end(), { stdout: 'né日', stderr: 'bad' })
    assert.equal(output.isTruncated, false)
  })

  it('keeps the beginning of each stream, well-formed', () => {
    const output = new Output(4)
    output.take('stdout', Buffer.from('abcdefgh'))
    output.take('stderr', Buffer.from('ééé'))
    assert.deepEqual(output.end(), { stdout: 'abcd', stderr: 'éé' })
    assert.equal(output.isTruncated, true)
    const broken = new Output(3)
    broken.take('stdout', Buffer.from([0xc3, 0x28, 0xff, 0x41]))
    assert.ok(broken.end().stdout.isWellFormed())
  })

  it('says when enough is enough, over both streams together', () => {
    const output = new Output(10)
    assert.equal(output.take('stdout', Buffer.alloc(320)), true)
    assert.equal(output.take('stderr', Buffer.alloc(320)), true)
    assert.equal(output.take('stdout', Buffer.alloc(1)), false)
  })
})
