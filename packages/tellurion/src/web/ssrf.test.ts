// Requests that must not get through, and those that must: spellings of addresses, names whose DNS lies, servers that send
// elsewhere. A victim listens on loopback; guards with a flaw let the same inputs through to it, so the inputs can fail.

import assert from 'node:assert/strict'
import { get } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { createDNSServer, type DNSServer, type DNSZone } from '../testing/dns-server.node.ts'
import { createRawServer, type RawReply, type RawServer } from '../testing/raw-server.node.ts'
import { createEgress, type Egress } from './egress.ts'
import { createPolicy } from './egress-rule.ts'
import { createResolve, type Resolve } from './resolver.ts'

/** What is written into a URL, and what the refusal says. PORT is the victim's. */
const spelled: readonly (readonly [string, RegExp])[] = [
  ['http://127.0.0.1:PORT/', /a loopback address/],
  ['http://127.0.0.1.:PORT/', /a loopback address/],
  ['http://127.1:PORT/', /a loopback address/],
  ['http://127.0.1:PORT/', /a loopback address/],
  ['http://2130706433:PORT/', /a loopback address/],
  ['http://0x7f000001:PORT/', /a loopback address/],
  ['http://0x7f.0.0.1:PORT/', /a loopback address/],
  ['http://0x7f.0x0.0x0.0x1:PORT/', /a loopback address/],
  ['http://017700000001:PORT/', /a loopback address/],
  ['http://0177.0.0.1:PORT/', /a loopback address/],
  ['http://0177.0x0.1:PORT/', /a loopback address/],
  ['http://127.0.0.0x1:PORT/', /a loopback address/],
  ['http://127.127.127.127:PORT/', /a loopback address/],
  ['http://%31%32%37.0.0.1:PORT/', /a loopback address/],
  ['http://127%2e0%2e0%2e1:PORT/', /a loopback address/],
  ['http://１２７.０.０.１:PORT/', /a loopback address/],
  ['http://127。0。0。1:PORT/', /a loopback address/],
  ['http://①②⑦.⓪.⓪.①:PORT/', /a loopback address/],
  ['http:127.0.0.1:PORT/', /a loopback address/],
  ['http:\\\\127.0.0.1:PORT\\', /a loopback address/],
  ['http:///127.0.0.1:PORT/', /a loopback address/],
  ['http://\t127.0.0.1\n:PORT/', /a loopback address/],
  ['HTTP://127.0.0.1:PORT', /a loopback address/],
  ['http://127.0.0.1:PORT#@good.example/', /a loopback address/],
  ['http://127.0.0.1:PORT?@good.example/', /a loopback address/],
  ['http://127.0.0.1:PORT\\@good.example/', /a loopback address/],
  ['http://good.example@127.0.0.1:PORT/', /user name/],
  ['http://good.example:80@127.0.0.1:PORT/', /user name/],
  ['http://user:password@good.example:PORT/', /user name/],
  ['http://0:PORT/', /an unspecified address/],
  ['http://0.0.0.0:PORT/', /an unspecified address/],
  ['http://0.1.2.3/', /an unspecified address/],
  ['http://[::]:PORT/', /an unspecified address/],
  ['http://[::1]:PORT/', /a loopback address/],
  ['http://[0:0:0:0:0:0:0:1]:PORT/', /a loopback address/],
  ['http://[0000::0001]:PORT/', /a loopback address/],
  ['http://[::ffff:127.0.0.1]:PORT/', /a mapped address/],
  ['http://[::ffff:7f00:1]:PORT/', /a mapped address/],
  ['http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/', /a mapped address/],
  ['http://[::ffff:8.8.8.8]/', /a mapped address/],
  ['http://[::ffff:0:127.0.0.1]/', /a mapped address/],
  ['http://[::127.0.0.1]:PORT/', /a compatible address/],
  ['http://[64:ff9b::127.0.0.1]/', /a nat64 address/],
  ['http://[64:ff9b::a9fe:a9fe]/', /a nat64 address/],
  ['http://[64:ff9b:1::1]/', /a nat64 address/],
  ['http://[2002:7f00:1::]/', /a 6to4 address/],
  ['http://[2002:a9fe:a9fe::1]/', /a 6to4 address/],
  ['http://192.88.99.1/', /a 6to4 address/],
  ['http://[2001:0:7f00:1::]/', /a teredo address/],
  ['http://[2607:f8b0::5efe:127.0.0.1]/', /an isatap address/],
  ['http://[2607:f8b0::200:5efe:10.0.0.1]/', /an isatap address/],
  ['http://10.0.0.1/', /a private address/],
  ['http://10.255.255.255/', /a private address/],
  ['http://012.1.2.3/', /a private address/],
  ['http://172.16.0.1/', /a private address/],
  ['http://172.31.255.255/', /a private address/],
  ['http://192.168.0.1/', /a private address/],
  ['http://3232235521/', /a private address/],
  ['http://[fc00::1]/', /a private address/],
  ['http://[fdff:ffff::1]/', /a private address/],
  ['http://[fec0::1]/', /a private address/],
  ['http://100.64.0.1/', /a shared address/],
  ['http://100.127.255.255/', /a shared address/],
  ['http://169.254.0.1/', /a link-local address/],
  ['http://[fe80::1]/', /a link-local address/],
  ['http://[febf::1]/', /a link-local address/],
  ['http://169.254.169.254/latest/meta-data/', /a metadata address/],
  ['http://2852039166/latest/meta-data/', /a metadata address/],
  ['http://0xa9fea9fe/', /a metadata address/],
  ['http://0251.0376.0251.0376/', /a metadata address/],
  ['http://169.254.170.2/v2/credentials', /a metadata address/],
  ['http://100.100.100.200/', /a metadata address/],
  ['http://168.63.129.16/', /a metadata address/],
  ['http://[fd00:ec2::254]/', /a metadata address/],
  ['http://[fd20:ce::254]/', /a metadata address/],
  ['http://metadata.google.internal/computeMetadata/v1/', /leads into the machine/],
  ['http://METADATA.google.internal./', /leads into the machine/],
  ['http://metadata/', /leads into the machine/],
  ['http://localhost:PORT/', /leads into the machine/],
  ['http://LOCALHOST.:PORT/', /leads into the machine/],
  ['http://ｌｏｃａｌｈｏｓｔ:PORT/', /leads into the machine/],
  ['http://loc%61lhost:PORT/', /leads into the machine/],
  ['http://any.localhost:PORT/', /leads into the machine/],
  ['http://224.0.0.1/', /a multicast address/],
  ['http://239.255.255.250/', /a multicast address/],
  ['http://[ff02::1]/', /a multicast address/],
  ['http://255.255.255.255/', /a broadcast address/],
  ['http://4294967295/', /a broadcast address/],
  ['http://240.0.0.1/', /a reserved address/],
  ['http://192.0.0.192/', /a reserved address/],
  ['http://192.0.2.1/', /a documentation address/],
  ['http://198.51.100.1/', /a documentation address/],
  ['http://203.0.113.1/', /a documentation address/],
  ['http://[2001:db8::1]/', /a documentation address/],
  ['http://[3fff::1]/', /a documentation address/],
  ['http://198.18.0.1/', /a benchmark address/],
  ['http://[4000::1]/', /a reserved address/],
  ['http://[100::1]/', /a reserved address/],
  ['http://[fe80::1%25eth0]/', /is no address/],
  ['http://[::1%25lo]:PORT/', /is no address/],
  ['http://256.256.256.256/', /is no address/],
  ['http://127.0.0.1.1/', /is no address/],
  ['http://0x7g.0.0.1/', /is no address/],
  ['http://[::1/', /is no address/],
  ['//127.0.0.1:PORT/', /is no address/],
  ['/etc/passwd', /is no address/],
  ['', /is no address/],
  ['file:///etc/passwd', /only http and https/],
  ['file://127.0.0.1/etc/passwd', /only http and https/],
  ['ftp://good.example/', /only http and https/],
  ['gopher://127.0.0.1:PORT/_x', /only http and https/],
  ['dict://127.0.0.1:PORT/', /only http and https/],
  ['ws://127.0.0.1:PORT/', /only http and https/],
  ['data:text/plain,hello', /only http and https/],
  ['blob:http://127.0.0.1:PORT/x', /only http and https/],
  ['javascript:alert(1)', /only http and https/],
  ['http://good.example:22/', /port 22/],
  ['http://good.example:6379/', /port 6379/],
  ['https://good.example:25/', /port 25/],
]

