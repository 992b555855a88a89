import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { macrotask, virtualClock } from 'tellurion/testing'
import { createPulse } from './pulse.ts'
import { heldStream } from './stream.ts'

const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(120)

/** A stream of pieces that waits when they are at an end, and what became of it. */
function source(pieces: readonly Uint8Array[], { ends = true }: { readonly ends?: boolean } = {}) {
  const seen = { pulled: 0, cancelled: false, ended: 0 }
  const body = new ReadableStream<Uint8Array>({
    pull(stream) {
      const piece = pieces[seen.pulled]
      if (piece !== undefined) {
        seen.pulled++
        stream.enqueue(piece)
        return undefined
      }
      if (ends) stream.close()
      return ends ? undefined : new Promise(() => {})
    },
    cancel: () => void (seen.cancelled = true),
  })
  return { response: new Response(body, { status: 200, headers: { 'x-kept': 'yes' } }), seen }
}

function hold(held: ReturnType<typeof source>, most = 1000) {
  const clock = virtualClock()
  const pulse = createPulse(clock, 100)
  return { clock, response: heldStream(held.response, { most, pulse, onEnd: () => held.seen.ended++ }) }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await macrotask()
}

describe('a stream that something else writes', () => {
  test('comes whole to one who reads, with its head', async () => {
    const held = source([bytes(10), bytes(20)])
    const { response } = hold(held)
    assert.equal((await response.text()).length, 30)
    assert.deepEqual([response.headers.get('x-kept'), held.seen.ended], ['yes', 1])
  })

  test('is given up where nobody reads: what waits is bounded, and its writer is told', async () => {
    const held = source(
      Array.from({ length: 100 }, () => bytes(300)),
      { ends: false },
    )
    const { response } = hold(held)
    await settle()
    assert.ok(held.seen.cancelled && held.seen.pulled < 10, `${held.seen.pulled} pieces`)
    assert.equal(held.seen.ended, 1)
    await assert.rejects(response.text())
  })

  test('ends for its writer when the reader goes', async () => {
    const held = source([bytes(10)], { ends: false })
    const { response } = hold(held)
    const reader = response.body!.getReader()
    await reader.read()
    await reader.cancel()
    await settle()
    assert.deepEqual([held.seen.cancelled, held.seen.ended], [true, 1])
  })

  test('gives signs of life while it is silent', async () => {
    const held = source([], { ends: false })
    const { response, clock } = hold(held)
    const reader: ReadableStreamDefaultReader<Uint8Array> = response.body!.getReader()
    const first = reader.read()
    await clock.advance(250)
    assert.equal(new TextDecoder().decode((await first).value), ':\n\n')
    await reader.cancel()
  })

  test('ends where its writer fails', async () => {
    const body = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error('broken')) })
    let ended = 0
    const pulse = createPulse(virtualClock(), 100)
    const response = heldStream(new Response(body), { most: 1000, pulse, onEnd: () => ended++ })
    assert.deepEqual([await response.text(), ended], ['', 1])
  })
})
