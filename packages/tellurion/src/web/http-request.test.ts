// Requests of any kind: what a model may say in them, what it is shown of the answer, and credentials that it never sees.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createRawServer, type RawRequest, type RawServer } from '../testing/raw-server.node.ts'
import { Secret } from '../secret/secret.ts'
import { createToolbox, type Toolbox } from '../tool/toolbox.ts'
import { createEgress } from './egress.ts'
import { webTools } from './web-tools.ts'

const secret = 's3cret/with+signs"and more'
let server: RawServer
let other: RawServer
let host: string
before(async () => {
  other = await createRawServer(({ headers }) => ({ pieces: [JSON.stringify(headers)] }))
  server = await createRawServer(({ path, method, headers, body }: RawRequest) => {
    if (path === '/away') return { status: 302, headers: { location: other.url } }
    if (path === '/bytes')
      return { headers: { 'content-type': 'application/octet-stream' }, pieces: [Uint8Array.of(1, 0, 2)] }
    if (path === '/long') return { headers: { 'content-type': 'text/plain' }, pieces: ['é'.repeat(50_000)] }
    if (path === '/wrong')
      return {
        status: 422,
        headers: { 'content-type': 'application/json', 'set-cookie': 'a=b', 'x-ratelimit-remaining': '3' },
        pieces: ['{"error":"no"}'],
      }
    if (path === '/none') return { status: 204 }
    const told = [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)].join(' ')
    return {
      headers: { 'content-type': 'application/json', link: '<next>' },
      pieces: [JSON.stringify({ method, path, headers, body, told })],
    }
  })
  host = new URL(server.url).host
})
after(() => Promise.all([server.close(), other.close()]))

function toolbox(): Toolbox {
  const credentials = {
    service: { hosts: [host], value: secret },
    keyed: { hosts: [host], value: new Secret('key-of-service'), header: 'X-API-Key' },
    elsewhere: { hosts: ['api.example.com'], value: 'another-secret' },
    empty: { hosts: [host], value: { reveal: () => '' } },
  }
  const egress = createEgress({ allow: [host, new URL(other.url).host] })
  return createToolbox(webTools({ egress, hosts: [host], credentials, limits: { delay: 0, length: 2_000 } }))
}
const ask = async (input: object) => {
  const { content, code } = await toolbox().execute('httpRequest', { url: server.url, ...input } as never)
  return { text: String(content), code }
}
const bodyOf = (text: string) => JSON.parse(text.slice(text.indexOf('\n\n') + 2)) as RawRequest & { told: string }

describe('a request', () => {
  test('goes out as it was meant, and its answer is shown', async () => {
    const { text } = await ask({
      url: `${server.url}/things?a=b`,
      method: 'POST',
      headers: { 'X-Own': 'yes', Accept: 'application/json' },
      body: '{"a":1}',
    })
    assert.match(
      text,
      /^200 OK\nAddress: http:.*\/things\?a=b\n(content-type: application\/json\nlink: <next>|link: <next>\ncontent-type: application\/json)\n\n/,
    )
    const { method, path, headers, body } = bodyOf(text)
    assert.deepEqual([method, path, body], ['POST', '/things?a=b', '{"a":1}'])
    assert.deepEqual(
      [headers['x-own'], headers['accept'], headers['content-type']],
      ['yes', 'application/json', 'application/json'],
    )
    assert.equal(headers['idempotency-key'], 'call')
    assert.match(String(headers['user-agent']), /^tellurion/)
  })

  test('is a GET by itself, without a key of its own', async () => {
    const { method, headers } = bodyOf((await ask({})).text)
    assert.equal(method, 'GET')
    assert.equal(headers['idempotency-key'], undefined)
  })

  test('texts are texts, and say what they are', async () => {
    assert.match(
      String(bodyOf((await ask({ method: 'PUT', body: 'a=b' })).text).headers['content-type']),
      /^text\/plain/,
    )
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    assert.equal(
      bodyOf((await ask({ method: 'PUT', body: 'a=b', headers: form })).text).headers['content-type'],
      form['content-type'],
    )
  })

  test('an answer that says no is an answer, without its cookies', async () => {
    const { text, code } = await ask({ url: `${server.url}/wrong`, method: 'POST' })
    assert.equal(code, undefined)
    assert.match(text, /^422 .*[^]*x-ratelimit-remaining: 3[^]*\{"error":"no"\}$/)
    assert.doesNotMatch(text, /a=b/)
  })

  test('long bodies are cut, bytes are counted, none is none', async () => {
    const long = (await ask({ url: `${server.url}/long` })).text
    assert.match(long, /only the first 2000 characters/)
    assert.equal(long.split('\n\n')[1]!.length, 2_000)
    assert.match((await ask({ url: `${server.url}/bytes` })).text, /\(3 bytes that are no text, and not shown\)$/)
    assert.match((await ask({ url: `${server.url}/none` })).text, /^204 No Content\nAddress: .*$/)
    assert.match((await ask({ method: 'HEAD' })).text, /^200 OK\n/)
  })

  const refused: readonly (readonly [object, string, RegExp])[] = [
    [{ url: 'http://169.254.169.254/' }, 'egress_refused', /metadata/],
    [{ url: 'x' }, 'egress_refused', /no whole address/],
    [{ body: 'x' }, 'invalid_option', /GET has no body/],
    [{ method: 'CONNECT' }, 'tool_input_invalid', /method/],
    [{ headers: { Host: 'inside' } }, 'invalid_option', /Host is not for you/],
    [{ headers: { Authorization: 'Bearer x' } }, 'invalid_option', /credential that the operator has named/],
    [{ headers: { cookie: 'a=b' } }, 'invalid_option', /cookie is not/],
    [{ headers: { 'Content-Length': '1' } }, 'invalid_option', /Content-Length is not/],
    [{ headers: { 'X-Forwarded-For': '127.0.0.1' } }, 'invalid_option', /X-Forwarded-For is not/],
    [{ headers: { 'Metadata-Flavor': 'Google' } }, 'invalid_option', /Metadata-Flavor is not/],
    [{ headers: { 'X-HTTP-Method-Override': 'DELETE' } }, 'invalid_option', /Method-Override is not/],
    [{ headers: { 'X-Original-URL': '/admin' } }, 'invalid_option', /X-Original-URL is not/],
    [{ headers: { 'x-own': 'a\r\nHost: inside' } }, 'invalid_option', /HTTP does not allow/],
    [{ headers: { 'a b': 'c' } }, 'invalid_option', /HTTP does not allow/],
  ]
  for (const [input, code, message] of refused) {
    test(`is refused: ${JSON.stringify(input)}`, async () => {
      const before = server.connections
      const result = await ask(input)
      assert.equal(result.code, code, result.text)
      assert.match(result.text, message)
      assert.equal(server.connections, before)
    })
  }
})

