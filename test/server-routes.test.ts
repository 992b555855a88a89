// What the routes do, asked as a client would. Each answer is held to the OpenAPI document, and each route is asked.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Agent, tool } from 'tellurion'
import { routes, type RouteName } from 'tellurion/protocol'
import { createRuntime, memory } from 'tellurion/runtime'
import { macrotask, scriptedModel } from 'tellurion/testing'
import { createCache, withOrigin } from 'tellurion/tool'
import { openServerDesk, until, type Question, type ServerDesk } from './server-desk.ts'

let desk: ServerDesk
before(async () => (desk = await openServerDesk()))
after(() => desk.close())

/** What is looked at of answers; that they have the right shape, the document says. */
interface Json {
  readonly id: string
  readonly user: string
  readonly session: string
  readonly run: string
  readonly branch: string
  readonly agent: string
  readonly name: string
  readonly status: string
  readonly text: string
  readonly title: string
  readonly content: string
  readonly kind: string
  readonly toolName: string
  readonly component: string
  readonly version: string
  readonly overflow: string
  readonly next: string
  readonly priority: number
  readonly attempt: number
  readonly steps: number
  readonly seq: number
  readonly events: number
  readonly tick: number
  readonly first: number
  readonly last: number
  readonly limit: number
  readonly modelCalls: number
  readonly toolCalls: number
  readonly errors: number
  readonly head: boolean
  readonly input: unknown
  readonly metadata: unknown
  readonly limits: unknown
  readonly labels: unknown
  readonly effects: unknown
  readonly agents: unknown
  readonly outsideEffects: unknown
  readonly progress: unknown
  readonly snapshot: object
  readonly message: { readonly content: string }
  readonly error: { readonly code: string; readonly message: string }
  readonly runs: {
    readonly succeeded: number
    readonly failed: number
    readonly duration: { readonly count: number }
  }
  readonly items: readonly Json[]
  readonly changes: readonly Json[]
  readonly todos: readonly Json[]
}

/** Asks, and wants a status. */
async function want(status: number, asked: string, question: Question = {}): Promise<Json> {
  const [method = '', path = ''] = asked.split(' ')
  const answer = await desk.ask(method, path, question)
  assert.equal(answer.status, status, `${asked}: ${answer.text}`)
  return answer.json
}

const items = async (path: string, question?: Question): Promise<readonly Json[]> =>
  (await want(200, `GET ${path}`, question))['items'] as Json[]

