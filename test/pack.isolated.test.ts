// What is published, from a copy of the project: built, packed, looked through, installed and used by a stranger.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { publint } from 'publint'
import { doors } from '../gate/door.ts'
import { runCommand } from '../gate/program.ts'
import { filesOf, root } from '../gate/source.ts'

const packages = ['tellurion', 'tellurion-server'] as const
const folder = mkdtempSync(join(tmpdir(), 'tarball-'))
const home = join(folder, 'project')
const consumer = join(folder, 'consumer')
const installed = (name: string, ...path: string[]): string => join(consumer, 'node_modules', name, ...path)
const tsc = join(root, 'node_modules/typescript/lib/tsc.js')

/** Runs a command that must succeed, in a folder; returns what it printed. */
async function must(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, args, { cwd, timeout: 230_000 })
  assert.equal(code, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

/** The sources and settings that a build reads, with the installed packages linked in; the checkout stays as it is. */
function copyProject(): void {
  const isSource = (path: string): boolean => !/[\\/](node_modules|dist|build)$/.test(path)
  mkdirSync(join(home, 'node_modules'), { recursive: true })
  cpSync(join(root, 'packages'), join(home, 'packages'), { recursive: true, filter: isSource })
  for (const name of ['tsconfig.json', 'LICENSE', 'README.md', 'CHANGELOG.md'])
    cpSync(join(root, name), join(home, name))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    const own = packages.find((known) => known === name)
    symlinkSync(join(own ? home : root, own ? 'packages' : 'node_modules', name), join(home, 'node_modules', name))
  }
  for (const name of packages) {
    const nested = join(root, 'packages', name, 'node_modules')
    if (existsSync(nested)) symlinkSync(nested, join(home, 'packages', name, 'node_modules'))
  }
}

before(async () => {
  copyProject()
  await must(root, process.execPath, 'gate/build.ts', home)
  for (const name of packages) await must(folder, 'npm', 'pack', '--silent', join(home, 'build', name))
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }')
  const tarballs = packages.map((name) => join(folder, `${name}-${manifest(join(home, 'build', name)).version}.tgz`))
  await must(consumer, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs)
})

after(() => rmSync(folder, { recursive: true, force: true }))

const manifest = (path: string): { version: string; scripts?: object; exports?: object; dependencies?: object } =>
  JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))

const filesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(path.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((file) => !file.startsWith('node_modules/'))

describe('the published packages', () => {
  for (const name of packages) {
    test(`${name} carries compiled code, its types and its papers, nothing else`, () => {
      const files = filesIn(installed(name))
      const expected =
        /^(?:package\.json|LICENSE|README\.md|CHANGELOG\.md|bin\/tellurion\.cjs|dist\/.+(?:\.js|\.d\.ts))$/
      assert.deepEqual(
        files.filter((file) => !expected.test(file) || file.includes('.test.')),
        [],
      )
      const described = files.flatMap((file) => /^dist\/(.+)\.d\.ts$/.exec(file)?.[1] ?? []).toSorted()
      const sources = filesOf(`packages/${name}/src/**/*.ts`).flatMap(
        ({ path }) => /src\/(.+)(?<!\.test)\.ts$/.exec(path)?.[1] ?? [],
      )
      assert.deepEqual(described, sources.toSorted())
      // Their code is joined: one file a door, and chunks.
      const stray = files.filter(
        (file) =>
          file.endsWith('.js') &&
          !/^dist\/(?:.+\/)?(?:index|main|heart-thread|quickjs-thread|page-thread)\.js$|^dist\/(?:chunk\/)?[\w-]+\.js$/.test(
            file,
          ),
      )
      assert.deepEqual(stray, [])
    })

    test(`${name} names no machine, no source and no pinned Node`, () => {
      const telling = [`${root}/`, `${folder}/`, `${homedir()}/`, '@tellurion/source'].filter((path) => path !== '//')
      for (const file of filesIn(installed(name))) {
        const text = readFileSync(installed(name, file), 'utf8')
        if (file === 'bin/tellurion.cjs') continue
        assert.deepEqual(
          telling.filter((path) => text.includes(path)),
          [],
          file,
        )
      }
      assert.deepEqual(Object.keys(manifest(installed(name)).scripts ?? {}), [])
    })

    test(`${name} satisfies publint`, async () => {
      const { messages } = await publint({ pkgDir: join(home, 'build', name), strict: true, pack: 'npm' })
      assert.deepEqual(messages, [])
    })
  }

  test('weigh at most 3 MB, the dependencies of the library included', (t) => {
    const parts = ['tellurion', ...Object.keys(manifest(installed('tellurion')).dependencies ?? {})]
    const bytes = parts.flatMap((name) => filesIn(installed(name)).map((file) => statSync(installed(name, file)).size))
    const total = bytes.reduce((sum, size) => sum + size, 0)
    t.diagnostic(`${parts.length} packages, ${(total / 1e6).toFixed(2)} MB`)
    assert.ok(total <= 3e6, `${total} bytes`)
  })

  test('bring at most three packages, and no Node', () => {
    assert.deepEqual(Object.keys(manifest(installed('tellurion')).dependencies ?? {}).toSorted(), [
      '@cfworker/json-schema',
    ])
    assert.deepEqual(
      readdirSync(join(consumer, 'node_modules')).filter((name) => /^node(-bin)?-/.test(name)),
      [],
    )
  })
})

const strict = '--strict --exactOptionalPropertyTypes --target es2024 --lib es2024,esnext.disposable,dom'.split(' ')

const typeOptions = (resolution: string): string[] =>
  strict.concat('--module', resolution === 'bundler' ? 'esnext' : resolution, '--moduleResolution', resolution)

const agentProgram = `
import { Agent, tool } from 'tellurion'
import { scriptedModel } from 'tellurion/testing'

const weather = tool({
  description: 'The weather of a place',
  inputSchema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  execute: () => ({ degrees: 21 }),
})
const model = scriptedModel([{ calls: [{ toolName: 'weather', input: { place: 'Oslo' } }] }, 'It is 21 degrees.'])
const { text } = await new Agent({ name: 'guide', model, tools: { weather } }).generate('How is Oslo?')
console.log(text, 'after', model.calls, 'calls')
`

describe('a stranger', () => {
  const specifiers = doors().map(({ specifier }) => specifier)

  test('imports every door', async () => {
    const program = specifiers.map((specifier) => `console.log(Object.keys(await import('${specifier}')).length)`)
    writeFileSync(join(consumer, 'doors.js'), program.join('\n'))
    const counts = (await must(consumer, process.execPath, 'doors.js')).trim().split('\n').map(Number)
    assert.equal(counts.length, specifiers.length)
    assert.ok(counts.every((count) => count > 0))
  })

  test('sees sound types with either resolution, without skipping any', async () => {
    writeFileSync(
      join(consumer, 'types.ts'),
      specifiers.map((name, index) => `export * as d${index} from '${name}'`).join('\n'),
    )
    for (const resolution of ['nodenext', 'bundler'])
      await must(consumer, process.execPath, tsc, ...typeOptions(resolution), '--noEmit', 'types.ts')
  })

  test('writes an agent that calls its tool, type-checked and run', async () => {
    writeFileSync(join(consumer, 'agent.ts'), agentProgram)
    await must(consumer, process.execPath, tsc, ...typeOptions('nodenext'), '--outDir', 'out', 'agent.ts')
    assert.equal(await must(consumer, process.execPath, 'out/agent.js'), 'It is 21 degrees. after 2 calls\n')
  })

  test('starts the command', async () => {
    assert.match(await must(consumer, 'npx', '--no-install', 'tellurion', '--help'), /tellurion/)
  })
})

describe('a project of tellurion init', () => {
  const project = join(consumer, 'app')
  const bin = (name: string): string => join(consumer, 'node_modules', '.bin', name)
  const env = { PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` }

  test('is type-checked, passes its own test, and finds all well', async () => {
    await must(consumer, bin('tellurion'), 'init', 'app')
    const { dependencies } = manifest(project)
    const { version } = manifest(installed('tellurion-server'))
    assert.deepEqual(dependencies, { tellurion: `^${version}`, 'tellurion-server': `^${version}` })
    const types = ['--typeRoots', join(root, 'node_modules/@types')]
    await must(project, process.execPath, tsc, '-p', '.', ...types)
    const { code, stdout } = await runCommand('npm', ['test'], { cwd: project, env })
    assert.equal(code, 0, stdout)
    assert.match(stdout, /pass 2\b/)
    const doctor = await runCommand(bin('tellurion'), ['doctor', '--json'], {
      cwd: project,
      env: { ...env, SERVER_PORT: '0' },
    })
    assert.equal(doctor.code, 0, doctor.stdout)
  })

  test('serves its agent', async () => {
    const child = spawn(bin('tellurion'), ['serve', '--json'], {
      cwd: project,
      env: { ...env, SERVER_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'close')
    try {
      const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
      const { url, agents } = JSON.parse(line) as { url: string; agents: string[] }
      assert.deepEqual(agents, ['guide'])
      const headers = {
        authorization: `Bearer ${readFileSync(join(project, 'data/token'), 'utf8').trim()}`,
        'content-type': 'application/json',
      }
      const body = JSON.stringify({ input: 'use convert {"celsius": 100}' })
      const { id } = (await (await fetch(`${url}/api/v1/runs`, { method: 'POST', headers, body })).json()) as {
        id: string
      }
      assert.match(await (await fetch(`${url}/api/v1/runs/${id}/result`, { headers })).text(), /212/)
    } finally {
      child.kill('SIGTERM')
    }
    assert.deepEqual(await ended, [0, null])
  })
})
