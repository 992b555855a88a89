import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createToolbox } from '../tool/toolbox.ts'
import { fileTools } from './file-tools.ts'
import { createWorkspace, type WorkspaceOptions } from './workspace.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'tellurion-workspace-')))
after(() => rmSync(root, { recursive: true }))
mkdirSync(join(root, 'lib'))
mkdirSync(join(root, '.git'))
writeFileSync(join(root, '.env'), 'KEY=canary\n')
writeFileSync(join(root, '.git/config'), 'canary\n')
writeFileSync(join(root, 'lib/a.ts'), 'canary\n')
writeFileSync(join(root, 'big.txt'), 'x'.repeat(300))

const boxOf = (options: Partial<WorkspaceOptions> = {}): ReturnType<typeof createToolbox> =>
  createToolbox({ ...fileTools(createWorkspace({ root, ...options })) })
const say = async (box: ReturnType<typeof createToolbox>, name: string, input: object): Promise<string> =>
  String((await box.execute(name, input as never)).content)

describe('a workspace', () => {
  it('says what is wrong with its options', () => {
    const wrong: [Record<string, unknown>, string, RegExp][] = [
      [{ roots: root }, 'unknown_option', /no option 'roots'\. Did you mean 'root'/],
      [{ root: '' }, 'invalid_option', /needs a folder/],
      [{ root: 7 }, 'invalid_option', /needs a folder/],
      [{ root: `${root}\0` }, 'invalid_option', /needs a folder/],
      [{ root: join(root, 'gone') }, 'file_access', /cannot be opened: ENOENT/],
      [{ root: join(root, 'big.txt') }, 'file_access', /is no folder/],
      [{ root: '/' }, 'file_access', /may not be the root/],
      [{ root: '/proc' }, 'file_access', /may not be the root/],
      [{ root: '/proc/self' }, 'file_access', /may not be the root/],
      [{ root: '/sys/kernel' }, 'file_access', /may not be the root/],
      [{ root: '/dev' }, 'file_access', /may not be the root/],
      [{ root: '/dev/fd' }, 'file_access', /may not be the root/],
      [{ root, undo: 'yes' }, 'invalid_option', /undo of a workspace must be true or false/],
      [{ root, vouched: 1 }, 'invalid_option', /vouched of a workspace/],
      [{ root, hidden: '.env' }, 'invalid_option', /hidden of a workspace must be a list/],
      [{ root, ignore: ['{'] }, 'invalid_option', /never closed/],
      [{ root, readOnly: 'yes' }, 'invalid_option', /readOnly of a workspace must be a list/],
      [{ root, limits: { read: 1 } }, 'unknown_option', /no option 'read'/],
      [{ root, limits: { readBytes: 0 } }, 'invalid_option', /readBytes of a workspace must be a whole number from 1/],
    ]
    for (const [options, code, message] of wrong) {
      assert.throws(() => createWorkspace(options as never), { code, message }, JSON.stringify(options))
    }
  })

  it('has a root that does not depend on how it was written', () => {
    assert.equal(createWorkspace({ root: `${root}/lib/..` }).root, root)
  })

  it('knows what is hidden and protected by every name that some file system has for it', () => {
    const space = createWorkspace({ root, hidden: ['secrets', 'straße', 'kim.*', '*.'], readOnly: ['Σίσυφος'] })
    const hidden = [
      'secrets',
      'SECRETS/a',
      'ſecretſ/a',
      'secrets.',
      'secrets .. /a',
      'STRASSE',
      'strasse/x',
      '\u212aim.txt',
    ]
    for (const path of hidden) assert.ok(space.isHidden(path), path)
    for (const path of ['secret', 'secrets.txt', 'kim', '..a', 'a b']) assert.ok(!space.isHidden(path), path)
    for (const path of ['.git', '.GIT/config', '.git.', 'GIT~1/x', 'ΣΊΣΥΦΟΣ']) assert.ok(space.isProtected(path), path)
    for (const path of ['git', '.gitignore', 'legit~1']) assert.ok(!space.isProtected(path), path)
  })

  it('hides what is hidden, however it is written, from every tool', async () => {
    const box = boxOf({ hidden: ['.env*', 'lib'] })
    for (const path of ['.env', './.env', '.ENV', '.env.local', 'lib/a.ts', 'LIB/a.ts']) {
      assert.match(await say(box, 'readFile', { path }), /There is no file/, path)
      assert.match(await say(box, 'writeFile', { path, content: 'x' }), /There is no file/, path)
    }
    assert.match(await say(box, 'listFiles', { path: 'lib' }), /There is no file lib/)
    assert.equal(await say(box, 'listFiles', {}), '.git/\nbig.txt')
    assert.equal(await say(box, 'globFiles', { glob: '**' }), 'big.txt')
    assert.match(await say(box, 'grepFiles', { pattern: 'canary' }), /^Nothing matches/)
  })

  it('passes over what is ignored, unless it is named', async () => {
    const box = boxOf({ ignore: ['lib', '.git'] })
    assert.equal(await say(box, 'globFiles', { glob: '**' }), '.env\nbig.txt')
    assert.match(await say(box, 'grepFiles', { pattern: 'canary', path: 'lib' }), /^lib\/a\.ts:1:\w{4}\|canary$/)
    assert.equal(await say(box, 'listFiles', {}), '.env\n.git/\nbig.txt\nlib/')
    assert.match(await say(boxOf(), 'grepFiles', { pattern: 'canary' }), /^\.env:1.*\nlib\/a\.ts:1:\w{4}\|canary$/)
  })

  it('never lets .git be changed, nor what is read only', async () => {
    const box = boxOf({ readOnly: ['*.ts'], undo: false })
    for (const path of ['.git/config', '.GIT/hooks/pre-commit', 'sub/.git/config', 'lib/a.ts', 'new.ts']) {
      for (const [name, input] of [
        ['writeFile', { path, content: 'x' }],
        ['editFile', { path, edits: [{ at: 'start', text: 'x' }] }],
        ['deleteFile', { path }],
        ['moveFile', { from: path, to: 'x' }],
        ['moveFile', { from: 'big.txt', to: path }],
      ] as const)
        assert.match(await say(box, name, input), /may be read, but not changed/, `${name} ${path}`)
    }
    assert.match(await say(box, 'readFile', { path: '.git/config' }), /canary/)
    assert.deepEqual(boxOf({ readOnly: true }).names(), ['readFile', 'listFiles', 'globFiles', 'grepFiles'])
  })

  it('says of its tools what they do and risk', () => {
    const facts = (options: Partial<WorkspaceOptions>): unknown =>
      Object.fromEntries(
        Object.entries(fileTools(createWorkspace({ root, ...options }))).map(([name, { effects, trust, risk }]) => [
          name,
          `${effects.mode} ${effects.repeat} ${risk({ path: 'src/a.ts', from: 'a', to: 'b' }).join()} ${trust}`,
        ]),
      )
    const reading = ['readFile', 'listFiles', 'globFiles', 'grepFiles'].map((name) => [name, 'read safe  untrusted'])
    const writing = ['writeFile', 'deleteFile', 'moveFile'].map((name) => [name, 'write keyed  trusted'])
    assert.deepEqual(facts({}), Object.fromEntries([...reading, ...writing, ['editFile', 'write keyed  untrusted']]))
    const { readFile, editFile, writeFile } = facts({ undo: false, vouched: true }) as Record<string, string>
    assert.equal(readFile, 'read safe  trusted')
    assert.equal(editFile, 'write keyed destructive trusted')
    assert.equal(writeFile, 'write keyed destructive trusted')
  })

  it('holds files that others run by themselves to risk something, whatever is kept', () => {
    const { writeFile, moveFile } = fileTools(createWorkspace({ root })) as Required<ReturnType<typeof fileTools>>
    const run = ['.github/workflows/ci.yml', 'a/.husky/x', '.envrc', 'package.json', 'sub/Makefile', 'vite.config.ts']
    run.push('a\\.vscode\\tasks.json', 'PACKAGE.JSON', './.npmrc', 'conftest.py')
    for (const path of run) {
      assert.deepEqual(writeFile.risk({ path, content: '' }), ['destructive'], path)
      assert.deepEqual(moveFile.risk({ from: 'x', to: path }), ['destructive'], path)
    }
    for (const path of ['notes.md', 'src/main.ts', 'package.json.md', 'config.ts', './a/../b']) {
      assert.deepEqual(writeFile.risk({ path, content: '' }), [], path)
    }
  })

  it('keeps to its limits', async () => {
    const box = boxOf({
      limits: { readBytes: 200, writeBytes: 250, searchBytes: 100, entries: 3, results: 1 },
      undo: false,
    })
    assert.match(await say(box, 'readFile', { path: 'big.txt' }), /more than the 0 KB that are read at one time/)
    assert.match(await say(box, 'writeFile', { path: 'n', content: 'x'.repeat(251) }), /n would have 251 bytes/)
    assert.match(await say(box, 'grepFiles', { pattern: 'x' }), /1 passed over as too large/)
    assert.match(await say(box, 'listFiles', {}), /more: go on with after: ".+".*stopped after 3 entries/s)
    assert.match(await say(box, 'globFiles', { glob: '**' }), /stopped after 3 entries/)
    const paged = boxOf({ limits: { results: 1 } })
    assert.equal(await say(paged, 'listFiles', {}), '.env\n[3 more: go on with after: ".env"]')
    assert.equal(await say(paged, 'listFiles', { after: '.env' }), '.git/\n[2 more: go on with after: ".git"]')
    assert.equal(await say(paged, 'globFiles', { glob: '**' }), '.env\n[2 more: make the glob narrower]')
    assert.match(await say(paged, 'grepFiles', { pattern: 'canary' }), /^\.env:1:\w{4}\|KEY=canary\n\[there are more/)
  })
})
