// Without the official package: its absence is played with a hook of the module loader, so this has a process of its own.

import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { createMcp } from './mcp.ts'

test('a server is refused with the line that installs the package, and works once it is there', async () => {
  let isThere = false
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === '@modelcontextprotocol/client' && !isThere)
        throw new Error(`Cannot find package '${specifier}'`)
      return next(specifier, context)
    },
  })
  const servers = { it: { command: '/no/such/program', allowUnisolated: true } } as const
  await using mcp = createMcp({ servers })
  const [status] = await mcp.connect()
  assert.deepEqual([status?.state, status?.error?.code, status?.retryAt], ['refused', 'missing_package', undefined])
  assert.match(status?.error?.message ?? '', /npm install @modelcontextprotocol\/client$/)
  isThere = true
  await using later = createMcp({ servers })
  assert.equal((await later.connect())[0]?.error?.code, 'mcp_unavailable')
})
