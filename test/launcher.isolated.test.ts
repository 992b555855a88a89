// The `tellurion` launcher in a package of its own: which Node runs the program, and that it ends as the program ends.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { runCommand } from '../gate/program.ts'
import { root } from '../gate/source.ts'

const program = `
  const [word, value] = process.argv.slice(2)
  if (word === 'exit') process.exitCode = Number(value)
  else if (word === 'die') process.kill(process.pid, value)
  else if (word === 'wait') {
    process.on(value, () => { console.log('got ' + value); process.exit(7) })
    setInterval(() => {}, 1000)
    console.log('waiting')
  } else console.log(JSON.stringify([process.argv.slice(2), process.execArgv]))
`

/** A folder with the launcher and the program; returns the launcher's path. */
function packageWith(options: { main: string; pinned?: boolean }): string {
  const folder = mkdtempSync(join(tmpdir(), 'launcher-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  put('package.json', '{ "type": "module" }')
  put(options.main, program)
  put('old.cjs', "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })")
  cpSync(join(root, 'packages/tellurion-server/bin'), join(folder, 'bin'), { recursive: true })
  if (options.pinned) {
    const name = `node_modules/node-${process.platform}-${process.arch}`
    put(`${name}/package.json`, '{}')
    mkdirSync(join(folder, name, 'bin'))
    symlinkSync(process.execPath, join(folder, name, 'bin/node'))
  }
  return join(folder, 'bin/tellurion.cjs')
}

const compiled = 'dist/cli/main.js'
const old = (launcher: string): string[] => ['--require', join(dirname(launcher), '../old.cjs'), launcher]

describe('the launcher', { skip: process.platform === 'win32' }, () => {
  test('runs the compiled program in its own process on a Node that is new enough', async () => {
    const { stdout, code } = await runCommand(process.execPath, [packageWith({ main: compiled }), 'run', '--x', 'a b'])
    assert.deepEqual([JSON.parse(stdout), code], [[['run', '--x', 'a b'], []], 0])
  })

  test('runs the source with its condition in a checkout', async () => {
    const { stdout } = await runCommand(process.execPath, [packageWith({ main: 'src/cli/main.ts' }), 'run'])
    assert.deepEqual(JSON.parse(stdout), [['run'], ['--conditions=@tellurion/source']])
  })

  test('hands over to the pinned Node on an older one', async () => {
    const launcher = packageWith({ main: compiled, pinned: true })
    const { stdout, code } = await runCommand(process.execPath, [...old(launcher), 'run'])
    assert.deepEqual([JSON.parse(stdout), code], [[['run'], []], 0])
    assert.equal((await runCommand(process.execPath, [...old(launcher), 'exit', '3'])).code, 3)
  })

  test('says in one line what it needs where there is none', async () => {
    const { code, stderr } = await runCommand(process.execPath, old(packageWith({ main: compiled })))
    assert.equal(code, 1)
    assert.match(stderr, /^tellurion: this is Node v[\d.]+, and Node 24 or newer is needed: .*\n$/)
  })

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    test(`passes ${signal} on and ends with the program's code`, async () => {
      // Detached: no terminal, as under a process supervisor.
      const child = spawn(process.execPath, [...old(packageWith({ main: compiled, pinned: true })), 'wait', signal], {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let stdout = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (stdout === '') child.kill(signal)
        stdout += text
      })
      const [code] = await once(child, 'close')
      assert.deepEqual([stdout, code], [`waiting\ngot ${signal}\n`, 7])
    })

  test('ends by the signal that ended the program', async () => {
    const child = spawn(process.execPath, [...old(packageWith({ main: compiled, pinned: true })), 'die', 'SIGTERM'])
    const [code, signal] = await once(child, 'close')
    assert.deepEqual([code, signal], [null, 'SIGTERM'])
  })
})
