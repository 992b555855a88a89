import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { systemClock } from '../clock/clock.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { Json } from '../schema/json.ts'
import { createArtifacts } from '../tool/artifact.ts'
import type { ToolOutcome } from '../tool/result.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { fileTools } from './file-tools.ts'
import { createWorkspace, type WorkspaceOptions } from './workspace.ts'

const base = mkdtempSync(join(tmpdir(), 'tellurion-tools-'))
after(() => rmSync(base, { recursive: true }))
let count = 0

interface Bench {
  readonly root: string
  /** What a tool says, or throws when it failed. */
  say(name: string, input: Json): Promise<string>
  outcome(name: string, input: Json): Promise<ToolOutcome>
  /** What a tool says when it fails. */
  fails(name: string, input: Json): Promise<string>
  read(path: string): string
}

function bench(files: Record<string, string | Uint8Array> = {}, options: Partial<WorkspaceOptions> = {}): Bench {
  const root = join(base, String(++count))
  mkdirSync(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const toolbox = createToolbox({ ...fileTools(createWorkspace({ root, ...options })) })
  const results = { artifacts: createArtifacts(memoryKeyValue(), 's'), maxLength: 1_000_000 }
  const outcome: Bench['outcome'] = (name, input) =>
    toolbox.execute(name, input, { results, idempotencyKey: `k${++count}` })
  const told = async (name: string, input: Json, isError: true | undefined): Promise<string> => {
    const ended = await outcome(name, input)
    assert.equal(ended.isError, isError, String(ended.content))
    return String(ended.content)
  }
  return {
    root,
    outcome,
    say: (name, input) => told(name, input, undefined),
    fails: (name, input) => told(name, input, true),
    read: (path) => readFileSync(join(root, path), 'utf8'),
  }
}

const anchorIn = (shown: string, number: number): string =>
  new RegExp(`(?:^|:)(${number}:\\w{4})\\|`, 'm').exec(shown)![1]!

describe('readFile', () => {
  it('shows lines with anchors, and how they end', async () => {
    const { say } = bench({ 'a.txt': 'one\n\ntwo\n', 'crlf.txt': 'a\r\nb', 'mixed.txt': 'a\r\nb\n', 'empty.txt': '' })
    assert.match(
      await say('readFile', { path: 'a.txt' }),
      /^a\.txt, lines 1 to 3 of 3\n1:\w{4}\|one\n2:\w{4}\|\n3:\w{4}\|two$/,
    )
    assert.match(
      await say('readFile', { path: 'crlf.txt' }),
      /^crlf\.txt, lines 1 to 2 of 2, ending with CRLF\n1:\w{4}\|a\n2:\w{4}\|b\n\[no newline at the end\]$/,
    )
    assert.match(await say('readFile', { path: 'mixed.txt' }), /some ending with CRLF/)
    assert.equal(await say('readFile', { path: 'empty.txt' }), 'empty.txt is empty.')
  })

  it('shows ranges, and pages of what does not fit into one answer', async () => {
    const { say, fails } = bench({ 'long.txt': Array.from({ length: 2_000 }, (_, n) => `line ${n + 1}\n`).join('') })
    assert.match(await say('readFile', { path: 'long.txt', from: 1999, to: 5000 }), /lines 1999 to 2000 of 2000\n1999:/)
    assert.match(await fails('readFile', { path: 'long.txt', from: 2001 }), /has lines 1 to 2000, not 2001/)
    assert.match(await fails('readFile', { path: 'long.txt', from: 5, to: 4 }), /not 5 to 4/)
    const seen: number[] = []
    for (let from: number | undefined = 1; from !== undefined;) {
      const page = await say('readFile', { path: 'long.txt', from })
      assert.ok(page.length < 10_000)
      for (const [, number] of page.matchAll(/^(\d+):\w{4}\|line \1$/gm)) seen.push(Number(number))
      const next: string | undefined = /go on with from: (\d+)/.exec(page)?.[1]
      from = next === undefined ? undefined : Number(next)
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 2_000 }, (_, n) => n + 1),
    )
  })

  it('reads 200 KB and no more, and cuts one long line', async () => {
    const { say, fails, root } = bench({ 'max.txt': 'x'.repeat(200 * 1024), 'over.txt': 'x'.repeat(200 * 1024 + 1) })
    assert.match(await say('readFile', { path: 'max.txt' }), /1:\w{4}\|x{2000}…\n\[no newline/)
    const over = await fails('readFile', { path: 'over.txt' })
    assert.match(
      over,
      /over\.txt has 200 KB, more than the 200 KB that are read at one time; grepFiles finds lines in it\./,
    )
    writeFileSync(join(root, 'huge.txt'), '')
    truncateSync(join(root, 'huge.txt'), 5 * 1024 ** 3)
    assert.match(await fails('readFile', { path: 'huge.txt' }), /huge\.txt has 5242880 KB, .* at one time\.$/)
    rmSync(join(root, 'huge.txt'))
  })

  it('says which name may have been meant, if that is no secret', async () => {
    const { fails } = bench({ 'src/main.ts': '', '.env.local': '' }, { hidden: ['.env*'] })
    assert.match(
      await fails('readFile', { path: 'src/mian.ts' }),
      /no file src\/mian\.ts\. Did you mean src\/main\.ts\?/,
    )
    assert.match(await fails('readFile', { path: 'scr/main.ts' }), /no folder scr\. Did you mean src\?/)
    assert.doesNotMatch(await fails('readFile', { path: 'env.local' }), /Did you mean/)
  })

  it('shows no bytes that are no text', async () => {
    const bytes = (...each: number[]): Uint8Array => Uint8Array.from(each)
    const files = {
      nul: bytes(97, 0, 98),
      latin1: bytes(0x66, 0xfc, 0x72),
      overlong: bytes(0x2f, 0xc0, 0xaf),
      surrogate: bytes(0xed, 0xa0, 0x80),
      cut: bytes(0x61, 0xe2, 0x82),
      beyond: bytes(0xf4, 0x90, 0x80, 0x80),
      utf16: bytes(0xff, 0xfe, 0x61, 0),
      utf16be: bytes(0xfe, 0xff, 0, 0x61),
      utf32: bytes(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0),
    }
    const { fails, say } = bench({ ...files, bom: '\ufeffone\n' })
    assert.match(await fails('readFile', { path: 'nul' }), /nul is binary, of 3 bytes/)
    for (const path of ['latin1', 'overlong', 'surrogate', 'cut', 'beyond'])
      assert.match(await fails('readFile', { path }), /is not valid UTF-8 text/, path)
    assert.match(await fails('readFile', { path: 'utf16' }), /is UTF-16 text; only UTF-8 is read/)
    assert.match(await fails('readFile', { path: 'utf16be' }), /is UTF-16 text/)
    assert.match(await fails('readFile', { path: 'utf32' }), /is UTF-32 text/)
    assert.match(await say('readFile', { path: 'bom' }), /1:\w{4}\|one$/)
    const editing = { path: 'nul', edits: [{ at: 'start', text: 'x' }] }
    assert.match(await fails('editFile', editing), /is binary; it is not edited/)
  })
})

