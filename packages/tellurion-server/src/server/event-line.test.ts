// The line of an event stream on Node's own responses: in chunks, without them, behind another answer, and at its end.

import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { after, describe, test } from 'node:test'
import { macrotask } from 'tellurion/testing'
import { chunkOf } from './chunk.ts'
import { EventLine } from './event-line.ts'

const closing: (() => unknown)[] = []
after(() => {
  for (const close of closing) close()
})

/** A server that answers `/` at once, and everything else with a line that the test has. */
async function place() {
  const line = new EventLine({ most: 1000, onGone: () => gone++ })
  const responses: ServerResponse[] = []
  let gone = 0
  const server = createServer((request, response) => {
    responses.push(response)
    if (request.url === '/') return void response.end('first')
    if (request.url === '/held') return
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    line.serve(response)
    if (request.url === '/talk') line.outlet.write(Buffer.from('soon\n\n'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const seen = { text: '' }
  client.setEncoding('utf8').on('data', (text: string) => (seen.text += text))
  closing.push(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  const until = async (wanted: string): Promise<void> => {
    for (let turn = 0; turn < 5000 && !seen.text.includes(wanted); turn++) await macrotask()
    assert.ok(seen.text.includes(wanted), `${JSON.stringify(wanted)} in ${JSON.stringify(seen.text)}`)
  }
  const write = (text: string): void => line.outlet.write(Buffer.from(text))
  return { line, client, seen, until, write, responses, gone: () => gone }
}

const ask = (client: Socket, path: string, version = '1.1'): void =>
  void client.write(`GET ${path} HTTP/${version}\r\nHost: localhost\r\n\r\n`)

describe('the line of an event stream', () => {
  test('is written in chunks, what was gathered before included, and its connection can be used again', async () => {
    const { line, client, seen, until, write, responses, gone } = await place()
    write('early\n\n')
    ask(client, '/stream')
    await until('7\r\nearly\n\n\r\n')
    write('sixteen bytes…')
    await until('10\r\nsixteen bytes…\r\n')
    const socket = responses[0]!.socket!
    line.end()
    await until('\r\n0\r\n\r\n')
    seen.text = ''
    ask(client, '/')
    await until('first')
    assert.equal(gone(), 1)
    const plain = socket.listenerCount('drain')
    assert.equal(plain, 1, 'only what Node itself listens to')
  })

  test('keeps the order of what was gathered and what comes in the same moment', async () => {
    const { line, client, seen, until, write } = await place()
    for (const text of ['one', 'two', 'three']) write(`${text}\n\n`)
    ask(client, '/talk')
    await until('soon')
    line.end()
    await until('\r\n0\r\n\r\n')
    assert.deepEqual(seen.text.match(/one|two|three|soon/g), ['one', 'two', 'three', 'soon'])
  })

  test('is written as it is to a client that knows no chunks', async () => {
    const { line, client, seen, until, write } = await place()
    ask(client, '/stream', '1.0')
    await until('\r\n\r\n')
    write('plain\n\n')
    line.end()
    await once(client, 'close')
    assert.match(seen.text, /\r\n\r\nplain\n\n$/)
    assert.doesNotMatch(seen.text, /chunked/i)
  })

  test('waits behind the answer before it on its connection', async () => {
    const { line, client, seen, until, write, responses } = await place()
    ask(client, '/held')
    ask(client, '/stream')
    for (let turn = 0; turn < 5000 && responses.length < 2; turn++) await macrotask()
    write('one\n\n')
    write('two\n\n')
    assert.equal(line.outlet.waiting > 0, true, 'it counts as waiting')
    responses[0]!.end('now')
    await until('two\n\n')
    write('three\n\n')
    line.end()
    await until('\r\n0\r\n\r\n')
    assert.deepEqual(seen.text.match(/now|one|two|three/g), ['now', 'one', 'two', 'three'])
  })

  test('counts what its client does not take, and goes on when it does', async () => {
    const { line, client, until, seen } = await place()
    ask(client, '/stream')
    await until('\r\n\r\n')
    client.pause()
    const { outlet } = line
    const big = Buffer.alloc(16_777_216, 'x')
    outlet.write(big)
    assert.ok(outlet.waiting > 0)
    const room = outlet.room()
    assert.ok(room !== undefined)
    client.resume()
    await room
    assert.ok(!outlet.closed)
    line.end()
    await until('\r\n0\r\n\r\n')
    assert.ok(seen.text.length > big.length)
  })

  test('has room again when what was gathered is taken at once', async () => {
    const { line, client, until, write } = await place()
    write('x'.repeat(100_000))
    const room = line.outlet.room()
    assert.ok(room !== undefined)
    ask(client, '/stream')
    await until('x'.repeat(100_000))
    await room
    assert.equal(line.outlet.waiting, 0)
  })

  test('ends with its client', async () => {
    const { line, client, until, gone } = await place()
    ask(client, '/stream')
    await until('\r\n\r\n')
    client.destroy()
    for (let turn = 0; turn < 5000 && gone() === 0; turn++) await macrotask()
    assert.ok(line.outlet.closed)
  })
})

test('a chunk is made once for the same bytes', () => {
  const bytes = Buffer.from('data: 1\n\n')
  assert.equal(chunkOf(bytes), chunkOf(bytes))
  assert.equal(String(chunkOf(bytes)), '9\r\ndata: 1\n\n\r\n')
})
