// Streams as other people's clients read them over real connections: curl, a browser's EventSource, fetch and WebSocket,
// and clients that do not read at all.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Server as HttpServer } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { serve as serveFetch } from '@hono/node-server'
import { chromium, type Browser, type Page } from 'playwright-core'
import { socketProtocol, tokenProtocol } from 'tellurion/protocol'
import { createRuntime, memory, type AgentRuntime, type RunContext, type RunHandle } from 'tellurion/runtime'
import { createLog } from 'tellurion/trace'
import { sleep } from 'tellurion/world'
import { createServer, type ServerOptions } from './server.ts'

const token = 'a-token-of-some-length'
const identities = [{ token, user: 'ada', scopes: ['write'] }] as const
const ada = { user: 'ada', scopes: ['write'] } as const
const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const noChromium = chromiumPath === undefined && 'chromium is not installed: apt-get install chromium'
const noCurl = spawnSync('curl', ['--version']).status !== 0 && 'curl is not installed: apt-get install curl'

const closing: (() => unknown)[] = []
after(async () => {
  for (const close of closing) await close()
})

/** A server with an agent that does what the test says, run by run. */
async function stage(options: Partial<ServerOptions> = {}) {
  const contexts = new Map<string, PromiseWithResolvers<RunContext>>()
  const over = new Map<string, PromiseWithResolvers<void>>()
  const of = <T>(map: Map<string, PromiseWithResolvers<T>>, run: string): PromiseWithResolvers<T> => {
    if (!map.has(run)) map.set(run, Promise.withResolvers<T>())
    return map.get(run)!
  }
  const actor: AgentRuntime = {
    key: 'actor',
    run: async (context) => {
      of(contexts, context.runId).resolve(context)
      await of(over, context.runId).promise
      return { output: 'The end.' }
    },
  }
  const runtime = await createRuntime({ store: memory(), agents: [actor], patience: { grace: 10 } })
  const server = createServer({ runtime, identities, log: createLog({ write: () => {} }), ...options })
  const { url, port } = await server.listen()
  closing.push(async () => {
    for (const { resolve } of over.values()) resolve()
    await server.close({ grace: 200 })
  })
  const begin = async () => {
    const run = await runtime.submit('actor', 'Begin', { user: 'ada' })
    const context = await of(contexts, run.id).promise
    const keep = async (count: number, text = ''): Promise<void> => {
      for (let number = 0; number < count; number++) context.emit({ type: 'actor.did', number, text })
      await context.checkpoint(null)
    }
    return { run, context, keep, end: () => of(over, run.id).resolve() }
  }
  return { runtime, server, url, port, begin, contextOf: (run: string) => of(contexts, run).promise }
}

const upTo = async (run: RunHandle, first = 1): Promise<number[]> => {
  const { events } = await run.record()
  return Array.from({ length: events - first + 1 }, (_, at) => first + at)
}

const idsOf = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1000 && !(await holds()); turn++) await sleep(5)
  assert.ok(await holds(), 'in time')
}

