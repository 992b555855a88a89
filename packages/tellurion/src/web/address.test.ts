// Addresses: read, ranged, told apart; against the platform's own lists of blocks, and in every spelling that a URL allows.

import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { inRange, parseAddress, parseRange } from './address.ts'
import { addressKind } from './address-kind.ts'
import { createPolicy } from './egress-rule.ts'

const quad = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
const six = fc.ipV6()

describe('an address', () => {
  const read: readonly (readonly [string, string | undefined])[] = [
    ['127.0.0.1', '7f000001'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '0'],
    ['::1', '1'],
    ['[::1]', '1'],
    ['1::', '10000000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '10002000300040005000600070008'],
    ['::ffff:1.2.3.4', 'ffff01020304'],
    ['64:ff9b::1.2.3.4', '64ff9b000000000000000001020304'],
    ['127.1', undefined],
    ['0x7f.0.0.1', undefined],
    ['010.0.0.1', undefined],
    ['256.0.0.1', undefined],
    ['fe80::1%eth0', undefined],
    ['1::2::3', undefined],
    ['[127.0.0.1', undefined],
    ['example.com', undefined],
    ['', undefined],
  ]
  for (const [text, value] of read) {
    test(JSON.stringify(text), () => assert.equal(parseAddress(text)?.value.toString(16), value))
  }

  test('law: of family 6 it is what the platform makes of it', () => {
    fc.assert(
      fc.property(six, (text) => {
        const { value } = parseAddress(text)!
        const groups = value.toString(16).padStart(32, '0').match(/.{4}/g)!
        assert.equal(new URL(`http://[${text}]/`).hostname, new URL(`http://[${groups.join(':')}]/`).hostname)
      }),
    )
  })
})

describe('a range', () => {
  test('law: it holds what the platform’s block of the same name holds', () => {
    const bits = fc.nat(32)
    fc.assert(
      fc.property(quad, quad, bits, (start, other, bits) => {
        const blocks = new BlockList()
        blocks.addSubnet(start.join('.'), bits)
        const range = parseRange(`${start.join('.')}/${bits}`)!
        assert.equal(inRange(parseAddress(other.join('.'))!, range), blocks.check(other.join('.')))
        assert.ok(inRange(parseAddress(start.join('.'))!, range))
      }),
    )
    fc.assert(
      fc.property(six, six, fc.nat(128), (start, other, bits) => {
        const blocks = new BlockList()
        blocks.addSubnet(start, bits, 'ipv6')
        const inside = inRange(parseAddress(other)!, parseRange(`${start}/${bits}`)!)
        assert.equal(inside, blocks.check(other, 'ipv6'))
      }),
    )
  })

  test('is refused where it is none', () => {
    for (const text of ['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', 'a/8', '10.0.0.0/8.0']) {
      assert.equal(parseRange(text), undefined, text)
    }
  })
})

describe('every spelling of an address', () => {
  /** A number in the bases that URLs read. */
  const spellNumber = (value: number, base: number): string =>
    base === 0 ? `0x${value.toString(16)}` : base === 1 ? `0${value.toString(8)}` : String(value)
  const disguise = (text: string, how: number): string =>
    how === 0
      ? [...text].map((sign) => `%${sign.charCodeAt(0).toString(16)}`).join('')
      : how === 1
        ? text.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))).replaceAll('.', '。')
        : how === 2
          ? `${text}.`
          : text
  const spelled = fc
    .record({
      parts: quad,
      bases: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)),
      length: fc.integer({ min: 1, max: 4 }),
      how: fc.nat(3),
    })
    .map(({ parts, bases, length, how }) => {
      const last = parts.slice(length - 1).reduce((sum, part) => sum * 256 + part, 0)
      const texts = [...parts.slice(0, length - 1), last].map((part, index) => spellNumber(part, bases[index]!))
      return { parts, url: `http://${disguise(texts.join('.'), how)}/` }
    })

  test('law: it is refused or not as the address is, however it is written', () => {
    const policy = createPolicy([], [80])
    fc.assert(
      fc.property(spelled, ({ parts, url: text }) => {
        const url = new URL(text)
        assert.equal(url.hostname, parts.join('.'))
        const isPublic = addressKind(parseAddress(parts.join('.'))!) === 'public'
        const check = (): void => policy.checkAddresses(url, [url.hostname])
        if (isPublic) check()
        else assert.throws(check, { code: 'egress_refused' })
      }),
      { numRuns: 300 },
    )
  })

  test('law: no address of family 6 that carries a closed address of family 4 is public', () => {
    const shapes = [
      (a: string) => `::ffff:${a}`,
      (a: string) => `::${a}`,
      (a: string) => `64:ff9b::${a}`,
      (a: string) => `::ffff:0:${a}`,
    ]
    fc.assert(
      fc.property(quad, fc.nat(shapes.length - 1), (parts, shape) => {
        assert.notEqual(addressKind(parseAddress(shapes[shape]!(parts.join('.')))!), 'public')
        const hex = parts.map((part) => part.toString(16).padStart(2, '0')).join('')
        const groups = `${hex.slice(0, 4)}:${hex.slice(4)}`
        assert.equal(addressKind(parseAddress(`2002:${groups}::1`)!), '6to4')
        assert.equal(addressKind(parseAddress(`2001:0:${groups}::1`)!), 'teredo')
        assert.equal(addressKind(parseAddress(`2607:f8b0::5efe:${parts.join('.')}`)!), 'isatap')
      }),
    )
  })
})
