// Values and names that no world lets in: the corpus of the tests of this room.

/** What each is, and how to make a fresh one. */
export const hostileValues: readonly (readonly [string, () => unknown])[] = [
  ['NaN', () => Number.NaN],
  ['infinity', () => -Infinity],
  ['a bigint', () => 1n],
  ['a symbol', () => Symbol('s')],
  ['a function', () => () => 1],
  ['a class', () => Map],
  ['an ill-formed string', () => 'a\ud800'],
  ['an ill-formed key', () => ({ '\udc00': 1 })],
  ['__proto__ as a key', () => JSON.parse('{"__proto__":{"admin":true}}')],
  ['constructor as a key', () => ({ constructor: 1 })],
  ['a Date', () => new Date(0)],
  ['an invalid Date', () => new Date(Number.NaN)],
  ['a Map', () => new Map()],
  ['a Set', () => new Set()],
  ['a RegExp', () => /x/],
  ['a typed array', () => new Uint8Array(2)],
  ['a Promise', () => Promise.resolve()],
  ['an Error', () => new Error('no')],
  ['a boxed string', () => Object('text')],
  ['an instance', () => new AbortController()],
  ['an object on a prototype', () => Object.create({ inherited: 1 })],
  [
    'an instance whose class hides its name',
    () => {
      class Nameless {
        mood = 1
        static get name(): never {
          throw new Error('no')
        }
      }
      return new Nameless()
    },
  ],
  [
    'a sparse array',
    () => {
      const sparse = [1]
      sparse[2] = 3
      return sparse
    },
  ],
  ['undefined in an array', () => [undefined]],
  [
    'an array of endless length',
    () => {
      const long: unknown[] = []
      long.length = 4_294_967_295
      return long
    },
  ],
  [
    'a cycle',
    () => {
      const a: unknown[] = []
      a.push({ a })
      return a
    },
  ],
  [
    'nesting over 64',
    () => {
      let deep: unknown = 1
      for (let at = 0; at < 70; at++) deep = { deep }
      return deep
    },
  ],
  [
    'a nest of 100,000 arrays',
    () => {
      let deep: unknown = 1
      for (let at = 0; at < 100_000; at++) deep = [deep]
      return deep
    },
  ],
  [
    'a graph that doubles at each level',
    () => {
      let bomb: unknown = 'x'
      for (let at = 0; at < 60; at++) bomb = [bomb, bomb]
      return bomb
    },
  ],
  [
    'a doubling graph with a bad leaf last',
    () => {
      let bomb: unknown = 1n
      for (let at = 0; at < 60; at++) bomb = { a: 1, b: [bomb, bomb] }
      return bomb
    },
  ],
  [
    'a getter that throws',
    () => ({
      get a(): never {
        throw new Error('boom')
      },
    }),
  ],
  [
    'a getter that throws nonsense',
    () => ({
      get a(): never {
        throw null
      },
    }),
  ],
  [
    'a proxy that throws',
    () =>
      new Proxy(
        {},
        {
          getPrototypeOf: () => {
            throw new Error('boom')
          },
        },
      ),
  ],
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
  ],
  ['a proxy of a Map', () => new Proxy(new Map(), {})],
  [
    'a proxy that lists keys without end',
    () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new RangeError('no')
          },
        },
      ),
  ],
  ['a toJSON method', () => ({ toJSON: () => 1 })],
]

/** Names that are none. */
export const hostileNames: readonly unknown[] = [
  '',
  '__proto__',
  'constructor',
  'prototype',
  '9lives',
  'a b',
  'ä',
  'a\u0000',
  '\ud800',
  'a/b',
  'x'.repeat(65),
  'a\n',
  undefined,
  null,
  7,
  {},
]
