// The scripts around a checkout: setup with its hook, clean, coverage. Setup and clean run on made-up checkouts, never on
// this one.

import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { runCommand, type Outcome } from '../gate/program.ts'
import { root } from '../gate/source.ts'

const folder = mkdtempSync(join(tmpdir(), 'script-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A checkout with these files, and the scripts of this one. */
function checkout(files: Readonly<Record<string, string>> = {}): string {
  const home = mkdtempSync(join(folder, 'c-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), text)
  }
  cpSync(join(root, 'gate'), join(home, 'gate'), { recursive: true })
  return home
}

/** Nobody's own git settings are seen, and who commits is made up. */
const alone = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
}

const run = (cwd: string, command: string, ...args: string[]): Promise<Outcome> =>
  runCommand(command, args, { cwd, env: alone })
const script = (home: string, name: string): Promise<Outcome> => run(home, process.execPath, `gate/${name}.ts`)

describe('npm run setup', { skip: process.platform === 'win32' }, () => {
  test('installs the hook, which lets a commit through only when the gate does', async () => {
    const home = checkout({ 'package.json': '{ "scripts": { "check": "test -f green" } }' })
    await run(home, 'git', 'init', '-q')
    const { code, stdout } = await script(home, 'setup')
    assert.equal(code, 0)
    assert.match(stdout, /^From now on `npm run check` runs before each commit; to end that: git config --unset/)
    await run(home, 'git', 'add', 'package.json')
    assert.notEqual((await run(home, 'git', 'commit', '-qm', 'red')).code, 0)
    writeFileSync(join(home, 'green'), '')
    assert.equal((await run(home, 'git', 'commit', '-qm', 'green')).code, 0)
    assert.match((await script(home, 'setup')).stdout, /^The gate runs before each commit already\./)
  })

  test('leaves the hooks of others alone', async () => {
    const home = checkout()
    await run(home, 'git', 'init', '-q')
    await run(home, 'git', 'config', 'core.hooksPath', 'mine')
    assert.match((await script(home, 'setup')).stdout, /^Hooks come from mine; they stay\./)
    assert.equal((await run(home, 'git', 'config', 'core.hooksPath')).stdout, 'mine\n')
  })

  test('does without git', async () => {
    const { code, stdout } = await script(checkout(), 'setup')
    assert.equal(code, 0)
    assert.match(stdout, /^This is no git checkout.*\nReady: npm start/)
  })
})

describe('npm run clean', () => {
  test('removes what can be made again, and nothing else', async () => {
    const kept = [
      'data/tellurion.db',
      '.env',
      'node_modules/x/index.js',
      'packages/a/src/a.ts',
      'docs/a.md',
      'package.json',
    ]
    const made = [
      'build/a/x.js',
      'coverage/lcov.info',
      'packages/a/dist/a.js',
      'node_modules/.cache/x',
      '.docs-code-1/a.ts',
      'a.tgz',
    ]
    const home = checkout(Object.fromEntries([...kept, ...made].map((name) => [name, '{}'])))
    const { code, stdout } = await script(home, 'clean')
    assert.equal(code, 0)
    assert.match(stdout, /^removed \.docs-code-1, a\.tgz, build, coverage, node_modules\/\.cache, packages\/a\/dist\n$/)
    assert.deepEqual(
      kept.filter((name) => !existsSync(join(home, name))),
      [],
    )
    assert.deepEqual(
      made.filter((name) => existsSync(join(home, name))),
      [],
    )
    assert.equal((await script(home, 'clean')).stdout, 'There is nothing to remove.\n')
  })
})

describe('the scripts of the project', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }

  test('are all there, and bring the toolchain first', () => {
    for (const name of ['setup', 'start', 'test', 'check', 'lint', 'docs', 'clean', 'coverage', 'generate', 'build']) {
      assert.ok(scripts[name] !== undefined, name)
      assert.equal(scripts[`pre${name}`], 'node gate/bootstrap.cjs', name)
    }
  })

  test('name files that are there', () => {
    const named = Object.values(scripts).flatMap((line) =>
      [...line.matchAll(/\S+\.(?:ts|cjs)\b/g)].map(([path]) => path),
    )
    assert.deepEqual(
      named.filter((path) => !existsSync(join(root, path))),
      [],
    )
  })

  test('the hook is a program', { skip: process.platform === 'win32' }, async () => {
    assert.deepEqual(readdirSync(join(root, 'gate/hook')), ['pre-commit'])
    const { code } = await run(root, 'test', '-x', 'gate/hook/pre-commit')
    assert.equal(code, 0)
  })

  test('coverage counts the lines of the packages, and not of their tests', async () => {
    const { code, stdout } = await run(root, process.execPath, 'gate/test.ts', '--coverage', 'tool/wildcard.test')
    assert.equal(code, 0, stdout)
    assert.match(stdout, /wildcard\.ts +\| +100\.00/)
    assert.doesNotMatch(stdout, /wildcard\.test\.ts +\|/)
    assert.match(
      readFileSync(join(root, 'coverage/lcov.info'), 'utf8'),
      /^SF:packages\/tellurion\/src\/tool\/wildcard\.ts$/m,
    )
  })
})
