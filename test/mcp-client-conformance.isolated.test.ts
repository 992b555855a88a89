// The official conformance scenarios for MCP clients, with the public door. Those about signing in all fail for one reason
// and are run by hand; here each scenario that there is must either pass or have its reason.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { runCommand } from '../gate/program.ts'
import { root } from '../gate/source.ts'

const program = join(root, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')
const baseline = join(root, 'test/fixture/mcp-client-conformance.yml')
const client = [
  process.execPath,
  '--conditions=@tellurion/source',
  join(root, 'test/fixture/mcp-conformance-client.ts'),
]
const passing = [
  'initialize',
  'tools_call',
  'elicitation-sep1034-client-defaults',
  'sse-retry',
  'auth/resource-mismatch',
]
const expected = [...readFileSync(baseline, 'utf8').matchAll(/^ {2}- (\S+)$/gm)].map(([, name = '']) => name)
const folder = mkdtempSync(join(tmpdir(), 'client-conformance-'))
after(() => rmSync(folder, { recursive: true }))

const conformance = (...args: string[]): ReturnType<typeof runCommand> =>
  runCommand(process.execPath, [program, ...args], { cwd: folder, timeout: 120_000, env: { NO_COLOR: '1' } })

const run = (scenario: string): ReturnType<typeof runCommand> =>
  conformance('client', '--command', client.join(' '), '--scenario', scenario)

describe('a scenario for clients', () => {
  for (const scenario of passing)
    test(`passes: ${scenario}`, async () => {
      const { code, stdout, stderr } = await run(scenario)
      assert.equal(code, 0, `${stdout.slice(-2_000)}\n${stderr.slice(-2_000)}`)
    })

  test('about signing in ends in a refusal that says what to do', async () => {
    const { code, stdout, stderr } = await run(expected[0] ?? '')
    assert.equal(code, 1)
    assert.match(`${stdout}${stderr}`, /does not let us in \(HTTP 401\); put what it wants into 'headers'/)
  })

  test('passes or has its reason', async () => {
    const { stdout } = await conformance('list', '--client')
    const all = [...stdout.matchAll(/^ {2}- (\S+)/gm)].map(([, name = '']) => name)
    assert.ok(all.length >= 26, `${all.length} scenarios`)
    assert.deepEqual(all.toSorted(), [...passing, ...expected].toSorted())
  })
})
