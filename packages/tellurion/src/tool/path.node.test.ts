import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createPathLocks } from './path-lock.ts'
import { canonicalPath } from './path.node.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'tellurion-path-')))
after(() => rmSync(root, { recursive: true }))

mkdirSync(join(root, 'real/inner'), { recursive: true })
writeFileSync(join(root, 'real/file.txt'), 'x')
symlinkSync('real', join(root, 'linked'))
symlinkSync(join(root, 'real/file.txt'), join(root, 'absolute-link'))
symlinkSync('real/missing.txt', join(root, 'dangling'))
symlinkSync('dangling', join(root, 'twice'))
symlinkSync('loop', join(root, 'loop'))

describe('canonicalPath', () => {
  const same = (spellings: readonly string[], expected: string): void => {
    for (const path of spellings) assert.equal(canonicalPath(path, root), join(root, expected), path)
  }

  it('gives one spelling of what exists', () => {
    same(
      [
        'real/file.txt',
        './real//file.txt',
        'real/inner/../file.txt',
        'linked/file.txt',
        'absolute-link',
        join(root, 'linked/inner/../file.txt'),
      ],
      'real/file.txt',
    )
    same(['real', 'linked', 'linked/inner/..', './/real/'], 'real')
  })

  it('gives one spelling of what does not exist yet', () => {
    same(
      ['real/missing.txt', 'linked/missing.txt', 'dangling', 'twice', 'linked/../real/missing.txt'],
      'real/missing.txt',
    )
    same(['linked/a/b/c', 'real/a/b/../b/c'], 'real/a/b/c')
  })

  it('does not fail on a loop of links, nor below a file', () => {
    assert.equal(canonicalPath('loop', root), join(root, 'loop'))
    assert.equal(canonicalPath('real/file.txt/x', root), join(root, 'real/file.txt/x'))
    assert.equal(canonicalPath('/', root), '/')
    assert.equal(canonicalPath('a\0b', root), join(root, 'a\0b'))
  })

  it('makes locks meet in every spelling', () => {
    const locks = createPathLocks((path) => canonicalPath(path, root))
    const release = locks.acquire(['linked/missing.txt'], { write: true })
    assert.equal(release instanceof Promise, false)
    for (const path of ['dangling', 'real/missing.txt', join(root, 'twice')]) {
      const waiting = locks.acquire([path], { write: false, signal: AbortSignal.abort() })
      assert.equal(waiting instanceof Promise, true, path)
      void (waiting as Promise<unknown>).catch(() => {})
    }
    assert.equal(locks.acquire(['real/file.txt'], { write: true }) instanceof Promise, false)
  })
})
