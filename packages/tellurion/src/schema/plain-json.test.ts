import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { className, jsonProblem, maxJsonDepth } from './plain-json.ts'

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

describe('jsonProblem', () => {
  it('finds nothing wrong with what JSON.parse makes', () => {
    const parsed = fc.json({ maxDepth: 10 }).map((text) => JSON.parse(text) as unknown)
    fc.assert(
      fc.property(parsed, (value) => {
        const text = JSON.stringify(value)
        fc.pre(!/"(__proto__|constructor)"|\\ud[89a-f]/.test(text))
        assert.equal(jsonProblem(value), undefined)
      }),
    )
  })

  const cycle: Record<string, unknown> = {}
  cycle['again'] = cycle
  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['NaN', { a: [1, Number.NaN] }, /^\/a\/1: NaN/],
    ['Infinity', -Infinity, /^-Infinity/],
    ['a function', { f: () => 1 }, /^\/f: a function/],
    ['a symbol', [Symbol('x')], /^\/0: a symbol/],
    ['a BigInt', 1n, /^a bigint/],
    ['undefined', undefined, /^undefined/],
    ['undefined in a list', [undefined], /^\/0: undefined/],
    ['a Map', new Map(), /^a Map/],
    ['a Date', { at: new Date(0) }, /^\/at: a Date/],
    [
      'a class instance',
      new (class Point {
        x = 1
      })(),
      /^a Point/,
    ],
    ['a lone surrogate', ['\ud800'], /^\/0: ill-formed/],
    ['a key with a lone surrogate', { '\udc00': 1 }, /ill-formed/],
    ['__proto__', JSON.parse('{"a":{"__proto__":{"x":1}}}'), /^\/a: the key __proto__/],
    ['constructor', { constructor: 1 }, /the key constructor/],
    ['a cycle', cycle, /cycle/],
    ['too deep', nested(maxJsonDepth + 1), /nested deeper/],
    ['very deep', nested(100_000), /nested deeper/],
  ]
  for (const [name, value, expected] of bad) {
    it(`refuses ${name}`, () => assert.match(jsonProblem(value) ?? 'nothing', expected))
  }

  it('takes nesting up to the limit, and properties that are undefined', () => {
    assert.equal(jsonProblem(nested(maxJsonDepth)), undefined)
    assert.equal(jsonProblem({ a: undefined, b: Object.create(null) as object }), undefined)
  })
})

describe('className', () => {
  it('names any object and never throws', () => {
    assert.equal(className(new Set()), 'a Set')
    assert.equal(className(Object.create(null) as object), 'an instance of a class')
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.equal(className(proxy), 'an exotic object')
  })
})
