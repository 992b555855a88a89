// A server under load, in a process of its own: many chats at one time, far too many, and a server that is killed. Small
// here; `LOAD=full` does all of it, in some minutes.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventResource, Page, RunResource } from 'tellurion/protocol'
import { chat, percentile, say } from '../bench/chat-crowd.ts'
import { systemRandom } from '../packages/tellurion/src/id/random.ts'
import { ask, headers, noRate, served, size, timeout, untilEnded, upTo } from './load-desk.ts'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-load-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('many sessions chat at one time, and each is answered what it asked', { timeout }, async (t) => {
  const sessions = size(100, 1000)
  const server = await served(t, { store: join(folder, 'chat.db'), limits: noRate })
  await chat({ port: server.port, sessions: 20, turns: 5, think: 0 })
  const before = await server.weigh()
  const { overheads } = await chat({ port: server.port, sessions, turns: size(3, 10), think: size(500, 2000) })
  const now = await server.weigh()
  const bytes = (now.heap - before.heap) / sessions
  const [p50, p99] = [percentile(overheads, 0.5), percentile(overheads, 0.99)]
  t.diagnostic(
    `${overheads.length} turns: ${p50.toFixed(1)} ms beyond the model, p99 ${p99.toFixed(1)} ms; ${bytes.toFixed(0)} bytes a session`,
  )
  // What a machine with much other work on it still keeps to; a turn that gets stuck does not.
  assert.ok(p99 < 30_000, `${p99} ms`)
  assert.ok(bytes < 20_000, `${bytes} bytes`)
})

test(
  'a server is killed under load, and every run that it accepted ends, once, without a gap',
  { timeout },
  async (t) => {
    const store = join(folder, 'killed.db')
    const kills = size(2, 20)
    const accepted = new Map<string, string>()
    let server = await served(t, { store, limits: noRate, lease: 600 })
    const { port } = server
    let done = false
    let number = 0
    const submit = async (): Promise<void> => {
      while (!done) {
        const key = `key-${number++}`
        try {
          const { id } = await askOnce(port, key)
          assert.ok(![...accepted.values()].includes(id) || accepted.get(key) === id)
          accepted.set(key, id)
          await sleep(5)
        } catch {
          // Not accepted, as far as anybody knows: the server was just killed.
          await sleep(20)
        }
      }
    }
    const submitters = Array.from({ length: 8 }, submit)
    for (let kill = 0; kill < kills; kill++) {
      const enough = accepted.size + 15
      while (accepted.size < enough) await sleep(10)
      await sleep(200 * systemRandom())
      await server.kill()
      server = await served(t, { store, port, limits: noRate, lease: 600 })
    }
    await sleep(300)
    done = true
    await Promise.all(submitters)
    const last = server
    const ids = [...accepted.values()]
    assert.equal(new Set(ids).size, ids.length)
    const runs = await Promise.all(ids.map((id) => untilEnded(last, id)))
    assert.deepEqual([...new Set(runs.map(({ status }) => status))], ['succeeded'])
    const survivors = runs.filter(({ attempt }) => attempt > 1).length
    for (const { id, events } of runs) {
      const all = await ask<Page<EventResource>>(last, `/runs/${id}/events?limit=1000`)
      assert.deepEqual(
        all.items.map(({ seq }) => seq),
        upTo(events),
      )
      const steps = all.items.flatMap((event) =>
        (event.type as string) === 'step.taken' ? [(event as { step?: unknown }).step] : [],
      )
      assert.deepEqual(steps, upTo(5), 'each step once')
    }
    t.diagnostic(`${ids.length} runs over ${kills} kills, ${survivors} went on in another process`)
    assert.ok(ids.length >= 15 * kills && survivors > 0)
  },
)

async function askOnce(port: number, key: string): Promise<RunResource> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/runs`, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': key },
    body: JSON.stringify({ agent: 'stepper', input: 'Go' }),
  })
  if (response.status !== 201) throw new Error(await response.text())
  return (await response.json()) as RunResource
}

test(
  'far too many sessions at one time are told when to come again, and then all is as before',
  { timeout },
  async (t) => {
    const count = size(1000, 10_000)
    const server = await served(t, { store: 'memory', limits: { requests: 6000, burst: size(200, 600) } })
    await chat({ port: server.port, sessions: 20, turns: 2, think: 0 })
    const before = await server.weigh()
    const statuses = new Map<number, number>()
    let waits: number[] = []
    // As many connections as a server takes; the others wait for one.
    const agent = new Agent({ keepAlive: true, maxSockets: 4000 })
    t.after(() => agent.destroy())
    const ask = async (index: number): Promise<void> => {
      const answer = await say(agent, server.port, { content: 'Hello', session_id: `many-${index}` })
      const { status, headers, body } = answer
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const { text, error } = JSON.parse(body) as { text?: string; error?: { code: string } }
      if (status === 429) {
        assert.equal(error?.code, 'rate_limited')
        waits.push(Number(headers['retry-after']))
      } else assert.equal(text, 'You said: Hello')
    }
    await Promise.all(Array.from({ length: count }, (_, index) => ask(index)))
    const loaded = await server.weigh()
    const more = (loaded.rss - before.rss) / 1_048_576
    t.diagnostic(`${JSON.stringify([...statuses])}; ${more.toFixed(0)} MiB more`)
    assert.deepEqual([...statuses.keys()].sort(), [200, 429])
    assert.ok(statuses.get(200)! >= size(200, 600) && statuses.get(429)! > count / 10)
    assert.ok(
      waits.every((wait) => wait >= 1 && wait <= 60),
      `${Math.min(...waits)} to ${Math.max(...waits)}`,
    )
    assert.ok(more < size(300, 1000), `${more} MiB`)
    await sleep(Math.min(...waits) * 1000)
    waits = []
    statuses.clear()
    await Promise.all([0, 1, 2].map((index) => ask(count + index)))
    assert.deepEqual([...statuses.keys()], [200])
  },
)