describe('credentials', () => {
  test('go to their host, and never to the model', async () => {
    const { text } = await ask({ method: 'POST', credential: 'service', body: '1' })
    assert.equal(server.requests.at(-1)!.headers['authorization'], `Bearer ${secret}`)
    assert.equal(bodyOf(text).headers['authorization'], 'Bearer [redacted]')
    assert.match(bodyOf(text).told, /^\[redacted\] \[redacted\]\S{0,2} \[redacted\]$/)
    for (const spelling of [secret, JSON.stringify(secret), Buffer.from(secret).toString('base64')]) {
      assert.ok(!text.includes(spelling))
    }
    await ask({ credential: 'keyed' })
    assert.equal(server.requests.at(-1)!.headers['x-api-key'], 'key-of-service')
  })

  test('are named to the model with their hosts, and not shown', () => {
    const schema = JSON.stringify(toolbox().get('httpRequest')!.input.jsonSchema)
    assert.match(schema, /"enum":\["service","keyed","elsewhere","empty"\]/)
    assert.ok(schema.includes(`service (for ${host})`))
    for (const hidden of ['s3cret', 'another-secret']) assert.ok(!schema.includes(hidden))
    assert.ok(!JSON.stringify(webTools().httpRequest.input.jsonSchema).includes('credential'))
  })

  test('do not go to other hosts, by redirects neither', async () => {
    const wrong = await ask({ credential: 'elsewhere' })
    assert.equal(wrong.code, 'egress_refused')
    assert.match(wrong.text, /is for api.example.com only, not for 127/)
    const plain = await ask({ url: 'http://api.example.com/', credential: 'elsewhere' })
    assert.equal(plain.code, 'egress_refused')
    assert.match(plain.text, /over https only/)
    const away = await ask({ url: `${server.url}/away`, credential: 'service' })
    assert.equal(away.code, 'egress_refused')
    assert.equal(other.connections, 0)
  })

  test('cannot be overruled, and must be something', async () => {
    const both = await ask({ credential: 'keyed', headers: { 'x-api-key': 'mine' } })
    assert.match(both.text, /x-api-key is not for you/)
    assert.equal((await ask({ credential: 'empty' })).code, 'invalid_configuration')
    assert.equal((await ask({ credential: 'nobody' })).code, 'tool_input_invalid')
  })
})

describe('what it risks', () => {
  test('reading is as risky as reading a page, all else is destructive too', () => {
    const { httpRequest } = webTools({ hosts: ['api.example.com'] })
    const listed = 'https://api.example.com/x'
    const risk = (input: object) => httpRequest.risk(input)
    for (const method of [undefined, 'GET', 'HEAD', 'OPTIONS']) {
      assert.deepEqual(risk({ url: listed, method }), [])
      assert.deepEqual(risk({ url: 'https://example.com/', method }), ['exfiltrating'])
    }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.deepEqual(risk({ url: listed, method }), ['destructive', 'exfiltrating'])
    }
    assert.deepEqual(
      [httpRequest.trust, httpRequest.effects.repeat, httpRequest.effects.mode],
      ['untrusted', 'never', 'exclusive'],
    )
  })
})