describe('runs', () => {
  test('a run is made, shown, waited for and read', async () => {
    const body = { input: 'Hello', priority: 3, metadata: { ticket: 7 }, budget: { modelCalls: 5 } }
    const made = await desk.ask('POST', '/api/v1/runs', { body })
    assert.equal(made.status, 201)
    const { id, user, priority, metadata, agent, limits }: Record<string, unknown> = made.json
    assert.deepEqual([user, priority, metadata, agent, limits], ['ada', 3, { ticket: 7 }, 'guide', { modelCalls: 5 }])
    assert.equal(made.headers.get('location'), `/api/v1/runs/${String(id)}`)
    const turn = await want(200, `GET /api/v1/runs/${String(id)}/result?wait=10000`)
    assert.deepEqual([turn.status, turn.text, turn.steps], ['succeeded', 'You said: Hello', 1])
    const shown = await want(200, `GET /api/v1/runs/${String(id)}`)
    assert.deepEqual([shown.status, shown.input, shown.attempt], ['succeeded', 'Hello', 1])
    const said = await items(`/api/v1/runs/${String(id)}/messages`)
    assert.deepEqual(
      said.map(({ message }) => message.content),
      ['Hello', 'You said: Hello'],
    )
    assert.deepEqual(await items(`/api/v1/runs/${String(id)}/messages?limit=1`), said.slice(0, 1))
  })

  test('a run shows nothing of how it is kept', async () => {
    const { id } = await desk.ran('Hello')
    const fields = Object.keys(await want(200, `GET /api/v1/runs/${id}`))
    for (const inner of ['epoch', 'worker', 'leaseUntil', 'accounts', 'mail', 'idempotencyKey'])
      assert.ok(!fields.includes(inner), inner)
  })

  test('a reply that is not of the asked shape is a failure', async () => {
    const output = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] }
    const { id } = await want(201, 'POST /api/v1/runs', { body: { input: 'x', output } })
    const turn = await want(200, `GET /api/v1/runs/${id}/result`)
    assert.deepEqual([turn.status, turn.error.code], ['failed', 'output_invalid'])
  })

  test('lists are filtered, and read page by page', async () => {
    const made = [await desk.ran('one', { session: 'listed' }), await desk.ran('two', { session: 'listed' })]
    const [newest, oldest] = made.map(({ id }) => id).reverse()
    const first = await want(200, 'GET /api/v1/runs?session=listed&limit=1')
    assert.equal(first.items[0]!.id, newest)
    const second = await want(200, `GET /api/v1/runs?session=listed&limit=1&cursor=${first.next}`)
    assert.deepEqual([second.items[0]!.id, second.next], [oldest, undefined])
    const ids = async (query: string): Promise<string[]> => (await items(`/api/v1/runs?${query}`)).map(({ id }) => id)
    assert.deepEqual(await ids('session=listed&status=succeeded'), [newest, oldest])
    assert.deepEqual(await ids('session=listed&status=failed,queued'), [])
    assert.deepEqual(await ids('session=listed&status=failed&status=succeeded'), [newest, oldest])
    assert.deepEqual(await ids('session=listed&agent=other'), [])
    assert.deepEqual(await ids('session=listed&asking=true'), [])
    assert.deepEqual(await ids(`parent=${newest}`), [])
  })

  test('a cursor on what is another’s is told like one on what is not there', async () => {
    const { id, session } = await desk.ran('Hello', { session: 'forged' })
    const told = async (list: string, place: string): Promise<object> => {
      const cursor = Buffer.from(place).toString('base64url')
      const { error } = await want(422, `GET /api/v1/${list}limit=1&cursor=${cursor}`, { as: 'bob' })
      return { ...(error as object), requestId: '' }
    }
    assert.deepEqual(await told('runs?session=forged&', id), await told('runs?session=forged&', 'nothing'))
    assert.deepEqual(await told('sessions?', session), await told('sessions?', 'nothing'))
  })

  test('a cursor whose place is gone says so', async () => {
    await desk.ran('one', { session: 'gone' })
    await desk.ran('two', { session: 'gone' })
    const { next } = await want(200, 'GET /api/v1/runs?session=gone&limit=1')
    await want(204, 'DELETE /api/v1/sessions/gone')
    const { error } = await want(422, `GET /api/v1/runs?session=gone&limit=1&cursor=${next}`)
    assert.match(error.message, /gone; begin with the first page/)
  })

  test('waiting for a run that takes longer answers how it stands; cancelling stops its work', async () => {
    const { id } = await want(201, 'POST /api/v1/runs', { body: { input: 'hold it' } })
    const turn = await want(200, `GET /api/v1/runs/${id}/result?wait=20`)
    assert.equal(turn.status, 'running')
    const cancelled = await want(200, `POST /api/v1/runs/${id}/cancel`)
    assert.equal(cancelled.status, 'cancelled')
    assert.equal((await want(200, `POST /api/v1/runs/${id}/cancel`))['status'], 'cancelled', 'again')
    assert.equal((await want(200, `GET /api/v1/runs/${id}/result`))['status'], 'cancelled')
    await want(409, `POST /api/v1/runs/${id}/steer`, { body: { input: 'x' } })
    await want(409, `POST /api/v1/runs/${id}/pause`)
  })

  test('a run that waits for a person is cancelled too', async () => {
    const { id } = await desk.ran('remove it')
    assert.equal((await want(200, `DELETE /api/v1/runs/${id}`))['status'], 'cancelled')
  })

  test('a live run is paused, told something, and goes on', async () => {
    const { id } = await want(201, 'POST /api/v1/runs', { body: { input: 'Hello', delay: 100_000 } })
    await want(202, `POST /api/v1/runs/${id}/pause`)
    await want(202, `POST /api/v1/runs/${id}/steer`, { body: { input: 'and this' } })
    await want(202, `POST /api/v1/runs/${id}/resume`)
    assert.equal((await want(200, `DELETE /api/v1/runs/${id}`))['status'], 'cancelled')
  })

  test('a failed run answers with its error, and can be given another try', async () => {
    const { id } = await desk.ran('fail now')
    const turn = await want(200, `GET /api/v1/runs/${id}/result`)
    assert.deepEqual([turn.status, turn.error.code], ['failed', 'model_validation'])
    await want(202, `POST /api/v1/runs/${id}/retry`)
    await want(200, `GET /api/v1/runs/${id}/result`)
    await want(409, `POST /api/v1/runs/${(await desk.ran('Hello')).id}/retry`)
  })

  test('events are read by the page, and as a stream where one is asked for', async () => {
    const { id } = await desk.ran('Hello')
    const { events } = await want(200, `GET /api/v1/runs/${id}`)
    const path = `/api/v1/runs/${id}/events`
    const first = await want(200, `GET ${path}?limit=2`)
    const rest = await items(`${path}?cursor=${first.next}`)
    const numbers = [...(first.items as Json[]), ...rest].map(({ seq }) => seq)
    assert.deepEqual(
      numbers,
      Array.from({ length: Number(events) }, (_, index) => index + 1),
    )
    assert.deepEqual(
      (await items(`${path}?after=2`)).map(({ seq }) => seq),
      numbers.slice(2),
    )
    assert.deepEqual(await items(`${path}?after=${events}`), [])
    const lastId = await items(`${path}?after=0`, { headers: { 'last-event-id': '3' } })
    assert.equal(lastId[0]!.seq, 4)
    const stream = await desk.ask('GET', path, { headers: { accept: 'text/event-stream' } })
    assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/)
    assert.deepEqual(
      [...stream.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)),
      numbers,
    )
    for (const wrong of ['x', '-1', '1.5', '99999999999999999999']) {
      await want(422, `GET ${path}`, { headers: { 'last-event-id': wrong } })
    }
  })

  test('tasks are the same runs under another name', async () => {
    const { id } = await want(201, 'POST /api/v1/tasks', {
      body: { type: 'chat', content: 'Hello', session_id: 'tasks' },
    })
    assert.equal((await want(200, `GET /api/v1/tasks/${id}`))['session'], 'tasks')
    assert.equal((await items('/api/v1/tasks?session=tasks'))[0]!.id, id)
    await want(200, `DELETE /api/v1/tasks/${id}`)
  })
})

