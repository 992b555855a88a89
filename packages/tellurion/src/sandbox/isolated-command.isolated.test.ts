// Commands wrapped for servers that talk over stdin and stdout, started as a client of MCP starts them. In a process of its
// own: what it inherits is what is tested.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { sleep } from '../clock/clock.ts'
import { createSandbox } from './sandbox.ts'
import { isolatedCommand, type IsolatedCommand, type IsolatedCommandOptions } from './isolated-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'isolated-command-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const canary = 'canary-7b21'
process.env['ISOLATED_CANARY'] = canary
writeFileSync(join(folder, 'secret'), canary, { mode: 0o644 })
spawnSync('chmod', ['755', folder])

await using sandbox = await createSandbox()
const skip = ['full', 'weak-limits'].includes(sandbox.level)
  ? false
  : `the sandbox is ${sandbox.level}; apt-get install bubblewrap`

const bash = (script: string, options: Partial<IsolatedCommandOptions> = {}): IsolatedCommand =>
  isolatedCommand({ command: '/bin/bash', args: ['--norc', '-c', script], ...options })

/** Starts it as the client of MCP does, which adds variables of its own, and says what it printed. */
function said({ command, args, env }: IsolatedCommand, input = ''): string {
  const added = { HOME: '/root', USER: 'root', LOGNAME: 'root', SHELL: '/bin/zsh', TERM: 'xterm' }
  const { stdout, stderr } = spawnSync(command, args, { env: { ...added, ...env }, input, encoding: 'utf8' })
  return stdout + stderr
}

describe('isolatedCommand', { skip }, () => {
  it('keeps stdin, stdout, arguments and the named variables', () => {
    const odd = 'a "b" $HOME `id` ; c'
    const made = isolatedCommand({
      command: 'bash',
      args: ['--norc', '-c', 'read line; echo "$line, $1, $KEY"', 'x', odd],
      env: { KEY: 'k $(id)' },
    })
    assert.equal(said(made, 'hello\n'), `hello, ${odd}, k $(id)\n`)
    assert.doesNotMatch(JSON.stringify(made.args), /k \$\(id\)/)
  })

  it('has no other variable, not even in its first process', () => {
    const text = said(bash('env; tr "\\0" "\\n" </proc/1/environ'))
    assert.doesNotMatch(text, /canary|USER|LOGNAME|SHELL=|TERM|\/root/)
    assert.match(text, /HOME=\/tmp\n/)
  })

  it('inherits no descriptor, also of a parent that left some open', () => {
    const program = join(folder, 'leaky.mjs')
    const module = new URL('./isolated-command.ts', import.meta.url).pathname
    writeFileSync(
      program,
      `import { spawnSync } from 'node:child_process'
       const { isolatedCommand } = await import(${JSON.stringify(module)})
       const { command, args, env } = isolatedCommand({ command: '/bin/bash', args: ['--norc', '-c', 'ls -l /proc/self/fd; cat <&57; cat <&100; cat <&9'] })
       const { stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8' })
       console.log(stdout + stderr)`,
    )
    const script = `exec 9<'${folder}/secret' 57<'${folder}/secret' 100<'${folder}/secret'; exec "$@"`
    const { stdout } = spawnSync('bash', ['-c', script, 'sh', process.execPath, program], { encoding: 'utf8' })
    assert.match(stdout, /57: Bad file descriptor/)
    assert.match(stdout, /100: Bad file descriptor/)
    assert.doesNotMatch(stdout, /canary|secret/)
  })

  it('sees the host as far as it was named, and writes as far', () => {
    const open = join(folder, 'open')
    mkdirSync(open)
    assert.match(said(bash(`cat '${folder}/secret'`)), /No such file/)
    assert.equal(said(bash(`cat '${folder}/secret'`, { readOnly: [folder] })), canary)
    assert.match(said(bash(`echo x >'${folder}/new'`, { readOnly: [folder] })), /Read-only file system/)
    said(bash(`echo written >'${open}/new'; cat /proc/self/status`, { readWrite: [open] }))
    assert.equal(readFileSync(join(open, 'new'), 'utf8'), 'written\n')
  })

  it('is nobody, holds no capability and is filtered, with and without folders to write', () => {
    for (const options of [{}, { readWrite: [folder] }, { keepUser: true }, { network: true }]) {
      const text = said(
        bash(
          'grep -E "^(Cap(Prm|Eff)|Seccomp|NoNewPrivs):" /proc/self/status; mount -t tmpfs x /tmp; unshare -Ur true',
          options,
        ),
      )
      assert.match(text, /CapPrm:\s0{16}\nCapEff:\s0{16}\nNoNewPrivs:\s1\nSeccomp:\s2\n/)
      assert.match(text, /unshare failed/)
    }
  })

  it('has the network only where that was said', async () => {
    let connections = 0
    const server = createServer((socket) => {
      connections++
      socket.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const run = async (network: boolean): Promise<void> => {
      const { command, args, env } = bash(`exec 5<>/dev/tcp/127.0.0.1/${port}`, { network })
      await once(spawn(command, args, { env, stdio: 'ignore' }), 'exit')
    }
    await run(false)
    assert.equal(connections, 0)
    await run(true)
    assert.equal(connections, 1)
    server.close()
  })

  it('dies with who started it, and with all that it started', async () => {
    const marker = `27182${process.pid}`
    const { command, args, env } = bash(`(setsid sleep ${marker} &); echo up; sleep ${marker}`)
    const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
    await once(child.stdout, 'data')
    for (let tries = 0; sleepers(marker).length < 2 && tries < 1500; tries++) await sleep(10)
    const before = sleepers(marker)
    child.kill('SIGKILL')
    await once(child, 'close')
    for (let tries = 0; sleepers(marker).length > 0 && tries < 1500; tries++) await sleep(10)
    assert.deepEqual([before.length, sleepers(marker)], [2, []])
  })
})

describe('isolatedCommand refuses', () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ command: '' }, 'invalid_option'],
    [{ command: 'a\0b' }, 'invalid_option'],
    [{ command: 'x', args: ['a\0'] }, 'invalid_option'],
    [{ command: 'x', args: [5] }, 'invalid_option'],
    [{ command: 'x', readOnly: ['data'] }, 'invalid_option'],
    [{ command: 'x', readWrite: '/tmp' }, 'invalid_option'],
    [{ command: 'x', env: { 'A=B': 'x' } }, 'invalid_option'],
    [{ command: 'x', env: { 'x; id': 'x' } }, 'invalid_option'],
    [{ command: 'x', env: { A: 'a\0b' } }, 'invalid_option'],
    [{ command: 'x', networks: true }, 'unknown_option'],
  ]
  for (const [options, code] of wrong) {
    it(JSON.stringify(options), () => assert.throws(() => isolatedCommand(options as IsolatedCommandOptions), { code }))
  }
})

function sleepers(marker: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`sleep\0${marker}`)
    } catch {
      return false
    }
  })
}
