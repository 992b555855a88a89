import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tool } from '../tool/tool.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { livingToolbox } from './living-toolbox.ts'
import { createMcp, type McpOptions } from './mcp.ts'
import type { McpServerOptions } from './server-options.ts'

const program = { command: 'mcp-files' }
const address = { url: 'https://mcp.example.com/' }

describe('createMcp refuses', () => {
  const wrong: readonly [what: string, options: unknown, code: string, message: RegExp][] = [
    ['nothing', undefined, 'invalid_option', /takes one object/],
    ['no servers', {}, 'invalid_option', /needs servers by name/],
    ['an unknown option', { servers: {}, pin: {} }, 'unknown_option', /Did you mean 'pins'\?/],
    [
      'a ping that never rests',
      { servers: {}, pingEvery: 1 },
      'invalid_option',
      /pingEvery must be a whole number from 100/,
    ],
    ['pins that are none', { servers: {}, pins: 'x' }, 'invalid_option', /pins must be/],
    [
      'pins of a server that is not there',
      { servers: { shop: program }, pins: { shup: {} } },
      'unknown_option',
      /Did you mean 'shop'\?/,
    ],
    [
      'pins that are no hashes',
      { servers: { shop: program }, pins: { shop: { a: 'x' } } },
      'invalid_option',
      /must be SHA-256 hashes/,
    ],
    ['a policy that is none', { servers: {}, retry: { factor: 0 } }, 'invalid_option', /'factor' must be/],
    ['an end of trying', { servers: {}, retry: { maxRetries: 3 } }, 'unknown_option', /no option 'maxRetries'/],
  ]
  for (const [what, options, code, message] of wrong)
    test(what, () => assert.throws(() => createMcp(options as McpOptions), { code, message }))
})

describe('a server is refused with', () => {
  const wrong: readonly [server: unknown, code: string, message: RegExp][] = [
    [undefined, 'invalid_option', /needs either a command .* or an address/],
    [{}, 'invalid_option', /needs either a command/],
    [{ ...program, ...address }, 'invalid_option', /needs either a command/],
    [{ ...program, arg: [] }, 'unknown_option', /the MCP server 'it' has no option 'arg'\. Did you mean 'args'\?/],
    [{ ...program, headers: {} }, 'unknown_option', /has no option 'headers'/],
    [{ ...address, env: {} }, 'unknown_option', /has no option 'env'/],
    [{ command: '' }, 'invalid_option', /command of the MCP server 'it'/],
    [{ command: 'a\0b' }, 'invalid_option', /command of/],
    [{ ...program, args: 'x' }, 'invalid_option', /args of the MCP server 'it' must be a list of texts/],
    [{ ...program, args: [1] }, 'invalid_option', /args of/],
    [{ ...program, cwd: 1 }, 'invalid_option', /cwd of/],
    [{ ...program, read: ['a\0'] }, 'invalid_option', /read of/],
    [{ ...program, write: 'x' }, 'invalid_option', /write of/],
    [{ ...program, env: { 'A=B': 'x' } }, 'invalid_option', /env of the MCP server 'it' must be texts by name/],
    [{ ...program, env: { A: 1 } }, 'invalid_option', /env of/],
    [{ ...program, network: 'yes' }, 'invalid_option', /network of the MCP server 'it' must be true or false/],
    [{ ...program, allowUnisolated: 1 }, 'invalid_option', /allowUnisolated of/],
    [{ url: 'nowhere' }, 'invalid_option', /must be an http or https address/],
    [{ url: 'file:///etc/passwd' }, 'invalid_option', /must be an http or https address/],
    [{ ...address, headers: { 'a b': 'x' } }, 'invalid_option', /headers of/],
    [{ ...address, allowPrivate: 'yes' }, 'invalid_option', /allowPrivate of/],
    [{ ...program, timeout: 0 }, 'invalid_option', /timeout of the MCP server 'it' must be a whole number from 1/],
    [{ ...program, connectTimeout: Infinity }, 'invalid_option', /connectTimeout of/],
    [
      { ...program, maxMessage: 1 },
      'invalid_option',
      /maxMessage of the MCP server 'it' must be a whole number from 1024/,
    ],
    [{ ...program, lazy: 'yes' }, 'invalid_option', /lazy of/],
    [{ ...program, only: 'echo' }, 'invalid_option', /only of/],
    [{ ...program, logLevel: 'loud' }, 'invalid_option', /logLevel of/],
    [{ ...program, sampling: true }, 'invalid_option', /sampling of the MCP server 'it' must be a function/],
    [{ ...program, roots: [{ uri: 'https://a' }] }, 'invalid_option', /roots of/],
  ]
  for (const [server, code, message] of wrong)
    test(String(JSON.stringify(server)), () => {
      const servers = { it: server as McpServerOptions }
      assert.throws(() => createMcp({ servers }), { code, message })
    })
})

test('nothing is started before it is asked for', async () => {
  await using mcp = createMcp({ servers: { it: program, that: address } })
  assert.deepEqual(
    mcp.status().map(({ server, state, tools }) => [server, state, tools]),
    [
      ['it', 'idle', []],
      ['that', 'idle', []],
    ],
  )
  assert.deepEqual([mcp.tools(), mcp.toolbox().specs()], [{}, []])
})

test('a toolbox keeps own tools before those of servers, and says so', () => {
  const make = (description: string) =>
    tool({ description, inputSchema: { type: 'object' }, execute: () => description })
  let version = 0
  let offered = { it_a: make('theirs'), it_b: make('theirs') }
  const duplicates: string[] = []
  const onDuplicate = (name: string): void => void duplicates.push(name)
  const box = livingToolbox(createToolbox({ it_a: make('own') }), {
    tools: () => offered,
    version: () => version,
    onDuplicate,
  })
  assert.deepEqual(box.names(), ['it_a', 'it_b'])
  assert.deepEqual([box.get('it_a')?.description, duplicates], ['own', ['it_a']])
  const before = box.specs()
  assert.equal(box.specs(), before)
  offered = { ...offered, it_b: make('other') }
  version++
  assert.equal(box.get('it_b')?.description, 'other')
  box.register('mine', make('mine'))
  assert.deepEqual(box.names(), ['it_a', 'mine', 'it_b'])
  assert.throws(() => box.register('mine', make('again')), { code: 'duplicate_tool' })
})
