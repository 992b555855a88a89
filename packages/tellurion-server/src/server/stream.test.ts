import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createParser } from 'eventsource-parser'
import { Agent } from 'tellurion'
import { createRuntime, memory, type AgentRuntime, type RunContext } from 'tellurion/runtime'
import { macrotask, scriptedModel, virtualClock } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { sleep, systemClock } from 'tellurion/world'
import { createServer, type Server, type ServerOptions } from './server.ts'

const token = 'a-token-of-some-length'
const identities = [{ token, user: 'ada', scopes: ['write'] }] as const
const authorization = `Bearer ${token}`
const quiet = createLog({ write: () => {} })

const closing: (() => Promise<unknown>)[] = []
after(async () => {
  for (const close of closing) await close()
})

/** A server of some agents. */
async function serve(agents: readonly (Agent | AgentRuntime)[], options: Partial<ServerOptions> = {}) {
  const runtime = await createRuntime({ store: memory(), agents, patience: { grace: 10 } })
  const server = createServer({ runtime, identities, log: quiet, ...options })
  closing.push(() => server.close({ grace: 100 }))
  return { runtime, server }
}

/** A server whose one run does what the test says. */
async function stage(options: Partial<ServerOptions> = {}) {
  const begun = Promise.withResolvers<RunContext>()
  const over = Promise.withResolvers<void>()
  const agent: AgentRuntime = {
    key: 'actor',
    run: async (context) => {
      begun.resolve(context)
      await over.promise
      return { output: 'The end.' }
    },
  }
  const { runtime, server } = await serve([agent], options)
  closing.unshift(async () => over.resolve())
  const run = await runtime.submit('actor', 'Begin', { user: 'ada' })
  const context = await begun.promise
  const keep = async (count: number): Promise<void> => {
    for (let number = 0; number < count; number++) context.emit({ type: 'actor.did', number })
    await context.checkpoint(null)
  }
  return {
    runtime,
    server,
    run,
    keep,
    live: (text: string) => context.emit({ type: 'text.delta', text }),
    end: over.resolve,
  }
}

interface Sent {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: {
    readonly type: string
    readonly seq?: number
    readonly run_id?: string
    readonly session_id?: string
    readonly data?: { readonly content?: string; readonly id?: string }
  }
}

/** A stream as a client of others reads it. */
function listen(response: Response) {
  const seen: Sent[] = []
  const comments: string[] = []
  const parser = createParser({
    onEvent: ({ id, event, data }) => seen.push({ id, event, data: JSON.parse(data) as Sent['data'] }),
    onComment: (comment) => comments.push(comment),
    onRetry: (ms) => comments.push(`retry ${ms}`),
  })
  const reader = response.body!.getReader()
  const ended = (async () => {
    const decoder = new TextDecoder()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      parser.feed(decoder.decode(value, { stream: true }))
    }
  })()
  ended.catch(() => {})
  return { seen, comments, ended, leave: () => reader.cancel(), numbers: () => seen.flatMap(({ id }) => id ?? []) }
}

const ask = (server: Server, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  server.handle(
    new Request(`http://localhost${path}`, { headers: { authorization, accept: 'text/event-stream', ...headers } }),
  )

const upTo = (last: number, first = 1): string[] => Array.from({ length: last - first + 1 }, (_, at) => `${first + at}`)

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !holds(); turn++) await sleep(1)
  assert.ok(holds(), 'in time')
}

const errorOf = async (response: Response): Promise<{ code: string; data?: { oldest?: number } }> =>
  ((await response.json()) as { error: { code: string; data?: { oldest?: number } } }).error

