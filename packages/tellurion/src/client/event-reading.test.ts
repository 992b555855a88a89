import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../id/random.ts'
import type { EventResource, RunResource } from '../protocol/resource.ts'
import { eventStreamOf, refusal, scriptedServer, type ScriptedRequest } from '../testing/scripted-server.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createClient, type Client } from './client.ts'

const kept = (seq: number, type = 'progress.updated'): EventResource =>
  ({ type, entity: 1, percent: seq, done: seq, total: 9, text: 'ü€😀'.repeat(seq % 3), seq, at: seq }) as EventResource
const live = (text: string): EventResource => ({ type: 'text.delta', entity: 1, text })
const upTo = (count: number): EventResource[] => Array.from({ length: count }, (_, index) => kept(index + 1))

/** The events after the number that a request brings, with live ones between. */
const after = (events: readonly EventResource[], { request }: ScriptedRequest): readonly EventResource[] =>
  events.filter(({ seq }) => (seq ?? 0) > Number(request.headers.get('last-event-id')))

const runOf = (events: number, status = 'succeeded'): RunResource => ({ id: 'r', status, events }) as RunResource

const clientOf = (fetch: (request: Request) => Promise<Response>, clock = virtualClock()): Client =>
  createClient({
    baseURL: 'http://tellurion.test',
    fetch,
    ports: { clock, random: seededRandom(1) },
    reconnect: { jitter: 'none' },
  })

async function gather(events: AsyncIterable<EventResource>): Promise<EventResource[]> {
  const all: EventResource[] = []
  for await (const event of events) all.push(event)
  return all
}

test('events come in order, kept and live, and end with the run', async () => {
  const events = [kept(1), live('a'), live('b'), kept(2)]
  const server = scriptedServer({ runEvents: () => eventStreamOf(events), getRun: () => runOf(2) })
  assert.deepEqual(await gather(clientOf(server.fetch).runs.events('r')), events)
  const [{ request } = assert.fail()] = server.requests
  assert.equal(request.headers.get('accept'), 'text/event-stream')
  assert.equal(request.headers.get('last-event-id'), '0')
})

test('a reader can begin in the middle', async () => {
  const server = scriptedServer({ runEvents: (asked) => eventStreamOf(after(upTo(5), asked)), getRun: () => runOf(5) })
  const events = await gather(clientOf(server.fetch).runs.events('r', { after: 3 }))
  assert.deepEqual(events, [kept(4), kept(5)])
})

test('a stream that ends before its run does is opened again', async () => {
  const clock = virtualClock()
  let known = 2
  const server = scriptedServer({
    runEvents: (asked) => eventStreamOf(after(upTo(known), asked)),
    getRun: () => {
      known = 4
      return runOf(4, server.requests.length > 3 ? 'succeeded' : 'running')
    },
  })
  const gathered = gather(clientOf(server.fetch, clock).runs.events('r'))
  await clock.runAll()
  assert.deepEqual(await gathered, upTo(4))
  assert.equal(clock.pending, 0)
})

/** What a connection does to its reader. */
const connection = fc.record({
  kind: fc.constantFrom('cut', 'cut', 'cut', 'close', 'refuse', 'break', 'html', 'stale', 'gap'),
  bytes: fc.nat(700),
  piece: fc.integer({ min: 1, max: 200 }),
})

type Reader = (
  fetch: (request: Request) => Promise<Response>,
  clock: ReturnType<typeof virtualClock>,
) => AsyncIterable<EventResource>

const state = { resumes: 0 }

/** Whatever connections do, a reader gets each kept event once, in order. */
const exactlyOnce = (read: Reader) =>
  fc.asyncProperty(
    fc.array(connection, { minLength: 5, maxLength: 40 }),
    fc.integer({ min: 1, max: 12 }),
    async (plan, count) => {
      const clock = virtualClock()
      const all = upTo(count).flatMap((event) => [event, live('x')])
      const plans = plan.values()
      const server = scriptedServer({
        getRun: () => runOf(count),
        runEvents(asked) {
          state.resumes++
          const events = after(all, asked)
          const { value: { kind, bytes, piece } = { kind: 'whole', bytes: 0, piece: 4096 } } = plans.next()
          switch (kind) {
            case 'cut':
            case 'close':
              return eventStreamOf(events, { ending: kind, bytes, piece })
            case 'refuse':
              return refusal(503, 'runtime_closed', { headers: { 'retry-after': '1' } })
            case 'break':
              return Promise.reject(new TypeError('fetch failed'))
            case 'html':
              return new Response('<h1>Bad gateway</h1>', { status: 502 })
            case 'stale':
              return eventStreamOf(all, { ending: 'cut', bytes, piece })
            case 'gap':
              return eventStreamOf(events.slice(3), { piece })
            default:
              return eventStreamOf(events)
          }
        },
      })
      const gathered = gather(read(server.fetch, clock))
      gathered.catch(() => {})
      await clock.runAll(1000)
      const seen = (await gathered).flatMap(({ seq }) => (seq === undefined ? [] : [seq]))
      assert.deepEqual(
        seen,
        upTo(count).map(({ seq }) => seq),
      )
      assert.equal(clock.pending, 0)
    },
  )

const patient = { reconnect: { maxRetries: 100, jitter: 'none' } } as const