describe('writeFile', () => {
  it('writes new files with their folders, and in the place of others', async () => {
    const { say, read } = bench()
    assert.equal(await say('writeFile', { path: 'a/b/c.txt', content: 'ü\n' }), 'Wrote a/b/c.txt: 3 bytes, new.')
    assert.equal(
      await say('writeFile', { path: 'a/b/c.txt', content: '2' }),
      'Wrote a/b/c.txt: 1 bytes, in the place of 3 bytes.',
    )
    assert.equal(read('a/b/c.txt'), '2')
    await say('writeFile', { path: 'empty', content: '' })
    assert.equal(read('empty'), '')
  })

  it('keeps mode and byte order mark, and leaves nothing beside', async () => {
    const { say, root } = bench({ 'run.sh': 'old', 'bom.txt': '\ufeffold' })
    chmodSync(join(root, 'run.sh'), 0o751)
    await say('writeFile', { path: 'run.sh', content: 'new' })
    assert.equal(statSync(join(root, 'run.sh')).mode & 0o7777, 0o751)
    await say('writeFile', { path: 'bom.txt', content: 'new' })
    assert.deepEqual([...readFileSync(join(root, 'bom.txt')).subarray(0, 3)], [0xef, 0xbb, 0xbf])
    assert.deepEqual(readdirSync(root).sort(), ['bom.txt', 'run.sh'])
  })

  it('carries no special bits over to new content', async () => {
    const { say, root } = bench({ tool: 'old' })
    chmodSync(join(root, 'tool'), 0o4755)
    await say('writeFile', { path: 'tool', content: 'new' })
    assert.equal(statSync(join(root, 'tool')).mode & 0o7777, 0o755)
  })

  it('changes nothing where the old bytes cannot be kept', async () => {
    const { root, read } = bench({ 'a.txt': 'precious' })
    const toolbox = createToolbox({ ...fileTools(createWorkspace({ root })) })
    const full = { artifacts: createArtifacts(memoryKeyValue(), 's', { limit: 4 }) }
    for (const results of [undefined, full]) {
      for (const [name, input] of [
        ['writeFile', { path: 'a.txt', content: 'x' }],
        ['deleteFile', { path: 'a.txt' }],
        ['moveFile', { from: 'a.txt', to: 'b.txt' }],
        ['editFile', { path: 'a.txt', edits: [{ at: 'start', text: 'x' }] }],
      ] as const) {
        const { content, isError } = await toolbox.execute(name, input, { results })
        assert.ok(isError)
        assert.match(String(content), /cannot be kept: .* undo: false changes files without keeping them/)
      }
    }
    assert.equal(read('a.txt'), 'precious')
    assert.deepEqual(readdirSync(root), ['a.txt'])
    const careless = createToolbox({ ...fileTools(createWorkspace({ root, undo: false })) })
    const { kept } = await careless.execute('writeFile', { path: 'a.txt', content: 'x' }, { results: full })
    assert.deepEqual([read('a.txt'), kept], ['x', undefined])
  })

  it('keeps the old bytes and a record of what was done', async () => {
    const { outcome } = bench({ 'a.txt': 'old' })
    const { kept } = await outcome('writeFile', { path: 'a.txt', content: 'new' })
    assert.deepEqual(
      kept?.map(({ name, size }) => [name, size > 100 ? 'more' : size]),
      [
        ['old content', 3],
        ['file changes', 'more'],
      ],
    )
    assert.equal((await outcome('writeFile', { path: 'a.txt', content: 'new' })).kept, undefined)
  })
})

