// Connections under load, to a server in a process of its own: clients that do not read, that are cut off and come again,
// and that break off in the middle of anything. Small here; `LOAD=full` does all of it, in some minutes.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { token } from '../bench/served.ts'
import { systemRandom } from '../packages/tellurion/src/id/random.ts'
import { readCut, type CutOutcome } from './cut-reader.ts'
import { beginWriting, noRate, served, size, timeout, until, untilEnded, upTo } from './load-desk.ts'

describe('clients that do not read', () => {
  const count = size(5, 100)
  /** Reads how it is answered, says what follows, and reads nothing more. */
  const quiet = async (port: number, hello: string, then = ''): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`${hello}Host: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.pause()
    assert.match(String(answer), /^HTTP\/1\.1 (200|101) /)
    socket.write(then, 'latin1')
    return socket
  }
  const ways = {
    'server-sent events': (port: number, run: string) =>
      quiet(port, `GET /api/v1/runs/${run}/events HTTP/1.1\r\nAccept: text/event-stream\r\n`),
    'the WebSocket': (port: number, run: string) => {
      const body = Buffer.from(JSON.stringify({ type: 'subscribe_tasks', run_id: run }))
      const upgrade =
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n'
      const frame = Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body])
      return quiet(port, `GET /ws HTTP/1.1\r\n${upgrade}`, frame.toString('latin1'))
    },
  }
  for (const [name, open] of Object.entries(ways)) {
    test(`of ${name} hold a mebibyte at most, are dropped, and the run goes on`, { timeout }, async (t) => {
      // One that falls behind what is remembered is waited for, but no longer than a beat in which it takes nothing.
      const server = await served(t, { store: 'memory', limits: { ...noRate, silence: 1500 } })
      const { port } = server
      const run = await beginWriting(server, { length: 100_000, every: 25, burst: 2 })
      const before = await server.weigh()
      const stuck = await Promise.all(Array.from({ length: count }, () => open(port, run)))
      const numbers: CutOutcome = { numbers: [], cuts: 0 }
      // One that reads; on a busy machine it may be too slow for a while, and comes again.
      const reader = readCut('ws', { port, token, run, cutAfter: () => undefined }, numbers)
      reader.catch(() => {})
      let most = 0
      await until(async () => {
        const { buffers, connections } = await server.weigh()
        most = Math.max(most, buffers - before.buffers)
        return connections.streams + connections.sockets <= 1
      }, 'all that do not read were dropped')
      t.diagnostic(`${(most / count / 1024).toFixed(0)} KiB of buffers each at most`)
      assert.ok(most < count * 1_048_576, `${most} bytes of ${count} clients`)
      server.end()
      const { status, events } = await untilEnded(server, run)
      await reader
      assert.equal(status, 'succeeded')
      assert.deepEqual(numbers.numbers, upTo(events))
      for (const socket of stuck) socket.destroy()
    })
  }
})

test('clients are cut off at any byte, come again, and miss and repeat nothing', { timeout }, async (t) => {
  const cuts = size(1000, 10_000)
  const server = await served(t, { store: 'memory', limits: { ...noRate, streams: 100_000 } })
  const { port } = server
  const run = await beginWriting(server, { length: 20, every: 10, burst: 3 })
  // Most are cut off soon, in the middle of heads, of frames and of events; some after long.
  const cutAfter = (): number | undefined =>
    enough() ? undefined : systemRandom() < 0.05 ? 0 : Math.floor(10 ** (1.5 + 3 * systemRandom()))
  const outcomes = Array.from({ length: 40 }, (): CutOutcome => ({ numbers: [], cuts: 0 }))
  const count = (): number => outcomes.reduce((sum, each) => sum + each.cuts, 0)
  const enough = (): boolean => count() >= cuts
  const readers = outcomes.map((outcome, index) =>
    readCut(index % 2 === 0 ? 'sse' : 'ws', { port, token, run, cutAfter }, outcome),
  )
  const failed = Promise.all(readers)
  failed.catch(() => {})
  await Promise.race([failed, until(async () => enough(), 'enough cuts', timeout)])
  server.end()
  const { events } = await untilEnded(server, run)
  await failed
  const ways = [0, 1].map((way) =>
    outcomes.filter((_, index) => index % 2 === way).reduce((sum, each) => sum + each.cuts, 0),
  )
  t.diagnostic(`${ways[0]} cuts of server-sent events and ${ways[1]} of WebSockets, ${events} events`)
  for (const { numbers } of outcomes) assert.deepEqual(numbers, upTo(events))
  assert.ok(ways.every((each) => each > cuts / 10))
  await until(async () => {
    const { connections } = await server.weigh()
    return connections.streams + connections.sockets === 0
  }, 'nobody is left')
})

test('connections of every kind that break off leave nothing behind', { timeout }, async (t) => {
  const count = size(200, 5000)
  const server = await served(t, { store: 'memory', limits: { ...noRate, streams: 100_000, refusals: 1_000_000 } })
  const { port } = server
  const run = await beginWriting(server, { length: 20, every: 50, burst: 1 })
  const cutAfter = (): number => Math.floor(3000 * systemRandom())
  const line = `Host: localhost\r\nAuthorization: Bearer ${token}\r\n`
  const kinds: Readonly<Record<string, () => Promise<void>>> = {
    'an event stream': () => cutOff('sse'),
    'a WebSocket': () => cutOff('ws'),
    'an upload': () =>
      breakOff(
        `POST /api/v1/runs HTTP/1.1\r\n${line}Content-Type: application/json\r\nContent-Length: 9000\r\n\r\n{"input":"`,
      ),
    'a head': () => breakOff(`GET /api/v1/runs HTTP/1.1\r\n${line}X-More: `),
    'a wait for a result': () => breakOff(`GET /api/v1/runs/${run}/result HTTP/1.1\r\n${line}\r\n`),
    'an upgrade without a token': () =>
      breakOff('GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  }
  const cutOff = async (way: 'sse' | 'ws'): Promise<void> => {
    const outcome: CutOutcome = { numbers: [], cuts: 0 }
    // Once, and not to the end of the run.
    const once = (): number => {
      if (outcome.cuts > 0) throw new Error('once')
      return cutAfter()
    }
    await readCut(way, { port, token, run, cutAfter: once }, outcome).catch((error: Error) =>
      assert.equal(error.message, 'once'),
    )
  }
  const breakOff = async (text: string): Promise<void> => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(text)
    await sleep(5 + 20 * systemRandom())
    socket.resetAndDestroy()
  }
  const round = async (times: number, kind: () => Promise<void>): Promise<void> => {
    const lane = async (): Promise<void> => {
      for (let turn = 0; turn < times / 20; turn++) await kind()
    }
    await Promise.all(Array.from({ length: 20 }, lane))
  }
  const weigh = async () => {
    await until(async () => {
      const { connections, handles } = await server.weigh()
      return (
        connections.streams + connections.sockets === 0 &&
        handles.filter((name) => name === 'TCPSocketWrap').length === 0
      )
    }, 'all are gone')
    return server.weigh()
  }
  for (const [name, kind] of Object.entries(kinds)) {
    await round(100, kind)
    const before = await weigh()
    await round(count, kind)
    const now = await weigh()
    const bytes = (now.heap - before.heap) / count
    t.diagnostic(`${name} that broke off: ${bytes.toFixed(0)} bytes`)
    assert.ok(bytes < size(3000, 400), `${bytes} bytes of heap for each ${name} that broke off`)
    // The server's own timers come and go.
    const lasting = (all: readonly string[]): string[] => all.filter((each) => each !== 'Timeout')
    assert.deepEqual(lasting(now.handles), lasting(before.handles), name)
    assert.ok(now.handles.length < before.handles.length + 5, name)
  }
  server.end()
  assert.equal((await untilEnded(server, run)).status, 'succeeded')
})