const publicly = '127.0.0.2'
const victimAt = '127.0.0.1'

/** Names whose DNS lies. `rebind` is asked for twice. */
const zone: DNSZone = {
  'good.example': { addresses: [publicly] },
  'other.good.example': { addresses: [publicly] },
  'alias.good.example': { alias: 'cdn.good.example', addresses: [publicly] },
  'two.good.example': { addresses: [publicly, '127.0.0.3'] },
  'second.good.example': { addresses: ['127.0.0.3', publicly] },
  'xn--mnchen-3ya.good.example': { addresses: [publicly] },
  'loopback.example': { addresses: [victimAt] },
  'private.example': { addresses: ['10.1.2.3'] },
  'metadata.example': { addresses: ['169.254.169.254'] },
  'mixed.good.example': { addresses: [publicly, victimAt] },
  'mixed-six.good.example': { addresses: [publicly, '::1'] },
  'alias.example': { alias: 'inside.example', addresses: [victimAt] },
  'six.example': { addresses: ['::1'] },
  'mapped.example': { addresses: ['::ffff:127.0.0.1'] },
  'nat64.example': { addresses: ['64:ff9b::7f00:1'] },
  'late-private.good.example': [{ addresses: [victimAt] }, { addresses: [publicly] }],
  'rebind.good.example': [{ addresses: [publicly] }, { addresses: [victimAt] }],
  'swap.good.example': [{ addresses: [publicly] }, { addresses: [victimAt] }],
  'empty.example': {},
  'mute.example': { mute: true },
}
const lying: readonly (readonly [string, string, RegExp])[] = [
  ['http://loopback.example:PORT/', 'egress_refused', /a loopback address/],
  ['http://loopback.example.:PORT/', 'egress_refused', /a loopback address/],
  ['http://LOOPBACK.example:PORT/', 'egress_refused', /a loopback address/],
  ['http://private.example/', 'egress_refused', /a private address/],
  ['http://metadata.example/', 'egress_refused', /a metadata address/],
  ['http://mixed.good.example:PORT/', 'egress_refused', /a loopback address/],
  ['http://mixed-six.good.example:PORT/', 'egress_refused', /a loopback address/],
  ['http://alias.example:PORT/', 'egress_refused', /a loopback address/],
  ['http://six.example:PORT/', 'egress_refused', /a loopback address/],
  ['http://mapped.example:PORT/', 'egress_refused', /a mapped address/],
  ['http://nat64.example:PORT/', 'egress_refused', /a nat64 address/],
  ['http://late-private.good.example:PORT/', 'egress_refused', /a loopback address/],
  ['http://empty.example:PORT/', 'egress_failed', /no address/],
  ['http://nowhere.example:PORT/', 'egress_failed', /no address \(ENOTFOUND\)/],
  ['http://mute.example:PORT/', 'egress_timeout', /connected to within/],
]

