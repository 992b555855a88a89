// The way out as a function like fetch: requests as they were meant, redirects, caps, deadlines and cancelling. What it must
// not let through stands in ssrf.test.ts.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { createRawServer, type RawReply, type RawRequest, type RawServer } from '../testing/raw-server.node.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createEgress, type Egress, type EgressOptions } from './egress.ts'

/** A server, and a way out that may reach it. */
async function using(
  reply: (request: RawRequest) => RawReply,
  use: (egress: Egress, server: RawServer, make: (options: EgressOptions) => Egress) => Promise<void>,
): Promise<void> {
  const server = await createRawServer(reply)
  const make = (options: EgressOptions): Egress => createEgress({ allow: [new URL(server.url).host], ...options })
  try {
    await use(make({}), server, make)
  } finally {
    await server.close()
  }
}

const code = (code: string, message?: RegExp) => (error: { code?: string; message: string }) => {
  assert.equal(error.code, code)
  if (message !== undefined) assert.match(error.message, message)
  return true
}

describe('a request', () => {
  test('arrives with its method, path, headers and body', async () => {
    await using(
      ({ body }) => ({
        status: 201,
        headers: { 'x-answer': 'yes', 'content-type': 'text/plain' },
        pieces: [body, '!'],
      }),
      async (egress, server) => {
        const response = await egress(`${server.url}/a%20b?c=d#e`, {
          method: 'PUT',
          headers: { 'X-Own': 'ä', authorization: 'Bearer t' },
          body: 'héllo',
        })
        assert.equal(response.status, 201)
        assert.equal(response.headers.get('x-answer'), 'yes')
        assert.equal(response.url, `${server.url}/a%20b?c=d#e`)
        assert.equal(response.redirected, false)
        assert.equal(await response.text(), 'héllo!')
        const { method, path, headers, body } = server.requests[0]!
        assert.deepEqual([method, path, body], ['PUT', '/a%20b?c=d', 'héllo'])
        assert.equal(headers['authorization'], 'Bearer t')
        assert.equal(headers['host'], new URL(server.url).host)
      },
    )
  })

  test('is taken as a Request too, and headers of the connection are not for callers', async () => {
    await using(
      () => ({ pieces: ['ok'] }),
      async (egress, server) => {
        const request = new Request(`${server.url}/`, {
          method: 'POST',
          body: '12345',
          headers: { host: 'evil.example', 'content-length': '1', 'proxy-authorization': 'x', te: 'trailers' },
        })
        assert.equal(await (await egress(request)).text(), 'ok')
        const { headers, body } = server.requests[0]!
        assert.equal(headers['host'], new URL(server.url).host)
        assert.equal(headers['content-length'], '5')
        assert.equal(headers['proxy-authorization'], undefined)
        assert.equal(headers['te'], undefined)
        assert.equal(body, '12345')
      },
    )
  })

  test('is not sent when its body is longer than it may be', async () => {
    await using(
      () => ({}),
      async (_, server, make) => {
        const egress = make({ limits: { requestBytes: 4 } })
        await assert.rejects(egress(server.url, { method: 'POST', body: '12345' }), code('egress_too_large'))
        assert.equal(server.connections, 0)
        await egress(server.url, { method: 'POST', body: '1234' })
      },
    )
  })

  test('cookies are not kept', async () => {
    await using(
      () => ({ headers: { 'set-cookie': 'a=b' }, pieces: ['ok'] }),
      async (egress, server) => {
        await (await egress(server.url)).text()
        await (await egress(server.url)).text()
        assert.equal(server.requests[1]!.headers['cookie'], undefined)
      },
    )
  })
})

