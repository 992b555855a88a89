// The way out over TLS: to a checked address, by the name that was meant. The certificate is this test's own, for
// good.example and 127.0.0.1 until 2126; its key protects nothing.

import assert from 'node:assert/strict'
import { createServer as createNetServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createRawServer, type RawReply, type RawRequest, type RawServer } from '../testing/raw-server.node.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createEgress, type Egress, type EgressOptions } from './egress.ts'

const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBj2smYDfqrZH+zy/
5V0VjorL9RKXP4y16NGdX+g5ROqhRANCAAS2n3TCkaXkIi9Nsqvv+85WXdTrj5h0
whhPrBC7Jz50zjoQ6+ihgIWYo/wC+wQLP6dAxVPDb49OjgKWpohf0oPN
-----END PRIVATE KEY-----
`
const cert = `-----BEGIN CERTIFICATE-----
MIIBozCCAUqgAwIBAgIUJNsHDhWsrV4TET7r6nK++ivivi4wCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZ29vZC5leGFtcGxlMCAXDTI2MTEyMDE2NDI0NVoYDzIxMjYx
MDI3MTY0MjQ1WjAXMRUwEwYDVQQDDAxnb29kLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAS2n3TCkaXkIi9Nsqvv+85WXdTrj5h0whhPrBC7Jz50zjoQ
6+ihgIWYo/wC+wQLP6dAxVPDb49OjgKWpohf0oPNo3IwcDAdBgNVHQ4EFgQUkhU4
OEzP7ghd3lW1S3+32AL+nCowHwYDVR0jBBgwFoAUkhU4OEzP7ghd3lW1S3+32AL+
nCowDwYDVR0TAQH/BAUwAwEB/zAdBgNVHREEFjAUggxnb29kLmV4YW1wbGWHBH8A
AAEwCgYIKoZIzj0EAwIDRwAwRAIgNHXO1ye/RoDbDzmAxovAtkAwgWLwrXAB3ntb
RMaMjz8CIEi4u7I482xvSg9CqK0JyJAe+A9Z9BZorK1CMsSfTU6o
-----END CERTIFICATE-----
`

const isLinux = process.platform === 'linux'
let server: RawServer
let plain: RawServer
let port: string
before(async () => {
  plain = await createRawServer(() => ({ pieces: ['plain'] }))
  const reply = ({ path, headers }: RawRequest): RawReply =>
    path === '/down'
      ? { status: 302, headers: { location: plain.url } }
      : { pieces: [`${headers['host']} ${headers['authorization']}`] }
  server = await createRawServer(reply, { tls: { key, cert } })
  port = new URL(server.url).port
})
after(() => Promise.all([server.close(), plain.close()]))

const make = (options: EgressOptions = {}): Egress =>
  createEgress({
    allow: ['127.0.0.0/8'],
    ports: [Number(port), Number(new URL(plain.url).port)],
    resolve: () => Promise.resolve(['127.0.0.1']),
    ca: [cert],
    ...options,
  })

describe('TLS', () => {
  test('goes to the address that was checked, by the name of the URL', async () => {
    const response = await make()(`https://good.example:${port}/`, { headers: { authorization: 'Bearer s' } })
    assert.equal(await response.text(), `good.example:${port} Bearer s`)
  })

  test('a certificate of an address is checked against the address', async () => {
    const response = await make()(`https://127.0.0.1:${port}/`)
    assert.equal(await response.text(), `127.0.0.1:${port} undefined`)
    await assert.rejects(make()(`https://127.0.0.3:${port}/`), { code: 'egress_failed' })
  })

  test('a certificate of another name, or that nobody vouches for, is refused', async () => {
    await assert.rejects(make()(`https://other.example:${port}/`), {
      code: 'egress_failed',
      message: `https://other.example:${port} could not be connected to: ERR_TLS_CERT_ALTNAME_INVALID.`,
    })
    await assert.rejects(make({ ca: [] })(`https://good.example:${port}/`), {
      code: 'egress_failed',
      message: `https://good.example:${port} could not be connected to: DEPTH_ZERO_SELF_SIGNED_CERT.`,
    })
  })

  test('an address that is silent does not use up the time of the next', { skip: !isLinux }, async () => {
    const reached = Promise.withResolvers<void>()
    const silent = createNetServer(() => reached.resolve())
    await new Promise<void>((resolve) => silent.listen(Number(port), '127.0.0.3', resolve))
    const clock = virtualClock()
    const egress = make({ clock, resolve: () => Promise.resolve(['127.0.0.3', '127.0.0.1']) })
    const response = egress(`https://good.example:${port}/`)
    await reached.promise
    await clock.advance(2_500)
    assert.equal((await response).status, 200)
    silent.close()
  })

  test('a redirect from https to http is refused, whoever it leads to', async () => {
    await assert.rejects(make()(`https://good.example:${port}/down`), {
      code: 'egress_refused',
      message: /redirects from https to http/,
    })
    assert.equal(plain.connections, 0)
  })
})
