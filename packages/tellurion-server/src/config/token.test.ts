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
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Secret } from 'tellurion/secret'
import { isOpenToOthers, localToken, readToken } from './token.ts'

const root = mkdtempSync(join(tmpdir(), 'token-'))
after(() => rmSync(root, { recursive: true }))
const place = (): string => join(mkdtempSync(join(root, 't-')), 'data', 'token')

describe('the local token', () => {
  test('is made at the first start, for its owner alone, and found at the next', () => {
    const tokenFile = place()
    const first = localToken({ tokenFile })
    assert.deepEqual([first.made, first.file], [true, tokenFile])
    assert.match(first.token.reveal(), /^[\w-]{43}$/)
    assert.equal(readFileSync(tokenFile, 'utf8'), `${first.token.reveal()}\n`)
    if (process.platform !== 'win32') assert.equal(statSync(tokenFile).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(join(tokenFile, '..')), ['token'])
    const second = localToken({ tokenFile })
    assert.deepEqual([second.made, second.token.reveal()], [false, first.token.reveal()])
  })

  test('is another one in another place', () => {
    const [one, two] = [localToken({ tokenFile: place() }), localToken({ tokenFile: place() })]
    assert.notEqual(one.token.reveal(), two.token.reveal())
  })

  test('of the configuration needs no file', () => {
    const tokenFile = place()
    const token = new Secret('token-of-the-operator')
    assert.deepEqual(localToken({ token, tokenFile }), { token, file: undefined, made: false })
    assert.ok(!existsSync(tokenFile))
  })

  test('does not follow a draft that somebody has put in its way', () => {
    const tokenFile = place()
    mkdirSync(join(tokenFile, '..'))
    writeFileSync(`${tokenFile}.${process.pid}.new`, 'an old draft of a process with this id')
    assert.match(localToken({ tokenFile }).token.reveal(), /^[\w-]{43}$/)
  })

  for (const [what, text] of [
    ['nothing', ''],
    ['too little', 'short\n'],
    ['two lines', 'token-0123456789\ntoken-0123456789\n'],
    ['what is no text', '\u0000'.repeat(32)],
  ] as const)
    test(`refuses a file that holds ${what}, and leaves it alone`, () => {
      const tokenFile = place()
      mkdirSync(join(tokenFile, '..'))
      writeFileSync(tokenFile, text)
      assert.throws(() => localToken({ tokenFile }), {
        code: 'invalid_configuration',
        message: /^The token file .*token: it holds no token .*; delete it and start again\.$/,
      })
      assert.equal(readFileSync(tokenFile, 'utf8'), text)
    })

  test('says when its folder cannot be made, or it is a folder', () => {
    const file = join(mkdtempSync(join(root, 't-')), 'file')
    writeFileSync(file, '')
    assert.throws(() => localToken({ tokenFile: join(file, 'token') }), {
      message: /a part of its path is no folder|ENOTDIR/,
    })
    assert.throws(() => readToken(root), { message: /it cannot be read: it is a folder/ })
  })

  test('knows when others can read it', { skip: process.platform === 'win32' }, () => {
    const tokenFile = place()
    localToken({ tokenFile })
    assert.equal(isOpenToOthers(tokenFile), false)
    chmodSync(tokenFile, 0o644)
    assert.equal(isOpenToOthers(tokenFile), true)
  })
})
