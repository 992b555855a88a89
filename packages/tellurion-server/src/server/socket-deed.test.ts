import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Agent } from 'tellurion'
import type { ClientFrame, ServerFrame, ServerFrameType } from 'tellurion/protocol'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { WebSocket } from 'ws'
import { createServer } from './server.ts'

const token = 'a-token-of-some-length'
const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

async function serve() {
  const guide = new Agent({ name: 'guide', model: scriptedModel(() => 'Of course.') })
  const runtime = await createRuntime({ store: memory(), agents: [guide], patience: { grace: 10 } })
  const identities = [{ token, user: 'ada', scopes: ['write'] }] as const
  const server = createServer({ runtime, identities, log: createLog({ write: () => {} }) })
  const { port } = await server.listen()
  closing.push(() => server.close({ grace: 100 }))
  return { runtime, address: `ws://127.0.0.1:${port}/ws` }
}

/** A client that says one thing at a time, and hears frames up to one of a type, or an error. */
async function dial(address: string) {
  const socket = new WebSocket(address, { headers: { authorization: `Bearer ${token}` } })
  const { promise: open, resolve } = Promise.withResolvers<void>()
  const heard: ServerFrame[] = []
  let wake = resolve
  socket.on('message', (data) => {
    heard.push(JSON.parse(String(data as Buffer)) as ServerFrame)
    wake()
  })
  await open
  return async (frame: ClientFrame, last: ServerFrameType): Promise<readonly ServerFrame[]> => {
    const from = heard.length
    socket.send(JSON.stringify(frame))
    for (;;) {
      const end = heard.findIndex(({ type }, index) => index >= from && (type === last || type === 'error'))
      if (end !== -1) return heard.slice(from, end + 1)
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
}

const ids = (frames: readonly ServerFrame[]) =>
  frames.flatMap((frame) => (frame.type === 'task_created' ? [frame.run_id, frame.session_id] : []))

describe('what is said with a key and without a session', { timeout: 30_000 }, () => {
  test('is one run in one session, over another connection too', async () => {
    const { runtime, address } = await serve()
    const chat = { type: 'chat', content: 'May I?', key: 'k' } as const
    const first = await (await dial(address))(chat, 'stream_complete')
    const second = await (await dial(address))(chat, 'stream_complete')
    assert.deepEqual([first.at(-1)?.type, second.at(-1)?.type], ['stream_complete', 'stream_complete'])
    assert.deepEqual(ids(second), ids(first))
    assert.equal((await runtime.sessions({ user: 'ada' })).length, 1)
  })

  test('is another without that key, and refused for other words', async () => {
    const { runtime, address } = await serve()
    const say = await dial(address)
    const first = await say({ type: 'chat', content: 'May I?', key: 'k' }, 'stream_complete')
    const other = await say({ type: 'chat', content: 'May I?', key: 'l' }, 'stream_complete')
    const none = await say({ type: 'chat', content: 'May I?' }, 'stream_complete')
    assert.equal(new Set([...ids(first), ...ids(other), ...ids(none)]).size, 6)
    const [, refused] = await say({ type: 'chat', content: 'May you?', key: 'k' }, 'stream_complete')
    assert.equal(refused?.type === 'error' && refused.data.code, 'invalid_request')
    assert.equal((await runtime.sessions({ user: 'ada' })).length, 3)
  })

  test('leaves no session behind when it cannot be', async () => {
    const { runtime, address } = await serve()
    const say = await dial(address)
    const [unknown] = await say({ type: 'chat', content: 'May I?', agent: 'nobody' }, 'task_created')
    assert.equal(unknown?.type === 'error' && unknown.data.code, 'unknown_agent')
    assert.deepEqual(await runtime.sessions({ user: 'ada' }), [])
  })
})