describe('editFile', () => {
  it('edits by anchors that readFile, grepFiles and the edit before have shown', async () => {
    const { say, read } = bench({ 'a.ts': 'const a = 1\nconst b = 2\nconst c = 3\n' })
    const shown = await say('readFile', { path: 'a.ts' })
    const after = await say('editFile', {
      path: 'a.ts',
      edits: [{ at: anchorIn(shown, 2), text: 'let b = 2\nlet d = 4' }],
    })
    assert.match(after, /^Edited a\.ts, now of 4 lines\.\n1:\w{4}\|const a = 1\n2:\w{4}\|let b = 2\n/)
    await say('editFile', { path: 'a.ts', edits: [{ at: anchorIn(after, 3) }] })
    const found = await say('grepFiles', { pattern: 'c = \\d' })
    await say('editFile', { path: 'a.ts', edits: [{ at: anchorIn(found, 3), action: 'before', text: '// last' }] })
    assert.equal(read('a.ts'), 'const a = 1\nlet b = 2\n// last\nconst c = 3\n')
  })

  it('refuses a stale edit, changes nothing, and says how to go on', async () => {
    const { say, fails, read, root } = bench({ 'a.txt': 'one\ntwo\nthree\n' })
    const shown = await say('readFile', { path: 'a.txt' })
    writeFileSync(join(root, 'a.txt'), 'zero\none\ntwo\nthree\n')
    const edits = [
      { at: anchorIn(shown, 1), text: 'ONE' },
      { at: anchorIn(shown, 3), text: 'THREE' },
    ]
    const message = await fails('editFile', { path: 'a.txt', edits })
    assert.match(message, /is not what the edit was made for.*Nothing was changed.*The lines are now:\n/s)
    assert.equal(read('a.txt'), 'zero\none\ntwo\nthree\n')
    const fresh = anchorIn(await say('readFile', { path: 'a.txt' }), 4)
    await say('editFile', { path: 'a.txt', edits: [{ at: fresh, text: 'THREE' }] })
    assert.equal(read('a.txt'), 'zero\none\ntwo\nTHREE\n')
  })

  it('keeps byte order mark, CRLF, the missing last newline and the mode', async () => {
    const { say, root } = bench({ 'a.txt': '\ufeffone\r\ntwo' })
    chmodSync(join(root, 'a.txt'), 0o600)
    const shown = await say('readFile', { path: 'a.txt' })
    await say('editFile', { path: 'a.txt', edits: [{ at: anchorIn(shown, 1), text: '1\n1.5\n' }] })
    assert.equal(readFileSync(join(root, 'a.txt'), 'utf8'), '\ufeff1\r\n1.5\r\ntwo')
    assert.equal(statSync(join(root, 'a.txt')).mode & 0o777, 0o600)
  })

  it('says when there is nothing to change, and edits no file that is not there', async () => {
    const { say, fails } = bench({ 'a.txt': 'one\n' })
    const at = anchorIn(await say('readFile', { path: 'a.txt' }), 1)
    assert.equal(await say('editFile', { path: 'a.txt', edits: [{ at, text: 'one' }] }), 'a.txt is so already.')
    assert.match(await fails('editFile', { path: 'b.txt', edits: [{ at, text: 'x' }] }), /There is no file b\.txt/)
  })
})

