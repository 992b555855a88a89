// Bytes to text, text made plain, and HTML without a parser.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../clock/clock.ts'
import { decodeText, mediaType } from './charset.ts'
import { htmlText, htmlTitle } from './html-text.ts'
import { plainLine, plainText } from './plain-text.ts'

const latin = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

describe('the charset of a body', () => {
  const utf16 = (text: string): Uint8Array => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
  const cases: readonly (readonly [string, Uint8Array, string, string])[] = [
    ['none stated', Buffer.from('é€'), 'text/html', 'é€'],
    ['in the header', latin('\xe9'), 'text/html; charset=ISO-8859-1', 'é'],
    ['in the header, quoted', latin('\xa4'), 'text/html; Charset="iso-8859-15"', '€'],
    ['in a meta', latin('<meta charset=windows-1252>\x80'), 'text/html', '<meta charset=windows-1252>€'],
    [
      'in an old meta',
      latin('<meta http-equiv=x content="text/html; charset=koi8-r">\xc1'),
      'text/html',
      '<meta http-equiv=x content="text/html; charset=koi8-r">а',
    ],
    [
      'in a declaration',
      latin('<?xml version="1.0" encoding="iso-8859-2"?>\xb1'),
      'application/xml',
      '<?xml version="1.0" encoding="iso-8859-2"?>ą',
    ],
    [
      'the header goes before the meta',
      Buffer.from('<meta charset=windows-1252>é'),
      'text/html; charset=utf-8',
      '<meta charset=windows-1252>é',
    ],
    ['a mark goes before the header', utf16('é'), 'text/html; charset=utf-8', 'é'],
    ['no meta in plain text', Buffer.from('charset=koi8-r é'), 'text/plain', 'charset=koi8-r é'],
    ['a meta that cannot be true', Buffer.from('<meta charset=utf-16>é'), 'text/html', '<meta charset=utf-16>é'],
    ['Shift_JIS', Uint8Array.of(0x83, 0x65), 'text/html; charset=shift_jis', 'テ'],
    ['one that there is not', Buffer.from('é'), 'text/html; charset=nonsense', 'é'],
    ['bytes that are none', Uint8Array.of(0x61, 0xff), 'text/plain', 'a\ufffd'],
  ]
  for (const [name, bytes, type, text] of cases) test(name, () => assert.equal(decodeText(bytes, type), text))

  test('media types', () => {
    assert.deepEqual(['Text/HTML ; charset=x', ' a/b', ''].map(mediaType), ['text/html', 'a/b', ''])
  })
})

describe('plain text', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['line ends', 'a\r\nb\rc\u2028d\u0085e', 'a\nb\nc\nd\ne'],
    ['controls', 'a\u0000b\u001b[31mc\u009bd\u007f', 'ab[31mcd'],
    ['turned letters', 'a\u202eb\u2066c\u2069\u200fd', 'abcd'],
    ['letters of no width', 'a\u200bb\u2060c\ufeffd\u00ade', 'abcde'],
    ['tags that nobody sees', `a${String.fromCodePoint(0xe0041, 0xe0042)}b`, 'ab'],
    ['bytes in variations', `a\ufe00\ufe01\ufe02${String.fromCodePoint(0xe0100, 0xe0101)}b`, 'a\ufe00b'],
    ['fillers', 'a\u115f\u1160b\u3164c\uffa0d\u034fe\u180b\u180df\u17b4', 'abcdef'],
    ['a code of joiners', 'seen\u200c\u200d\u200d\u200c \u200dx\u200c字\u200d字', 'seen x字字'],
    ['joiners in rows', 'می\u200c\u200d\u200d\u200cخ', 'می\u200cخ'],
    ['half characters', 'a\ud800b', 'a\ufffdb'],
    ['emoji stay', '👩‍💻❤️ है', '👩‍💻❤️ है'],
    ['joiners of scripts stay', 'می\u200cخواهم', 'می\u200cخواهم'],
    ['tabs stay', 'a\tb', 'a\tb'],
  ]
  for (const [name, text, plain] of cases) test(name, () => assert.equal(plainText(text), plain))

  test('a line is one line of so many characters', () => {
    assert.equal(plainLine('  a\n\n b\u202e\t c  ', 5), 'a b c')
    assert.equal(plainLine('x'.repeat(1_000), 10), 'x'.repeat(10))
  })

  test('law: it is well-formed, and plain text stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const plain = plainText(text)
        assert.ok(plain.isWellFormed())
        assert.equal(plainText(plain), plain)
      }),
    )
  })
})

describe('HTML without a parser', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['<p>a</p><p>b &amp; c</p>', 'a\nb & c'],
    ['a<br>b<script>x < y</script>c<style>p{}</style>', 'a\nbc'],
    ['<SCRIPT>x</SCRIPT>a<!-- b --><!doctype html>c', 'ac'],
    ['1 < 2 &lt; 3 &#8364; &#x20ac; &nope; &#9999999;', '1 < 2 < 3 € € &nope; &#9999999;'],
    ['<a title="x>y">z</a>', 'z'],
    ['a<script>never', 'a'],
    ['a<!-- never', 'a'],
    ['a<b', 'a'],
    ['', ''],
  ]
  for (const [html, text] of cases) test(JSON.stringify(html), () => assert.equal(htmlText(html), text))

  test('titles', () => {
    assert.equal(htmlTitle('<head><TITLE lang=x>A &amp; B</TITLE>'), 'A & B')
    assert.equal(htmlTitle('<p>none'), '')
    assert.equal(htmlTitle('<title>open'), 'open')
  })

  test('law: it ends in a text, soon, whatever the page', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '<p>',
      '</',
      '<!--',
      '-->',
      '<script>',
      '</script',
      '&',
      '&#',
      ';',
      'a',
      ' ',
      '\n',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        assert.equal(typeof htmlText(pieces.join('')), 'string')
      }),
    )
    const start = systemClock.monotonic()
    for (const each of ['<', '<!--', '<script>', '&', '<p', '\n ', '<a>', '</script']) htmlText(each.repeat(200_000))
    assert.ok(systemClock.monotonic() - start < 30_000)
  })
})