describe('a body', () => {
  const text = 'Sphinx of black quartz, judge my vow. '.repeat(50)
  const packed: Record<string, Uint8Array> = {
    gzip: gzipSync(text),
    'x-gzip': gzipSync(text),
    deflate: deflateSync(text),
    br: brotliCompressSync(text),
    zstd: zstdCompressSync(text),
    'gzip, br': brotliCompressSync(gzipSync(text)),
    identity: Buffer.from(text),
  }
  for (const [encoding, bytes] of Object.entries(packed)) {
    test(`is unpacked: ${encoding}`, async () => {
      const half = bytes.length >> 1
      await using(
        () => ({ headers: { 'content-encoding': encoding }, pieces: [bytes.subarray(0, half), bytes.subarray(half)] }),
        async (egress, server) => {
          const response = await egress(server.url)
          assert.equal(await response.text(), text)
          assert.equal(response.headers.get('content-encoding'), null)
        },
      )
    })
  }

  const zeros = Buffer.alloc(5_000_000)
  const bombs: Record<string, Uint8Array> = {
    gzip: gzipSync(zeros),
    deflate: deflateSync(zeros),
    br: brotliCompressSync(zeros),
    zstd: zstdCompressSync(zeros),
    'gzip, gzip': gzipSync(gzipSync(zeros)),
  }
  for (const [encoding, bytes] of Object.entries(bombs)) {
    test(`is counted after it is unpacked: a bomb of ${encoding}, ${bytes.length} bytes`, async () => {
      await using(
        () => ({ headers: { 'content-encoding': encoding }, pieces: [bytes] }),
        async (_, server, make) => {
          const response = await make({ limits: { bytes: 100_000 } })(server.url)
          let count = 0
          await assert.rejects(
            async () => {
              for await (const chunk of response.body!) count += chunk.byteLength
            },
            code('egress_too_large', /100000 bytes/),
          )
          assert.ok(count <= 100_000, `${count} bytes came through`)
        },
      )
    })
  }

  test('is counted as it comes, and refused at once where its length is stated', async () => {
    await using(
      ({ path }) =>
        path === '/stated'
          ? { headers: { 'content-length': '11' }, pieces: ['12345678901'] }
          : { pieces: ['123456', '78901'] },
      async (_, server, make) => {
        const egress = make({ limits: { bytes: 10 } })
        await assert.rejects(egress(`${server.url}/stated`), code('egress_too_large', /11 bytes/))
        const response = await egress(`${server.url}/`)
        await assert.rejects(response.text(), code('egress_too_large'))
        assert.equal((await (await make({ limits: { bytes: 11 } })(server.url)).text()).length, 11)
      },
    )
  })

  test('packed in an unknown way, or too often, is refused', async () => {
    await using(
      ({ path }) => ({ headers: { 'content-encoding': path.slice(1) }, pieces: ['x'] }),
      async (egress, server) => {
        for (const encoding of ['compress', 'gzip,gzip,gzip', 'constructor']) {
          await assert.rejects(egress(`${server.url}/${encoding}`), code('egress_failed'), encoding)
        }
      },
    )
  })

  test('that is torn is an error, packed or not', async () => {
    const bytes = gzipSync('a'.repeat(10_000))
    await using(
      ({ path }) =>
        path === '/packed'
          ? { headers: { 'content-encoding': 'gzip' }, pieces: [bytes.subarray(0, 20)], ending: 'close' }
          : { headers: { 'content-length': '100' }, pieces: ['half'], ending: 'cut' },
      async (egress, server) => {
        for (const path of ['/packed', '/']) {
          const response = await egress(`${server.url}${path}`)
          await assert.rejects(response.text(), code('egress_failed', /broke off/), path)
        }
      },
    )
  })

  test('comes as a stream: a first piece is there before the last', async () => {
    await using(
      () => ({ pieces: ['first'], ending: 'hang' }),
      async (egress, server) => {
        const reader = (await egress(server.url)).body!.getReader()
        assert.equal(Buffer.from((await reader.read()).value!).toString(), 'first')
        await reader.cancel()
        await server.disconnected
      },
    )
  })

  test('is left out where there is none', async () => {
    await using(
      ({ path, method }) => ({ status: method === 'HEAD' ? 200 : Number(path.slice(1)) }),
      async (egress, server) => {
        for (const status of [204, 205, 304]) {
          const response = await egress(`${server.url}/${status}`)
          assert.equal(response.status, status)
          assert.equal(response.body, null)
        }
        const head = await egress(`${server.url}/`, { method: 'HEAD' })
        assert.equal(head.body, null)
      },
    )
  })
})