describe('the same request twice', () => {
  for (const [path, body] of [
    ['/api/v1/runs', { input: 'Hello' }],
    ['/api/v1/tasks', { content: 'Hello' }],
  ] as const)
    test(`${path} with one Idempotency-Key is one run`, async () => {
      const headers = { 'idempotency-key': `key of ${path}` }
      const [a, b] = [
        await want(201, `POST ${path}`, { body, headers }),
        await want(201, `POST ${path}`, { body, headers }),
      ]
      assert.equal(a.id, b.id)
      const other = { ...body, ...('input' in body ? { input: 'x' } : { content: 'x' }) }
      await want(422, `POST ${path}`, { body: other, headers })
      assert.notEqual((await want(201, `POST ${path}`, { body, headers, as: 'bob' }))['id'], a.id)
    })

  test('/api/v1/messages too', async () => {
    const question = { body: { content: 'Hello' }, headers: { 'idempotency-key': 'k-message' } }
    const [a, b] = [
      await want(200, 'POST /api/v1/messages', question),
      await want(200, 'POST /api/v1/messages', question),
    ]
    assert.deepEqual([a.run, a.session], [b.run, b.session])
    const sessions = await items('/api/v1/sessions?limit=1000')
    await want(200, 'POST /api/v1/messages', question)
    assert.equal((await items('/api/v1/sessions?limit=1000')).length, sessions.length, 'nor is there another session')
  })

  test('parts, a message, a schema and a session are known again', async () => {
    const parts = [{ type: 'text', text: 'Hello' }]
    const output = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
    for (const [name, body] of Object.entries({
      parts: { input: parts },
      message: { input: { role: 'user', content: parts } },
      output: { input: 'Hello', output },
      session: { input: 'Hello', session: 'known-again', priority: 3, metadata: { a: [1] } },
    })) {
      const question = { body, headers: { 'idempotency-key': `again ${name}` } }
      const [a, b] = [await want(201, 'POST /api/v1/runs', question), await want(201, 'POST /api/v1/runs', question)]
      assert.equal(a.id, b.id, name)
    }
  })

  test('the same words with anything else are another request', async () => {
    const headers = { 'idempotency-key': 'one and only' }
    const body = { input: 'Hello', session: 'only-here', metadata: { a: 1 } }
    await want(201, 'POST /api/v1/runs', { body, headers })
    for (const other of [{ session: 'not-here' }, { priority: 1 }, { metadata: {} }, { output: { type: 'object' } }]) {
      await want(422, 'POST /api/v1/runs', { body: { ...body, ...other }, headers })
    }
    const { session: _session, ...alone } = body
    await want(422, 'POST /api/v1/runs', { body: alone, headers })
  })

  test('a key that is none is refused', async () => {
    const call = { tool: 'look', arguments: { at: 'x' } }
    await want(422, 'POST /api/v1/tools/call', { body: call, headers: { 'idempotency-key': 'x'.repeat(257) } })
    for (const key of ['', 'x'.repeat(257)]) {
      await want(422, 'POST /api/v1/runs', { body: { input: 'x' }, headers: { 'idempotency-key': key } })
    }
  })
})

