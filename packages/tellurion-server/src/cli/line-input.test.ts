import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { macrotask } from 'tellurion/testing'
import { openLineInput, type LineInput } from './line-input.ts'

/** Streams that pass for a terminal, and an input on them. */
function terminal(): {
  input: LineInput
  type(text: string): Promise<void>
  screen(): string
  interrupts: number[]
  out: PassThrough
} {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {} })
  const out = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
  const interrupts: number[] = []
  let shown = ''
  out.on('data', (chunk) => (shown += String(chunk)))
  return {
    input: openLineInput({ stdin, stdout: out }, () => void interrupts.push(1)),
    async type(text) {
      stdin.write(text)
      await macrotask()
    },
    screen: () => stripVTControlCharacters(shown),
    interrupts,
    out,
  }
}

describe('line input from a pipe', () => {
  it('gives lines in order, then undefined for ever', async () => {
    const stdin = new PassThrough()
    const input = openLineInput({ stdin, stdout: new PassThrough() }, () => {})
    stdin.end('one\r\ntwo\n\nlast')
    const lines = []
    for (let line = await input.next(''); line !== undefined; line = await input.next('')) lines.push(line)
    assert.deepEqual(lines, ['one', 'two', '', 'last'])
    assert.equal(await input.next(''), undefined)
    assert.equal(input.interactive, false)
  })

  it('loses nothing of a flood', async () => {
    const stdin = new PassThrough()
    const input = openLineInput({ stdin, stdout: new PassThrough() }, () => {})
    stdin.end(Array.from({ length: 5_000 }, (_, index) => `${index}\n`).join(''))
    for (let index = 0; index < 5_000; index++) assert.equal(await input.next(''), String(index))
    assert.equal(await input.next(''), undefined)
  })
})

describe('line input from a pipe that is closed or broken', () => {
  it('gives nothing more once it is closed, whatever had come by then', async () => {
    const stdin = new PassThrough()
    const input = openLineInput({ stdin, stdout: new PassThrough() }, () => {})
    stdin.write('one\ntwo\nthree\n')
    assert.equal(await input.next(''), 'one')
    input.close()
    assert.equal(await input.next(''), undefined)
    stdin.write('four\n')
    await macrotask()
    assert.equal(await input.next(''), undefined)
  })

  it('fails at a line that never ends, after those before it', async () => {
    const stdin = new PassThrough()
    const input = openLineInput({ stdin, stdout: new PassThrough() }, () => {})
    stdin.write('one\n')
    assert.equal(await input.next(''), 'one')
    const failed = assert.rejects(
      input.next(''),
      /^UsageError: A line of standard input is longer than 1048576 bytes\.$/,
    )
    for (let piece = 0; piece < 4; piece++) {
      stdin.write('x'.repeat(300_000))
      await macrotask()
    }
    await failed
    await assert.rejects(() => input.next(''), /longer/)
    assert.ok(stdin.isPaused())
  })

  it('takes a line that is only long', async () => {
    const stdin = new PassThrough()
    const input = openLineInput({ stdin, stdout: new PassThrough() }, () => {})
    for (let piece = 0; piece < 10; piece++) stdin.write(`${'x'.repeat(100_000)}\r${'y'.repeat(900_000)}`)
    stdin.end('\n')
    for (let line = 0; line < 11; line++) assert.ok(((await input.next('')) ?? '').length > 50_000)
  })

  it('says so when it cannot be read', async () => {
    const stdin = new PassThrough()
    const input = openLineInput({ stdin, stdout: new PassThrough() }, () => {})
    const line = input.next('')
    stdin.destroy(new Error('EISDIR'))
    await assert.rejects(line, /^UsageError: Standard input cannot be read: EISDIR\.$/)
  })
})

describe('line input from a terminal', () => {
  it('shows the prompt and the line that is typed, only while it is asked for', async () => {
    const { input, type, screen } = terminal()
    await type('early')
    assert.equal(screen(), '')
    const line = input.next('> ')
    await type(' bird\r')
    assert.equal(await line, 'early bird')
    assert.match(screen(), /^> early bird\r\n$/)
    input.close()
  })

  it('keeps lines typed ahead and shows each when its turn comes; a fresh one is asked for anew', async () => {
    const { input, type, screen } = terminal()
    await type('one\rtwo\r')
    assert.equal(await input.next('> '), 'one')
    const fresh = input.next('y/n ', { fresh: true })
    await type('y\r')
    assert.equal(await fresh, 'y')
    assert.equal(await input.next('> '), 'two')
    assert.match(screen(), /^> one\ny\/n y\r\n> two\n$/)
    input.close()
  })

  it('bounds what is typed ahead', async () => {
    const { input, type } = terminal()
    await type('x\r'.repeat(500))
    for (let count = 0; count < 100; count++) assert.equal(await input.next(''), 'x')
    const next = input.next('')
    input.close()
    assert.equal(await next, undefined)
  })

  it('tells of Ctrl-C, forgets the line when told, and gives up when told', async () => {
    const { input, type, screen, interrupts } = terminal()
    const line = input.next('> ')
    await type('half')
    assert.equal(input.typing, true)
    await type('\u0003')
    assert.equal(interrupts.length, 1)
    input.discard('(hint)')
    assert.equal(input.typing, false)
    assert.match(screen(), /\(hint\)\n> $/)
    await type('rest')
    input.cancel()
    assert.equal(await line, undefined)
    input.close()
  })

  it('ends at Ctrl-D and lets go of the terminal', async () => {
    const { input, type, out } = terminal()
    const line = input.next('> ')
    await type('\u0004')
    assert.equal(await line, undefined)
    assert.equal(await input.next('> '), undefined)
    assert.equal(out.listenerCount('resize'), 0)
  })
})
