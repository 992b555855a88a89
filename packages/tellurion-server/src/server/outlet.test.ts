import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Outlet, type Sink } from './outlet.ts'

/** A client that takes bytes when it is told to. */
function lazyClient() {
  const client = { waiting: 0, seen: 0, cut: 0 }
  const sink: Sink = {
    get waiting() {
      return client.waiting
    },
    write: (bytes) => {
      client.waiting += bytes.length
      client.seen += bytes.length
    },
    cut: () => {
      client.cut++
      client.waiting = 0
    },
  }
  let slow = 0
  const outlet = new Outlet(sink, { most: 1000, onSlow: () => slow++ })
  const take = (bytes: number): void => {
    client.waiting = Math.max(0, client.waiting - bytes)
    outlet.taken()
  }
  return { client, outlet, take, slow: () => slow }
}

const bytes = (length: number): Uint8Array => new Uint8Array(length)

describe('an outlet', () => {
  test('lets a client hold as much as its bound, and cuts it off at more', () => {
    const { client, outlet, slow } = lazyClient()
    for (let piece = 0; piece < 10; piece++) outlet.write(bytes(100))
    assert.deepEqual([client.waiting, slow(), outlet.closed], [1000, 0, false])
    outlet.write(bytes(1))
    assert.deepEqual([slow(), client.cut, outlet.closed, outlet.waiting], [1, 1, true, 0])
    outlet.write(bytes(1))
    outlet.drop()
    assert.deepEqual([slow(), client.cut, client.seen], [1, 1, 1000], 'once, and nothing after it')
  })

  test('lets one large piece through to a client that has taken everything', () => {
    const { client, outlet, take } = lazyClient()
    outlet.write(bytes(5000))
    assert.equal(client.waiting, 5000)
    take(5000)
    outlet.write(bytes(10))
    assert.equal(outlet.closed, false)
    outlet.write(bytes(5000))
    assert.equal(outlet.closed, true)
  })

  test('tells who waits for room when there is some', async () => {
    const sink = { waiting: 0, write: () => {}, cut: () => {} }
    const outlet = new Outlet(sink, { most: 1_000_000 })
    assert.equal(outlet.room(), undefined)
    sink.waiting = 100_000
    let room = 0
    const waits = outlet.room()!.then(() => room++)
    sink.waiting = 70_000
    outlet.taken()
    await Promise.resolve()
    assert.equal(room, 0)
    sink.waiting = 60_000
    outlet.taken()
    await waits
    assert.equal(outlet.room(), undefined)
    sink.waiting = 100_000
    const last = outlet.room()!
    outlet.close()
    await last
    assert.equal(outlet.room(), undefined)
  })

  test('gives a sign of life when it is silent, and drops a client that takes nothing between two beats', () => {
    const { client, outlet, take } = lazyClient()
    const beat = (): number => {
      const { written } = outlet
      outlet.beat(bytes(3))
      return outlet.written - written
    }
    assert.equal(beat(), 3)
    take(3)
    assert.equal(beat(), 3, 'the sign itself is no news')
    take(3)
    outlet.write(bytes(100))
    assert.equal(beat(), 0, 'something was said')
    take(50)
    assert.equal(beat(), 3, 'it is slow, but it moves')
    assert.equal(outlet.closed, false)
    beat()
    assert.deepEqual([outlet.closed, client.cut], [true, 1])
  })

  test('does not take one beat for two', () => {
    const { outlet, take } = lazyClient()
    outlet.beat(bytes(3))
    take(3)
    outlet.write(bytes(100))
    outlet.beat(bytes(3))
    assert.equal(outlet.closed, false, 'it had no time yet')
    take(1000)
    outlet.beat(bytes(3))
    take(3)
    outlet.beat(bytes(3))
    assert.equal(outlet.closed, false)
  })
})