describe('the past', () => {
  test('ticks are shown, named, compared and gone on from', async () => {
    const { id } = await desk.ran('look tree')
    const path = `/api/v1/runs/${id}`
    const { last, first } = await want(200, `GET ${path}/ticks`)
    assert.ok(Number(last) > Number(first))
    const named = await want(201, `POST ${path}/ticks`, { body: { label: 'before', tick: first } })
    assert.deepEqual(named, { run: id, label: 'before', tick: first })
    assert.deepEqual((await want(200, `GET ${path}/ticks`))['labels'], { before: first })
    const at = await want(200, `GET ${path}/ticks/before`)
    assert.equal(at.tick, first)
    const { changes } = await want(200, `GET ${path}/difference?from=before&to=${last}`)
    assert.ok((changes as Json[]).some(({ component }) => component === 'Conversation'))
    const forked = await want(201, `POST ${path}/fork`, { body: { tick: 'before', input: 'Instead' } })
    assert.deepEqual(forked.outsideEffects, [], 'a look leaves no trace')
    const turn = await want(200, `GET /api/v1/runs/${forked.id}/result`)
    assert.equal(turn.text, 'You said: Instead')
    await want(404, `GET ${path}/ticks/999`)
    await want(404, `GET ${path}/ticks/nowhere`)
    await want(404, `POST ${path}/fork`, { body: { tick: 999 } })
  })

  test('a tick is carried to another session as the asker’s own', async () => {
    const { id } = await desk.ran('Hello')
    const { last } = await want(200, `GET /api/v1/runs/${id}/ticks`)
    const checkpoint = await want(200, `GET /api/v1/runs/${id}/ticks/${last}/checkpoint`)
    const body = { checkpoint, session: 'carried', input: 'Go on' }
    const run = await want(201, 'POST /api/v1/runs/import', { body, as: 'bob' })
    assert.deepEqual([run.user, run.session], ['bob', 'carried'])
    assert.equal((await want(200, `GET /api/v1/runs/${run.id}/result`, { as: 'bob' }))['text'], 'You said: Go on')
    await want(409, 'POST /api/v1/runs/import', { body, as: 'bob' })
    await want(422, 'POST /api/v1/runs/import', { body: { checkpoint: { snapshot: { format: 1 } } } })
    const torn = {
      snapshot: {
        ...(checkpoint.snapshot as Json),
        components: { Nothing: { version: 1, kind: 'value', values: [] } },
      },
    }
    const refused = await desk.ask('POST', '/api/v1/runs/import', { body: { checkpoint: torn } })
    assert.ok([409, 422].includes(refused.status), refused.text)
  })

  test('messages are edited and answered anew; the session is put back', async () => {
    const { id } = await desk.ran('Hello', { session: 'past' })
    const [question, reply] = await items(`/api/v1/runs/${id}/messages`)
    const edited = await want(201, `POST /api/v1/runs/${id}/messages/${question!.id}/edit`, {
      body: { input: 'Good day' },
    })
    assert.equal((await want(200, `GET /api/v1/runs/${edited.id}/result`))['text'], 'You said: Good day')
    const again = await want(201, `POST /api/v1/runs/${id}/messages/${reply!.id}/regenerate`)
    assert.equal((await want(200, `GET /api/v1/runs/${again.id}/result`))['text'], 'You said: Hello')
    await want(404, `POST /api/v1/runs/${id}/messages/${id}-999/edit`, { body: { input: 'x' } })
    await desk.ran('More', { session: 'past' })
    const said = await items('/api/v1/sessions/past/messages')
    await want(200, 'POST /api/v1/sessions/past/undo')
    assert.deepEqual(await items('/api/v1/sessions/past/messages'), said.slice(0, -2))
    await want(200, `POST /api/v1/runs/${again.id}/undo`, { body: { ticks: 1 } })
    await want(404, 'POST /api/v1/sessions/past/undo', { body: { turns: 1000 } })
    assert.equal((await items('/api/v1/sessions/past/branches')).filter(({ head }) => head).length, 1)
  })

  test('a live session is not put back unless its run is to be cancelled', async () => {
    await desk.ran('Hello', { session: 'live' })
    const { id } = await want(201, 'POST /api/v1/runs', { body: { input: 'hold it', session: 'live' } })
    await until(async () => (await want(200, `GET /api/v1/runs/${id}`))['status'] === 'running', 'it runs')
    await want(409, 'POST /api/v1/sessions/live/undo')
    await want(409, 'DELETE /api/v1/sessions/live')
    await want(200, 'POST /api/v1/sessions/live/undo', { body: { cancel: true } })
  })
})

