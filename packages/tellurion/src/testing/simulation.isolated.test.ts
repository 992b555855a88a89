import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { flaws } from './simulation-flaw.ts'
import { simulate } from './simulation.ts'

const seeds = 1000
/** Seeds that a defect may take to be found. */
const patience = 300

describe(`${seeds} simulated courses break no law`, () => {
  const sum: Record<string, number> = {}

  for (let first = 1; first <= seeds; first += 100) {
    test(`seeds ${first} to ${first + 99}`, async () => {
      for (let seed = first; seed < first + 100; seed++) {
        const { broken, count } = await simulate({ seed })
        for (const [name, value] of Object.entries(count)) sum[name] = (sum[name] ?? 0) + value
        assert.deepEqual(broken, [], `seed ${seed}; see its course with: npm run simulate -- ${seed}`)
      }
    })
  }

  test('and much went wrong in them', (context) => {
    for (const often of ['kills', 'freezes', 'drains', 'fenced', 'refused', 'mail']) {
      assert.ok((sum[often] ?? 0) >= 20, `${often} happened only ${sum[often]} times`)
    }
    context.diagnostic(`${seeds} courses: ${JSON.stringify(sum)}`)
  })
})

test('100 courses in which nothing goes wrong break no law, and lose no lease', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    assert.deepEqual((await simulate({ seed, calm: true })).broken, [], `seed ${seed}`)
  }
})

test('the same seed takes the same course', async () => {
  for (const seed of [3, 14, 159, 265]) {
    const [first, second] = [await simulate({ seed }), await simulate({ seed })]
    assert.equal(first.hash, second.hash, `seed ${seed}`)
    assert.deepEqual(first, second)
  }
  const hashes = new Set<string>()
  for (let seed = 1; seed <= 20; seed++) hashes.add((await simulate({ seed })).hash)
  assert.equal(hashes.size, 20)
})

for (const [name, broken] of Object.entries(flaws)) {
  test(`a store with this defect is found out: ${name}`, async (context) => {
    for (let seed = 1; seed <= patience; seed++) {
      for (const calm of [true, false]) {
        const { broken: laws } = await simulate({ seed, calm, broken })
        if (laws.length === 0) continue
        context.diagnostic(`${name}: seed ${seed}${calm ? ', calm' : ''}: ${laws[0]}`)
        return
      }
    }
    assert.fail(`${patience} seeds did not find it`)
  })
}
