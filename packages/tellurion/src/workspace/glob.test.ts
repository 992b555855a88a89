import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../clock/clock.ts'
import { callGlob, createCover, createGlob } from './glob.ts'

const table: [glob: string, yes: string[], no: string[]][] = [
  ['*.ts', ['a.ts', 'src/a.ts', 'a/b/c.ts', '.ts'], ['a.tsx', 'a.ts/b', 'ts']],
  ['src/*.ts', ['src/a.ts'], ['a.ts', 'src/b/a.ts', 'lib/src/a.ts']],
  ['src/**/*.ts', ['src/a.ts', 'src/b/a.ts', 'src/b/c/a.ts'], ['a.ts', 'srcs/a.ts']],
  ['**/test/**', ['test/a', 'a/test/b/c'], ['test', 'a/tests/b']],
  ['**', ['a', 'a/b'], []],
  ['/a.ts', ['a.ts'], ['b/a.ts']],
  ['./src/a.ts', ['src/a.ts'], ['a.ts']],
  ['./*.md', ['a.md', 'docs/a.md'], []],
  ['docs/', ['docs', 'a/docs'], ['docs/a']],
  ['a?c', ['abc', 'x/abc'], ['ac', 'a/c']],
  ['*.{ts,js}', ['a.ts', 'b/a.js'], ['a.tsx', 'a.']],
  ['{a,b{c,d}}.x', ['a.x', 'bc.x', 'bd.x'], ['b.x']],
  ['[a-c].x', ['a.x', 'b.x'], ['d.x', '-.x']],
  ['[!a-c].x', ['d.x'], ['a.x', '/.x']],
  ['[]a].x', ['].x', 'a.x'], ['b.x']],
  ['a\\*.x', ['a*.x'], ['ab.x']],
  ['a**b', ['aXb', 'ab'], ['a/b']],
  ['**b', ['ab', 'b'], ['bc']],
  ['x[/]y', [], ['x/y']],
]

describe('a glob', () => {
  it('is about names without a slash, about paths with one', () => {
    for (const [glob, yes, no] of table) {
      const test = createGlob(glob)
      for (const path of yes) assert.ok(test(path), `${glob} should match ${path}`)
      for (const path of no) assert.ok(!test(path), `${glob} should not match ${path}`)
    }
  })

  it('can ignore case, and covers what lies in a folder', () => {
    assert.ok(createGlob('.git', { ignoreCase: true })('a/.GIT'))
    const cover = createCover(['.git', 'secret/*.pem'], { ignoreCase: true })
    for (const path of ['.git', '.git/config', 'a/.Git/hooks/pre-commit', 'secret/a.pem', 'secret/a.pem/b'])
      assert.ok(cover(path), path)
    for (const path of ['git', '.gitignore', 'secret/a.txt', 'x/secret/a.pem']) assert.ok(!cover(path), path)
    assert.ok(!createCover([])('a'))
  })

  it('never runs away, and says what is wrong with it', () => {
    const began = systemClock.monotonic()
    assert.ok(!createGlob(`${'*a'.repeat(100)}b`)(`${'a'.repeat(1_000)}`))
    assert.ok(!createGlob(`${'**/'.repeat(100)}b`)(`${'a/'.repeat(500)}c`))
    assert.ok(systemClock.monotonic() - began < 20_000)
    for (const [glob, message] of [
      ['{a,b', /'{' that is never closed/],
      ['[a', /'\[' that is never closed/],
      ['[z-a]', /wrong way round/],
      ['{{{{{{a}}}}}}', /nested too deeply/],
      ['', /text of 1 to 500/],
      ['a'.repeat(501), /text of 1 to 500/],
    ] as const)
      assert.throws(() => createGlob(glob), { code: 'invalid_option', message })
  })

  it('of a call gives up where names and glob were made to keep everybody waiting', () => {
    // Letters that nothing foretells: each is a state that no path before has led to.
    const letters = (seed: number): string =>
      Array.from({ length: 200 }, () => {
        seed = Math.imul(seed ^ (seed >>> 15), 0x2c_1b_3c_6d) + 0x9e_37_79_b9
        return (seed & 0x1_00_00) === 0 ? 'a' : 'b'
      }).join('')
    const test = callGlob(`*a${'?'.repeat(180)}c`)
    const all = (): void => {
      for (let each = 1; each < 1_000; each++) test(letters(each))
    }
    assert.throws(all, { code: 'invalid_option', message: /too much work/ })
    const plain = callGlob('**/*a*b*.ts')
    for (let each = 1; each < 1_000; each++) plain(`${letters(each)}.ts`)
  })
})