describe('sessions', () => {
  test('are made once, listed by the page, shown and deleted', async () => {
    const made = await want(201, 'POST /api/v1/sessions', { body: { id: 'mine' } })
    assert.deepEqual(await want(201, 'POST /api/v1/sessions', { body: { id: 'mine' } }), made)
    await want(409, 'POST /api/v1/sessions', { body: { id: 'mine' }, as: 'bob' })
    assert.match((await want(201, 'POST /api/v1/sessions'))['id'], /^session_/)
    const { user, branch, id, ...rest } = await want(200, 'GET /api/v1/sessions/mine')
    assert.deepEqual([user, id, Object.keys(rest).sort()], ['ada', 'mine', ['createdAt', 'touchedAt']])
    assert.ok(branch)
    const all = await items('/api/v1/sessions?limit=1000')
    assert.ok(all.every((each) => each.user === 'ada'))
    const { next } = await want(200, 'GET /api/v1/sessions?limit=1')
    assert.deepEqual(await items(`/api/v1/sessions?limit=1000&cursor=${next}`), all.slice(1))
    await want(204, 'DELETE /api/v1/sessions/mine')
    await want(404, 'GET /api/v1/sessions/mine')
    await want(404, 'DELETE /api/v1/sessions/mine')
  })

  test('nobody speaks in the session of another', async () => {
    await desk.ran('Hello', { session: 'private' })
    for (const [path, body] of [
      ['/api/v1/runs', { input: 'x', session: 'private' }],
      ['/api/v1/tasks', { content: 'x', session_id: 'private' }],
      ['/api/v1/messages', { content: 'x', session_id: 'private' }],
      ['/api/v1/messages/stream', { content: 'x', session_id: 'private' }],
    ] as const)
      await want(404, `POST ${path}`, { body, as: 'bob' })
    assert.equal((await items('/api/v1/sessions/private/runs')).length, 1)
  })

  test('an admin speaks in the session of another, and what comes of it is still theirs', async () => {
    await desk.ran('Hello', { session: 'helped' })
    const body = { content: 'From root', session_id: 'helped' }
    const turn = await want(200, 'POST /api/v1/messages', { body, as: 'root' })
    assert.equal((await want(200, `GET /api/v1/runs/${turn.run}`))['user'], 'ada')
  })

  test('messages go on one conversation, also by the page', async () => {
    const turn = await want(200, 'POST /api/v1/messages', { body: { content: 'One' } })
    const session = turn.session
    assert.equal(turn.text, 'You said: One')
    const stream = await desk.ask('POST', '/api/v1/messages/stream', { body: { content: 'Two', session_id: session } })
    assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/)
    assert.match(stream.text, /You said: Two/)
    const said = await items(`/api/v1/sessions/${session}/messages`)
    assert.deepEqual(
      said.map(({ content }) => content),
      ['One', 'You said: One', 'Two', 'You said: Two'],
    )
    const { next } = await want(200, `GET /api/v1/sessions/${session}/messages?limit=3`)
    assert.deepEqual(await items(`/api/v1/sessions/${session}/messages?cursor=${next}`), said.slice(3))
    assert.equal((await items(`/api/v1/sessions/${session}/runs`)).length, 2)
    assert.deepEqual(await items(`/api/v1/sessions/${session}/messages?agent=other`), [])
  })

  test('show the todos of their agents', async () => {
    await want(200, 'POST /api/v1/messages', { body: { content: 'todo water the plants', session_id: 'todos' } })
    const { todos, progress } = await want(200, 'GET /api/v1/sessions/todos/todos')
    assert.deepEqual(
      (todos as Json[]).map(({ title }) => title),
      ['water the plants'],
    )
    assert.deepEqual(progress, { percent: 0, completed: 0, total: 1 })
    await want(201, 'POST /api/v1/sessions', { body: { id: 'idle' } })
    assert.deepEqual((await want(200, 'GET /api/v1/sessions/idle/todos'))['todos'], [])
  })
})

