// One call over HTTP: bounds, redirects, connections, foreign fetches. What every model does is `wire-behaviour.test.ts`.

import assert from 'node:assert/strict'
import test from 'node:test'
import type { Model, ModelEvent } from '../port/model.ts'
import { createRawServer, type RawReply } from '../testing/raw-server.node.ts'
import { openAILanguage } from '../testing/wire-script.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { complete } from './collect.ts'
import { model } from './named-model.ts'

const request = { messages: [{ role: 'user', content: 'Hello' }] } as const
const reply = openAILanguage.events([{ text: 'Hi' }, { finish: 'stop' }])

const asking = (fetching: typeof fetch): Model => model('openai/m', { apiKey: 'test-key', env: {}, fetch: fetching })

/** A fetch that answers with the same piece for ever, and counts what was taken of it. */
function endless(piece: string): { readonly fetch: typeof fetch; taken: number; cancelled: boolean } {
  const bytes = new TextEncoder().encode(piece)
  const state = {
    taken: 0,
    cancelled: false,
    fetch: (async (_url, init) => {
      init?.signal?.addEventListener('abort', () => (state.cancelled = true))
      const pull = (controller: ReadableStreamDefaultController): void => {
        state.taken += bytes.length
        controller.enqueue(bytes)
      }
      return new Response(new ReadableStream({ pull }))
    }) as typeof fetch,
  }
  return state
}

test('a stream that never ends is cut off at its bound and cancelled', async () => {
  for (const piece of [`: ${'x'.repeat(4_000_000)}\n\n`, `data: ${'x'.repeat(4_000_000)}`]) {
    const server = endless(piece)
    const failed = await complete(asking(server.fetch), request)
    assert.equal(failed.status === 'failed' && failed.failure.code, 'invalid_reply')
    assert.ok(server.taken < 80_000_000 && server.cancelled)
  }
})

test('the body of an error is read to a bound only', async () => {
  const server = endless('x'.repeat(50_000))
  const asked = asking(async (url, init) => new Response((await server.fetch(url, init)).body, { status: 500 }))
  const failed = await complete(asked, request)
  assert.equal(failed.status === 'failed' && failed.failure.kind, 'service')
  assert.ok(server.taken < 500_000 && server.cancelled)
})

async function withServer(
  answer: RawReply,
  check: (asked: Model, server: Awaited<ReturnType<typeof createRawServer>>) => Promise<void>,
) {
  const server = await createRawServer(() => answer)
  try {
    await check(model('local/m', { baseURL: server.url, env: {}, apiKey: 'test-key' }), server)
  } finally {
    await server.close()
  }
}

test('a redirect is not followed with the key in hand: the failure names the new address', async () => {
  await withServer({ status: 307, headers: { location: 'https://elsewhere.test/v1' } }, async (asked, server) => {
    const failed = await complete(asked, request)
    assert.ok(failed.status === 'failed')
    assert.match(failed.failure.message, /redirects to https:\/\/elsewhere\.test\/v1/)
    assert.equal(server.requests.length, 1)
  })
})

test('the connection of a finished call is used again', async () => {
  await withServer({ pieces: reply }, async (asked, server) => {
    for (let call = 0; call < 5; call++) assert.equal((await complete(asked, request)).status, 'finished')
    // The second call may start before the first connection is free again.
    assert.ok(server.connections <= 2, `${server.connections} connections`)
  })
})

test('a server that goes on talking after the end is left', async () => {
  const chatter = Array.from({ length: 40 }, () => `: ${'x'.repeat(4_000)}\n\n`)
  await withServer({ pieces: [...reply, ...chatter], ending: 'hang' }, async (asked, server) => {
    assert.equal((await complete(asked, request)).status, 'finished')
    await server.disconnected
  })
})

test('a server that keeps the connection open after the end is left when its time is up', async () => {
  const clock = virtualClock()
  const server = await createRawServer(() => ({ pieces: reply, ending: 'hang' }))
  try {
    const asked = model('local/m', { baseURL: server.url, env: {}, clock })
    assert.equal((await complete(asked, request)).status, 'finished')
    await clock.advance(1_000)
    await server.disconnected
  } finally {
    await server.close()
  }
})