test('through any course of broken connections each kept event comes once and in order', async (t) => {
  const read: Reader = (fetch, clock) =>
    createClient({ baseURL: 'http://tellurion.test', fetch, ...patient, ports: { clock } }).runs.events('r')
  await fc.assert(exactlyOnce(read), { numRuns: 250 })
  t.diagnostic(`${state.resumes} connections`)
  assert.ok(state.resumes > 1000)
})

test('the suite catches a reader that takes what it is given', async () => {
  const naive: Reader = async function* (fetch) {
    for (let seen = 0; ;) {
      try {
        const response = await fetch(
          new Request('http://tellurion.test/api/v1/runs/r/events', { headers: { 'last-event-id': String(seen) } }),
        )
        if (!response.ok) continue
        for (const line of (await response.text()).split('\n')) {
          if (!line.startsWith('data:')) continue
          const event = JSON.parse(line.slice(5)) as EventResource
          seen = event.seq ?? seen
          yield event
        }
        if (seen > 0) return
      } catch {
        // Reads again.
      }
    }
  }
  const { failed } = await fc.check(exactlyOnce(naive), { numRuns: 100, endOnFailure: true })
  assert.ok(failed)
})

test('a past that is not kept any more is told at once', async () => {
  const server = scriptedServer({ runEvents: () => refusal(410, 'events_dropped') })
  await assert.rejects(gather(clientOf(server.fetch).runs.events('r')), { code: 'events_dropped' })
  assert.equal(server.requests.length, 1)
})

test('patience ends after twenty connections in a row that brought nothing', async () => {
  const clock = virtualClock()
  const server = scriptedServer({ runEvents: () => Promise.reject(new TypeError('fetch failed')) })
  const gathered = assert.rejects(gather(clientOf(server.fetch, clock).runs.events('r')), {
    code: 'server_unreachable',
  })
  await clock.runAll()
  await gathered
  assert.equal(server.requests.length, 21)
})

test('a connection on which nothing comes is dead after 75 seconds; a slow reader is not', async () => {
  const clock = virtualClock()
  let opened = 0
  const server = scriptedServer({
    runEvents: (asked) => eventStreamOf(after(upTo(2), asked).slice(0, ++opened === 1 ? 1 : 2), { ending: 'hang' }),
    getRun: () => runOf(2),
  })
  const events = clientOf(server.fetch, clock).runs.events('r')
  assert.deepEqual((await events.next()).value, kept(1))
  await clock.advance(1_000_000)
  assert.equal(opened, 1, 'nobody waited for more')
  const next = events.next()
  await clock.advance(74_999)
  assert.equal(opened, 1)
  await clock.advance(1_000)
  assert.deepEqual((await next).value, kept(2))
  await events.return()
  assert.equal(clock.pending, 0)
})

test('whoever stops reading closes the connection', async () => {
  const server = scriptedServer({ runEvents: () => eventStreamOf(upTo(3), { ending: 'hang' }) })
  const clock = virtualClock()
  for await (const event of clientOf(server.fetch, clock).runs.events('r')) if (event.seq === 2) break
  assert.ok(server.requests[0]?.request.signal.aborted)
  assert.equal(clock.pending, 0)
})

test('aborting ends the reading with the reason of the signal', async () => {
  const clock = virtualClock()
  const server = scriptedServer({ runEvents: () => eventStreamOf(upTo(1), { ending: 'hang' }) })
  const controller = new AbortController()
  const events = clientOf(server.fetch, clock).runs.events('r', { signal: controller.signal })
  await events.next()
  const next = events.next()
  await clock.settle()
  const reason = new Error('enough')
  controller.abort(reason)
  await assert.rejects(next, reason)
  assert.equal(clock.pending, 0)
})

test('what is no event ends the reading', async () => {
  for (const text of ['data: {"type":\n\n', `data: ${'x'.repeat(70_000_000)}`]) {
    const server = scriptedServer({ runEvents: () => new Response(text) })
    await assert.rejects(gather(clientOf(server.fetch).runs.events('r')), { code: 'invalid_response' })
  }
})

test('until it is settled: ends where a person is asked, by the run or by what works for it', async () => {
  const waiting = [kept(1), kept(2, 'run.waiting')]
  const server = scriptedServer({
    runEvents: (asked) => eventStreamOf(after(waiting, asked), { ending: 'hang' }),
    runResult: () => ({ status: 'waiting' }),
    getRun: () => runOf(2, 'waiting'),
  })
  const clock = virtualClock()
  assert.deepEqual(await gather(clientOf(server.fetch, clock).runs.events('r', { until: 'settled' })), waiting)
  assert.equal(clock.pending, 0)
})

test('until it is settled: an answered question of the past ends nothing', async () => {
  const events = [kept(1, 'run.waiting'), kept(2), kept(3, 'run.waiting'), kept(4)]
  for (const piece of [10, 10_000]) {
    const server = scriptedServer({
      runEvents: () => eventStreamOf(events, { piece }),
      // By now it waits for something else: only the numbers tell.
      runResult: () => ({ status: 'waiting' }),
      getRun: () => runOf(4),
    })
    assert.deepEqual(await gather(clientOf(server.fetch).runs.events('r', { until: 'settled' })), events)
  }
})