describe('interactions', () => {
  test('are listed across runs, answered once, and the run goes on', async () => {
    const { id: run } = await desk.ran('remove the lamp')
    const [open] = (await items('/api/v1/interactions')).filter((each) => each.run === run)
    assert.deepEqual([open!.kind, open!.toolName, open!.input], ['approval', 'remove', { what: 'the lamp' }])
    const path = `/api/v1/interactions/${open!.id}`
    await want(422, `POST ${path}`, { body: { answer: { text: 'maybe' }, run } })
    await want(422, `POST ${path}`, { body: { answer: 'perhaps', run } })
    await want(404, `POST ${path}`, { body: { answer: 'approve' }, as: 'bob' })
    await want(200, `POST ${path}`, { body: { answer: 'approve' } })
    await want(404, `POST ${path}`, { body: { answer: 'deny', run } })
    assert.equal((await want(200, `GET /api/v1/runs/${run}/result`))['text'], 'Then: the lamp is gone')
    await want(404, 'POST /api/v1/interactions/nothing', { body: { answer: 'approve' } })
  })

  test('are found by agent and session, a page of runs at a time', async () => {
    const asked = [await desk.ran('remove a', { session: 'asked' }), await desk.ran('remove b', { agent: 'other' })]
    assert.deepEqual(
      (await items('/api/v1/interactions?agent=other')).map(({ run }) => run),
      [asked[1]!.id],
    )
    assert.deepEqual(
      (await items('/api/v1/interactions?session=asked')).map(({ run }) => run),
      [asked[0]!.id],
    )
    const { next } = await want(200, 'GET /api/v1/interactions?limit=1')
    assert.equal((await items(`/api/v1/interactions?limit=1&cursor=${next}`))[0]!.run, asked[0]!.id)
  })
})