describe('a stream of events', () => {
  test('numbers what is kept, brings what is live, and ends with the run', async () => {
    const { server, run, keep, live, end } = await stage()
    const response = await ask(server, `/api/v1/runs/${run.id}/events`)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    assert.match(response.headers.get('cache-control')!, /no-store/)
    const { seen, numbers, ended, comments } = listen(response)
    await keep(2)
    live('Hi')
    await until(() => seen.some(({ data }) => data.type === 'text.delta'))
    end()
    await ended
    const { events } = await run.record()
    assert.deepEqual(numbers(), upTo(events))
    for (const { id, event, data } of seen) {
      assert.equal(id, data.seq === undefined ? undefined : String(data.seq))
      assert.equal(event, undefined, 'so that onmessage hears all')
    }
    assert.deepEqual(seen.find(({ id }) => id === undefined)?.data, { type: 'text.delta', entity: 1, text: 'Hi' })
    assert.equal(seen.at(-1)?.data.type, 'run.succeeded')
    assert.deepEqual(comments, ['retry 1000'])
  })

  test('resumes after Last-Event-ID, else after the number in the address; at the end it is 204', async () => {
    const { server, run, keep, end } = await stage()
    const path = `/api/v1/runs/${run.id}/events`
    await keep(8)
    end()
    await run.result()
    const { events } = await run.record()
    const all = async (query: string, id?: string): Promise<string[]> => {
      const { ended, numbers } = listen(
        await ask(server, `${path}${query}`, id === undefined ? {} : { 'last-event-id': id }),
      )
      await ended
      return numbers()
    }
    assert.deepEqual(await all('?after=3'), upTo(events, 4))
    assert.deepEqual(await all('', '5'), upTo(events, 6))
    assert.deepEqual(await all('?after=3', '7'), upTo(events, 8), 'a browser comes again to the same address')
    const done = await ask(server, path, { 'last-event-id': String(events) })
    assert.equal(done.status, 204)
  })

  test('refuses numbers that are none, and that the run has not come to', async () => {
    const { server, run } = await stage()
    const path = `/api/v1/runs/${run.id}/events`
    for (const id of ['x', '-1', '1.5', '1e3', '0x1', ' 1 2', '9'.repeat(30), '999']) {
      const response = await ask(server, path, { 'last-event-id': id })
      assert.equal(response.status, 422, id)
      assert.equal((await errorOf(response)).code, 'invalid_request')
    }
    for (const query of ['?after=x', '?after=-1', '?after=999', '?after=1&after=2', '?since=1']) {
      assert.equal((await ask(server, `${path}${query}`)).status, 422, query)
    }
    assert.equal((await ask(server, '/api/v1/runs/run_gone/events')).status, 404)
    assert.equal((await ask(server, '/api/v1/runs/run_gone/events', { authorization: 'Bearer no' })).status, 401)
  })

  test('of another user is not there', async () => {
    const { server, runtime } = await stage({
      identities: [...identities, { token: 'another-token-of-length', user: 'bob', scopes: ['write'] }],
    })
    const [run] = await runtime.runs({ user: 'ada' })
    const response = await ask(server, `/api/v1/runs/${run!.id}/events`, {
      authorization: 'Bearer another-token-of-length',
    })
    assert.equal(response.status, 404)
    assert.equal((await errorOf(response)).code, 'unknown_run')
  })

  test('whose past is not kept any more answers 410 with the oldest number', async () => {
    let late = 0
    const clock = { ...systemClock, now: () => systemClock.now() + late }
    const talker = new Agent({
      name: 'talker',
      model: scriptedModel(({ messages }) => `${messages.length} `.repeat(6_000)),
    })
    const runtime = await createRuntime({
      store: memory(),
      agents: [talker],
      patience: { idle: 1e12, heartbeat: 2 },
      retention: { past: 1000 },
      ports: { clock },
    })
    const server = createServer({ runtime, identities, log: quiet })
    closing.push(() => server.close({ grace: 100 }))
    const chat = runtime.session('talker', { id: 's', user: 'ada' })
    const first = chat.stream('Hi')
    await first.result()
    for (let turn = 0; turn < 8; turn++) await chat.generate('More')
    late = 5000
    const run = await first.run
    const path = `/api/v1/runs/${run.id}/events`
    let response = await ask(server, path)
    while (response.status === 200) {
      await response.body!.cancel()
      await sleep(5)
      response = await ask(server, path)
    }
    assert.equal(response.status, 410)
    const { code, data } = await errorOf(response)
    assert.equal(code, 'events_dropped')
    assert.equal(data?.oldest, (await run.record()).events + 1)
  })

  test('beats when it is silent, and only then', async () => {
    const clock = virtualClock()
    const { server, run, live } = await stage({ ports: { clock } })
    const { comments, seen, leave } = listen(await ask(server, `/api/v1/runs/${run.id}/events`))
    while (seen.length === 0) {
      await sleep(1)
      await clock.advance(1)
    }
    comments.length = 0
    await clock.advance(30_000)
    assert.deepEqual(comments, [], 'something was said')
    await clock.advance(30_000)
    assert.deepEqual(comments, [''])
    live('x')
    await macrotask()
    await clock.advance(30_000)
    assert.deepEqual([comments.length, seen.at(-1)?.data.type], [1, 'text.delta'])
    await clock.advance(60_000)
    assert.equal(comments.length, 3)
    await leave()
  })

  test('whose client goes away cancels nothing, and leaves nothing behind', async () => {
    const { server, run, keep, end } = await stage({ limits: { streams: 2 } })
    const path = `/api/v1/runs/${run.id}/events`
    for (let round = 0; round < 5; round++) {
      const [one, two] = [listen(await ask(server, path)), listen(await ask(server, path))]
      const third = await ask(server, path)
      assert.equal(third.status, 429)
      assert.equal((await errorOf(third)).code, 'rate_limited')
      await keep(1)
      await until(() => one.seen.length >= 3 && two.seen.length >= 3)
      await Promise.all([one.leave(), two.leave()])
      await macrotask()
    }
    end()
    assert.equal((await run.result()).status, 'succeeded')
  })

  test('that is not read is dropped at its bound', async () => {
    const { server, run, keep, live, end } = await stage({ limits: { waiting: 100_000 } })
    const [stuck, quick] = [
      await ask(server, `/api/v1/runs/${run.id}/events`),
      listen(await ask(server, `/api/v1/runs/${run.id}/events`)),
    ]
    for (let round = 0; round < 50; round++) {
      live('x'.repeat(5000))
      await keep(1)
      await sleep(3)
    }
    end()
    await quick.ended
    assert.deepEqual(quick.numbers(), upTo((await run.record()).events))
    await assert.rejects(listen(stuck).ended, /too slow/)
  })

  test('ends when the server closes; the run is given back', async () => {
    const { server, run } = await stage()
    const { ended, seen } = listen(await ask(server, `/api/v1/runs/${run.id}/events`))
    await until(() => seen.length > 0)
    await Promise.all([server.close({ grace: 10 }), ended])
  })
})

