import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFitName, longestName, shownName } from './file-name.ts'

const fit = ['a', 'data/sales.csv', '-rf', 'ein Bild.png', 'größe.txt', '日本/図.svg', 'a..b', 'x'.repeat(longestName)]
const unfit = [
  '',
  '/',
  '/etc/passwd',
  '..',
  '../x',
  'a/../b',
  'a//b',
  'a/',
  './a',
  '.hidden',
  'a/.b',
  'a\\b',
  'a\nb',
  'a\0',
  '\x1b[31m',
]
unfit.push('\u202egpj.exe', '\u200b', '\u2028', '\ud800', '\ue000', 'x'.repeat(longestName + 1))

describe('isFitName', () => {
  for (const name of fit) it(`takes ${shownName(name).slice(0, 30)}`, () => assert.equal(isFitName(name), true))
  for (const name of unfit) it(`refuses "${shownName(name).slice(0, 30)}"`, () => assert.equal(isFitName(name), false))
})

describe('shownName', () => {
  it('is bounded ASCII, whatever the name', () => {
    for (const name of [...fit, ...unfit]) assert.match(shownName(name), /^[ -~]{0,200}$/)
    assert.equal(shownName('a\nb'), 'a\\nb')
    assert.equal(shownName('\u202ex'), '\\u{202e}x')
  })
})