describe('deleteFile and moveFile', () => {
  it('do so, over nothing', async () => {
    const { say, fails, read, root } = bench({ 'a.txt': 'a', 'b.txt': 'b' })
    assert.match(await fails('moveFile', { from: 'a.txt', to: 'b.txt' }), /b\.txt is there already/)
    assert.equal(await say('moveFile', { from: 'a.txt', to: 'deep/c.txt' }), 'Moved a.txt to deep/c.txt.')
    assert.equal(read('deep/c.txt'), 'a')
    assert.equal(await say('deleteFile', { path: 'b.txt' }), 'Deleted b.txt.')
    assert.match(await fails('deleteFile', { path: 'b.txt' }), /There is no file b\.txt/)
    assert.match(await fails('moveFile', { from: 'gone', to: 'x' }), /There is no file gone/)
    assert.match(await fails('moveFile', { from: 'deep/c.txt', to: 'deep/c.txt' }), /is there already/)
    assert.match(await fails('deleteFile', { path: 'deep' }), /is a folder/)
    assert.match(await fails('deleteFile', { path: '.' }), /path leads to the root/)
    assert.deepEqual(readdirSync(root), ['deep'])
  })

  it('keep the mode', async () => {
    const { say, root } = bench({ 'run.sh': 'x' })
    chmodSync(join(root, 'run.sh'), 0o750)
    await say('moveFile', { from: 'run.sh', to: 'go.sh' })
    assert.equal(statSync(join(root, 'go.sh')).mode & 0o777, 0o750)
    assert.ok(!existsSync(join(root, 'run.sh')))
  })
})

describe('listFiles and globFiles', () => {
  it('show what there is, in order', async () => {
    const { say } = bench({ 'b.ts': '', 'a/x.ts': '', 'a/y.js': '', 'node_modules/z/i.ts': '', '.git/config': '' })
    assert.equal(await say('listFiles', {}), '.git/\na/\nb.ts\nnode_modules/')
    assert.equal(await say('listFiles', { path: 'a' }), 'x.ts\ny.js')
    assert.equal(await say('globFiles', { glob: '*.ts' }), 'b.ts\na/x.ts')
    assert.equal(await say('globFiles', { glob: 'a/*.{ts,js}' }), 'a/x.ts\na/y.js')
    assert.equal(await say('globFiles', { glob: '*.ts', path: 'node_modules' }), 'node_modules/z/i.ts')
    assert.equal(await say('globFiles', { glob: '*.py' }), 'No file matches *.py.')
  })

  it('page what is much', async () => {
    const names = Array.from({ length: 450 }, (_, n) => `f${String(n).padStart(3, '0')}`)
    const { say } = bench(Object.fromEntries(names.map((name) => [name, ''])))
    const seen: string[] = []
    for (let after: string | undefined = ''; after !== undefined;) {
      const page = await say('listFiles', { after })
      seen.push(...page.split('\n').filter((line) => line.startsWith('f')))
      after = /after: "(\w+)"/.exec(page)?.[1]
    }
    assert.deepEqual(seen, names)
    assert.match(await say('listFiles', { after: 'z' }), /nothing behind z/)
  })
})

