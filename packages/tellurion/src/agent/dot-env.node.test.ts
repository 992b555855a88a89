import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import { loadDotEnv, parseDotEnv } from './dot-env.node.ts'

describe('a .env file', () => {
  const cases: readonly [what: string, text: string, values: Record<string, string>][] = [
    ['nothing', '', {}],
    ['names and values', 'A=1\nB_2=two\n_c=x', { A: '1', B_2: 'two', _c: 'x' }],
    ['an empty value', 'A=\nB=""\n', { A: '', B: '' }],
    ['blanks around', '  A  =  x y  \n', { A: 'x y' }],
    ['export', 'export A=1\n\texport  B=2', { A: '1', B: '2' }],
    ['comments', '# one\n\n  # two\nA=1 # three\nB=a#b\nC= # nothing', { A: '1', B: 'a#b', C: '' }],
    ['signs inside a value', 'A=a=b&c=d\nB=$HOME\nC=pass"word', { A: 'a=b&c=d', B: '$HOME', C: 'pass"word' }],
    ['single quotes, as they are', "A='a \\n # b' # c", { A: 'a \\n # b' }],
    ['backquotes, as they are', 'A=`it\'s "so"`', { A: 'it\'s "so"' }],
    ['double quotes with escapes', 'A="a\\nb\\t\\"c\\" \\\\ \\$ \\x"', { A: 'a\nb\t"c" \\ $ \\x' }],
    ['several lines', 'A="-----BEGIN\nxyz\n-----END"\nB=\'1\n2\'', { A: '-----BEGIN\nxyz\n-----END', B: '1\n2' }],
    ['line ends of Windows and old Macs', 'A=1\r\nB="x\r\ny"\rC=3\r\n', { A: '1', B: 'x\ny', C: '3' }],
    ['a byte order mark', '\ufeffA=1', { A: '1' }],
    ['the last of two', 'A=1\nA=2', { A: '2' }],
    ['other scripts', 'A=Grüße 你好', { A: 'Grüße 你好' }],
  ]
  for (const [what, text, values] of cases)
    it(`reads ${what}`, () => assert.deepEqual(parseDotEnv(text, '.env'), values))

  it('sets no prototype', () => {
    const values = parseDotEnv('__proto__=x', '.env')
    assert.equal(Object.getPrototypeOf(values), Object.prototype)
    assert.equal(Object.getOwnPropertyDescriptor(values, '__proto__')?.value, 'x')
  })

  const malformed: readonly [what: string, text: string, line: number, words: RegExp][] = [
    ['a line without =', 'A=1\n\nsk-hush-hush\n', 3, /write NAME=value/],
    ['a colon', 'A: hush', 1, /NAME=value/],
    ['a name with a dash', 'MY-KEY=hush', 1, /NAME=value/],
    ['a name that begins with a digit', '1A=hush', 1, /NAME=value/],
    ['no name', '=hush', 1, /NAME=value/],
    ['an open quote', 'A=1\nB="hush\nC=2\n', 2, /quote " is never closed/],
    ["an open ' quote", "A='hush", 1, /quote ' is never closed/],
    ['something behind a quote', 'A=1\nB="x\ny" hush', 3, /follows the closing "/],
    ['NUL', 'A=hu\0sh', 1, /NUL/],
  ]
  for (const [what, text, line, words] of malformed)
    it(`refuses ${what}, naming the line and not its content`, () => {
      assert.throws(
        () => parseDotEnv(text, '.env'),
        (error: TellurionError) => {
          assert.equal(error.code, 'invalid_configuration')
          assert.ok(error.message.startsWith(`.env:${line}: `), error.message)
          assert.match(error.message, words)
          assert.doesNotMatch(error.message, /hush|\n/)
          return true
        },
      )
    })

  it('gives back what was quoted, whatever it is', () => {
    const value = fc.string({ unit: 'binary-ascii' }).map((text) => text.toWellFormed().replace(/\r\n?|\0/g, '\n'))
    const quoted = (text: string): string => `"${text.replace(/[\\"$]/g, '\\$&')}"`
    fc.assert(
      fc.property(value, value, (a, b) => {
        assert.deepEqual(parseDotEnv(`A=${quoted(a)}\nexport B=${quoted(b)} # end`, 'x'), { A: a, B: b })
      }),
    )
  })

  it('ends in values or in an error with a line, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'A=\'"`\\#\n\r ex\t1') }), (text) => {
        try {
          for (const value of Object.values(parseDotEnv(text, 'f'))) assert.equal(typeof value, 'string')
        } catch (error) {
          assert.ok(error instanceof TellurionError)
          assert.match(error.message, /^f:\d+: /)
        }
      }),
    )
  })
})

describe('loadDotEnv', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dot-env-'))
  after(() => rmSync(folder, { recursive: true }))
  const refused = (path: string, words: RegExp): void =>
    assert.throws(
      () => loadDotEnv(path),
      (error) => error instanceof TellurionError && error.code === 'invalid_configuration' && words.test(error.message),
    )

  it('reads a file and leaves the environment of the process alone', () => {
    const path = join(folder, 'good')
    writeFileSync(path, 'TELLURION_TEST_VARIABLE=1\n')
    assert.deepEqual(loadDotEnv(path), { TELLURION_TEST_VARIABLE: '1' })
    assert.equal(process.env['TELLURION_TEST_VARIABLE'], undefined)
  })

  it('refuses a file that is not there, unless it is optional', () => {
    const path = join(folder, 'absent')
    refused(path, /no such file/)
    assert.deepEqual(loadDotEnv(path, { optional: true }), {})
    assert.deepEqual(loadDotEnv(folder, { optional: true }), {})
    refused(folder, /cannot be read/)
  })

  it('refuses what is no UTF-8 text, and what is far too large', () => {
    const path = join(folder, 'wide')
    writeFileSync(path, Buffer.from('\ufeffA=1', 'utf16le'))
    refused(path, /save it as UTF-8/)
    writeFileSync(path, 'A=1\n'.repeat(300_000))
    refused(path, /longer than 1048576 bytes/)
    if (process.platform !== 'win32') refused('/dev/zero', /longer than 1048576 bytes/)
  })
})
