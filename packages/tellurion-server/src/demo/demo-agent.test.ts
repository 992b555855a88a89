import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createToolbox, type ToolContext } from 'tellurion'
import { demoModel } from 'tellurion/model'
import { scriptedModel, virtualClock } from 'tellurion/testing'
import { calculator } from 'tellurion/tool'
import { demoAgent } from './demo-agent.ts'
import { openFileRoot } from './file-root.ts'
import { listFiles, maxEntries, maxFileSize, readFile } from './file-tool.ts'
import { maxSeconds, wait } from './wait.ts'
import { zoneClock } from './zone-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'demo-agent-'))
after(() => rmSync(folder, { recursive: true }))
const put = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content)
put('notes.txt', 'Buy milk.')
put('.env', 'OPENAI_API_KEY=hush')
put('.env.example', 'OPENAI_API_KEY=')
put('picture.png', Uint8Array.of(137, 80, 78, 71, 0, 1))
put('latin.txt', Uint8Array.of(0x63, 0x61, 0x66, 0xe9))
put('long.txt', '漢'.repeat(100_000))
put('empty.txt', '')
put('two\nlines', '')
mkdirSync(join(folder, 'many'))
for (let index = 0; index < maxEntries + 1; index++) put(`many/${index}`, '')

const root = await openFileRoot(folder)
const clock = virtualClock(Date.UTC(2026, 10, 20, 9, 14, 5))

/** What a model would read. */
async function result(toolName: string, input: Record<string, string>): Promise<string> {
  const tools = createToolbox({
    calculator,
    clock: zoneClock({ clock }),
    list_files: listFiles(root),
    read_file: readFile(root),
  })
  const { content } = await tools.execute(toolName, input, { results: { maxLength: Infinity } })
  assert.ok(typeof content === 'string')
  return content
}

describe('the tools of the demo', () => {
  it('calculate without the noise of binary fractions', async () => {
    assert.equal(await result('calculator', { expression: '0.1 + 0.2' }), '0.3')
    assert.equal(await result('calculator', { expression: '2^100' }), '1267650600228229401496703205376')
    assert.match(await result('calculator', { expression: '1/0' }), /division by zero/)
  })

  it('tell the time', async () => {
    assert.equal(
      await result('clock', { timeZone: 'Asia/Tokyo' }),
      'Friday, 20 November 2026, 18:14:05 in Asia/Tokyo (GMT+9)',
    )
    assert.match(await result('clock', {}), /^\w+, \d+ \w+ 2026, \d\d:\d\d:05 in \S+ \(GMT[^)]*\)$/)
    assert.match(await result('clock', { timeZone: 'Atlantis' }), /no time zone 'Atlantis': write an IANA name/)
  })

  it('wait, say how long they have, and stop when told', async () => {
    const time = virtualClock()
    const patience = wait({ clock: time })
    const reports: unknown[] = []
    const context = (abortSignal: AbortSignal): ToolContext => {
      const nothing = async (): Promise<undefined> => undefined
      const own = { toolCallId: 'c', idempotencyKey: 'k', runId: 'r', keep: nothing, kept: nothing }
      return { ...own, abortSignal, progress: (seen) => reports.push(seen) }
    }
    const done = patience.execute({ seconds: 2.5 }, context(new AbortController().signal))
    await time.advance(2500)
    assert.equal(await done, 'waited 2.5 s')
    assert.deepEqual(reports.at(-1), { done: 2.5, total: 2.5, unit: 's' })
    const stop = new AbortController()
    const stopped = Promise.resolve(patience.execute({ seconds: 60 }, context(stop.signal)))
    stop.abort()
    await assert.rejects(stopped)
    assert.equal(time.pending, 0)
    const tools = createToolbox({ wait: patience })
    assert.match(String((await tools.execute('wait', { seconds: maxSeconds + 1 })).content), /240/)
  })

  it('list files, one a line', async () => {
    const lines = (await result('list_files', {})).split('\n')
    assert.deepEqual(lines.slice(0, 2), ['.env', '.env.example'])
    assert.ok(lines.includes('many/') && lines.includes('"two\\nlines"'))
    const many = (await result('list_files', { path: 'many' })).split('\n')
    assert.equal(many.length, maxEntries + 1)
    assert.match(many.at(-1) ?? '', /only 1000 entries/)
    assert.match(await result('list_files', { path: '..' }), /outside/)
  })

  it('read text, and nothing else', async () => {
    assert.equal(await result('read_file', { path: 'notes.txt' }), 'Buy milk.')
    assert.equal(await result('read_file', { path: 'empty.txt' }), '')
    assert.match(await result('read_file', { path: 'picture.png' }), /binary/)
    assert.match(await result('read_file', { path: 'latin.txt' }), /no UTF-8/)
    assert.match(await result('read_file', { path: '/etc/hostname' }), /outside/)
  })

  it('cut a long file at the limit, between two characters', async () => {
    const text = await result('read_file', { path: 'long.txt' })
    assert.match(text, /^漢+\n\[cut: 204800 of 300000 bytes shown\]$/)
    assert.equal(text.indexOf('\n'), Math.floor(maxFileSize / 3))
  })

  it('keep secrets to themselves', async () => {
    for (const path of ['.env', './.ENV', 'many/../.env', '.env.local'])
      assert.match(await result('read_file', { path }), /hold secrets/)
    assert.equal(await result('read_file', { path: '.env.example' }), 'OPENAI_API_KEY=')
  })
})

describe('the demo agent', () => {
  it('answers with its tools and the demo model', async () => {
    const agent = demoAgent({ model: demoModel(), root, clock })
    const { text, steps } = await agent.generate('What is 12*7, what time is it in Tokyo, and read notes.txt')
    const time = 'It is Friday, 20 November 2026, 18:14:05 in Asia/Tokyo (GMT+9).'
    assert.deepEqual([text, steps], [`12*7 = 84.\n${time}\nnotes.txt says:\nBuy milk.`, 2])
  })

  it('asks a person first when told', async () => {
    const chat = demoAgent({ model: demoModel(), root, ask: true }).session()
    const waiting = await chat.generate('1+1')
    assert.deepEqual([waiting.status, waiting.interactions[0]?.input], ['waiting', { expression: '1+1' }])
    const { text } = await chat.answer(waiting.interactions[0]?.id ?? '', 'approve')
    assert.equal(text, '1+1 = 2.')
  })

  it('ends a model that never stops calling tools', async () => {
    const model = scriptedModel(() => ({ calls: [{ toolName: 'clock', input: {} }] }))
    const { stopReason, steps } = await demoAgent({ model, root }).generate('go')
    assert.deepEqual([stopReason, steps], ['stop_when', 20])
  })
})
