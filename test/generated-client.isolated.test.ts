// A client that a stranger's generator writes from the served OpenAPI document: it is sound TypeScript, its types hold
// something, and it can ask a live server everything.

import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { routes, type RouteName } from 'tellurion/protocol'
import { runCommand } from '../gate/program.ts'
import { root } from '../gate/source.ts'
import { routeOf } from './route-of.ts'
import { openServerDesk, people, type ServerDesk } from './server-desk.ts'

const folder = mkdtempSync(join(tmpdir(), 'generated-'))
const client = join(folder, 'client.ts')
let desk: ServerDesk
let url = ''

const node = (...args: string[]): ReturnType<typeof runCommand> => runCommand(process.execPath, args, { cwd: folder })
const tsc = (): ReturnType<typeof runCommand> => node(join(root, 'node_modules/typescript/lib/tsc.js'), '-p', folder)

before(async () => {
  desk = await openServerDesk()
  ;({ url } = await desk.server.listen())
  writeFileSync(join(folder, 'openapi.json'), await (await fetch(`${url}/openapi.json`)).text())
  const generator = join(root, 'node_modules/swagger-typescript-api/dist/cli.mjs')
  const style = ['--module-name-first-tag', '--enum-style=union', '--type-only-imports', '--silent']
  const { code, stderr } = await node(
    generator,
    'generate',
    '-p',
    'openapi.json',
    '-o',
    '.',
    '-n',
    'client.ts',
    ...style,
  )
  assert.equal(code, 0, stderr)
  // Generated files ask not to be checked.
  writeFileSync(client, readFileSync(client, 'utf8').replace('// @ts-nocheck', ''))
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  copyFileSync(join(root, 'test/fixture/generated-client.ts'), join(folder, 'program.ts'))
})
after(async () => {
  await desk.close()
  rmSync(folder, { recursive: true, force: true })
})

/** As strict as this project is, but for what the generator's own request code does not keep to. */
const compilerOptions = {
  target: 'es2024',
  lib: ['es2024', 'dom', 'dom.iterable'],
  module: 'nodenext',
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitReturns: true,
  noFallthroughCasesInSwitch: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
}

describe('a generated client', () => {
  test('has a type for everything that has a name, and a method for every operation', () => {
    const text = readFileSync(client, 'utf8')
    const { schemas } = desk.document['components'] as { schemas: Record<string, object> }
    for (const name of Object.keys(schemas)) assert.match(text, new RegExp(`^export (interface|type) ${name}\\b`, 'm'))
    for (const name of Object.keys(routes)) assert.match(text, new RegExp(`^ {4}${name}: \\(`, 'm'))
    assert.doesNotMatch(text, /9007199254740991/, 'bounds that are none')
  })

  test('is well typed, and so is who uses it', async () => {
    const { code, stdout } = await tsc()
    assert.equal(code, 0, stdout)
  })

  test('is checked with eyes', async () => {
    const wrong = join(folder, 'wrong.ts')
    const lines = [
      "import { Api } from './client.ts'",
      "void new Api().runs.getRun('x').then(({ data }) => data.colour)",
    ]
    writeFileSync(wrong, lines.join('\n'))
    const { code, stdout } = await tsc()
    rmSync(wrong)
    assert.notEqual(code, 0)
    assert.match(stdout, /wrong\.ts\(2,.*'colour'/)
  })

  test('asks a live server everything, and is told what goes wrong', async (t) => {
    const { code, stdout, stderr } = await node(join(folder, 'program.ts'), url, people.ada.token, people.root.token)
    assert.equal(code, 0, stderr)
    const asked = (JSON.parse(stdout) as string[]).map((line) => line.split(' ') as [string, string, string])
    t.diagnostic(`${asked.length} requests`)
    const met = asked.map(([method, path, status]) => ({
      route: routeOf(method, path),
      status: Number(status),
    }))
    const well = new Set(met.filter(({ status }) => status < 400).map(({ route }) => route))
    // A WebSocket is nothing that is fetched, and MCP has clients of its own.
    const others = ['socket', 'mcpMessage', 'mcpStream', 'mcpEnd']
    const missing = Object.keys(routes).filter((name) => !others.includes(name) && !well.has(name as RouteName))
    assert.deepEqual(missing, [])
    assert.deepEqual(
      [...new Set(met.map(({ status }) => status).filter((status) => status >= 400))].sort(),
      [401, 403, 404, 422, 426],
    )
  })
})
