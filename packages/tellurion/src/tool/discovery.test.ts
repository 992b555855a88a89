import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { createToolbox } from './toolbox.ts'
import { discoverTools, type DiscoverOptions } from './discovery.node.ts'
import { originOf, withOrigin } from './origin.ts'
import { tool, type AnyTool } from './tool.ts'

const base = mkdtempSync(join(tmpdir(), 'discovery-'))
after(() => rmSync(base, { recursive: true }))
const here = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
const imports = `import { tool } from ${here('./tool.ts')}\nimport { functionTool, toolsOf } from ${here('./function-tool.ts')}\n`
const made = (description = 'x'): string =>
  `tool({ description: ${JSON.stringify(description)}, inputSchema: { type: 'object', properties: {} }, execute: () => 'ran' })`
let folders = 0

/** A folder with these files; `null` is a folder of that name. */
function folderOf(files: Readonly<Record<string, string | null>>): string {
  const folder = join(base, `folder-${++folders}`)
  mkdirSync(folder)
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(text === null ? path : dirname(path), { recursive: true })
    if (text !== null) writeFileSync(path, text.startsWith('raw:') ? text.slice(4) : imports + text)
  }
  return folder
}

/** What is found: names with the files they came from, and what was passed over. */
async function found(folder: string, more: Partial<DiscoverOptions> = {}) {
  const { tools, problems } = await discoverTools({ folder, ...more })
  return {
    tools: tools.names().map((name) => `${name} < ${originOf(tools.get(name))?.split('/').slice(1).join('/')}`),
    problems: problems.map(({ path, message }) => `${path}: ${message}`),
  }
}

describe('tools in a folder', () => {
  test('are its named exports, its default export, and those of folders in it, in the order of paths', async () => {
    const folder = folderOf({
      'weather.tool.ts': `export const weather: unknown = ${made()}\nexport const forecast = ${made()}\nexport const unit = 'C'`,
      'clock.tool.mjs': `export default ${made()}`,
      'deep/er/sum.tool.ts': `export default functionTool((a: number) => a, { name: 'total', description: 'x', parameters: { a: 'number' } })`,
      'many.tool.ts': `export default { one: ${made()}, two: ${made()} }`,
      'list.tool.ts': `export default [functionTool(() => 1, { name: 'listed', description: 'x' })]`,
    })
    assert.deepEqual(await found(folder), {
      tools: [
        'clock < clock.tool.mjs',
        'total < deep/er/sum.tool.ts',
        'listed < list.tool.ts',
        'one < many.tool.ts',
        'two < many.tool.ts',
        'forecast < weather.tool.ts',
        'weather < weather.tool.ts',
      ],
      problems: [],
    })
    const { tools } = await discoverTools({ folder })
    assert.equal((await tools.execute('weather', {})).content, 'ran')
  })

  test('no file of another name is ever run', async () => {
    const bomb = 'raw:globalThis.bombs = (globalThis.bombs ?? 0) + 1'
    const names = ['a.ts', 'a.js', 'tool.ts', '.tool.ts', 'a.tool.test.ts', 'a.tool.d.ts', 'a.tool.cjs', 'a.tool.tsx']
    names.push('a.tool.json', 'a.tool.ts.bak', 'a.tool.ts~', 'A.TOOL.TS', '.hidden.tool.ts', '#a.tool.ts#', 'a-tool.ts')
    names.push('node_modules/x/a.tool.ts', '.git/a.tool.ts', 'a.tool.mts', 'index.ts', 'tools.ts')
    const folder = folderOf({
      ...Object.fromEntries(names.map((name) => [name, bomb])),
      'real.tool.ts': `export const real = ${made()}`,
    })
    assert.deepEqual(await found(folder), { tools: ['real < real.tool.ts'], problems: [] })
    assert.equal((globalThis as { bombs?: number }).bombs, undefined)
  })

  test('of two with one name the first stays, and both files are named', async () => {
    const folder = folderOf({
      'a.tool.ts': `export const twin = ${made('first')}`,
      'b/a.tool.ts': `export const twin = ${made('second')}\nexport const other = ${made()}`,
    })
    const { tools, problems } = await discoverTools({ folder })
    assert.equal(tools.get('twin')?.description, 'first')
    assert.deepEqual(tools.names(), ['twin', 'other'])
    const [problem] = problems
    assert.equal(problem?.path, 'b/a.tool.ts')
    assert.match(problem?.message ?? '', /^its tool 'twin' was left out: folder-\d+\/a\.tool\.ts has one of that name$/)
  })

  const broken: readonly [string, string, RegExp][] = [
    ['throws', "throw new Error('no key')", /^it cannot be loaded: line 3: no key$/],
    ['throws nothing', 'throw undefined', /^it cannot be loaded: undefined$/],
    [
      'throws what hides its words',
      "throw Object.defineProperty(new Error('x'), 'message', { get() { throw 1 } })",
      /something that has no words/,
    ],
    ['is not written well', 'raw:export const = 1', /^it cannot be loaded/],
    ['imports what is not there', "import './nowhere.ts'", /cannot be loaded: .*nowhere\.ts/],
    ['exports nothing', '', /^it exports no tool: write/],
    ['exports something else', 'export const weather = { description: 1 }', /^it exports no tool/],
    ['exports something else by default', 'export default { a: 1 }', /The tool 'a' is 1; make it with tool/],
    ['exports a list of tools without names', `export default [${made()}]`, /needs a name/],
    ['exports a class', 'export default class Weather {}', /^it exports no tool/],
    [
      'has a schema that is none',
      "export const a = tool({ description: 'x', inputSchema: { type: 7 }, execute() {} })",
      /schema/i,
    ],
    [
      'has a description that is none',
      "export const a = tool({ description: '', inputSchema: { type: 'object' }, execute() {} })",
      /needs a description/,
    ],
    ['waits for ever', 'await new Promise(() => {})', /^it was not loaded within 200 ms$/],
    ['is waited for', 'export function then() {}', /^it was not loaded within 200 ms$/],
    ['pretends to be waited for', 'export function then(done) { done(undefined) }', /cannot be loaded|no tool/],
    ['has traps', 'export const a = new Proxy({}, { get() { throw new Error("trap") } })', /trap|no tool/],
    [
      'has traps by default',
      'export default new Proxy({}, { ownKeys() { throw new Error("trap") }, get() {} })',
      /trap/,
    ],
    ['is no text', 'raw:\u0000\u0001\uFFFD', /cannot be loaded/],
    ['uses what Node does not strip', 'enum A { a }\nexport const a = A.a', /cannot be loaded/],
  ]
  for (const [what, text, message] of broken)
    test(`a file that ${what} is named, and loses nothing else`, async () => {
      const folder = folderOf({ 'a.tool.ts': text, 'good.tool.ts': `export const good = ${made()}` })
      const { tools, problems } = await found(folder, { timeout: 200 })
      assert.deepEqual(tools, ['good < good.tool.ts'])
      assert.equal(problems.length, 1, problems.join('\n'))
      const [, said = ''] = /^a\.tool\.ts: (.*)$/.exec(problems[0] ?? '') ?? []
      assert.match(said, message)
    })

  test('names that tools cannot have are said', async () => {
    const folder = folderOf({
      'a b.tool.ts': `export default ${made()}`,
      [`${'x'.repeat(70)}.tool.ts`]: `export default ${made()}`,
      'naïve.tool.ts': `export default ${made()}`,
      '..tool.ts': `export default ${made()}`,
      'strange.tool.ts': `const t = ${made()}\nexport { t as 'not a name', t as fine }`,
    })
    const { tools, problems } = await found(folder)
    assert.deepEqual(tools, ['fine < strange.tool.ts'])
    assert.equal(problems.length, 4)
    for (const problem of problems) assert.match(problem, /is no name for a tool/)
  })
})

