// Reading addresses: what a model is given of which answer, piece by piece, politely, and how soon.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { systemClock } from '../clock/clock.ts'
import { createRawServer, type RawReply, type RawServer } from '../testing/raw-server.node.ts'
import { createToolbox, type Toolbox } from '../tool/toolbox.ts'
import { createEgress } from './egress.ts'
import { webTools, type WebToolsOptions } from './web-tools.ts'

const page = (body: string, head = ''): RawReply => ({
  headers: { 'content-type': 'text/html; charset=utf-8' },
  pieces: [`<!doctype html><html><head>${head}</head><body>${body}</body></html>`],
})
const typed = (type: string, ...pieces: (string | Uint8Array)[]): RawReply => ({
  headers: type === '' ? {} : { 'content-type': type },
  pieces,
})
const lines = Array.from({ length: 400 }, (_, index) => `Line ${index} of a text that is longer than a piece.`).join(
  '\n',
)

const replies: Readonly<Record<string, RawReply>> = {
  '/page': page(
    '<h1>Tellurions</h1><p>A <b>clock</b>\u202e.</p><img src="/x.png" alt="Sun">',
    '<title>On \u2066Tellurions</title>',
  ),
  '/text': typed('text/plain', 'plain\u0000 <b>text</b>'.replace('\u0000', '')),
  '/json': typed('application/json', '{"a": [1, 2]}'),
  '/feed': typed('application/atom+xml', '<feed>x</feed>'),
  '/none': typed('', 'no type\nat all'),
  '/none-html': typed('', '<!DOCTYPE html><p>page'),
  '/zeros': typed('text/html', '<p>a\u0000b'),
  '/none-bytes': typed('', Uint8Array.of(1, 2, 0, 3)),
  '/latin': {
    headers: { 'content-type': 'text/html; charset=iso-8859-1' },
    pieces: [Buffer.from('<p>caf\xe9', 'latin1')],
  },
  '/packed': { headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' }, pieces: [gzipSync('unpacked')] },
  '/pdf': typed('application/pdf', '%PDF-1.7'),
  '/image': typed('image/png', Uint8Array.of(0x89, 0x50)),
  '/long': typed('text/plain', lines),
  '/huge': typed('text/html', `<p>first</p>${'<p>x</p>'.repeat(10_000)}<p>last</p>`),
  '/missing': { status: 404, pieces: ['nothing here'] },
  '/down': { status: 503, pieces: ['later'] },
  '/moved': { status: 301, headers: { location: '/page' } },
  '/to-closed': { status: 302, headers: { location: '/closed/x' } },
  '/closed/x': page('closed'),
  '/inside': { status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data/' } },
  '/robots.txt': typed('text/plain', 'User-agent: *\nDisallow: /closed'),
}

let server: RawServer
before(async () => {
  server = await createRawServer(({ path }) => replies[path.split('?', 1)[0]!] ?? { status: 404 })
})
after(() => server.close())

let plain: Toolbox | undefined
/** With options a new one; without, always the same, because each loads the packages anew. */
function toolbox(options?: WebToolsOptions): Toolbox {
  return options === undefined ? (plain ??= toolbox({})) : make(options)
}
function make(options: WebToolsOptions): Toolbox {
  const egress = createEgress({ allow: [new URL(server.url).host] })
  return createToolbox(webTools({ egress, limits: { delay: 0, readTime: 20_000 }, ...options }))
}
const fetchPage = async (box: Toolbox, path: string, more: object = {}) => {
  const url = path.startsWith('/') ? `${server.url}${path}` : path
  const { content, code } = await box.execute('fetchPage', { url, ...more } as never)
  return { text: String(content).replaceAll(server.url, 'SITE'), code }
}

describe('what is read', () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      '/page',
      'Title: On Tellurions\nAddress: SITE/page (text/html, 59 characters)\n\n# Tellurions\n\nA **clock**.\n\n[image: Sun](SITE/x.png)',
    ],
    ['/text', 'Address: SITE/text (text/plain, 17 characters)\n\nplain <b>text</b>'],
    ['/json', 'Address: SITE/json (application/json, 13 characters)\n\n{"a": [1, 2]}'],
    ['/feed', 'Address: SITE/feed (application/atom+xml, 14 characters)\n\n<feed>x</feed>'],
    ['/none', 'Address: SITE/none (text/plain, 14 characters)\n\nno type\nat all'],
    ['/none-html', 'Address: SITE/none-html (text/html, 4 characters)\n\npage'],
    ['/zeros', 'Address: SITE/zeros (text/html, 2 characters)\n\nab'],
    ['/latin', 'Address: SITE/latin (text/html, 4 characters)\n\ncafé'],
    ['/packed', 'Address: SITE/packed (text/plain, 8 characters)\n\nunpacked'],
    [
      '/moved',
      'Title: On Tellurions\nAddress: SITE/page (text/html, 59 characters)\n\n# Tellurions\n\nA **clock**.\n\n[image: Sun](SITE/x.png)',
    ],
  ]
  for (const [path, text] of cases) {
    test(path, async () => {
      const result = await fetchPage(toolbox(), path, { part: 'page' })
      // The address is longer than what stands for it here.
      assert.equal(result.text.replace(/\d+ characters/, ''), text.replace(/\d+ characters/, ''))
    })
  }

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['/pdf', 'egress_failed', /application\/pdf, which cannot be read as text/],
    ['/image', 'egress_failed', /image\/png/],
    ['/none-bytes', 'egress_failed', /an unknown type of 4 bytes/],
    ['/missing', 'egress_failed', /answered 404 Not Found/],
    ['/down', 'egress_failed', /answered 503/],
    ['/closed/x', 'page_refused', /robots.txt not to read \/closed\/x/],
    ['/to-closed', 'page_refused', /not to read \/closed\/x/],
    ['/inside', 'egress_refused', /port|metadata address/],
    ['http://10.0.0.1/', 'egress_refused', /private address/],
    ['file:///etc/passwd', 'egress_refused', /only http and https/],
    ['example.com/page', 'egress_refused', /write "https:\/\/example.com\/page"/],
    ['not an address', 'egress_refused', /no whole address/],
  ]
  for (const [path, code, message] of refused) {
    test(`not ${path}`, async () => {
      const result = await fetchPage(toolbox(), path)
      assert.equal(result.code, code, result.text)
      assert.match(result.text, message)
    })
  }

  test('robots.txt may be left out by the operator', async () => {
    assert.match((await fetchPage(toolbox({ robots: false }), '/closed/x')).text, /closed$/)
  })

  test('a page past the cap is cut, and says so', async () => {
    const { text } = await fetchPage(toolbox({ limits: { delay: 0, bytes: 1_000, readTime: 20_000 } }), '/huge')
    assert.match(text, /\nOnly the first 1000 bytes were read\.\n\nfirst/)
    assert.doesNotMatch(text, /last/)
  })

  test('a page that takes too long to read is mere text, and says so', async () => {
    const { text } = await fetchPage(toolbox({ limits: { delay: 0, readTime: 1 } }), '/page')
    assert.match(
      text,
      /^Title: On Tellurions\n.*\nIt is too convoluted to be read as a page; this is its mere text\.\n\n/,
    )
    assert.match(text, /A clock\.$/)
  })

  test('a long text comes in pieces that join to the whole, fetched once', async () => {
    const box = toolbox({})
    const before = server.requests.length
    let whole = ''
    for (let start: number | undefined = 0; start !== undefined;) {
      const { text } = await fetchPage(box, '/long', start === 0 ? {} : { start })
      const [head = '', ...body] = text.split('\n\n')
      assert.match(head, new RegExp(`characters ${start} to \\d+ of ${lines.length}`))
      whole += body.join('\n\n')
      const next = /go on with start (\d+)/.exec(head)?.[1]
      start = next === undefined ? undefined : Number(next)
      assert.ok(body.join().length <= 8_000)
    }
    assert.equal(whole, lines)
    assert.deepEqual(
      server.requests.slice(before).map(({ path }) => path),
      ['/robots.txt', '/long'],
    )
    assert.match((await fetchPage(box, '/long', { start: 99_999 })).text, /ends at character \d+; give a smaller start/)
  })

  test('it says who it is, and sends no cookies', async () => {
    await fetchPage(toolbox({ userAgent: 'my-agent/1.0 (+https://example.com)' }), '/text')
    const { headers } = server.requests.at(-1)!
    assert.equal(headers['user-agent'], 'my-agent/1.0 (+https://example.com)')
    assert.equal(headers['cookie'], undefined)
  })
})