describe('agents and tools', () => {
  test('are listed; a tool that agents share stands once', async () => {
    const agents = await items('/api/v1/agents')
    assert.deepEqual(
      agents.map(({ name }) => name),
      ['guide', 'other'],
    )
    const tools = await items('/api/v1/tools')
    const remove = tools.filter(({ name }) => name === 'remove')
    assert.deepEqual(
      remove.map(({ agents }) => agents),
      [['guide', 'other']],
    )
    assert.deepEqual(remove[0]!.effects, { mode: 'write', repeat: 'never', risk: ['destructive', 'exfiltrating'] })
  })

  test('show where they came from, where that is known', async () => {
    const look = withOrigin(tool({ description: 'x', inputSchema: { type: 'object' }, execute: () => 1 }), 'a.tool.ts')
    const plain = tool({ description: 'y', inputSchema: { type: 'object' }, execute: () => 1 })
    const agents = [new Agent({ name: 'a', model: scriptedModel([]), tools: { look, plain } })]
    const own = await openServerDesk({ runtime: await createRuntime({ store: memory(), agents }) })
    const { json } = await own.ask('GET', '/api/v1/tools')
    const { items: shown } = json as { items: { name: string; origin?: string }[] }
    assert.deepEqual(
      shown.map(({ name, origin }) => [name, origin]),
      [
        ['look', 'a.tool.ts'],
        ['plain', undefined],
      ],
    )
    await own.close()
  })

  test('a tool is called by hand, and keeps to its approval', async () => {
    const call = (body: object): Question => ({ body })
    const looked = await want(200, 'POST /api/v1/tools/call', call({ tool: 'look', arguments: { what: 'tree' } }))
    assert.deepEqual(looked, { toolName: 'look', content: 'a tree', isError: false })
    const gone = { tool: 'remove', arguments: { what: 'tree' }, agent: 'other' }
    const { error } = await want(403, 'POST /api/v1/tools/call', call(gone))
    assert.match(error.message, /tree.*approved: true/)
    const removed = await want(200, 'POST /api/v1/tools/call', call({ ...gone, approved: true }))
    assert.equal(removed.content, 'tree is gone')
    await want(422, 'POST /api/v1/tools/call', call({ tool: 'look', arguments: { wat: 1 } }))
    await want(422, 'POST /api/v1/tools/call', call({ tool: 'look' }))
    await want(404, 'POST /api/v1/tools/call', call({ tool: 'nothing' }))
    await want(422, 'POST /api/v1/tools/call', call({ tool: 'look', agent: 'nobody', arguments: {} }))
  })
})