/** Where `good.example` sends whoever asks for a path. */
const places: Readonly<Record<string, string>> = {
  loopback: 'http://127.0.0.1:PORT/',
  decimal: 'http://2130706433:PORT/',
  name: 'http://loopback.example:PORT/',
  metadata: 'http://169.254.169.254/latest/meta-data/',
  six: 'http://[::1]:PORT/',
  mapped: 'http://[::ffff:127.0.0.1]:PORT/',
  protocol: '//127.0.0.1:PORT/',
  backslash: '\\\\127.0.0.1:PORT/',
  user: 'http://good.example@127.0.0.1:PORT/',
  file: 'file:///etc/passwd',
  data: 'data:text/html,x',
  script: 'javascript:alert(1)',
  port: 'http://good.example:22/',
  nonsense: 'http://[',
  again: '/again',
  ping: 'http://other.good.example:PORT/pong',
  pong: 'http://good.example:PORT/ping',
  chain: 'http://other.good.example:PORT/loopback',
}

/** Addresses that must work; the last is what the server is asked. */
const good: readonly (readonly [string, string])[] = [
  ['http://good.example:PORT/', '/'],
  ['http://good.example.:PORT/', '/'],
  ['HTTP://GOOD.example:PORT', '/'],
  ['http://other.good.example:PORT/a/../b?c=d&e=%2F#f', '/b?c=d&e=%2F'],
  ['http://alias.good.example:PORT/', '/'],
  ['http://two.good.example:PORT/', '/'],
  ['http://second.good.example:PORT/', '/'],
  ['http://münchen.good.example:PORT/', '/'],
  ['http://127.0.0.2:PORT/', '/'],
  ['http://2130706434:PORT/', '/'],
  ['http://good.example:PORT/page?next=http://127.0.0.1/', '/page?next=http://127.0.0.1/'],
  ['http://good.example:PORT/@127.0.0.1/', '/@127.0.0.1/'],
  ['http://good.example:PORT#@127.0.0.1:PORT/', '/'],
  ['http://good.example:PORT/%E2%82%AC', '/%E2%82%AC'],
  ['http://good.example:PORT/€', '/%E2%82%AC'],
  ['http://good.example:PORT/relative', '/'],
  ['http://good.example:PORT/absolute', '/'],
  ['http://good.example:PORT/across', '/'],
  ['http://good.example:PORT/up', '/'],
]
const goodPlaces: Readonly<Record<string, string>> = {
  relative: './',
  absolute: 'http://good.example:PORT/',
  across: 'http://other.good.example:PORT/',
  up: '/a/b/../../',
}