describe('a message that is watched', () => {
  test('brings its run, its text in pieces, and how it ended', async () => {
    const model = scriptedModel(['The Earth goes around the Sun.'], { chunkSize: 10, delay: 2 })
    const { server } = await serve([new Agent({ name: 'guide', model })])
    const response = await server.handle(
      new Request('http://localhost/api/v1/messages/stream', {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ content: 'What goes around what?', session_id: 's1' }),
      }),
    )
    assert.equal(response.status, 200)
    const run = response.headers.get('x-run-id')!
    const { seen, ended, numbers } = listen(response)
    await ended
    const types = seen.map(({ data }) => data.type)
    assert.equal(types[0], 'task_created')
    assert.equal(seen[0]?.data.data?.id, run)
    assert.deepEqual(types.slice(-2), ['task_completed', 'stream_complete'])
    assert.deepEqual(seen.at(-1)?.data.data, { content: 'The Earth goes around the Sun.', status: 'succeeded' })
    const pieces = seen.flatMap(({ data }) => (data.type === 'stream_chunk' ? data.data!.content : []))
    assert.ok(pieces.length > 1)
    assert.equal(pieces.join(''), 'The Earth goes around the Sun.')
    assert.ok(seen.every(({ data }) => data.run_id === run && data.session_id === 's1'))
    // What it brought can be read again, and gone on with, as the events of the run.
    const later = listen(await ask(server, `/api/v1/runs/${run}/events`, { 'last-event-id': numbers()[0]! }))
    await later.ended
    assert.deepEqual(later.numbers().slice(0, numbers().length), numbers().slice(1).concat(later.numbers().at(-1)!))
  })
})
