// Hostile programs in every language, each with how it must end. After all of them: no connection came, no process is
// left, no file was touched. Where the machine has less than the full level, that less is refused is what is asserted.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { systemClock } from 'tellurion/world'
import { createSandbox, type Execution, type Sandbox, type SandboxSession } from 'tellurion/sandbox'
import { bash, bashPrelude } from './hostile-program/bash.ts'
import { javascript, javascriptPrelude } from './hostile-program/javascript.ts'
import { complaint, type Corpus, type Program } from './hostile-program/program.ts'
import { python, pythonPrelude } from './hostile-program/python.ts'
import { quickjs, quickjsPrelude } from './hostile-program/quickjs.ts'

const secret = 'canary-4f1d8a'
const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
const file = join(folder, 'host-file')
const limits = { timeout: 10_000, memory: 128 << 20, disk: 4 << 20, maxOutput: 20_000, artifacts: 1 << 20 }
process.env['HOSTILE_CANARY'] = secret

const servers: Server[] = []
let connections = 0
const listen = async (...place: [number, string] | [string]): Promise<Server> => {
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  server.listen(...(place as [string]))
  await once(server, 'listening')
  servers.push(server)
  return server
}

const abstract = `tellurion-hostile-${process.pid}`
const socket = join(folder, 'socket')
let port = 0

const fill = (text: string): string =>
  text
    .replaceAll('%FILE%', file)
    .replaceAll('%FOLDER%', folder)
    .replaceAll('%PROJECT%', process.cwd())
    .replaceAll('%PID%', `${process.pid}`)
    // In brackets, so that a search does not find itself.
    .replaceAll('%TITLE%', 'hostile-program[s]')
    .replaceAll('%PORT%', `${port}`)
    .replaceAll('%ABSTRACT%', abstract)
    .replaceAll('%SOCKET%', socket)

before(async () => {
  writeFileSync(file, secret)
  const tcp = await listen(0, '127.0.0.1')
  port = (tcp.address() as { port: number }).port
  await listen(socket)
  if (process.platform === 'linux') await listen(`\0${abstract}`)
})

after(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a corpus, four programs at a time: most in sessions that they share, the others in interpreters of their own. */
async function runAll(
  sandbox: Sandbox,
  { language, programs }: Corpus,
  prelude: string,
): Promise<Map<Program, Execution>> {
  const done = new Map<Program, Execution>()
  const line = programs.filter(({ alone }) => alone === true)
  const shared = programs.filter(({ alone }) => alone !== true)
  const session = async (): Promise<SandboxSession> => {
    const made = await sandbox.session(language)
    await made.run({ code: prelude })
    return made
  }
  const request = ({ code, timeout }: Program) => ({
    code: fill(code),
    ...(timeout === undefined ? {} : { limits: { timeout } }),
  })
  const one = async (): Promise<void> => {
    for (let program = line.shift(); program !== undefined; program = line.shift()) {
      const own = await session()
      done.set(program, await own.run(request(program)))
      await own.close()
    }
  }
  const together = async (): Promise<void> => {
    let own = await session()
    for (const program of shared) {
      if (!own.isLive) own = await session()
      done.set(program, await own.run(request(program)))
    }
    await own.close()
  }
  await Promise.all([together(), one(), one(), one()])
  return done
}

function report(
  corpus: Corpus,
  done: ReadonlyMap<Program, Execution>,
  { name, isWeak }: { name: string; isWeak: boolean },
): void {
  const wrong = corpus.programs.flatMap((program) => {
    const what = complaint(program, done.get(program)!, { secrets: [secret], isWeak })
    return what === undefined ? [] : [`${program.name}: ${what}`]
  })
  console.log(
    `hostile programs, ${name}: ${corpus.programs.length - wrong.length} of ${corpus.programs.length} contained`,
  )
  assert.deepEqual(wrong, [])
}

const sandboxedProcesses = (): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        /^Uid:\s+187\d{7}/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')) &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('bwrap')
      )
    } catch {
      return false
    }
  })

describe('hostile programs', { timeout: 120_000 }, () => {
  test('under bubblewrap', async (t) => {
    await using sandbox = await createSandbox({ limits, capacity: 6 })
    const failed = sandbox.probes.filter(({ passed }) => !passed)
    console.log(
      `sandbox level here: ${sandbox.level}${failed.map(({ name, detail }) => `; ${name}: ${detail}`).join('')}`,
    )
    if (sandbox.level === 'wasm-only' || sandbox.level === 'none') {
      for (const language of ['python', 'bash'] as const) {
        await assert.rejects(sandbox.run({ language, code: '1' }), { code: 'sandbox_unavailable' })
      }
      return t.skip('no working bubblewrap; where it is missing: apt-get install bubblewrap')
    }
    const corpora = [
      [python, pythonPrelude, 'Python'],
      [javascript, javascriptPrelude, 'JavaScript'],
      [bash, bashPrelude, 'Bash'],
    ] as const
    for (const [corpus, prelude, name] of corpora) {
      if (!sandbox.languages.includes(corpus.language)) {
        console.log(`hostile programs, ${name}: its interpreter is not here`)
        await assert.rejects(sandbox.run({ language: corpus.language, code: '1' }), { code: 'sandbox_unavailable' })
      } else report(corpus, await runAll(sandbox, corpus, prelude), { name, isWeak: sandbox.level === 'weak-limits' })
    }
    await sandbox.close()
    assert.deepEqual(sandboxedProcesses(), [])
    assert.equal(connections, 0)
    assert.equal(readFileSync(file, 'utf8'), secret)
  })

  test('the start of a sandbox is measured', async (t) => {
    await using sandbox = await createSandbox()
    if (!sandbox.languages.includes('bash'))
      return t.skip(`the sandbox is ${sandbox.level}; apt-get install bubblewrap`)
    const took: number[] = []
    for (let index = 0; index < 20; index++) {
      const start = systemClock.monotonic()
      const session = await sandbox.session('bash')
      took.push(systemClock.monotonic() - start)
      await session.close()
    }
    const sorted = took.toSorted((a, b) => a - b)
    console.log(`sandbox start: ${sorted[10]!.toFixed(1)} ms p50, ${sorted[18]!.toFixed(1)} ms p95 (goal 30)`)
    assert.ok(sorted[10]! < 10_000)
  })

  test('in QuickJS', async () => {
    await using sandbox = await createSandbox({ backend: 'quickjs', limits: { ...limits, memory: 16 << 20 } })
    assert.equal(sandbox.level, 'wasm-only')
    report(quickjs, await runAll(sandbox, quickjs, quickjsPrelude), { name: 'QuickJS', isWeak: false })
    // Nothing of it reached this process.
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
    assert.equal(connections, 0)
  })
})