describe('a redirect', () => {
  const redirects = async (status: number, method: string, expected: readonly [string, string]): Promise<void> => {
    await using(
      ({ path }) => (path === '/from' ? { status, headers: { location: 'to?x=1' } } : { pieces: ['there'] }),
      async (egress, server) => {
        const body = method === 'GET' || method === 'HEAD' ? null : 'body'
        const response = await egress(`${server.url}/from`, { method, body, headers: { authorization: 'kept' } })
        assert.equal(response.redirected, true)
        assert.equal(response.url, `${server.url}/to?x=1`)
        const last = server.requests[1]!
        assert.deepEqual([last.method, last.body], expected)
        assert.equal(last.headers['authorization'], 'kept')
        assert.equal(last.headers['content-type'] === undefined, last.body === '')
      },
    )
  }
  const cases = [
    [301, 'POST', ['GET', '']],
    [302, 'POST', ['GET', '']],
    [302, 'PUT', ['PUT', 'body']],
    [303, 'PUT', ['GET', '']],
    [303, 'HEAD', ['HEAD', '']],
    [307, 'POST', ['POST', 'body']],
    [308, 'PATCH', ['PATCH', 'body']],
    [308, 'GET', ['GET', '']],
  ] as const
  for (const [status, method, expected] of cases) {
    test(`${status} of a ${method} is a ${expected[0]}`, () => redirects(status, method, expected))
  }

  test('may be left alone, or forbidden', async () => {
    await using(
      () => ({ status: 302, headers: { location: '/elsewhere' }, pieces: ['moved'] }),
      async (egress, server) => {
        const response = await egress(server.url, { redirect: 'manual' })
        assert.deepEqual([response.status, response.headers.get('location')], [302, '/elsewhere'])
        assert.equal(await response.text(), 'moved')
        await assert.rejects(egress(server.url, { redirect: 'error' }), code('egress_refused', /does not allow/))
        assert.equal(server.requests.length, 2)
      },
    )
  })

  test('is followed as often as the limit says', async () => {
    await using(
      ({ path }) => ({ status: 302, headers: { location: `/${Number(path.slice(1)) + 1}` } }),
      async (egress, server, make) => {
        await assert.rejects(egress(`${server.url}/1`), code('egress_refused', /more than 5 times/))
        assert.equal(server.requests.length, 6)
        await assert.rejects(make({ limits: { redirects: 0 } })(`${server.url}/1`), code('egress_refused'))
        assert.equal(server.requests.length, 7)
      },
    )
  })
})

describe('an end that is not the server’s', () => {
  test('deadlines: no connection, no answer, no next piece, not through', async () => {
    const clock = virtualClock()
    const limits = { connect: 10, firstByte: 20, idle: 30, whole: 40 }
    const egress = createEgress({ clock, limits, resolve: () => new Promise(() => {}) })
    const connecting = assert.rejects(
      egress('http://slow.example/'),
      code('egress_timeout', /connected to within 10 ms/),
    )
    await clock.advance(10)
    await connecting
    await using(
      ({ path }) => (path === '/mute' ? { ending: 'mute' } : { pieces: ['a'], ending: 'hang' }),
      async (_, server, make) => {
        const egress = make({ clock, limits })
        const mute = assert.rejects(egress(`${server.url}/mute`), code('egress_timeout', /answer within 20 ms/))
        await server.requested
        await clock.advance(20)
        await mute

        const response = await egress(`${server.url}/hang`)
        const reading = assert.rejects(response.text(), code('egress_timeout', /nothing for 30 ms/))
        while (clock.pending < 2) await clock.settle()
        await clock.advance(30)
        await reading

        const unread = await egress(`${server.url}/hang`)
        await clock.advance(40)
        await assert.rejects(unread.text(), code('egress_timeout', /not through after 40 ms/))
        assert.equal(clock.pending, 0)
      },
    )
  })

  test('the signal, before, on the way and in the body', async () => {
    await using(
      ({ path }) => (path === '/mute' ? { ending: 'mute' } : { pieces: ['a'], ending: 'hang' }),
      async (egress, server) => {
        const reason = new Error('enough')
        await assert.rejects(egress(server.url, { signal: AbortSignal.abort(reason) }), reason)
        assert.equal(server.connections, 0)
        const controller = new AbortController()
        const mute = assert.rejects(egress(`${server.url}/mute`, { signal: controller.signal }), reason)
        await server.requested
        controller.abort(reason)
        await mute
        await server.disconnected
        const second = new AbortController()
        const response = await egress(`${server.url}/`, { signal: second.signal })
        const reading = assert.rejects(response.text(), reason)
        second.abort(reason)
        await reading
      },
    )
  })

  test('headers that are too long, and what is no HTTP', async () => {
    await using(
      () => ({ headers: { 'x-long': 'x'.repeat(5_000) } }),
      async (egress, server, make) => {
        await assert.rejects(make({ limits: { headerBytes: 4_096 } })(server.url), code('egress_too_large', /4096/))
        assert.equal((await egress(server.url)).status, 200)
      },
    )
    await using(
      () => ({ pieces: ['x'], ending: 'close', status: 101 }),
      async (egress, server) => {
        await assert.rejects(egress(server.url), code('egress_failed'))
      },
    )
  })

  test('nobody there', async () => {
    const server = await createRawServer(() => ({}))
    const egress = createEgress({ allow: [new URL(server.url).host] })
    await server.close()
    await assert.rejects(egress(server.url), code('egress_failed', /could not be connected to: ECONNREFUSED/))
  })
})

