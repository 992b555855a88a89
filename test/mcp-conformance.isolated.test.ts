// The official conformance scenarios for MCP servers, against a server made by the public door.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../gate/program.ts'
import { root } from '../gate/source.ts'
import { openConformanceServer } from './fixture/mcp-conformance.ts'

const program = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')
const baseline = join(root, 'test/fixture/mcp-conformance.yml')

test('every scenario passes but those with a reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  const server = await openConformanceServer()
  try {
    const args = ['server', '--url', server.url, '--suite', 'all', '--expected-failures', baseline]
    const { code, stdout, stderr } = await runCommand(process.execPath, [program, ...args], {
      cwd: folder,
      timeout: 120_000,
      env: { NO_COLOR: '1' },
    })
    const summary = stdout.slice(stdout.indexOf('=== SUMMARY ==='))
    assert.equal(code, 0, `${summary}\n${stderr.slice(-2000)}`)
    const passed = [...summary.matchAll(/^✓ ([\w-]+)/gm)].map(([, name = '']) => name)
    const expected = [...readFileSync(baseline, 'utf8').matchAll(/^ {2}- ([\w-]+)/gm)].map(([, name = '']) => name)
    const ran = new Set([...summary.matchAll(/^[✓✗] ([\w-]+)/gm)].map(([, name = '']) => name))
    assert.ok(ran.size >= 32, `${ran.size} scenarios ran`)
    const rest = [...ran].filter((name) => !passed.includes(name) && !expected.includes(name))
    assert.deepEqual(rest, [], 'each that did not pass has its reason')
    assert.ok(passed.filter((name) => !expected.includes(name)).length >= 22, summary)
  } finally {
    await server.close()
    rmSync(folder, { recursive: true })
  }
})