describe('what looks like a tool file and is none', () => {
  const isRoot = process.getuid?.() === 0
  const outside = folderOf({ 'outside.tool.ts': `export const outside = ${made()}` })

  test('links are not followed, wherever they lead', async () => {
    const folder = folderOf({ 'real.tool.ts': `export const real = ${made()}`, sub: null })
    symlinkSync(join(outside, 'outside.tool.ts'), join(folder, 'out.tool.ts'))
    symlinkSync(join(folder, 'real.tool.ts'), join(folder, 'in.tool.ts'))
    symlinkSync('nowhere', join(folder, 'dangling.tool.ts'))
    symlinkSync('self.tool.ts', join(folder, 'self.tool.ts'))
    symlinkSync(outside, join(folder, 'elsewhere'))
    symlinkSync(folder, join(folder, 'sub/cycle'))
    symlinkSync('..', join(folder, 'sub/up'))
    const { tools, problems } = await found(folder)
    assert.deepEqual(tools, ['real < real.tool.ts'])
    assert.deepEqual(problems, [
      'dangling.tool.ts: it is a link; links are not followed',
      'in.tool.ts: it is a link; links are not followed',
      'out.tool.ts: it is a link; links are not followed',
      'self.tool.ts: it is a link; links are not followed',
    ])
  })

  test('folders, pipes and what everybody may write', { skip: process.platform === 'win32' }, async () => {
    const text = `export const bad = ${made()}`
    const folder = folderOf({
      'folder.tool.ts': null,
      'folder.tool.ts/in.tool.ts': text,
      'open.tool.ts': text,
      'shared/open.tool.ts': text,
      'group.tool.ts': `export const group = ${made()}`,
    })
    execFileSync('mkfifo', [join(folder, 'pipe.tool.ts')])
    chmodSync(join(folder, 'open.tool.ts'), 0o666)
    chmodSync(join(folder, 'shared'), 0o777)
    chmodSync(join(folder, 'group.tool.ts'), 0o664)
    assert.deepEqual(await found(folder), {
      tools: ['group < group.tool.ts'],
      problems: [
        'folder.tool.ts: it is a folder',
        'open.tool.ts: everybody may write it: chmod o-w',
        'pipe.tool.ts: it is no file',
        'shared: everybody may write it: chmod o-w',
      ],
    })
  })

  test('what may not be read is said', { skip: isRoot && 'root may read everything' }, async () => {
    const folder = folderOf({ 'a.tool.ts': `export const a = ${made()}`, shut: null })
    chmodSync(join(folder, 'a.tool.ts'), 0)
    chmodSync(join(folder, 'shut'), 0)
    const { tools, problems } = await found(folder)
    chmodSync(join(folder, 'shut'), 0o700)
    assert.deepEqual([tools, problems.length], [[], 2])
  })
})