describe('curl', { skip: noCurl }, () => {
  const curl = (...args: string[]) => {
    const child = spawn('curl', ['-sSN', '-H', `Authorization: Bearer ${token}`, ...args])
    const seen = { text: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (seen.text += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (seen.text += text))
    const ended = new Promise<number>((resolve) => child.once('close', resolve))
    return { seen, ended, kill: () => child.kill() }
  }

  test('follows a run to its end, as things happen', async () => {
    const { url, begin } = await stage()
    const { run, context, keep, end } = await begin()
    const { seen, ended } = curl('-H', 'Accept: text/event-stream', `${url}/api/v1/runs/${run.id}/events`)
    await keep(1)
    await until(() => seen.text.includes('run.started'))
    context.emit({ type: 'text.delta', text: 'live' })
    await until(() => seen.text.includes('"text":"live"'))
    await keep(3)
    end()
    assert.equal(await ended, 0)
    assert.deepEqual(idsOf(seen.text), await upTo(run))
    assert.match(seen.text, /^retry: 1000\n\n/)
  })

  test('is cut off and goes on where it was', async () => {
    const { url, begin } = await stage()
    const { run, keep, end } = await begin()
    const ids: number[] = []
    for (let round = 0; round < 5; round++) {
      const last = ids.at(-1)
      const from = last === undefined ? [] : ['-H', `Last-Event-ID: ${last}`]
      const { seen, kill, ended } = curl(
        '-H',
        'Accept: text/event-stream',
        ...from,
        `${url}/api/v1/runs/${run.id}/events`,
      )
      await keep(4)
      await until(() => idsOf(seen.text).length >= 4)
      kill()
      await ended
      ids.push(...idsOf(seen.text))
    }
    end()
    await run.result()
    const { seen, ended } = curl(
      '-H',
      'Accept: text/event-stream',
      `${url}/api/v1/runs/${run.id}/events?after=${ids.at(-1)}`,
    )
    await ended
    assert.deepEqual([...ids, ...idsOf(seen.text)], await upTo(run))
  })

  test('says something and watches the turn', async () => {
    const { url, contextOf } = await stage()
    const { seen, ended } = curl('-i', '--json', '{"content":"Hi"}', `${url}/api/v1/messages/stream`)
    await until(() => seen.text.includes('task_created'))
    const [, run = ''] = /x-run-id: (\S+)/.exec(seen.text) ?? []
    const context = await contextOf(run)
    await context.say({ role: 'assistant', content: 'Hello!' })
    context.emit({ type: 'text.delta', text: 'x' })
    await until(() => seen.text.includes('stream_chunk'))
    const { ended: stopped } = curl('-X', 'POST', `${url}/api/v1/runs/${run}/cancel`)
    await stopped
    await ended
    assert.match(seen.text, /"type":"stream_complete".*"status":"cancelled"/)
  })
})

describe('a browser', { skip: noChromium }, () => {
  let browser: Browser
  before(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox', '--disable-gpu'] })
  })
  after(() => browser?.close())

  /** A program's own web server, which knows its users and lets them see what is theirs. */
  async function host(handle: (request: Request) => Promise<Response>): Promise<{ url: string; front: HttpServer }> {
    const page = '<!doctype html><title>A page of somebody</title>'
    const front = serveFetch({
      hostname: '127.0.0.1',
      port: 0,
      overrideGlobalObjects: false,
      fetch: (request) =>
        new URL(request.url).pathname === '/'
          ? new Response(page, { headers: { 'content-type': 'text/html' } })
          : handle(request),
    }) as HttpServer
    await until(() => front.listening)
    closing.unshift(() => {
      front.closeAllConnections()
      front.close()
    })
    return { url: `http://127.0.0.1:${(front.address() as AddressInfo).port}/`, front }
  }

  const open = async (url: string): Promise<Page> => {
    const page = await browser.newPage()
    await page.goto(url)
    return page
  }

  test('reads an EventSource, comes again by itself, and stops at the end', async () => {
    const { server, begin } = await stage()
    const { run, keep, end } = await begin()
    const { url, front } = await host((request) => server.handle(request, { identity: ada }))
    const page = await open(url)
    await page.evaluate((path) => {
      const all: string[] = []
      const source = new EventSource(path)
      source.addEventListener('message', ({ lastEventId, data }: MessageEvent<string>) => {
        if ((JSON.parse(data) as { seq?: number }).seq !== undefined) all.push(lastEventId)
      })
      Object.assign(globalThis, { all, source })
    }, `/api/v1/runs/${run.id}/events`)
    const seen = (): Promise<string[]> => page.evaluate(() => (globalThis as unknown as { all: string[] }).all)
    await keep(3)
    await until(async () => (await seen()).length >= 5)
    front.closeAllConnections()
    await keep(3)
    end()
    await run.result()
    await until(() => page.evaluate(() => (globalThis as unknown as { source: EventSource }).source.readyState === 2))
    assert.deepEqual((await seen()).map(Number), await upTo(run))
    await page.close()
  })

  test('chats over a WebSocket and a fetch from a page that is allowed to, and from no other', async () => {
    const front = await host(() => Promise.resolve(new Response(null, { status: 404 })))
    const { url, port, begin } = await stage({ network: { origins: [front.url] } })
    const closed = await stage()
    const { run, context, keep, end } = await begin()
    const protocols = [socketProtocol, tokenProtocol(token)]
    const page = await open(front.url)
    const dial = (port: number): Promise<string[]> =>
      page.evaluate(
        ({ address, protocols, run }) =>
          new Promise<string[]>((resolve) => {
            const types: string[] = []
            Object.assign(globalThis, { heard: types })
            const socket = new WebSocket(address, protocols)
            socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'subscribe_tasks', run_id: run })))
            socket.addEventListener('close', ({ code }) => resolve([...types, `closed ${code}`]))
            socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
              const { type, data: event } = JSON.parse(data) as { type: string; data?: { type?: string } }
              types.push(event?.type ?? type)
              if (type === 'task_completed') socket.close()
            })
          }),
        { address: `ws://127.0.0.1:${port}/ws`, protocols, run: run.id },
      )
    assert.deepEqual(await dial(closed.port), ['closed 1006'], 'not allowed')
    const told = dial(port)
    const read = page.evaluate(
      async ({ url, token }) => {
        const response = await fetch(url, {
          headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
        })
        return response.text()
      },
      { url: `${url}/api/v1/runs/${run.id}/events`, token },
    )
    // What is said live is for those who listen already.
    const isHeard = (): Promise<boolean> =>
      page.evaluate(() => (globalThis as unknown as { heard: readonly string[] }).heard.includes('text.delta'))
    while (!(await isHeard())) {
      context.emit({ type: 'text.delta', text: 'Hi' })
      await sleep(20)
    }
    await keep(2)
    end()
    const types = await told
    assert.equal(types[0], 'connection_established')
    assert.ok(types.includes('text.delta') && types.includes('run.succeeded'))
    assert.equal(types.at(-2), 'task_completed')
    assert.deepEqual(idsOf(await read), await upTo(run))
    await page.close()
  })
})

