// The story of a durable run as a person lives it: a process is killed in the middle of a long tool, another goes on
// without repeating what was done, an approval survives, and a worker leaves when it is told to. Real processes.

import assert from 'node:assert/strict'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { systemClock } from 'tellurion/world'
import { runCommand, type Outcome } from '../gate/program.ts'
import { compileCache, root } from '../gate/source.ts'

const program = ['--conditions=@tellurion/source', join(root, 'packages/tellurion-server/src/cli/main.ts')]
const folder = mkdtempSync(join(tmpdir(), 'run-command-'))
const alive = new Set<ChildProcessByStdio<null, Readable, Readable>>()
after(() => {
  for (const child of alive) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

const tellurion = (...args: string[]): Promise<Outcome> =>
  runCommand(process.execPath, [...program, ...args], { cwd: folder, env: compileCache, timeout: 60_000 })

interface Child {
  readonly process: ChildProcessByStdio<null, Readable, Readable>
  readonly exit: Promise<unknown[]>
  /** Resolves when it has written something that matches. */
  until(words: RegExp): Promise<string>
}

function start(...args: string[]): Child {
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: folder,
    env: { ...compileCache, PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  alive.add(child)
  child.on('exit', () => alive.delete(child))
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => (text += more))
  const until = async (words: RegExp): Promise<string> => {
    for (;;) {
      const found = words.exec(text)
      if (found !== null) return found[0]
      assert.ok(alive.has(child), `it ended before it wrote ${words}:\n${text}`)
      await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), once(child, 'exit')])
    }
  }
  return { process: child, exit: once(child, 'exit'), until }
}

const eventsOf = async (run: string, store: string): Promise<{ type: string; toolName?: string }[]> =>
  (await tellurion('runs', 'events', run, '--json', '--store', store)).stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; toolName?: string })

describe('durable runs on the command line', { concurrency: 4 }, () => {
  test('a run whose process is killed goes on in the next one, and repeats nothing that was done', async () => {
    const store = 'sqlite:./killed.db'
    const first = start('runs', 'start', 'what is 12*7 and wait 2 seconds', '--store', store)
    const run = (await first.until(/run_\w+/)).trim()
    await first.until(/← calculator 84/)
    first.process.kill('SIGKILL')
    assert.deepEqual(await first.exit, [null, 'SIGKILL'])
    const worker = start('worker', '--store', store)
    await worker.until(new RegExp(`${run} {2}goes on, attempt 2`))
    await worker.until(new RegExp(`${run} {2}succeeded`))
    worker.process.kill('SIGTERM')
    assert.deepEqual(await worker.exit, [0, null])
    const events = await eventsOf(run, store)
    const ended = events.flatMap(({ type, toolName }) => (type === 'tool.ended' ? [toolName] : []))
    assert.deepEqual(ended, ['calculator', 'wait'])
    assert.equal(events.filter(({ type }) => type === 'model.called').length, 2)
    assert.match(
      (await tellurion('runs', 'show', run, '--store', store)).stdout,
      /12\*7 = 84\.\nI have waited 2 s\.\n$/,
    )
  })

  test('one that waits for a person is answered later, from elsewhere', async () => {
    const store = 'sqlite:./asked.db'
    const asked = await tellurion('runs', 'start', '--ask', '2+2', '--store', store)
    const run = /run_\w+/.exec(asked.stderr)?.[0] ?? ''
    const worker = start('worker', '--store', store)
    await worker.until(/Ctrl-C ends/)
    assert.equal((await tellurion('runs', 'answer', run, 'approve', '--store', store)).code, 0)
    await worker.until(new RegExp(`${run} {2}succeeded`))
    worker.process.kill('SIGINT')
    assert.deepEqual(await worker.exit, [0, null])
  })

  test('a worker, at its first signal lets what is at work end, at the second it is gone', async () => {
    const store = 'sqlite:./drained.db'
    const [short, long] = await Promise.all(
      ['wait 2 seconds', 'wait 100 seconds'].map(async (question) =>
        (await tellurion('runs', 'start', '--detach', question, '--store', store)).stdout.trim(),
      ),
    )
    const worker = start('worker', '--store', store)
    await worker.until(new RegExp(`${short} {2}begins`))
    await worker.until(new RegExp(`${long} {2}begins`))
    worker.process.kill('SIGTERM')
    await worker.until(/Ending: no new runs/)
    await worker.until(new RegExp(`${short} {2}succeeded`))
    worker.process.kill('SIGTERM')
    assert.deepEqual(await worker.exit, [null, 'SIGTERM'])
    const { code, stderr } = await tellurion('runs', 'cancel', long ?? '', '--store', store)
    assert.deepEqual([code, stderr], [0, `${long} is cancelled.\n`])
  })

  test('a worker gives back what cannot end, and leaves within ten seconds', async () => {
    const store = 'sqlite:./given-back.db'
    const { stdout } = await tellurion('runs', 'start', '--detach', 'wait 100 seconds', '--store', store)
    const worker = start('worker', '--store', store)
    await worker.until(/begins/)
    const told = systemClock.monotonic()
    worker.process.kill('SIGTERM')
    assert.deepEqual(await worker.exit, [0, null])
    // Twice as long, as others may be at work on this machine.
    assert.ok(systemClock.monotonic() - told < 20_000)
    const { status, crashes, retries } = JSON.parse(
      (await tellurion('runs', 'show', stdout.trim(), '--json', '--store', store)).stdout,
    ) as { status: string; crashes: number; retries: number }
    assert.deepEqual({ status, crashes, retries }, { status: 'queued', crashes: 0, retries: 0 })
  })
})
