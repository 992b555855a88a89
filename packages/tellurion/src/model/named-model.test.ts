// `model('vendor/name')`: what it needs, what it refuses, and that it keeps its key to itself.

import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import type { ErrorCode } from '../error/catalogue.ts'
import { complete } from './collect.ts'
import type { ModelOptions } from './endpoint.ts'
import { model } from './named-model.ts'
import { vendors, type Vendor } from './vendor.ts'

const request = { messages: [{ role: 'user', content: 'Hello' }] } as const
const key = 'sk-very-secret-0123456789'

interface Sent {
  readonly url: string
  readonly headers: Headers
}

/** What a model sends, told by a `fetch` that answers nothing. */
async function sentBy(name: string, options: ModelOptions, extra: object = {}): Promise<Sent> {
  const sent: Sent[] = []
  const fetching: typeof fetch = async (url, init) => {
    sent.push({ url: String(url), headers: new Headers(init?.headers) })
    return new Response('')
  }
  await complete(model(name, { env: {}, ...options, fetch: fetching }), { ...request, ...extra })
  assert.equal(sent.length, 1)
  return sent[0] as Sent
}

function refused(name: string, options: ModelOptions, code: ErrorCode, message: RegExp): void {
  assert.throws(() => model(name, { env: {}, ...options }), { code, message })
}

test('names that lead nowhere say what to write instead', () => {
  refused('gpt-5', {}, 'unknown_provider', /Write 'openai\/gpt-5'/)
  refused('claude-sonnet-5', {}, 'unknown_provider', /Write 'anthropic\/claude-sonnet-5'/)
  refused('opnai/gpt-5', {}, 'unknown_provider', /no vendor is called 'opnai'\. Did you mean 'openai'\?.*local\/gpt-5/)
  refused('openai', {}, 'unknown_provider', /write 'openai\/gpt-5'/)
  refused('vllm/', {}, 'unknown_provider', /names no model/)
  refused('toString/x', {}, 'unknown_provider', /no vendor/)
  refused('some-model', {}, 'unknown_provider', /local\/some-model/)
  refused('', {}, 'invalid_option', /needs a name/)
})

test('a missing key names the variable; local servers need none', () => {
  refused('openai/gpt-5', {}, 'missing_key', /OPENAI_API_KEY.*apiKey/)
  refused('anthropic/x', { env: { ANTHROPIC_API_KEY: '  ' } }, 'missing_key', /ANTHROPIC_API_KEY/)
  assert.equal(model('ollama/llama3.2', { env: {} }).name, 'ollama/llama3.2')
})

test('bad options are refused when they are given', () => {
  refused('openai/x', { apikey: key } as ModelOptions, 'unknown_option', /'apikey'\. Did you mean 'apiKey'/)
  refused('openai/x', { apiKey: 'a\nb' }, 'invalid_option', /key holds characters/)
  refused('openai/x', { apiKey: 5 as unknown as string }, 'invalid_option', /must be a text/)
  for (const baseURL of ['localhost:1234', 'ftp://x.test', 'not a url', '/v1']) {
    refused('openai/x', { apiKey: key, baseURL }, 'invalid_option', /no http\(s\) URL/)
  }
  refused('openai/x', { apiKey: key, baseURL: 'https://me:pass@x.test' }, 'invalid_option', /user name or password/)
  refused('openai/x', { apiKey: key, headers: { 'x y': '1' } }, 'invalid_option', /header 'x y'/)
  refused('azure/x', { apiKey: key }, 'invalid_option', /AZURE_OPENAI_ENDPOINT/)
  refused('local/x', {}, 'invalid_option', /LLM_BASE_URL/)
})

test('no message about a bad base URL shows the password in it', () => {
  assert.throws(
    () => model('local/x', { env: {}, baseURL: 'https://me:hunter22@x.test' }),
    (error: Error) => !error.message.includes('hunter22'),
  )
})

test('the key is in no form of the model, and in no failure', async () => {
  const echo: typeof fetch = async (_url, init) => {
    const { authorization } = Object.fromEntries(new Headers(init?.headers))
    return Response.json({ error: { message: `wrong key: ${authorization}` } }, { status: 401 })
  }
  const asked = model('openai/gpt-5', { apiKey: key, env: {}, fetch: echo, headers: { 'x-extra': 'another-secret' } })
  const reply = await complete(asked, request)
  const shown = [
    JSON.stringify(asked),
    inspect(asked, { depth: 9, showHidden: true }),
    inspect(reply, { depth: 9 }),
  ].join()
  assert.ok(!shown.includes(key) && !shown.includes('another-secret'))
  assert.match(shown, /\[redacted\]/)
  const stream = asked.stream(request, {})
  assert.ok(!inspect(stream, { depth: 9, showHidden: true }).includes(key))
  const broken: typeof fetch = async () => {
    throw new TypeError(`could not send ${key}`)
  }
  const failed = await complete(model('openai/gpt-5', { apiKey: key, env: {}, fetch: broken }), request)
  assert.ok(!JSON.stringify(failed).includes(key))
})

