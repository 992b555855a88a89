// The corpus of paths: what a model may write, and what comes of it in every tool.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { Json } from '../schema/json.ts'
import { createArtifacts } from '../tool/artifact.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { fileTools } from './file-tools.ts'
import { readPlace } from './place.ts'
import { createWorkspace } from './workspace.ts'

const good: [path: string, place: string][] = [
  ['a.txt', 'a.txt'],
  ['src/main.ts', 'src/main.ts'],
  ['./a.txt', 'a.txt'],
  ['src//main.ts', 'src/main.ts'],
  ['src/./main.ts', 'src/main.ts'],
  ['src/', 'src'],
  ['.', ''],
  ['', ''],
  ['./././', ''],
  ['.env', '.env'],
  ['...', '...'],
  ['a..b', 'a..b'],
  ['..a', '..a'],
  ['a..', 'a..'],
  ['~', '~'],
  ['~/x', '~/x'],
  ['$HOME/x', '$HOME/x'],
  ['%2e%2e/x', '%2e%2e/x'],
  ['%2e%2e%2fetc%2fpasswd', '%2e%2e%2fetc%2fpasswd'],
  ['-rf', '-rf'],
  ['--help', '--help'],
  ['a b', 'a b'],
  ['ünï/cödé.md', 'ünï/cödé.md'],
  ['日本語.txt', '日本語.txt'],
  ['．．/x', '．．/x'],
  ['a／b', 'a／b'],
  ['a∕b', 'a∕b'],
  ['*.ts', '*.ts'],
  ['con.ts', 'con.ts'],
  ['ab:c', 'ab:c'],
]

const bad: [path: unknown, message: RegExp][] = [
  ['..', /without '\.\.'/],
  ['../x', /without '\.\.'/],
  ['../../etc/passwd', /without '\.\.'/],
  ['a/../b', /without '\.\.'/],
  ['a/..', /without '\.\.'/],
  ['./../x', /without '\.\.'/],
  ['a/./../../x', /without '\.\.'/],
  ['..//x', /without '\.\.'/],
  ['/', /absolute/],
  ['//', /absolute/],
  ['/etc/passwd', /absolute/],
  ['//etc/passwd', /absolute/],
  ['/proc/self/environ', /absolute/],
  ['/dev/stdin', /absolute/],
  ['/../x', /absolute/],
  ['..\\x', /with \/ between/],
  ['a\\b', /with \/ between/],
  ['\\\\server\\share', /with \/ between/],
  ['\\\\?\\C:\\x', /with \/ between/],
  ['C:\\Windows\\win.ini', /with \/ between/],
  ['C:/Windows/win.ini', /names a drive/],
  ['c:x', /names a drive/],
  ['z:', /names a drive/],
  ['a\0b', /control characters/],
  ['a.txt\0.png', /control characters/],
  ['\0', /control characters/],
  ['a\nb', /control characters/],
  ['a\rb', /control characters/],
  ['a\tb', /control characters/],
  ['a\u007fb', /control characters/],
  ['a\u0085b', /control characters/],
  ['a\u001b[2Jb', /control characters/],
  ['.\u200bgit/config', /cannot be seen/],
  ['.g\u200cit/config', /cannot be seen/],
  ['\ufeffa', /cannot be seen/],
  ['a\u202etxt.exe', /cannot be seen/],
  ['a\u2066b', /cannot be seen/],
  ['a\u00adb', /cannot be seen/],
  ['a\u2028b', /cannot be seen/],
  ['a\ud800b', /cannot be seen/],
  ['a\udc00', /cannot be seen/],
  ['\u{e0041}', /cannot be seen/],
  ['a\ufffdb', /bytes which are no text/],
  ['x'.repeat(256), /longer than 255 bytes/],
  [`a/${'ü'.repeat(128)}`, /longer than 255 bytes/],
  ['a/'.repeat(600), /longer than 1024 characters/],
  ['a/'.repeat(65), /more than 64 names/],
  [7, /is a text/],
  [null, /is a text/],
  [['a'], /is a text/],
  [{ toString: () => 'a' }, /is a text/],
]

