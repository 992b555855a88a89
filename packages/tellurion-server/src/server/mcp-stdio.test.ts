import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { Client, type ClientOptions } from '@modelcontextprotocol/client'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { Agent, textOf, tool } from 'tellurion'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { createMcpServer } from './mcp-server.ts'

const identity = { user: 'local', scopes: ['write'] } as const

async function serve(options: ClientOptions | undefined) {
  const model = scriptedModel(({ messages }) => `You said: ${textOf(messages.at(-1)!)}`)
  const runtime = await createRuntime({ store: memory(), agents: [new Agent({ name: 'guide', model })] })
  const stay = tool({
    description: 'Stays',
    inputSchema: { type: 'object', properties: {} },
    execute: (_, { abortSignal }) =>
      new Promise<string>((resolve) => abortSignal.addEventListener('abort', () => resolve('stopped'))),
  })
  const offer = {
    tools: { stay },
    instructions: 'Ask the guide.',
    prompts: { greet: { description: 'Greets', arguments: { who: { required: true } }, render: greeting } },
    resources: {
      'notes://today': { name: 'Today', mediaType: 'text/plain', read: () => 'Rain.' },
      'broken://one': { name: 'Broken', mediaType: 'text/plain', read: () => Promise.reject(new Error('secret path')) },
      'long://one': { name: 'Long', mediaType: 'text/plain', read: () => 'x'.repeat(16_000_001) },
      'notes://{day}/{hour}': { name: 'A day', mediaType: 'text/plain', read: echo },
    },
  }
  const log = createLog({ level: 'error' })
  const server = createMcpServer({ offer, runtime, version: '1.2.3', log })
  const [input, output] = [new PassThrough(), new PassThrough()]
  const connection = await server.serve({ input, output, identity })
  const close = async (): Promise<void> => {
    await server.close()
    await runtime.close()
  }
  if (options === undefined) return { close, input, output, connection, client: undefined as never, runtime }
  const client = new Client({ name: 'test', version: '1' }, options)
  // The other end of a pipe is a pipe.
  await client.connect(new StdioServerTransport(output, input))
  return { client, close, input, output, connection, runtime }
}

const greeting = ({ who = '' }: Readonly<Record<string, string>>): string => `Greet ${who}.`
const echo = (filled: Readonly<Record<string, string>>): string => JSON.stringify(filled)

for (const [kind, options] of Object.entries({ older: {}, newest: { versionNegotiation: { mode: 'auto' } } } as const))
  describe(`MCP over streams, in the ${kind} revision`, () => {
    test('agents, prompts and resources are there', async () => {
      const { client, close, runtime } = await serve(options)
      assert.equal(client.getInstructions(), 'Ask the guide.')
      const result = await client.callTool({ name: 'guide', arguments: { input: 'Hi' } })
      assert.deepEqual(result.content, [{ type: 'text', text: 'You said: Hi' }])
      assert.equal((await runtime.runs({ user: 'local' })).length, 1)
      const { messages } = await client.getPrompt({ name: 'greet', arguments: { who: 'Ada' } })
      assert.deepEqual(messages, [{ role: 'user', content: { type: 'text', text: 'Greet Ada.' } }])
      const { contents } = await client.readResource({ uri: 'notes://today' })
      assert.deepEqual(contents, [{ uri: 'notes://today', mimeType: 'text/plain', text: 'Rain.' }])
      const family = await client.readResource({ uri: 'notes://a%2Fb/9' })
      assert.equal((family.contents[0] as { text?: string }).text, '{"day":"a/b","hour":"9"}')
      const { resourceTemplates } = await client.listResourceTemplates()
      assert.deepEqual(
        resourceTemplates.map(({ uriTemplate }) => uriTemplate),
        ['notes://{day}/{hour}'],
      )
      await client.close()
      await close()
    })

    for (const uri of ['notes://tomorrow', 'notes://a', 'notes://a/b/c', 'notes://%ff/1', 'notes://{day}/{hour}', ''])
      test(`the resource '${uri}' is ${uri.includes('{') ? 'one of a family' : 'not there'}`, async () => {
        const { client, close } = await serve(options)
        const asked = client.readResource({ uri })
        if (uri.includes('{')) await asked
        else await assert.rejects(asked)
        await close()
      })

    test('what goes wrong inside is not told', async () => {
      const { client, close } = await serve(options)
      const told = (uri: string): Promise<string> =>
        client.readResource({ uri }).then(
          () => '',
          (error: Error) => error.message,
        )
      assert.equal(await told('broken://one'), 'The server failed; its log has the reason.')
      assert.equal(await told('long://one'), 'The resource is longer than this server gives out.')
      await close()
    })

    for (const params of [
      { name: 'nothing' },
      { name: 'greet' },
      { name: 'greet', arguments: { whom: 'x' } },
      { name: '__proto__' },
    ])
      test(`the prompt ${JSON.stringify(params)} is refused`, async () => {
        const { client, close } = await serve(options)
        await assert.rejects(client.getPrompt(params), (error: Error & { code?: unknown }) => error.code === -32_602)
        await close()
      })

    test('a call that is taken back is stopped', async () => {
      const { client, close } = await serve(options)
      const stop = new AbortController()
      const held = client.callTool({ name: 'stay', arguments: {} }, { signal: stop.signal })
      stop.abort()
      await assert.rejects(held)
      await client.callTool({ name: 'guide', arguments: { input: 'still here' } })
      await close()
    })
  })

describe('MCP over streams', () => {
  test('ends when the client closes its end', async () => {
    const { close, input, connection } = await serve(undefined)
    input.end()
    await connection.ended
    await close()
  })

  test('ends when a message is longer than may be', async () => {
    const { close, input, connection } = await serve(undefined)
    for (let piece = 0; piece < 20; piece++) input.write('x'.repeat(100_000))
    await connection.ended
    await close()
  })

  test('lines that are no messages are passed over', async () => {
    const { close, input, output } = await serve(undefined)
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
    for (const line of ['', 'hello', '{', '[]', '{"jsonrpc":"2.0"}', 'null']) input.write(`${line}\n`)
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
    const text = await new Promise<string>((resolve) => output.once('data', (chunk: Buffer) => resolve(String(chunk))))
    assert.match(text, /"serverInfo":\{"name":"tellurion","version":"1\.2\.3"\}/)
    await close()
  })
})