/** Addresses of the public internet: nothing is sent to them, they only must not be refused. */
const publicAddresses = [
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '11.0.0.1',
  '9.255.255.255',
  '172.15.255.255',
  '172.32.0.1',
]
publicAddresses.push('192.167.255.255', '192.169.0.1', '100.63.255.255', '100.128.0.1', '126.255.255.255', '128.0.0.1')
publicAddresses.push('169.253.255.255', '169.255.0.1', '198.17.255.255', '198.20.0.1', '223.255.255.255', '192.0.1.1')
publicAddresses.push('2606:4700::1111', '2a00:1450:4001::200e', '2001:4860:4860::8888', '2003::1', '2600::5eff:1:1')

let victim: RawServer
let server: RawServer
let dns: DNSServer
let egress: Egress
let resolve: Resolve
const fill = (text: string): string => text.replaceAll('PORT', new URL(victim.url).port)

/** The stand-in for the public internet is a second address of loopback. */
const skip = process.platform === 'linux' ? false : 'needs 127.0.0.2 and 127.0.0.3: sudo ifconfig lo0 alias 127.0.0.2'

before(async () => {
  if (skip !== false) return
  victim = await createRawServer(() => ({ pieces: ['secret'] }))
  const all = { ...places, ...goodPlaces }
  const reply = ({ path }: { path: string }): RawReply => {
    const place = all[path.slice(1)]
    return place === undefined ? { pieces: ['good'] } : { status: 302, headers: { location: fill(place) } }
  }
  const port = Number(new URL(victim.url).port)
  server = await createRawServer(reply, { host: publicly, port })
  dns = await createDNSServer(zone)
  resolve = createResolve({ servers: [dns.address] })
  // What stands for the public internet here: one other address of loopback, opened for its names alone.
  const addresses = [publicly, '127.0.0.3']
  const hosts = ['good.example', '*.good.example', publicly]
  egress = createEgress({
    allow: hosts.map((host) => ({ host, addresses })),
    ports: [80, 443, port],
    limits: { connect: 1_000 },
    resolve,
  })
})
after(async () => {
  if (skip !== false) return
  assert.equal(victim.connections, reachedOnPurpose)
  await Promise.all([victim.close(), server.close(), dns.close()])
})
let reachedOnPurpose = 0

const refusal =
  (code: string, message: RegExp) =>
  (error: { code?: string; message: string }): true => {
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  }

describe(`${spelled.length} spellings of what is closed`, { skip }, () => {
  for (const [text, message] of spelled) {
    test(JSON.stringify(text), () => assert.rejects(egress(fill(text)), refusal('egress_refused', message)))
  }
})