describe('the folder itself', () => {
  const file = join(folderOf({ 'a.txt': 'x' }), 'a.txt')
  const open = folderOf({})
  chmodSync(open, 0o777)
  for (const [what, folder, message] of [
    ['is not there', join(base, 'nowhere'), /there is no such folder/],
    ['is a file', file, /it is no folder/],
    ['is under a file', join(file, 'x'), /Tools are not looked for in/],
    ['is open to all', open, /everybody may write it/],
    ['has a name that is too long', join(base, 'x'.repeat(5000)), /ENAMETOOLONG/],
  ] as const)
    test(`${what}: file_access`, async () => {
      await assert.rejects(discoverTools({ folder }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'file_access')
        assert.match(error.message, message)
        return true
      })
    })

  for (const options of [
    {},
    { folder: '' },
    { folder: 'a\0b' },
    { folder: 7 },
    { folder: '.', most: 0 },
    { folder: '.', depth: -1 },
  ])
    test(`${JSON.stringify(options)} is invalid`, async () => {
      await assert.rejects(discoverTools(options as never), { code: 'invalid_option' })
    })

  test('an unknown option is named', async () => {
    await assert.rejects(discoverTools({ folder: '.', dept: 1 } as never), /no option 'dept'.*Did you mean 'depth'/)
  })

  test('may be a link, and may be deep, up to a level', async () => {
    const deep = folderOf({ 'a/b/c/d.tool.ts': `export const d = ${made()}` })
    const link = join(base, 'link')
    symlinkSync(deep, link)
    assert.equal((await found(link)).tools.length, 1)
    assert.deepEqual(await found(deep, { depth: 2 }), {
      tools: [],
      problems: ['a/b/c: it is more than 2 folders deep'],
    })
  })

  test('with thousands of files is bounded', async () => {
    const files = Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`n${at}.txt`, 'raw:x']))
    const tools = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`t${String(at).padStart(2, '0')}.tool.mjs`, `export default ${made()}`]),
    )
    const folder = folderOf({ ...files, ...tools })
    const { tools: names, problems } = await found(folder, { most: 20 })
    assert.deepEqual([names.length, problems.length], [20, 10])
    assert.equal(problems[0], 't20.tool.mjs: there are more than 20 files of tools; it was left out')
  })

  test('an abort ends the search', async () => {
    const folder = folderOf({ 'a.tool.ts': 'await new Promise(() => {})' })
    await assert.rejects(discoverTools({ folder, signal: AbortSignal.abort(new Error('enough')) }), /enough/)
    const stop = new AbortController()
    const search = discoverTools({ folder, signal: stop.signal })
    stop.abort(new Error('later'))
    await assert.rejects(search, /later/)
  })
})

describe('origins', () => {
  const plain = (): AnyTool => tool({ description: 'x', inputSchema: { type: 'object' }, execute: () => 1 })

  test('are of the tool that was given one, which stays the same tool', () => {
    const [marked, other] = [plain(), plain()]
    assert.equal(withOrigin(marked, 'the MCP server files'), marked)
    assert.deepEqual(
      [originOf(marked), originOf(other), originOf(undefined)],
      ['the MCP server files', undefined, undefined],
    )
    assert.equal(originOf(withOrigin(marked, 'x'.repeat(1000)))?.length, 300)
  })

  test('two tools of one name say where they came from', () => {
    const [a, b] = [withOrigin(plain(), 'tools/a.tool.ts'), withOrigin(plain(), 'the MCP server b')]
    const message = (...tools: readonly AnyTool[]): string => {
      try {
        createToolbox(tools.map((same) => ({ same })))
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }
    const both =
      "There are two tools named 'same' (one of tools/a.tool.ts, one of the MCP server b); rename one of them."
    assert.equal(message(a, b), both)
    assert.match(message(a, plain()), /\(one of tools\/a\.tool\.ts, one of the program\)/)
    assert.equal(message(plain(), plain()), "There are two tools named 'same'; rename one of them.")
  })
})
