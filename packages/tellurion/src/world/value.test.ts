import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import { checkName, equal, lastSize, own } from './value.ts'
import { hostileNames, hostileValues } from './hostile.test.ts'

describe('values', () => {
  test('plain JSON is copied whole, frozen to the last leaf', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        // fast-check may make keys that a world refuses; JSON text is the judge for all others.
        fc.pre(!text.includes('__proto__') && !text.includes('constructor') && text.isWellFormed())
        fc.pre(!/\\ud[89a-f]/i.test(text))
        const owned = own(value, 'it')
        assert.equal(JSON.stringify(owned), JSON.stringify(JSON.parse(text)))
        assertFrozen(owned)
        assert.ok(equal(owned, JSON.parse(text)))
      }),
    )
  })

  test('what is changed later outside does not change it', () => {
    const outside = { list: [1, { deep: true }] }
    const owned = own(outside, 'it')
    outside.list.push(2)
    assert.deepEqual(owned, { list: [1, { deep: true }] })
  })

  for (const [name, make] of hostileValues) {
    test(`refuses ${name}`, () => {
      for (const value of [make(), [make()], { a: { b: make() } }]) {
        assert.throws(() => own(value, 'Mood'), oneClearLine)
      }
    })
  }

  test('says where and what to write instead', () => {
    const said = (value: unknown): string => {
      try {
        own(value, 'Mood')
      } catch (error) {
        return (error as Error).message
      }
      return 'nothing'
    }
    assert.equal(
      said({ a: [1, { when: new Date(0) }] }),
      'Mood: the value is a Date at a[1].when (use date.toISOString()). A world holds plain JSON only.',
    )
    assert.match(said([1, Number.NaN]), /is NaN at \[1\] \(use null or a string\)/)
    assert.match(said({ n: 10n }), /is a bigint at n/)
    assert.match(said({ a: { b: '\ud800' } }), /ill-formed Unicode at a\.b \(use text\.toWellFormed\(\)\)/)
    assert.match(said(undefined), /is undefined\./)
  })

  test('leaves undefined properties out, as JSON does, and knows no negative zero', () => {
    assert.deepEqual(own({ a: undefined, b: -0 }, 'it'), { b: 0 })
    assert.ok(Object.is(own(-0, 'it'), 0))
  })

  test('reads each property once, so a getter cannot change its mind', () => {
    let reads = 0
    const sly = {
      get a() {
        reads++
        return reads === 1 ? 'json' : Number.NaN
      },
    }
    assert.deepEqual(own(sly, 'it'), { a: 'json' })
    assert.equal(reads, 1)
  })

  test('lets depth 64 in and nothing deeper', () => {
    const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)])
    own(nest(64), 'it')
    assert.throws(() => own(nest(65), 'it'), oneClearLine)
  })

  test('tells the size of what it copied', () => {
    own({ text: 'x'.repeat(20_000) }, 'it')
    assert.ok(lastSize() > 20_000 && lastSize() < 20_100)
  })

  test('equality is that of JSON, whatever the order of keys', () => {
    assert.ok(equal({ a: 1, b: [null] }, { b: [null], a: 1 }))
    for (const [a, b] of [
      [{ a: 1 }, { b: 1 }],
      [[], {}],
      [{}, []],
      [[1], [1, 2]],
      [null, {}],
      [{ a: null }, {}],
      ['1', 1],
    ]) {
      assert.equal(equal(a, b), false)
    }
  })
})

describe('names', () => {
  test('a letter, then letters, digits and three signs', () => {
    for (const name of ['Mood', 'a', 'a.b-c_d9', 'x'.repeat(64)]) checkName('component', name)
  })

  for (const name of hostileNames) {
    test(`refuses ${JSON.stringify(name)?.slice(0, 40) ?? typeof name}`, () => {
      assert.throws(() => checkName('component', name), { name: 'TellurionError', code: 'invalid_name' })
    })
  }
})

function oneClearLine(error: unknown): boolean {
  assert.ok(error instanceof TellurionError)
  assert.equal(error.code, 'invalid_value')
  assert.match(error.message, /^Mood|^it/)
  assert.ok(!error.message.includes('\n') && error.message.length < 400 && error.message.isWellFormed())
  return true
}

function assertFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  assert.ok(Object.isFrozen(value))
  for (const item of Object.values(value)) assertFrozen(item)
}