describe(`${lying.length} names that lie`, { skip }, () => {
  for (const [text, code, message] of lying) {
    test(text, () => assert.rejects(egress(fill(text)), refusal(code, message)))
  }

  test('a name that rebinds is asked for once a request, and refused as soon as it has moved', async () => {
    const url = fill('http://rebind.good.example:PORT/')
    const before = dns.questions.length
    assert.equal(await (await egress(url)).text(), 'good')
    assert.equal(dns.questions.length - before, 2, 'one question for each family')
    await assert.rejects(egress(url), refusal('egress_refused', /a loopback address/))
  })
})

describe(`${Object.keys(places).length} redirects to what is closed`, { skip }, () => {
  for (const name of Object.keys(places)) {
    test(`${name}: ${places[name]}`, () =>
      assert.rejects(egress(fill(`http://good.example:PORT/${name}`)), refusal('egress_refused', /./)))
  }

  test('credentials and headers of one’s own stay with their origin', async () => {
    const headers = {
      authorization: 'Bearer s',
      cookie: 'a=b',
      'x-api-key': 'k',
      accept: 'text/html',
      'user-agent': 'u',
    }
    await egress(fill('http://good.example:PORT/across'), { headers })
    const [first, second] = server.requests.slice(-2)
    assert.equal(first!.headers['authorization'], 'Bearer s')
    assert.equal(second!.headers['host'], fill('other.good.example:PORT'))
    for (const name of ['authorization', 'cookie', 'x-api-key']) assert.equal(second!.headers[name], undefined, name)
    assert.deepEqual([second!.headers['accept'], second!.headers['user-agent']], ['text/html', 'u'])
  })
})

describe(`${good.length} addresses that must work`, { skip }, () => {
  for (const [text, path] of good) {
    test(text, async () => {
      const response = await egress(fill(text))
      assert.equal(await response.text(), 'good')
      assert.equal(server.requests.at(-1)!.path, path)
    })
  }

  test(`${publicAddresses.length} public addresses are not refused`, () => {
    const policy = createPolicy([], [80])
    for (const address of publicAddresses) {
      const url = new URL(address.includes(':') ? `http://[${address}]/` : `http://${address}/`)
      policy.checkURL(url)
      policy.checkAddresses(url, [address])
    }
  })
})

describe('guards with a flaw let the victim be reached', { skip }, () => {
  /** Asks with a guard that leaves something out. */
  const broken = (flaw: 'text only' | 'resolved twice' | 'first hop only', text: string): Promise<string> => {
    const policy = createPolicy(
      [
        { host: '*.good.example', addresses: [publicly] },
        { host: 'good.example', addresses: [publicly] },
      ],
      [Number(new URL(victim.url).port)],
    )
    const ask = async (url: URL, hop: number): Promise<string> => {
      const host = url.hostname.replace(/^\[|\]$/g, '')
      const isName = /[a-z]/.test(host) && !host.includes(':')
      const addresses = isName ? await resolve(host, {}) : [host]
      if (flaw === 'text only') {
        if (/^(localhost|127\.|10\.|192\.168\.|\[::1\])/.test(text.slice('http://'.length))) throw new Error('refused')
      } else if (hop === 0 || flaw !== 'first hop only') policy.checkAddresses(url, addresses)
      const [address] = flaw === 'resolved twice' && isName ? await resolve(host, {}) : addresses
      const { status, location, body } = await new Promise<{ status: number; location?: string; body: string }>(
        (done, fail) => {
          get(
            { host: address, port: url.port, path: url.pathname, headers: { host: url.host }, agent: false },
            (response) => {
              let body = ''
              response.on('data', (chunk) => (body += String(chunk)))
              const { location } = response.headers
              response.on('end', () =>
                done({ status: response.statusCode ?? 0, body, ...(location === undefined ? {} : { location }) }),
              )
            },
          ).on('error', fail)
        },
      )
      return status === 302 ? ask(new URL(location!, url), hop + 1) : body
    }
    return ask(new URL(fill(text)), 0)
  }
  const caught = [
    ['text only', 'http://2130706433:PORT/'],
    ['text only', 'http://loopback.example:PORT/'],
    ['resolved twice', 'http://swap.good.example:PORT/'],
    ['first hop only', 'http://good.example:PORT/loopback'],
  ] as const
  for (const [flaw, text] of caught) {
    test(`${flaw}: ${text}`, async () => {
      reachedOnPurpose++
      assert.equal(await broken(flaw, text), 'secret')
    })
  }
})