describe('grepFiles', () => {
  it('finds lines in files, in order, with their surroundings', async () => {
    const { say } = bench({
      'a.txt': 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n',
      'b/c.txt': 'TWO\r\nmore\r\n',
      bin: Uint8Array.of(116, 119, 111, 0),
    })
    assert.match(await say('grepFiles', { pattern: '^two$' }), /^a\.txt:2:\w{4}\|two\n\[1 passed over as no text\]$/)
    assert.match(
      await say('grepFiles', { pattern: '^two$', ignoreCase: true, glob: '*.txt' }),
      /^a\.txt:2.*\nb\/c\.txt:1:\w{4}\|TWO$/,
    )
    const around = await say('grepFiles', { pattern: 'two|six', context: 1, path: 'a.txt' })
    assert.deepEqual(
      around.split('\n').map((line) => line.replace(/:\w{4}\|/, ' ')),
      ['a.txt:1 one', 'a.txt:2 two', 'a.txt:3 three', '--', 'a.txt:5 five', 'a.txt:6 six', 'a.txt:7 seven'],
    )
    assert.equal(await say('grepFiles', { pattern: 'o', filesOnly: true, glob: '*.txt' }), 'a.txt\nb/c.txt')
    assert.match(await say('grepFiles', { pattern: 'zero' }), /^Nothing matches\./)
  })

  it('ends with any pattern, and bounds what it says', async () => {
    const { say, fails } = bench({ 'a.txt': `${'a'.repeat(100_000)}!\n`, 'many.txt': 'hit\n'.repeat(5_000) })
    assert.match(await say('grepFiles', { pattern: '(a+)+$', path: 'a.txt' }), /^Nothing matches/)
    const many = await say('grepFiles', { pattern: 'hit' })
    assert.ok(many.length < 10_000)
    assert.match(many, /there are more/)
    const long = await say('grepFiles', { pattern: '!$', path: 'a.txt' })
    assert.ok(long.length < 400)
    assert.match(await fails('grepFiles', { pattern: '(?=a)' }), /looking ahead or behind is not supported/)
    assert.match(await fails('grepFiles', { pattern: 'a', path: 'gone' }), /There is no file gone/)
  })

  it('shows what it has found when its time is over', async () => {
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`d${n}/f`, 'hit']))
    const { say } = bench(files, { limits: { searchTime: 1 } })
    assert.match(await say('grepFiles', { pattern: 'hit', filesOnly: true }), /stopped after 1 ms: name a folder/)
  })

  it('stops when it is told to', async () => {
    const { root } = bench(Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`d${n}/f`, 'x'])))
    const toolbox = createToolbox({ ...fileTools(createWorkspace({ root })) })
    const controller = new AbortController()
    const pending = toolbox.execute('grepFiles', { pattern: 'y' }, { signal: controller.signal })
    systemClock.timer(1, () => controller.abort())
    assert.equal((await pending).code, 'aborted')
  })
})

