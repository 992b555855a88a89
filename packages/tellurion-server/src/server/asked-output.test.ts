import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Agent, textOf } from 'tellurion'
import { Output } from 'tellurion/agent'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { WebSocket } from 'ws'
import { createServer } from './server.ts'

const token = 'a-token-of-some-length'
const quiet = createLog({ write: () => {} })
const hostileText = `${'a'.repeat(60)}!`
/** What takes longer than anybody lives, checked with a pattern as it stands. */
const patterned = { type: 'string', pattern: '^(a+)+$' }
const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

/** An agent that says what it was told. */
async function serve() {
  const model = scriptedModel((request) => textOf(request.messages.at(0)!))
  const runtime = await createRuntime({ store: memory(), agents: [new Agent({ name: 'echo', model })] })
  const server = createServer({ runtime, identities: [{ token, user: 'ada', scopes: ['write'] }], log: quiet })
  const { port } = await server.listen()
  closing.push(() => server.close({ grace: 100 }))
  const ask = async (path: string, body?: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, never> }
  }
  /** The result of a run that says `said`, asked for as `output`. */
  const outcome = async (output: unknown, said: unknown) => {
    const made = await ask('runs', { input: JSON.stringify(said), output })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    const id: string = made.body['id']!
    return { id, ...(await ask(`runs/${id}/result?wait=20`)).body } as unknown as Outcome
  }
  return { runtime, port, model, ask, outcome }
}

interface Outcome {
  readonly id: string
  readonly status: string
  readonly output?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

describe('an output that a client asks for', () => {
  test(
    'with a pattern that could hang is answered, over REST and beside it over the socket',
    { timeout: 20_000 },
    async () => {
      const { port, outcome, model } = await serve()
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { authorization: `Bearer ${token}` } })
      closing.unshift(() => socket.terminate())
      const pong = Promise.withResolvers<void>()
      const ended = Promise.withResolvers<unknown>()
      socket.on('message', (data) => {
        const frame = JSON.parse(String(data as Buffer)) as { type: string; data?: unknown }
        if (frame.type === 'pong') pong.resolve()
        if (frame.type === 'task_completed') ended.resolve(frame.data)
      })
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
      socket.send(JSON.stringify({ type: 'subscribe_tasks' }))
      const { status, output } = await outcome(patterned, hostileText)
      assert.deepEqual([status, output], ['succeeded', hostileText])
      assert.deepEqual(model.requests[0]?.output?.schema, patterned, 'the model is told the pattern')
      await ended.promise
      socket.send(JSON.stringify({ type: 'ping' }))
      await pong.promise
    },
  )

  const doubled = { allOf: [{ $ref: '#' }, { $ref: '#' }] }
  const bombs: Readonly<Record<string, readonly [schema: unknown, said: unknown]>> = {
    'names by patterns': [{ patternProperties: { '^(x+)+$': {} } }, { [`${'x'.repeat(60)}!`]: 1 }],
    'names of a pattern': [{ propertyNames: { pattern: '^(x+)+$' } }, { [`${'x'.repeat(60)}!`]: 1 }],
    'a pattern that takes long to read': [{ pattern: String.raw`[${String.raw`\p{L}`.repeat(150_000)}]` }, 'a'],
    formats: [
      { anyOf: ['email', 'uri', 'regex', 'hostname', 'iri', 'duration'].map((format) => ({ format })) },
      `${'a.'.repeat(50_000)}!`,
    ],
    'references that double': [doubled, { a: 1 }],
    'items that differ': [{ uniqueItems: true }, Array.from({ length: 20_000 }, (_, at) => ({ at }))],
    'many parts for many items': [
      { items: { allOf: Array.from({ length: 10_000 }, () => ({ type: 'integer' })) } },
      Array.from({ length: 50_000 }, () => 1),
    ],
  }
  for (const [what, [schema, said]] of Object.entries(bombs))
    test(`with ${what} is answered`, { timeout: 20_000 }, async () => {
      const { outcome } = await serve()
      const { status, output } = await outcome(schema, said)
      assert.equal(status, 'succeeded')
      assert.deepEqual(output, said)
    })

  test('that does not fit is refused as ever', async () => {
    const { outcome } = await serve()
    const { status, error } = await outcome({ properties: { n: { type: 'integer' } }, required: ['n'] }, { n: 'x' })
    assert.equal(status, 'failed')
    assert.equal(error?.code, 'output_invalid')
    assert.match(error.message, /\/n: expected integer, got "x"/)
  })

  test('is refused at once where it is no schema', async () => {
    const { ask } = await serve()
    for (const output of [{ type: 'text' }, { $ref: '#/x' }, { properties: 1 }]) {
      const { status, body } = await ask('runs', { input: 'x', output })
      assert.deepEqual([status, body['error']!['code']], [422, 'invalid_schema'])
    }
  })

  test('is stored as a stranger’s, for whichever process checks it', async () => {
    const { runtime, outcome } = await serve()
    const { id } = await outcome(patterned, hostileText)
    const asked = (await runtime.run(id).at(1)).query(Output).map(([, [output]]) => output)
    assert.deepEqual(asked, [{ name: 'output', schema: patterned, repairs: 0, bounded: true }])
  })

  test('is a stranger’s also where a checkpoint brings it', { timeout: 20_000 }, async () => {
    const { ask, outcome } = await serve()
    const { id } = await outcome(patterned, hostileText)
    const { body } = await ask(`runs/${id}/ticks/1/checkpoint`)
    const text = JSON.stringify(body)
    assert.match(text, /,"bounded":true/)
    const checkpoint: unknown = JSON.parse(text.replaceAll(',"bounded":true', ''))
    const made = await ask('runs/import', { checkpoint, input: 'Again.' })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    const { status } = (await ask(`runs/${String(made.body['id'])}/result?wait=20`)).body
    assert.equal(status, 'succeeded')
  })
})
