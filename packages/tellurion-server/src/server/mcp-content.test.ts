import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blocksOf } from './mcp-content.ts'

const data = Buffer.from('hi').toString('base64')

test('parts become the blocks that clients know', () => {
  const rows: readonly [Parameters<typeof blocksOf>[0], object][] = [
    ['hi', { type: 'text', text: 'hi' }],
    [[{ type: 'text', text: 'hi' }], { type: 'text', text: 'hi' }],
    [[{ type: 'image', mediaType: 'image/png', data }], { type: 'image', mimeType: 'image/png', data }],
    [[{ type: 'file', mediaType: 'audio/wav', data }], { type: 'audio', mimeType: 'audio/wav', data }],
    [
      [{ type: 'file', mediaType: 'text/csv', filename: 'a b.csv', data }],
      { type: 'resource', resource: { uri: 'file:///a%20b.csv', mimeType: 'text/csv', text: 'hi' } },
    ],
    [
      [{ type: 'file', mediaType: 'application/ld+json', data }],
      { type: 'resource', resource: { uri: 'file:///file-1', mimeType: 'application/ld+json', text: 'hi' } },
    ],
    [
      [{ type: 'file', mediaType: 'application/pdf', filename: '../x', data }],
      { type: 'resource', resource: { uri: 'file:///..%2Fx', mimeType: 'application/pdf', blob: data } },
    ],
    [
      [{ type: 'image', mediaType: 'image/png', url: 'https://example.com/a.png' }],
      { type: 'resource_link', uri: 'https://example.com/a.png', name: 'image-1', mimeType: 'image/png' },
    ],
  ]
  for (const [content, block] of rows) assert.deepEqual(blocksOf(content), [block])
})
