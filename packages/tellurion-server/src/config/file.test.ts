import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { findConfigFile, readConfigFile } from './file.ts'

const folder = mkdtempSync(join(tmpdir(), 'config-file-'))
after(() => rmSync(folder, { recursive: true }))

let count = 0

/** The path of a new file that holds this. */
function fileWith(content: string | Uint8Array, extension = 'json'): string {
  const path = join(folder, `c${++count}.${extension}`)
  writeFileSync(path, content)
  return path
}

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

describe('a .json file', () => {
  test('is data', async () =>
    assert.deepEqual(await readConfigFile(fileWith('{ "server": { "port": 1 } }')), { server: { port: 1 } }))

  const broken: readonly [what: string, content: string | Uint8Array, message: RegExp][] = [
    ['a comma too many', '{\n  "a": 1,\n}', /^c\d+\.json:3:1: the JSON is malformed here; look at commas/],
    ['an end too early', '{ "a": [1', /^c\d+\.json:1:\d+: the JSON is malformed/],
    ['nothing', '', /^c\d+\.json:1:1: the JSON is malformed/],
    ['a text around a secret', '{ "token": "hush" "a": 1 }', /^c\d+\.json:1:\d+: [^h]*the JSON/],
    ['bytes that are no text', Uint8Array.of(0x7b, 0xff, 0x7d), /it is not UTF-8 text\.$/],
    ['much too much', ' '.repeat(1_048_577), /it is longer than 1048576 bytes\.$/],
    ['a nesting without end', deep(5000), /nested deeper than 16 levels|malformed/],
    ['a nesting a little too deep', `{"a":${deep(17)}}`, /nested deeper than 16 levels\.$/],
  ]
  for (const [what, content, message] of broken)
    test(`with ${what} is refused`, () =>
      assert.rejects(readConfigFile(fileWith(content)), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'invalid_configuration')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /hush|\n/)
        return true
      }))
})

describe('a program', () => {
  test('gives its default export, TypeScript or not, awaited', async () => {
    const typed = 'const port: number = 9000\nexport default { server: { port } }\n'
    assert.deepEqual(await readConfigFile(fileWith(typed, 'ts')), { server: { port: 9000 } })
    assert.deepEqual(await readConfigFile(fileWith('export default Promise.resolve({ a: 1 })', 'mjs')), { a: 1 })
  })

  const broken: readonly [what: string, text: string, message: RegExp][] = [
    ['a syntax error', 'export default {\n  server: {\n', /^c\d+\.ts: it cannot be loaded: line \d+: .+\.$/],
    ['types that need a compiler', 'enum A { B }\nexport default {}', /it cannot be loaded: .*enum/i],
    ['an import that is not there', "import 'absent-package'\nexport default {}", /cannot be loaded: .*absent-package/],
    ['a throw', "throw new Error('no luck')", /cannot be loaded: line 1: no luck\.$/],
    ['a throw of no error', 'throw 7', /cannot be loaded: it throws something that is no error\.$/],
    ['a rejection', "export default Promise.reject(new Error('no luck'))", /cannot be loaded: .*no luck\.$/],
    ['no default export', 'export const server = {}', /it has no default export: write `export default/],
  ]
  for (const [what, text, message] of broken)
    test(`with ${what} is refused`, () =>
      assert.rejects(readConfigFile(fileWith(text, 'ts')), { code: 'invalid_configuration', message }))
})

describe('what is no file to read', () => {
  test('is refused: a folder, another ending, a pipe', async () => {
    mkdirSync(join(folder, 'tellurion.config.json'))
    await assert.rejects(readConfigFile(join(folder, 'tellurion.config.json')), { message: /it is no regular file\.$/ })
    await assert.rejects(readConfigFile(fileWith('{}', 'yaml')), { message: /ends in \.ts, \.js or \.json\.$/ })
    if (process.platform === 'win32') return
    const pipe = join(folder, 'pipe.json')
    spawnSync('mkfifo', [pipe])
    await assert.rejects(readConfigFile(pipe), { message: /it is no regular file\.$/ })
  })

  test('is refused: a file that may not be read', { skip: process.getuid?.() === 0 }, async () => {
    const path = fileWith('{}')
    chmodSync(path, 0)
    await assert.rejects(readConfigFile(path), { message: /the system does not allow reading it\.$/ })
  })
})

test('the file of a folder is found by its name', () => {
  const place = mkdtempSync(join(folder, 'p-'))
  assert.equal(findConfigFile(place), undefined)
  writeFileSync(join(place, 'tellurion.config.ts'), '')
  assert.equal(findConfigFile(place), join(place, 'tellurion.config.ts'))
})