test('the environment is read when the model is made: key, address', async () => {
  const env = { OPENAI_API_KEY: ` ${key}\n`, OPENAI_BASE_URL: 'https://proxy.test/v1/' }
  const { url, headers } = await sentBy('openai/gpt-5', { env })
  assert.equal(url, 'https://proxy.test/v1/chat/completions')
  assert.equal(headers.get('authorization'), `Bearer ${key}`)
  const own = await sentBy('openai/gpt-5', { env, baseURL: 'https://mine.test', apiKey: 'sk-mine' })
  assert.deepEqual(
    [own.url, own.headers.get('authorization')],
    ['https://mine.test/chat/completions', 'Bearer sk-mine'],
  )
  const open = await sentBy('ollama/x', {})
  assert.equal(open.headers.has('authorization'), false)
})

test('Anthropic: its header, its version, its path with and without /v1', async () => {
  const { url, headers } = await sentBy('anthropic/claude-sonnet-5', { apiKey: key })
  assert.equal(url, 'https://api.anthropic.com/v1/messages')
  assert.deepEqual([headers.get('x-api-key'), headers.get('anthropic-version')], [key, '2023-06-01'])
  const other = await sentBy('anthropic/x', { apiKey: key, baseURL: 'https://proxy.test/anthropic/v1' })
  assert.equal(other.url, 'https://proxy.test/anthropic/v1/messages')
})

test('Azure: a deployment in the path and a version in the query, or the newer form', async () => {
  const env = { AZURE_OPENAI_API_KEY: key, AZURE_OPENAI_ENDPOINT: 'https://me.openai.azure.com' }
  const { url, headers } = await sentBy('azure/my-gpt', { env })
  assert.equal(url, 'https://me.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21')
  assert.deepEqual([headers.get('api-key'), headers.has('authorization')], [key, false])
  const versioned = await sentBy('azure/my-gpt', { env, apiVersion: '2030-01-01' })
  assert.match(versioned.url, /api-version=2030-01-01$/)
  const newer = await sentBy('azure/my-gpt', { env, baseURL: 'https://me.openai.azure.com/openai/v1' })
  assert.equal(newer.url, 'https://me.openai.azure.com/openai/v1/chat/completions')
})

test('headers of the options and of the request win, whatever their case', async () => {
  const options = { apiKey: key, headers: { Authorization: 'Basic x', 'X-One': '1', 'x-two': '2' } }
  const { headers } = await sentBy('openai/x', options, { headers: { 'X-Two': 'two', 'anthropic-beta': 'b' } })
  assert.equal(headers.get('authorization'), 'Basic x')
  assert.deepEqual([headers.get('x-one'), headers.get('x-two'), headers.get('anthropic-beta')], ['1', 'two', 'b'])
})

test('a request that cannot be sent is a failure, not a throw', async () => {
  const never: typeof fetch = () => assert.fail('nothing may be sent')
  const asked = model('openai/x', { apiKey: key, env: {}, fetch: never })
  const wrong = [
    { messages: [] },
    { ...request, headers: { 'x-bad': 'a\nb' } },
    { ...request, headers: { 'a b': 'c' } },
  ]
  for (const bad of wrong) {
    const reply = await complete(asked, bad)
    assert.equal(reply.status === 'failed' && reply.failure.code, 'model_validation')
  }
})

test('every row of the table is whole', () => {
  const variables = new Map<string, string>()
  for (const [name, row] of Object.entries<Vendor>(vendors)) {
    assert.match(name, /^[a-z]+$/)
    if (row.baseURL !== undefined) assert.ok(URL.canParse(row.baseURL) && !row.baseURL.endsWith('/'), name)
    if (row.needsKey && row.baseURL) assert.ok(row.baseURL.startsWith('https://') && row.defaultModel, name)
    for (const variable of [...row.keyNames, ...row.baseURLNames, ...row.modelNames]) {
      assert.match(variable, /^[A-Z_]+$/)
      assert.equal(variables.get(variable), undefined, `${variable} belongs to two vendors`)
      variables.set(variable, name)
    }
  }
})
