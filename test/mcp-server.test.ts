// The MCP server as the vendor's own client meets it, in both kinds of revisions: with sessions, and without.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, StreamableHTTPClientTransport, type ClientOptions } from '@modelcontextprotocol/client'
import { tool } from 'tellurion'
import { macrotask } from 'tellurion/testing'
import { createApproval } from 'tellurion/tool'
import { sleep } from 'tellurion/world'
import { openServerDesk, people, until, type ServerDesk } from './server-desk.ts'

const input = { type: 'object', properties: { what: { type: 'string' } }, additionalProperties: false } as const
let removed = 0

const tools = {
  add: tool({
    description: 'Adds',
    inputSchema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] },
    outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
    effects: 'read',
    execute: ({ a, b }) => ({ sum: (a as number) + (b as number) }),
  }),
  lie: tool({
    description: 'Returns something else than it says',
    inputSchema: input,
    outputSchema: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
    execute: () => ({ sum: 'none' }) as never,
  }),
  erase: tool({
    description: 'Erases',
    inputSchema: input,
    needsApproval: true,
    execute: () => `${++removed}`,
  }),
  long: tool({ description: 'Says much', inputSchema: input, effects: 'read', execute: () => 'x'.repeat(5000) }),
  steps: tool({
    description: 'Reports',
    inputSchema: input,
    effects: 'read',
    execute: async (_input, { progress }) => {
      for (const report of [1, { progress: 2, total: 5, message: 'two' }, 'three', { at: 4 }, 0, { progress: 9 }]) {
        progress(report)
        // The vendor's client hands out one a turn of its loop, and forgets those that wait when the result is there.
        await sleep(5)
      }
      return 'done'
    },
  }),
  who: tool({
    description: 'Says who asks',
    inputSchema: input,
    effects: 'read',
    execute: (_, { user }) => user ?? '',
  }),
  stay: tool({
    description: 'Stays until it is stopped',
    inputSchema: input,
    effects: 'read',
    execute: (_input, { abortSignal }) =>
      new Promise<string>((resolve) => abortSignal.addEventListener('abort', () => resolve('stopped'))),
  }),
}

interface Result {
  readonly content: readonly { readonly type: string; readonly text?: string }[]
  readonly structuredContent?: Readonly<Record<string, unknown>>
  readonly isError?: boolean
  readonly _meta?: Readonly<Record<string, unknown>>
}

const said = ({ content }: Result): string => content.map(({ text = '' }) => text).join('')
const codeOf = ({ _meta, isError }: Result): unknown => isError === true && _meta?.['tellurion/code']

let desk: ServerDesk
let url: string
const clients: Client[] = []

before(async () => {
  desk = await openServerDesk({ mcp: { tools }, limits: { mcpText: 1000, mcpCalls: 24, wait: 20_000 } })
  url = (await desk.server.listen()).url
})
after(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await desk.close()
})

const kinds = { 'with a session': {}, 'without sessions': { versionNegotiation: { mode: 'auto' } } } as const

