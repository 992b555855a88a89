import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../id/random.ts'
import { Best } from './best.ts'
import { dotProduct, VectorBlocks } from './blocks.ts'
import { unitVector } from './unit-vector.ts'

const vectorOf = (random: () => number, dimensions: number): Float32Array =>
  unitVector(
    Array.from({ length: dimensions }, () => random() - 0.5),
    'a vector',
  )

describe('VectorBlocks', () => {
  it('finds what a plain list finds, through additions and deletions', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ add: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 2, arbitrary: fc.record({ drop: fc.integer({ min: 1, max: 60 }) }) },
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(step, { maxLength: 20 }),
        fc.nat(),
        (dimensions, steps, seed) => {
          const random = seededRandom(seed)
          const blocks = new VectorBlocks(dimensions)
          const plain = new Map<number, Float32Array>()
          let last = 0
          for (const one of steps) {
            if ('add' in one) {
              for (let count = 0; count < one.add; count++) {
                // Keys rise, with gaps.
                last += 1 + Math.floor(random() * 3)
                const vector = vectorOf(random, dimensions)
                blocks.add(last, vector)
                plain.set(last, vector)
              }
            } else {
              for (let count = 0; count < one.drop; count++) {
                const key = Math.floor(random() * (last + 2))
                assert.equal(blocks.delete(key), plain.delete(key))
              }
            }
          }
          assert.equal(blocks.size, plain.size)
          const query = vectorOf(random, dimensions)
          const limit = 1 + Math.floor(random() * 20)
          const keys = [...plain.keys(), last + 5].filter(() => random() < 0.5)
          const minScore = random() * 2 - 1
          for (const narrowed of [{}, { keys }, { minScore }, { keys, minScore }]) {
            const wanted = [...plain]
              .filter(([key]) => !('keys' in narrowed) || keys.includes(key))
              .map(([key, vector]) => ({ key, score: Math.min(1, Math.max(-1, dotProduct(vector, 0, query))) }))
              .filter(({ score }) => !('minScore' in narrowed) || score >= minScore)
              .sort((a, b) => b.score - a.score || a.key - b.key)
            assert.deepEqual(blocks.scan(query, { limit, ...narrowed }), wanted.slice(0, limit))
          }
          for (const [key, vector] of plain) assert.deepEqual(blocks.get(key), vector)
        },
      ),
    )
  })

  it('spans blocks, closes gaps and gives memory back', () => {
    const dimensions = 3_000
    const blocks = new VectorBlocks(dimensions)
    const random = seededRandom(1)
    const vectors = Array.from({ length: 4_000 }, () => vectorOf(random, 4))
    // 84 rows a block: 48 blocks, most of which are dropped again.
    vectors.forEach((vector, key) => {
      const long = new Float32Array(dimensions)
      long.set(vector)
      blocks.add(key, long)
    })
    for (let key = 0; key < 4_000; key++) if (key % 8 !== 3) blocks.delete(key)
    const query = new Float32Array(dimensions)
    query.set(vectors[3_003]!)
    const [first] = blocks.scan(query, { limit: 1 })
    assert.equal(first!.key, 3_003)
    assert.equal(blocks.scan(query, { limit: 4_000 }).length, 500)
    blocks.add(4_000, query)
    assert.deepEqual(
      blocks.scan(query, { limit: 2 }).map(({ key }) => key),
      [3_003, 4_000],
      'of equals the lower key',
    )
    assert.equal(blocks.get(2_000), undefined)
  })

  it('is not led astray by rounding at both ends', () => {
    const blocks = new VectorBlocks(3)
    const vector = unitVector([1, 1, 1], 'a vector')
    blocks.add(1, vector)
    blocks.add(
      2,
      vector.map((value) => -value),
    )
    assert.deepEqual(
      blocks.scan(vector, { limit: 5, minScore: -1 }).map(({ key }) => key),
      [1, 2],
    )
    for (const { score } of blocks.scan(vector, { limit: 5 })) assert.ok(Math.abs(score) <= 1)
  })
})

describe('Best', () => {
  it('keeps what sorting would keep', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -4, max: 4 })), fc.integer({ min: 1, max: 12 }), (scores, limit) => {
        const best = new Best(limit)
        scores.forEach((score, index) => best.offer(score, (index * 7) % 101))
        const wanted = scores
          .map((score, index) => ({ key: (index * 7) % 101, score }))
          .sort((a, b) => b.score - a.score || a.key - b.key)
          .slice(0, limit)
        assert.deepEqual(best.ranking(), wanted)
        assert.equal(best.threshold, scores.length < limit ? -Infinity : wanted.at(-1)!.score)
      }),
    )
  })
})

describe('unitVector', () => {
  it('keeps the direction of any finite numbers', () => {
    const entry = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 40 }), (values) => {
        fc.pre(values.some((value) => value !== 0))
        const unit = unitVector(values, 'a vector')
        assert.ok(Math.abs(Math.hypot(...unit) - 1) < 1e-5)
        const largest = Math.max(...values.map(Math.abs))
        const norm = Math.hypot(...values.map((value) => value / largest))
        values.forEach((value, index) => assert.ok(Math.abs(unit[index]! - value / largest / norm) < 1e-6))
      }),
    )
  })
})
