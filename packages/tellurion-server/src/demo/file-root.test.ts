import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile, realpath, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { TellurionError } from 'tellurion'
import { openFileRoot, type FileRoot } from './file-root.ts'

const isWindows = process.platform === 'win32'
const base = realpathSync(mkdtempSync(join(tmpdir(), 'file-root-')))
after(() => rmSync(base, { recursive: true }))
const rootPath = join(base, 'root')
mkdirSync(join(rootPath, 'inner/deep'), { recursive: true })
mkdirSync(join(base, 'outside'))
mkdirSync(join(base, 'root-twin'))
writeFileSync(join(base, 'outside/secret.txt'), 'secret')
writeFileSync(join(base, 'root-twin/secret.txt'), 'secret')
writeFileSync(join(rootPath, 'a.txt'), 'hello')
writeFileSync(join(rootPath, 'inner/deep/b.txt'), 'deep')
writeFileSync(join(rootPath, 'twice.txt'), 'twice')
linkSync(join(rootPath, 'twice.txt'), join(rootPath, 'again.txt'))
linkSync(join(base, 'outside/secret.txt'), join(rootPath, 'hard.txt'))
symlinkSync('a.txt', join(rootPath, 'link-inside'))
symlinkSync('../outside/secret.txt', join(rootPath, 'link-outside'))
symlinkSync('../outside', join(rootPath, 'folder-link'))
symlinkSync('nowhere', join(rootPath, 'dangling'))
symlinkSync('loop', join(rootPath, 'loop'))
const hasPipes = spawnSync('mkfifo', [join(rootPath, 'pipe')]).status === 0

async function textAt(root: FileRoot, path: string): Promise<string> {
  const { handle } = await root.openFile(path)
  try {
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

const refusal = (words: RegExp) => (error: unknown) =>
  error instanceof TellurionError && error.code === 'file_access' && words.test(error.message)

/** Both ways of opening; the second is that of systems without `/proc`. */
const ways = process.platform === 'linux' ? [true, false] : [false]
for (const byDescriptor of ways) {
  describe(`a file root ${byDescriptor ? 'by descriptors' : 'by verified paths'}`, () => {
    const opening = openFileRoot(rootPath, { byDescriptor })

    for (const [path, text] of [
      ['a.txt', 'hello'],
      ['./inner/../a.txt', 'hello'],
      ['inner/deep/b.txt', 'deep'],
      [join(rootPath, 'a.txt'), 'hello'],
    ] as const)
      it(`opens ${path.replace(rootPath, '<root>')}`, async () => assert.equal(await textAt(await opening, path), text))

    const refused: readonly [path: string, words: RegExp][] = [
      ['../outside/secret.txt', /outside/],
      ['inner/../../outside/secret.txt', /outside/],
      [join(base, 'outside/secret.txt'), /outside/],
      ['../root-twin/secret.txt', /outside/],
      ['/etc/passwd', /outside/],
      ['..', /outside/],
      ['link-inside', /is a link/],
      ['link-outside', /is a link/],
      ['folder-link/secret.txt', /link|no folder/],
      ['dangling', /is a link/],
      ['loop', /is a link/],
      ['hard.txt', /several names/],
      ['twice.txt', /several names/],
      ['absent.txt', /no such file/],
      ['a.txt/b', /no folder/],
      ['inner', /is a folder/],
      ['', /is a folder/],
      ['a.txt\0.md', /NUL/],
      ['x'.repeat(2_000), /too long/],
      ['y'.repeat(500), /too long/],
      ['~/x', /no such file/],
      ...(hasPipes ? [['pipe', /no regular file/] as [string, RegExp]] : []),
    ]
    for (const [path, words] of refused)
      it(`refuses ${JSON.stringify(path.replace(base, '<base>').slice(0, 40))}`, async () =>
        assert.rejects(textAt(await opening, path), refusal(words)))

    it('lists a folder by name and kind', async () => {
      const { entries, more } = await (await opening).list('', 100)
      const shown = entries.map(({ name, kind }) => `${kind} ${name}`)
      assert.ok(['file a.txt', 'link folder-link', 'folder inner'].every((entry) => shown.includes(entry)))
      assert.deepEqual(
        entries.map(({ name }) => name),
        entries.map(({ name }) => name).toSorted(),
      )
      assert.equal(more, false)
      const few = await (await opening).list('.', 2)
      assert.deepEqual([few.entries.length, few.more], [2, true])
    })

    for (const path of ['..', 'folder-link', 'a.txt', 'absent'])
      it(`does not list ${path}`, async () => assert.rejects((await opening).list(path, 10), refusal(/./)))

    it('never reads outside while links are swapped under it', { skip: isWindows }, async () => {
      const root = await opening
      const seen = await whileSwapping((path) => textAt(root, path).catch((error: TellurionError) => error.code))
      assert.ok(!seen.has('secret'))
      assert.deepEqual(
        [...seen].filter((each) => each !== 'file_access' && each !== 'mine'),
        [],
      )
    })
  })
}

/** What reading gives while a folder on the way is now there, now a link to the outside; ends early with `until`. */
async function whileSwapping(read: (path: string) => Promise<string>, rounds = 800, until = ''): Promise<Set<string>> {
  const place = join(rootPath, 'swap')
  const folder = join(rootPath, 'swapped')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'mine')
  let ended = false
  const swapping = (async () => {
    while (!ended) {
      await rename(folder, place)
      await rename(place, folder)
      await symlink('../outside', place)
      await rm(place)
    }
  })()
  const seen = new Set<string>()
  for (let round = 0; round < rounds && !seen.has(until); round++) seen.add(await read('swap/secret.txt'))
  ended = true
  await swapping
  return seen
}

describe('the test of swapped links', { skip: isWindows }, () => {
  it('catches a reader that resolves first and opens then', async () => {
    const naive = async (path: string): Promise<string> => {
      const whole = join(rootPath, path)
      if (!(await realpath(whole)).startsWith(rootPath)) return 'refused'
      return readFile(whole, 'utf8')
    }
    const seen = await whileSwapping((path) => naive(path).catch(() => 'failed'), 100_000, 'secret')
    assert.ok(seen.has('secret'))
  })
})

describe('openFileRoot', () => {
  it('resolves the folder once', async () => {
    symlinkSync(rootPath, join(base, 'way-in'))
    assert.equal((await openFileRoot(join(base, 'way-in'))).path, rootPath)
  })

  it('refuses what is no folder', async () => {
    await assert.rejects(openFileRoot(join(base, 'absent')), refusal(/no such file or folder/))
    await assert.rejects(openFileRoot(join(rootPath, 'a.txt')), refusal(/no folder/))
  })
})
