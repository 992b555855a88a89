// `tellurion mcp` as a client starts it: a process of its own, whose standard output is the protocol's alone.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { runCommand } from '../gate/program.ts'
import { root } from '../gate/source.ts'

const program = ['--conditions=@tellurion/source', join(root, 'packages/tellurion-server/src/cli/main.ts'), 'mcp']
const folder = mkdtempSync(join(tmpdir(), 'mcp-'))
after(() => rmSync(folder, { recursive: true }))

writeFileSync(
  join(folder, 'noisy.config.mjs'),
  `import { Agent } from '${join(root, 'packages/tellurion/src/index.ts')}'
console.log('a word at the wrong place')
export default { agents: ({ model }) => ['one', 'two'].map((name) => { console.log('and another'); return new Agent({ name, model }) }) }
`,
)

async function connect(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  const env = { LOG_FILE: 'none', LOG_LEVEL: 'error', NODE_COMPILE_CACHE: join(folder, 'cache'), ...more }
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...program, ...args],
    env,
    cwd: folder,
    stderr: 'ignore',
  })
  await client.connect(transport)
  return client
}

interface Result {
  readonly content: readonly { readonly text?: string }[]
  readonly structuredContent?: { readonly run: string; readonly status: string }
}

const call = async (client: Client, name: string, args: Readonly<Record<string, unknown>>): Promise<Result> =>
  (await client.callTool({ name, arguments: args })) as Result

describe('tellurion mcp', { concurrency: 2 }, () => {
  test('offers the agents', async () => {
    const client = await connect(['--model', 'demo'])
    const result = await call(client, 'demo', { input: 'what is 12*7?' })
    assert.equal(result.content[0]?.text, '12*7 = 84.')
    await client.close()
  })

  test('a run whose client goes in the middle of it goes on with the next', async () => {
    const args = ['--model', 'demo', '--store', 'sqlite:./going.db']
    const client = await connect(args)
    let run: string | undefined
    const begun = new Promise<void>((resolve) => {
      const onprogress = ({ message = '' }: { message?: string | undefined }): void => {
        run ??= /^run (\w+)$/.exec(message)?.[1]
        if (message === 'tool.called wait') resolve()
      }
      client.callTool({ name: 'demo', arguments: { input: 'wait 1.5s' } }, { onprogress }).catch(() => {})
    })
    await begun
    await client.close()
    const next = await connect(args)
    const { content, structuredContent } = await call(next, 'getRun', { run })
    assert.deepEqual([content[0]?.text, structuredContent?.status], ['I have waited 1.5 s.', 'succeeded'])
    await next.close()
  })

  test('offers the tools of the folder beside chosen agents; what they print does not get between', async () => {
    mkdirSync(join(folder, 'tools'))
    const text = `import { tool } from '${join(root, 'packages/tellurion/src/index.ts')}'
console.log('loaded')
export const double = tool({ description: 'Doubles', effects: 'read', execute: ({ n }) => 2 * n,
  inputSchema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] } })`
    writeFileSync(join(folder, 'tools/double.tool.mjs'), text)
    const args = ['--model', 'demo', '--config', 'noisy.config.mjs', '--agent', 'two', '--store', 'sqlite:./noisy.db']
    const client = await connect([...args, '--tools'], { TOOLS_DIR: 'tools' })
    const { tools } = await client.listTools()
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['double', 'two', 'getRun', 'cancelRun'],
    )
    assert.equal((await call(client, 'double', { n: 21 })).content[0]?.text, '42')
    await client.close()
  })

  test('ends with its client, and wrong usage is told on standard error', async () => {
    const tellurion = (args: readonly string[], input = '') =>
      runCommand(process.execPath, [...program, ...args], { cwd: folder, input, env: { LOG_FILE: 'none' } })
    assert.equal((await tellurion(['--model', 'demo'])).code, 0)
    assert.match((await tellurion(['--tools'])).stderr, /--tools: there is no folder of tools; name one with TOOLS_DIR/)
    const { code, stdout, stderr } = await tellurion(['--agent', 'nobody'])
    assert.deepEqual([code, stdout, stderr.trim()], [2, '', "tellurion: No agent is named 'nobody'. Known: demo."])
  })
})