describe('hosts that a way out is narrowed to', () => {
  test('are the only ones, on every hop', async () => {
    const other = await createRawServer(() => ({ pieces: ['other'] }))
    await using(
      ({ path }) => (path === '/away' ? { status: 302, headers: { location: other.url } } : { pieces: ['ok'] }),
      async (_, server, make) => {
        const allow = ['127.0.0.0/8']
        const ports = [443, ...[server.url, other.url].map((url) => Number(new URL(url).port))]
        const wide = make({ allow, ports })
        const narrow = wide.within([new URL(server.url).host, '*.example.com'])
        assert.equal(await (await narrow(server.url)).text(), 'ok')
        assert.equal(await (await wide(`${server.url}/away`)).text(), 'other')
        await assert.rejects(narrow(`${server.url}/away`), code('egress_refused', /redirects to/))
        await assert.rejects(narrow('https://example.com/'), code('egress_refused', /not one of the hosts/))
        const none = narrow.within(['example.com'])
        await assert.rejects(none(server.url), code('egress_refused'))
      },
    ).finally(() => other.close())
  })
})

describe('options', () => {
  const wrong: [EgressOptions, RegExp][] = [
    [{ alow: [] } as never, /Did you mean 'allow'/],
    [{ allow: 'x' as never }, /must be a list/],
    [{ allow: ['10.0.0.0/33'] }, /no range/],
    [{ allow: ['http://x/'] }, /no range/],
    [{ allow: ['a b'] }, /no host/],
    [{ allow: ['x:0'] }, /no host/],
    [{ allow: ['*.127.0.0.1'] }, /no host/],
    [{ allow: ['*'] }, /no host/],
    [{ allow: ['api-*.example.com:8080'] }, /no host/],
    [{ allow: [{}] }, /needs a host/],
    [{ allow: [{ hots: 'x' } as never] }, /Did you mean 'host'/],
    [{ allow: [{ host: 'x', addresses: ['y'] }] }, /no range/],
    [{ ports: [0] }, /whole number/],
    [{ ports: 80 as never }, /must be a list/],
    [{ limits: { whole: 0 } }, /limits.whole/],
    [{ limits: { hole: 1 } as never }, /Did you mean 'whole'/],
    [{ limits: { headerBytes: Infinity } }, /limits.headerBytes/],
    [{ ca: 'pem' as never }, /ca must be/],
    [{ resolve: '9.9.9.9' as never }, /resolve must be/],
  ]
  for (const [options, message] of wrong) {
    test(`are refused: ${JSON.stringify(options)}`, () => {
      assert.throws(() => createEgress(options), message)
    })
  }
})