describe('clients that do not read', () => {
  const quiet = (port: number, run: string): Socket => {
    const socket = connect(port, '127.0.0.1')
    socket.pause()
    socket.on('error', () => {})
    socket.write(
      `GET /api/v1/runs/${run}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nAccept: text/event-stream\r\n\r\n`,
    )
    return socket
  }
  const statsOf = async ({ server }: Awaited<ReturnType<typeof stage>>): Promise<{ streams: number; http: number }> => {
    const stats = await server.handle(new Request('http://localhost/api/v1/stats'), {
      identity: { user: 'root', scopes: ['admin'] },
    })
    return ((await stats.json()) as { connections: { streams: number; http: number } }).connections
  }

  test('hold no more than a mebibyte each, are cut off, and hurt neither the run nor the others', async () => {
    const place = await stage()
    const { run, context, keep, end } = await place.begin()
    const stuck = Array.from({ length: 20 }, () => quiet(place.port, run.id))
    await until(async () => (await statsOf(place)).streams === 20)
    const reading = fetch(`${place.url}/api/v1/runs/${run.id}/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    }).then((response) => response.text())
    await until(async () => (await statsOf(place)).streams === 21)
    globalThis.gc?.()
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    // What the system's own buffers take is no matter of the server: several MB a connection.
    for (let round = 0; round < 400 && (await statsOf(place)).streams > 1; round++) {
      for (let piece = 0; piece < 4; piece++) context.emit({ type: 'text.delta', text: 'x'.repeat(20_000) })
      await keep(1)
      await sleep(2)
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    assert.equal((await statsOf(place)).streams, 1, 'all are cut off')
    assert.ok(most < 20 * 1_048_576, `${most} bytes`)
    end()
    assert.deepEqual(idsOf(await reading), await upTo(run))
    assert.equal((await run.result()).status, 'succeeded')
    assert.equal((await statsOf(place)).streams, 0)
    for (const socket of stuck) socket.destroy()
  })

  test('in the middle of a long past are waited for, and dropped when they take nothing for a beat', async () => {
    const place = await stage({ limits: { silence: 200 } })
    const { run, keep } = await place.begin()
    for (let round = 0; round < 30; round++) await keep(20, 'x'.repeat(30_000))
    const socket = quiet(place.port, run.id)
    await until(async () => (await statsOf(place)).streams === 1)
    await until(async () => (await statsOf(place)).streams === 0)
    socket.destroy()
  })
})