async function connect(options: ClientOptions, as: keyof typeof people = 'ada') {
  const client = new Client({ name: 'test', version: '1' }, options)
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${people[as].token}` } },
  })
  clients.push(client)
  await client.connect(transport)
  return {
    client,
    transport,
    call: async (name: string, args: object = {}, more: object = {}) =>
      (await client.callTool({ name, arguments: args as never }, more)) as Result,
  }
}

for (const [kind, options] of Object.entries(kinds)) {
  describe(`a client ${kind}`, () => {
    let client: Awaited<ReturnType<typeof connect>>
    before(async () => (client = await connect(options)))

    test('speaks the newest revision that both know', () => {
      const isNew = kind === 'without sessions'
      assert.equal(client.transport.protocolVersion, isNew ? '2026-07-28' : '2025-11-25')
      assert.equal(client.transport.sessionId === undefined, isNew)
      assert.equal(client.client.getServerVersion()?.name, 'tellurion')
    })

    test('sees agents and tools, with schemas and what they may do', async () => {
      const { tools: listed } = await client.client.listTools()
      const own = Object.keys(tools)
      assert.deepEqual(
        listed.map(({ name }) => name),
        [...own, 'guide', 'other', 'getRun', 'cancelRun'],
      )
      const { add, erase } = Object.fromEntries(listed.map((each) => [each.name, each]))
      assert.deepEqual(add?.annotations, {
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      })
      assert.equal(erase?.annotations?.destructiveHint, true)
      assert.deepEqual(add?.outputSchema?.['required'], ['sum'])
      assert.match(listed.find(({ name }) => name === 'guide')?.description ?? '', /agent 'guide'.*look, hold, remove/)
    })

    test('asks an agent: a durable run of its user, with its text and how it stands', async () => {
      const seen: number[] = []
      const onprogress = ({ progress }: { progress: number }): void => void seen.push(progress)
      const result = await client.call('guide', { input: 'look tree', session: 'talk' }, { onprogress })
      assert.equal(said(result), 'Then: a tree')
      const { run, ...rest } = result.structuredContent ?? {}
      assert.deepEqual(rest, { session: 'talk', status: 'succeeded', text: 'Then: a tree', interactions: [] })
      const record = await desk.runtime.run(String(run)).record()
      assert.deepEqual([record.user, record.status], ['ada', 'succeeded'])
      assert.ok(seen.length > 3, String(seen))
      assert.deepEqual(
        seen,
        [...seen].sort((a, b) => a - b),
      )
    })

    test('is told that a run waits for a person, and gets the result when one has answered', async () => {
      const waiting = await client.call('guide', { input: 'remove it' })
      assert.equal(waiting.isError ?? false, false)
      const { run, status, interactions } = waiting.structuredContent as {
        run: string
        status: string
        interactions: readonly { id: string; kind: string }[]
      }
      assert.deepEqual([status, interactions[0]?.kind], ['waiting', 'approval'])
      assert.match(said(waiting), /waits for a person: .*getRun/)
      await desk.ask('POST', `/api/v1/interactions/${interactions[0]?.id}`, { body: { answer: 'approve', run } })
      const ended = await client.call('getRun', { run })
      assert.equal(said(ended), 'Then: it is gone')
    })

    test('reads why a run failed', async () => {
      const result = await client.call('guide', { input: 'fail now' })
      assert.equal(codeOf(result), 'model_validation')
      assert.match(said(result), /^The run run_\w+ failed: No\.$/)
    })

    test('calls a tool, and gets what it returns as an object', async () => {
      const result = await client.call('add', { a: 1, b: 2 })
      assert.deepEqual([result.structuredContent, said(result)], [{ sum: 3 }, '{"sum":3}'])
      assert.equal(said(await client.call('who')), 'ada')
    })

    test('is refused what a person would be asked about: it does not run', async () => {
      const before = removed
      const result = await client.call('erase')
      assert.equal(codeOf(result), 'tool_denied')
      assert.match(said(result), /needs a person's approval, so it did not run/)
      assert.equal(removed, before)
    })

    for (const [name, args, code] of [
      ['add', { a: 'x', b: 2 }, 'tool_input_invalid'],
      ['add', {}, 'tool_input_invalid'],
      ['lie', {}, 'tool_output_invalid'],
      ['guide', {}, 'tool_input_invalid'],
      ['guide', { input: '' }, 'tool_input_invalid'],
      ['guide', { input: 'x', session: '../x' }, 'tool_input_invalid'],
      ['guide', { input: 'x', agent: 'other' }, 'tool_input_invalid'],
      ['getRun', { run: 'run_nowhere' }, 'unknown_run'],
      ['getRun', {}, 'tool_input_invalid'],
      ['cancelRun', { run: 7 }, 'tool_input_invalid'],
    ] as const)
      test(`${name} ${JSON.stringify(args)} is ${code}`, async () => {
        assert.equal(codeOf(await client.call(name, args)), code)
      })

    for (const name of ['nothing', '', '__proto__', 'toString', 'x'.repeat(1000)])
      test(`the tool '${name.slice(0, 20)}' is an error of the protocol`, async () => {
        await assert.rejects(client.call(name), (error: Error & { code?: unknown }) => error.code === -32_602)
      })

    test('is told of progress in numbers that grow', async () => {
      const seen: object[] = []
      await client.call('steps', {}, { onprogress: (report: object) => void seen.push(report) })
      assert.deepEqual(seen, [
        { progress: 1 },
        { progress: 2, total: 5, message: 'two' },
        { progress: 3, message: 'three' },
        { progress: 4, message: '{"at":4}' },
        { progress: 9 },
      ])
    })

    test('gets results cut to the bound', async () => {
      const text = said(await client.call('long'))
      assert.match(text, /^x{1000}\n\[cut: 1000 of 5000 characters shown/)
      const { structuredContent } = await client.call('guide', { input: 'y'.repeat(3000) })
      assert.equal(String(structuredContent?.['text']).length, 1000)
    })

    test('many calls go on at one time, and past the cap are refused', async () => {
      const sums = await Promise.all(Array.from({ length: 20 }, (_, a) => client.call('add', { a, b: 1 })))
      assert.deepEqual(
        sums.map(({ structuredContent }) => structuredContent?.['sum']),
        Array.from({ length: 20 }, (_, a) => a + 1),
      )
      const stop = new AbortController()
      const held = Array.from({ length: 24 }, () => client.call('stay', {}, { signal: stop.signal }))
      const settled = Promise.allSettled(held)
      await until(async () => codeOf(await client.call('add', { a: 1, b: 1 })) === 'rate_limited', 'refused')
      stop.abort()
      await settled
      await until(async () => codeOf(await client.call('add', { a: 1, b: 1 })) === false, 'there is room again')
    })

    test('a session of another is not there, nor is a run', async () => {
      const bob = await connect(options, 'bob')
      await client.call('guide', { input: 'Hi', session: `own-${kind.length}` })
      assert.equal(codeOf(await bob.call('guide', { input: 'Hi', session: `own-${kind.length}` })), 'unknown_session')
      const { structuredContent } = await client.call('guide', { input: 'Hi' })
      for (const name of ['getRun', 'cancelRun']) {
        assert.equal(codeOf(await bob.call(name, { run: structuredContent?.['run'] })), 'unknown_run')
      }
      const root = await connect(options, 'root')
      assert.equal(codeOf(await root.call('getRun', { run: structuredContent?.['run'] })), false, 'an admin sees all')
    })

    test('going in the middle of a call cancels no run', async () => {
      const other = await connect(options)
      const held = other.call('guide', { input: 'hold it', session: `held-${kind.length}` }).catch(() => {})
      const run = await newestRun(`held-${kind.length}`)
      await until(async () => (await run.record()).status === 'running', 'it runs')
      await other.client.close()
      await held
      for (let turn = 0; turn < 20; turn++) await macrotask()
      assert.equal((await run.record()).status, 'running')
      assert.equal(codeOf(await client.call('cancelRun', { run: run.id })), 'aborted')
      assert.equal((await run.record()).status, 'cancelled')
    })
  })
}

/** The newest run of a session, when it is there. */
async function newestRun(session: string) {
  let id: string | undefined
  await until(async () => {
    id = (await desk.runtime.runs({ limit: 1, session }))[0]?.id
    return id !== undefined
  }, `a run in ${session}`)
  return desk.runtime.run(id!)
}

test('calls of tools are among the numbers of the server', async () => {
  const calls = async (): Promise<number> => {
    const { json } = await desk.ask('GET', '/api/v1/metrics', { as: 'root' })
    return (json as { tools: Record<string, { calls: number }> }).tools['who']?.calls ?? 0
  }
  const { call } = await connect({})
  const before = await calls()
  await call('who')
  assert.equal(await calls(), before + 1)
})

test('a call that a client with a session takes back cancels its run', async () => {
  const { call } = await connect({})
  const stop = new AbortController()
  const held = call('guide', { input: 'hold it', session: 'taken' }, { signal: stop.signal })
  held.catch(() => {})
  const run = await newestRun('taken')
  await until(async () => (await run.record()).status === 'running', 'it runs')
  stop.abort('enough')
  await assert.rejects(held)
  await until(async () => (await run.record()).status === 'cancelled', 'it is cancelled')
})

test('a tool call that is taken back is stopped', async () => {
  const { call } = await connect({})
  const stop = new AbortController()
  const held = call('stay', {}, { signal: stop.signal })
  held.catch(() => {})
  stop.abort()
  await assert.rejects(held)
})

test('rules decide on tools, before what the tools say themselves', async () => {
  const approval = createApproval([{ allow: 'erase' }, { deny: 'add', reason: 'no sums' }])
  const own = await openServerDesk({ mcp: { tools, authority: { approval }, agents: ['guide'] } })
  try {
    const { url: address } = await own.server.listen()
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${address}/mcp`), {
        requestInit: { headers: { authorization: `Bearer ${people.ada.token}` } },
      }),
    )
    const before = removed
    assert.equal(((await client.callTool({ name: 'erase', arguments: {} })) as Result).isError ?? false, false)
    assert.equal(removed, before + 1)
    assert.equal(codeOf((await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } })) as Result), 'tool_denied')
    assert.equal(codeOf((await client.callTool({ name: 'long', arguments: {} })) as Result), 'tool_denied', 'no rule')
    const { tools: listed } = await client.listTools()
    assert.ok(!listed.some(({ name }) => name === 'other'), 'an agent that is not offered')
    await client.close()
  } finally {
    await own.close()
  }
})