describe('what operators look at', () => {
  test('health, numbers and caps', async () => {
    assert.equal((await want(200, 'GET /health', { as: 'nobody' }))['status'], 'ok')
    assert.deepEqual((await want(200, 'GET /api/v1/health', { as: 'nobody' }))['version'], '9.9.9')
    const before = await want(200, 'GET /api/v1/stats', { as: 'root' })
    await desk.ran('Hello')
    const after = await want(200, 'GET /api/v1/stats', { as: 'root' })
    assert.equal(after.runs.succeeded, Number(before.runs.succeeded) + 1)
    const caps = await items('/api/v1/limits?limit=1000')
    for (const name of ['body', 'requests', 'streams', 'waiting', 'maxSessions', 'maxConcurrent', 'eventsBehind'])
      assert.ok(
        caps.some((cap) => cap.name === name && cap.limit > 0 && cap.overflow !== ''),
        name,
      )
  })

  test('metrics count what runs did, also as Prometheus reads them', async () => {
    const before = await want(200, 'GET /api/v1/metrics', { as: 'root' })
    await desk.ran('look tree')
    await desk.ran('fail now')
    const after = await want(200, 'GET /api/v1/metrics', { as: 'root' })
    const grown = (of: (metrics: Json) => unknown): number => Number(of(after)) - Number(of(before))
    assert.equal(
      grown(({ runs }) => runs.succeeded),
      1,
    )
    assert.equal(
      grown(({ runs }) => runs.failed),
      1,
    )
    assert.equal(
      grown(({ modelCalls }) => modelCalls),
      3,
    )
    assert.equal(
      grown(({ toolCalls }) => toolCalls),
      1,
    )
    assert.equal(
      grown(({ errors }) => errors),
      1,
    )
    assert.ok(after.runs.duration['count'] > 0)
    const { text, headers } = await desk.ask('GET', '/metrics', { as: 'root' })
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(text, /^tellurion_runs\{status="succeeded"\} \d+$/m)
    assert.match(text, /^tellurion_tool_calls_total\{tool="look"\} \d+$/m)
    assert.match(text, /^tellurion_run_duration_seconds\{quantile="0\.95"\} [\d.e-]+$/m)
    for (const line of text.trimEnd().split('\n'))
      assert.match(line, /^(# (HELP|TYPE) tellurion_\w+ .+|tellurion_\w+(\{(\w+="[^"]*",?)+\})? [-+\d.e]+)$/)
  })

  test('the cache is counted and cleared, and nothing else with it', async () => {
    const { keyValue } = desk.runtime
    const cache = createCache({ keyValue })
    await cache.set('a', { n: 1 })
    await keyValue.set({ scope: 'global', owner: '' }, 'kept', new Uint8Array([1]))
    assert.deepEqual(await want(200, 'GET /api/v1/cache/stats', { as: 'root' }), { entries: 1, bytes: 7 })
    await want(204, 'DELETE /api/v1/cache', { as: 'root' })
    assert.equal(await cache.get('a'), undefined)
    assert.ok(await keyValue.get({ scope: 'global', owner: '' }, 'kept'))
  })
})

test('MCP is spoken over one path: a session begins, is listened to, and ends', async () => {
  const accept = 'application/json, text/event-stream'
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'by hand', version: '1' } }
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
  const begun = await desk.ask('POST', '/mcp', { body, headers: { accept } })
  assert.equal(begun.status, 200, begun.text)
  assert.match(begun.text, /"serverInfo":\{"name":"tellurion","version":"9\.9\.9"\}/)
  const headers = { accept: 'text/event-stream', 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' }
  const listening = desk.ask('GET', '/mcp', { headers })
  await macrotask()
  await want(200, 'DELETE /mcp', { headers })
  const { status, text } = await listening
  assert.deepEqual([status, text.replace(/^retry: \d+\n\n/, '')], [200, ''])
  await want(404, 'GET /mcp', { headers })
})

test('every route was asked and answered', async () => {
  for (const path of ['/openapi.json', '/docs']) await desk.ask('GET', path, { as: 'nobody' })
  const rest = (Object.keys(routes) as RouteName[]).filter((name) => !desk.answered.has(name))
  assert.deepEqual(rest, ['socket'])
})