describe('what it risks', () => {
  test('nothing at hosts that were listed, and an address tells a stranger something elsewhere', () => {
    const { fetchPage } = webTools({ hosts: ['docs.example.com', '*.example.org:8443', '127.0.0.1:80'] })
    const risk = (url: string) => fetchPage.risk({ url })
    for (const url of ['https://docs.example.com/x?y', 'https://a.example.org:8443/', 'http://127.0.0.1/']) {
      assert.deepEqual(risk(url), [], url)
    }
    const others = [
      'https://example.com/',
      'https://docs.example.com.evil.example/',
      'https://a.example.org/',
      'nonsense',
    ]
    others.push(
      'https://docs.example.com@evil.example/',
      'https://evil.example/docs.example.com',
      'http://127.0.0.1:81/',
    )
    for (const url of others) assert.deepEqual(risk(url), ['exfiltrating'], url)
    assert.equal(fetchPage.trust, 'untrusted')
  })

  test('a listed host that redirects elsewhere is not followed there', async () => {
    const other = await createRawServer(() => page('elsewhere'))
    const listed = await createRawServer(() => ({ status: 302, headers: { location: `${other.url}/?secret` } }))
    const hosts = [listed, other].map(({ url }) => new URL(url).host)
    const egress = createEgress({ allow: hosts })
    const narrow = toolbox({ egress, hosts: [hosts[0]!], robots: false })
    const refused = await narrow.execute('fetchPage', { url: listed.url })
    assert.equal(refused.code, 'egress_refused')
    assert.equal(other.connections, 0)
    const wide = await toolbox({ egress, robots: false }).execute('fetchPage', { url: listed.url })
    assert.match(String(wide.content), /elsewhere/)
    await Promise.all([listed.close(), other.close()])
  })
})