describe('arguments', () => {
  it('that no tool can take are refused, and nothing happens', async () => {
    const { outcome, read, root } = bench({ 'a.txt': 'one\n' })
    const edit = (edits: Json): Json => ({ path: 'a.txt', edits })
    const corpus: [string, Json, string][] = [
      ['readFile', {}, 'tool_input_invalid'],
      ['readFile', { path: 7 }, 'tool_input_invalid'],
      ['readFile', { path: ['a.txt'] }, 'tool_input_invalid'],
      ['readFile', { path: 'a.txt', from: 0 }, 'tool_input_invalid'],
      ['readFile', { path: 'a.txt', from: -1 }, 'tool_input_invalid'],
      ['readFile', { path: 'a.txt', from: 1.5 }, 'tool_input_invalid'],
      ['readFile', { path: 'a.txt', to: '3' }, 'tool_input_invalid'],
      ['readFile', { path: 'a.txt', from: 1e300 }, 'file_access'],
      ['readFile', { file: 'a.txt' }, 'tool_input_invalid'],
      ['readFile', { path: 'a.txt', encoding: 'latin1' }, 'tool_input_invalid'],
      ['readFile', { path: '' }, 'file_access'],
      ['writeFile', { path: 'a.txt' }, 'tool_input_invalid'],
      ['writeFile', { path: 'a.txt', content: null }, 'tool_input_invalid'],
      ['writeFile', { path: 'a.txt', content: { text: 'x' } }, 'tool_input_invalid'],
      ['writeFile', { path: 'a.txt', content: '\ud800' }, 'tool_input_invalid'],
      ['writeFile', { path: 'a.txt', content: 'x', mode: 0o4777 }, 'tool_input_invalid'],
      ['writeFile', { path: '', content: 'x' }, 'file_access'],
      ['writeFile', { path: 'a.txt', content: 'x'.repeat(1024 * 1024 + 1) }, 'file_access'],
      ['writeFile', { path: '.tellurion-x', content: 'x' }, 'file_access'],
      ['editFile', edit([]), 'tool_input_invalid'],
      ['editFile', edit('replace all'), 'tool_input_invalid'],
      ['editFile', edit([{ text: 'x' }]), 'tool_input_invalid'],
      ['editFile', edit([{ at: 1, text: 'x' }]), 'tool_input_invalid'],
      ['editFile', edit([{ at: 'start', action: 'append', text: 'x' }]), 'tool_input_invalid'],
      ['editFile', edit([{ at: '1:zzzz', text: 'x' }]), 'file_access'],
      ['editFile', edit([{ at: '999999999:0000', text: 'x' }]), 'file_changed'],
      [
        'editFile',
        edit([
          { at: 'start', text: 'x' },
          { at: 'start', text: 'y' },
        ]),
        'file_access',
      ],
      ['editFile', edit(Array.from({ length: 101 }, () => ({ at: 'start', text: 'x' }))), 'tool_input_invalid'],
      ['deleteFile', { path: 'a.txt', force: true }, 'tool_input_invalid'],
      ['deleteFile', { path: '*' }, 'file_access'],
      ['moveFile', { from: 'a.txt' }, 'tool_input_invalid'],
      ['moveFile', { from: 'a.txt', to: '' }, 'file_access'],
      ['listFiles', { path: 'a.txt' }, 'file_access'],
      ['globFiles', { glob: '' }, 'invalid_option'],
      ['globFiles', { glob: '[' }, 'invalid_option'],
      ['grepFiles', { pattern: '' }, 'tool_input_invalid'],
      ['grepFiles', { pattern: '[' }, 'invalid_option'],
      ['grepFiles', { pattern: '(a)\\1' }, 'invalid_option'],
      ['grepFiles', { pattern: 'a{1001}' }, 'invalid_option'],
      ['grepFiles', { pattern: 'a', context: 6 }, 'tool_input_invalid'],
      ['grepFiles', { pattern: 'a', glob: '{' }, 'invalid_option'],
      ['grepFiles', { pattern: `${'('.repeat(100)}a${')'.repeat(100)}` }, 'invalid_option'],
      ['readFile', { path: 'a.txt', __proto__: { x: 1 }, constructor: 1 }, 'tool_input_invalid'],
    ]
    for (const [name, input, code] of corpus) {
      const ended = await outcome(name, input)
      assert.equal(ended.code, code, `${name} ${JSON.stringify(input).slice(0, 80)}: ${String(ended.content)}`)
    }
    assert.ok(corpus.length >= 40)
    assert.equal(read('a.txt'), 'one\n')
    assert.deepEqual(readdirSync(root), ['a.txt'])
  })
})
