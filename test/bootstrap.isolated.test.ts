// The bootstrap of a checkout: when it installs, when it leaves things alone, and what it says when it cannot.

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { runCommand, type Outcome } from '../gate/program.ts'
import { root } from '../gate/source.ts'

const node = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
const lock = {
  packages: {
    '': { name: 'project' },
    'node_modules/left': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/own': { resolved: 'packages/own', link: true },
    [`node_modules/${node}`]: { version: '26.0.0', integrity: 'sha512-b', optional: true },
    'node_modules/node-of-another-platform': { version: '26.0.0', integrity: 'sha512-c', optional: true },
  },
}

/** Stands in for npm: notes its arguments, and lays out what an install or a rebuild would. */
const npm = `
  const { appendFileSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs')
  appendFileSync('calls', process.argv[2] + '\\n')
  if (process.argv[2] === 'ci') {
    if (process.env.npm_behaviour === 'fails') { console.error('npm error no such version'); process.exit(1) }
    const { packages } = JSON.parse(readFileSync('package-lock.json'))
    delete packages['']
    delete packages['node_modules/node-of-another-platform']
    if (process.env.npm_behaviour === 'omits optional') delete packages['node_modules/${node}']
    for (const path of Object.keys(packages)) mkdirSync(path, { recursive: true })
    writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }))
  } else {
    mkdirSync('node_modules/.bin', { recursive: true })
    writeFileSync('node_modules/.bin/node', '')
  }
`

interface Checkout {
  readonly path: (name: string) => string
  /** Runs the bootstrap; `calls` are the npm commands that it gave this time. */
  run(options?: { behaviour?: string; old?: boolean }): Promise<Outcome & { calls: string[] }>
}

function checkout(): Checkout {
  const folder = mkdtempSync(join(tmpdir(), 'bootstrap-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const path = (name: string): string => join(folder, name)
  mkdirSync(path('gate'))
  cpSync(join(root, 'gate/bootstrap.cjs'), path('gate/bootstrap.cjs'))
  writeFileSync(path('package-lock.json'), JSON.stringify(lock))
  writeFileSync(path('npm-cli.js'), npm)
  writeFileSync(path('old.cjs'), "Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } })")
  return {
    path,
    async run({ behaviour = '', old = false } = {}) {
      writeFileSync(path('calls'), '')
      const env = { npm_execpath: path('npm-cli.js'), npm_behaviour: behaviour }
      const args = [...(old ? ['--require', path('old.cjs')] : []), path('gate/bootstrap.cjs')]
      const outcome = await runCommand(process.execPath, args, { env, cwd: dirname(folder) })
      return { ...outcome, calls: readFileSync(path('calls'), 'utf8').split('\n').slice(0, -1) }
    },
  }
}

describe('the bootstrap', () => {
  test('installs into a fresh clone, and links the Node that npm left unlinked', async () => {
    const { code, calls } = await checkout().run({ old: true })
    assert.deepEqual([code, calls], [0, ['ci', 'rebuild']])
  })

  test('leaves an installed checkout alone, however new the lock file looks', async () => {
    const clone = checkout()
    await clone.run()
    const later = new Date(Date.parse('2100-01-01'))
    utimesSync(clone.path('package-lock.json'), later, later)
    assert.deepEqual(await clone.run(), { code: 0, stdout: '', stderr: '', calls: [] })
  })

  const damages: readonly [what: string, damage: (clone: Checkout) => void, says: RegExp][] = [
    [
      'an install that stopped half-way',
      (clone) => rmSync(clone.path('node_modules/.package-lock.json')),
      /half installed/,
    ],
    [
      'a package that was removed',
      (clone) => rmSync(clone.path('node_modules/left'), { recursive: true }),
      /left was removed/,
    ],
    [
      'a lock that moved on',
      (clone) => writeFileSync(clone.path('package-lock.json'), JSON.stringify(lock).replace('1.0.0', '1.0.1')),
      /left is not the version of the lock/,
    ],
    [
      'a lock with one package more',
      (clone) =>
        writeFileSync(
          clone.path('package-lock.json'),
          JSON.stringify({ packages: { ...lock.packages, 'packages/own/node_modules/deep': { version: '1.0.0' } } }),
        ),
      /deep is not installed/,
    ],
  ]
  for (const [what, damage, says] of damages)
    test(`installs again after ${what}`, async () => {
      const clone = checkout()
      await clone.run()
      damage(clone)
      const { code, calls, stderr } = await clone.run()
      assert.deepEqual([code, calls], [0, ['ci']])
      assert.match(stderr, says)
    })

  test('a failing install ends in one clear line', async () => {
    const { code, stderr } = await checkout().run({ behaviour: 'fails' })
    assert.equal(code, 1)
    assert.match(stderr, /npm error no such version\nnpm ci failed \(exit code 1\): see its lines above.*\n$/)
  })

  test('an old Node without a pinned one is told what it needs; a new one does', async () => {
    const { code, stderr } = await checkout().run({ behaviour: 'omits optional', old: true })
    assert.equal(code, 1)
    assert.match(stderr, /install Node 24 or newer\.\n$/)
    assert.equal((await checkout().run({ behaviour: 'omits optional' })).code, 0)
  })
})
