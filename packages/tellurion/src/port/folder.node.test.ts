import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, describe, test } from 'node:test'
import { makeFolder } from './folder.node.ts'

describe('making a folder', () => {
  const home = mkdtempSync(join(tmpdir(), 'folder-'))
  after(() => rmSync(home, { recursive: true }))
  const isThere = (path: string): boolean => statSync(path).isDirectory()

  test('makes those above it, and is content with what is there', () => {
    for (const path of ['a/b/c', 'a/b/c', 'a/./d//e/', 'f/../g']) {
      makeFolder(join(home, path))
      assert.ok(isThere(join(home, path)), path)
    }
    makeFolder(relative('.', join(home, 'relative/one')))
    assert.ok(isThere(join(home, 'relative/one')))
    makeFolder('.')
    makeFolder('/')
  })

  test('goes through links to folders', () => {
    mkdirSync(join(home, 'real'))
    symlinkSync('real', join(home, 'link'))
    makeFolder(join(home, 'link/inside'))
    assert.ok(isThere(join(home, 'real/inside')))
  })

  test('says what the system says where it cannot', () => {
    writeFileSync(join(home, 'file'), '')
    symlinkSync('nowhere', join(home, 'dangling'))
    assert.throws(() => makeFolder(join(home, 'file')), { code: 'EEXIST' })
    assert.throws(() => makeFolder(join(home, 'file/inside')), { code: /^E(?:EXIST|NOTDIR)$/ })
    assert.throws(() => makeFolder(join(home, 'dangling')), { code: 'EEXIST' })
    assert.throws(() => makeFolder(join(home, 'x'.repeat(300))), { code: 'ENAMETOOLONG' })
  })

  test('comes back where nothing can be made', { skip: process.platform !== 'linux' && 'there is no /proc' }, () => {
    assert.throws(() => makeFolder('/proc/tellurion/deep/er'), { code: 'ENOENT' })
  })
})