describe('how soon', () => {
  test('a page is there in less than a second', async () => {
    const box = toolbox()
    await fetchPage(box, '/page')
    const times: number[] = []
    for (let index = 0; index < 20; index++) {
      const start = systemClock.monotonic()
      const { code } = await fetchPage(box, `/page?${index}`)
      times.push(systemClock.monotonic() - start)
      assert.equal(code, undefined)
    }
    times.sort((a, b) => a - b)
    assert.ok(times[18]! < 1_000, `p95 was ${times[18]} ms`)
  })
})

describe('options', () => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ host: [] }, /Did you mean 'hosts'/],
    [{ hosts: 'a' }, /must be a list/],
    [{ hosts: ['a b'] }, /no host/],
    [{ egress: fetch }, /what createEgress\(\) gives/],
    [{ search: {} }, /search must be a service/],
    [{ robots: 'no' }, /true or false/],
    [{ userAgent: 'a\nb' }, /userAgent/],
    [{ limits: { length: 10 } }, /limits.length/],
    [{ limits: { bytes: 0 } }, /limits.bytes/],
    [{ limits: { readTime: 0 } }, /limits.readTime/],
    [{ limits: { perHost: 0 } }, /limits.perHost/],
    [{ limits: { delay: -1 } }, /limits.delay/],
    [{ limits: { lenght: 1 } }, /Did you mean 'length'/],
    [{ credentials: [] }, /by name/],
    [{ credentials: { 'a b': {} } }, /cannot be called/],
    [{ credentials: { a: { value: 'x' } } }, /needs hosts/],
    [{ credentials: { a: { hosts: ['a.example'] } } }, /needs a value/],
    [{ credentials: { a: { hosts: ['a.example'], value: 'x', header: 'a b' } } }, /header or a prefix/],
    [{ credentials: { a: { hosts: ['a.example'], vaule: 'x' } } }, /Did you mean 'value'/],
  ]
  for (const [options, message] of wrong) {
    test(`are refused: ${JSON.stringify(options)}`, () => assert.throws(() => webTools(options as never), message))
  }
})