test('a fetch that ignores the signal is abandoned at once, and its late answer thrown away', async () => {
  const { promise, resolve } = Promise.withResolvers<Response>()
  let thrownAway = false
  const controller = new AbortController()
  const stream = asking(() => promise).stream(request, { signal: controller.signal })
  const events = stream[Symbol.asyncIterator]()
  const first = events.next()
  controller.abort()
  assert.deepEqual(await first, { done: false, value: { type: 'aborted' } })
  assert.deepEqual(await events.next(), { done: true, value: undefined })
  resolve(new Response(new ReadableStream({ cancel: () => void (thrownAway = true) })))
  await promise
  await Promise.resolve()
  assert.equal(thrownAway, true)
})

test('an abort reaches the connection at once, in mid-stream too', async () => {
  let sent: AbortSignal | null | undefined
  const piece = new TextEncoder().encode(reply[1])
  const controller = new AbortController()
  const asked = asking(async (_url, init) => {
    sent = init?.signal
    return new Response(new ReadableStream({ start: (body) => body.enqueue(piece) }))
  })
  const stream = asked.stream(request, { signal: controller.signal })
  const { value } = await stream[Symbol.asyncIterator]().next()
  assert.deepEqual(value, { type: 'text.delta', text: 'Hi' })
  controller.abort()
  assert.equal(sent?.aborted, true)
})

test('an abort drops what had come but was not taken yet', async () => {
  const controller = new AbortController()
  const events = asking(async () => new Response(reply.join(''))).stream(request, { signal: controller.signal })
  const seen: ModelEvent[] = []
  const held = openAILanguage.events([{ text: 'a' }, { text: 'b' }, { text: 'c' }]).join('')
  const open = new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode(held)) })
  const slow = asking(async () => new Response(open)).stream(request, { signal: controller.signal })
  for await (const event of slow) {
    seen.push(event)
    controller.abort()
  }
  assert.deepEqual(seen, [{ type: 'text.delta', text: 'a' }, { type: 'aborted' }])
  for await (const event of events) assert.deepEqual(event, { type: 'aborted' })
})

test('a fetch that throws, rejects or answers without a body is a failure', async () => {
  const fetches: readonly (typeof fetch)[] = [
    () => {
      throw new TypeError('no')
    },
    () => Promise.reject(new TypeError('no')),
    async () => new Response(null),
  ]
  for (const fetching of fetches) assert.equal((await complete(asking(fetching), request)).status, 'failed')
})

test('a connection that breaks after the reply was whole has broken nothing', async () => {
  const cut = openAILanguage.events([{ text: 'Hi' }, { finish: 'stop' }]).slice(0, -2)
  await withServer({ pieces: cut, ending: 'cut' }, async (asked) => {
    const done = await complete(asked, request)
    assert.deepEqual([done.status, done.message?.content], ['finished', 'Hi'])
  })
})

test('asking for several events at once keeps their order', async () => {
  await withServer({ pieces: reply }, async (asked) => {
    const events = asked.stream(request, {})[Symbol.asyncIterator]()
    const all = await Promise.all([events.next(), events.next(), events.next()])
    assert.deepEqual(
      all.map(({ value }) => (value as ModelEvent | undefined)?.type),
      ['text.delta', 'finish', undefined],
    )
  })
})

test('a stream that was left gives nothing more, and a listener on the signal never stays', async () => {
  const { signal } = new AbortController()
  const listeners = new Set<unknown>()
  const counted = new Proxy(signal, {
    get(target, property) {
      if (property === 'addEventListener') return (_type: string, listener: unknown) => listeners.add(listener)
      if (property === 'removeEventListener') return (_type: string, listener: unknown) => listeners.delete(listener)
      return Reflect.get(target, property, target) as unknown
    },
  })
  const asked = asking(async () => new Response(reply.join('')))
  for await (const event of asked.stream(request, { signal: counted })) {
    if (event.type === 'text.delta') break
  }
  assert.equal(listeners.size, 0)
  assert.equal((await complete(asked, request, { signal: counted })).status, 'finished')
  assert.equal(listeners.size, 0)
})
