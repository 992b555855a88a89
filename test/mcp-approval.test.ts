// Calls that ask a person, over MCP: asked of the person at the client where the operator says that there is one, with the
// exact arguments, for these alone, and once. A client that cannot ask, or forges answers, gets nothing done.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { tool } from 'tellurion'
import { openServerDesk, people, type ServerDesk } from './server-desk.ts'

const erased: string[] = []
const erase = tool({
  description: 'Erases',
  inputSchema: { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] },
  needsApproval: true,
  execute: ({ what }) => {
    erased.push(String(what))
    return 'erased'
  },
})

let desk: ServerDesk
let url: string
before(async () => {
  desk = await openServerDesk({ mcp: { tools: { erase }, askClient: true, agents: ['guide'] } })
  url = (await desk.server.listen()).url
})
after(() => desk.close())

interface Result {
  readonly content: readonly { readonly text?: string }[]
  readonly isError?: boolean
}

type Answer = { readonly action: 'accept' | 'decline' | 'cancel'; readonly content?: Record<string, boolean | string> }

/** Calls by a client whose person answers so; gives the text, and what the person was asked. */
async function callBy(kind: 'older' | 'newest', what: string, answer: Answer | undefined) {
  const capabilities = answer === undefined ? {} : { elicitation: {} }
  const negotiation = kind === 'newest' ? { versionNegotiation: { mode: 'auto' as const } } : {}
  const client = new Client({ name: 'test', version: '1' }, { capabilities, ...negotiation })
  const asked: string[] = []
  if (answer !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message)
      return answer as never
    })
  }
  const requestInit = { headers: { authorization: `Bearer ${people.ada.token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }))
  const result = (await client.callTool({ name: 'erase', arguments: { what } })) as Result
  await client.close()
  return { text: result.content[0]?.text ?? '', isError: result.isError === true, asked }
}

for (const kind of ['older', 'newest'] as const)
  describe(`the ${kind} revision`, () => {
    test('a call that a person allows runs, once, and they saw its exact arguments', async () => {
      const what = `disk-${kind} \u202e"x"`
      const { text, asked } = await callBy(kind, what, { action: 'accept', content: { allow: true } })
      assert.equal(text, 'erased')
      assert.deepEqual(erased.splice(0), [what])
      assert.equal(asked.length, 1)
      assert.ok(asked[0]?.endsWith(`{"what":"disk-${kind} \\u202e\\"x\\""}`), String(asked[0]))
    })

    for (const answer of [
      { action: 'accept', content: { allow: false } },
      { action: 'decline' },
      { action: 'cancel' },
    ] as const)
      test(`${JSON.stringify(answer)} does not run it`, async () => {
        const { text, isError } = await callBy(kind, 'disk', answer)
        assert.ok(isError)
        assert.match(text, /did not run/)
        assert.deepEqual(erased, [])
      })

    test('a client that cannot ask is told so', async () => {
      const { text } = await callBy(kind, 'disk', undefined)
      assert.match(text, /Nobody can be asked here/)
      assert.deepEqual(erased, [])
    })

    test('arguments that are too long to be read are not asked about', async () => {
      const { text, asked } = await callBy(kind, 'x'.repeat(5000), { action: 'accept', content: { allow: true } })
      assert.match(text, /too long to be shown/)
      assert.deepEqual([erased, asked], [[], []])
    })
  })

describe('answers that nobody gave', () => {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'by hand', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
  }
  const yes = { approval: { action: 'accept', content: { allow: true } } }
  const ask = async (params: object, as: 'ada' | 'bob' = 'ada'): Promise<Record<string, never>> => {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'erase', ...params, _meta: envelope } }
    const headers = {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'erase',
    }
    const { text } = await desk.ask('POST', '/mcp', { as, body, headers })
    return JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? '{}').result ?? JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? '{}')
  }
  const begin = async (what = 'disk'): Promise<string> => {
    const { resultType, requestState } = await ask({ arguments: { what } })
    assert.equal(resultType, 'input_required')
    return String(requestState)
  }

  test('the answer to a question is good once', async () => {
    const requestState = await begin()
    const again = { arguments: { what: 'disk' }, requestState, inputResponses: yes }
    assert.equal((await ask(again))['isError'], undefined)
    assert.deepEqual(erased.splice(0), ['disk'])
    assert.equal((await ask(again))['isError'], true)
    assert.deepEqual(erased, [])
  })

  const forged: readonly [string, (requestState: string) => object, ('ada' | 'bob')?][] = [
    ['for other arguments', (requestState) => ({ arguments: { what: 'all' }, requestState, inputResponses: yes })],
    ['by another user', (requestState) => ({ arguments: { what: 'disk' }, requestState, inputResponses: yes }), 'bob'],
    ['without a word', (requestState) => ({ arguments: { what: 'disk' }, requestState })],
    [
      'under another name',
      (requestState) => ({ arguments: { what: 'disk' }, requestState, inputResponses: { x: yes.approval } }),
    ],
    [
      'in words',
      (requestState) => ({
        arguments: { what: 'disk' },
        requestState,
        inputResponses: { approval: { action: 'accept', content: { allow: 'true' } } },
      }),
    ],
    [
      'to a question that was not asked',
      () => ({ arguments: { what: 'disk' }, requestState: 'ask_1', inputResponses: yes }),
    ],
    ['to no question', () => ({ arguments: { what: 'disk' }, inputResponses: yes })],
    ['in the arguments', () => ({ arguments: { what: 'disk', allow: true, approved: true } })],
  ]
  for (const [what, params, as] of forged)
    test(`an answer ${what} runs nothing`, async () => {
      await ask(params(await begin()), as)
      assert.deepEqual(erased, [])
    })
})