const onWindows: [path: string, message: RegExp | undefined][] = [
  ['con', /names a device/],
  ['src/NUL', /names a device/],
  ['nul.txt', /names a device/],
  ['COM1.log', /names a device/],
  ['lpt¹', /names a device/],
  ['aux .txt', /names a device/],
  ['CONIN$', /names a device/],
  ['a.txt:stream', /one of the characters/],
  ['a.txt::$DATA', /one of the characters/],
  ['a?.txt', /one of the characters/],
  ['a*', /one of the characters/],
  ['a|b', /one of the characters/],
  ['<a>', /one of the characters/],
  ['a.txt.', /dot or a space/],
  ['a.txt ', /dot or a space/],
  ['...', /dot or a space/],
  ['a /b', /dot or a space/],
  ['GIT~1/config', /short name of another/],
  ['PROGRA~1', /short name/],
  ['console.ts', undefined],
  ['com10', undefined],
]

describe('a place', () => {
  it('is read from whatever leads under the root', () => {
    for (const [path, place] of good) assert.equal(readPlace(path).path, place, JSON.stringify(path))
  })

  it('is refused for whatever could lead elsewhere, or be taken for something else', () => {
    for (const [path, message] of bad) {
      assert.throws(() => readPlace(path), { code: 'file_access', message }, JSON.stringify(path))
    }
  })

  it('knows the names that Windows takes for others', () => {
    for (const [path, message] of onWindows) {
      if (message === undefined) assert.ok(readPlace(path, { windows: true }).path, path)
      else assert.throws(() => readPlace(path, { windows: true }), { code: 'file_access', message }, path)
      assert.equal(readPlace(path).path, path)
    }
  })

  it('never has a name that leads up or on, whatever it was read from', () => {
    const unit = fc.constantFrom('a', '.', '..', '/', '\\', ':', '\0', '\u200b', 'é', '~', ' ', '%2e')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (path) => {
        try {
          const { names } = readPlace(path)
          for (const name of names) assert.ok(!['', '.', '..'].includes(name) && !/[/\\\0]/.test(name))
        } catch (error) {
          assert.equal((error as { code: string }).code, 'file_access')
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('every tool', () => {
  const base = mkdtempSync(join(tmpdir(), 'tellurion-place-'))
  after(() => rmSync(base, { recursive: true }))
  const root = join(base, 'root')
  mkdirSync(root)
  writeFileSync(join(root, 'a.txt'), 'inside\n')
  writeFileSync(join(base, 'x'), 'canary\n')
  const workspace = createWorkspace({ root })
  const toolbox = createToolbox(fileTools(workspace) as Parameters<typeof createToolbox>[0])
  const results = { artifacts: createArtifacts(memoryKeyValue(), 's') }
  const calls = (path: Json): [string, Json][] => [
    ['readFile', { path }],
    ['writeFile', { path, content: 'harm' }],
    ['editFile', { path, edits: [{ at: 'start', text: 'harm' }] }],
    ['deleteFile', { path }],
    ['moveFile', { from: path, to: 'stolen' }],
    ['moveFile', { from: 'a.txt', to: path }],
    ['listFiles', { path }],
    ['globFiles', { glob: '**', path }],
    ['grepFiles', { pattern: 'canary', path }],
  ]

  it('refuses every such path, and touches nothing', async () => {
    let refusals = 0
    for (const [path] of bad) {
      for (const [name, input] of calls(path as Json)) {
        const outcome = await toolbox.execute(name, input, { results })
        assert.equal(outcome.isError, true, `${name} ${JSON.stringify(path)}`)
        assert.match(String(outcome.code), /^(file_access|tool_input_invalid)$/)
        assert.ok(!String(outcome.content).includes('canary\n'))
        refusals++
      }
    }
    assert.equal(refusals, bad.length * 9)
    assert.deepEqual(readdirSync(base).sort(), ['root', 'x'])
    assert.deepEqual(readdirSync(root), ['a.txt'])
    assert.equal(readFileSync(join(base, 'x'), 'utf8'), 'canary\n')
    assert.equal(readFileSync(join(root, 'a.txt'), 'utf8'), 'inside\n')
  })

  it('takes every other path for one under the root, however odd', async () => {
    const names = good
      .map(([, place]) => place)
      .filter((place) => !['', 'src'].includes(place) && !place.endsWith('/x'))
    for (const place of new Set(names)) {
      const wrote = await toolbox.execute(
        'writeFile',
        { path: place, content: place },
        { results, idempotencyKey: place },
      )
      assert.equal(wrote.isError, undefined, String(wrote.content))
      const full = join(root, ...place.split('/'))
      assert.ok(full.startsWith(`${root}/`))
      assert.equal(readFileSync(full, 'utf8'), place)
    }
    assert.deepEqual(readdirSync(base).sort(), ['root', 'x'])
  })
})
