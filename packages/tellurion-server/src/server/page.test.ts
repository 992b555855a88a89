import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { RequestError } from './failure.ts'
import { cursorAt, paged, placeIn, slicePage } from './page.ts'

const refused = (error: unknown): boolean => error instanceof RequestError && error.code === 'invalid_request'

describe('pages', () => {
  it('bring a whole list, each item once, whatever their size and whatever is put before it meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 12 }), async (count, limit) => {
        let list = Array.from({ length: count }, (_, index) => `item-${index}`)
        const wanted = [...list]
        const seen: string[] = []
        for (let cursor: string | undefined; ;) {
          const page = await paged(
            { limit, ...(cursor === undefined ? {} : { cursor }) },
            {
              read: async ({ limit, after }) => {
                const from = after === undefined ? 0 : list.indexOf(after) + 1
                return list.slice(from, from + limit)
              },
              placeOf: (item) => item,
            },
          )
          assert.ok(page.items.length <= limit)
          seen.push(...page.items)
          list = [`new-${list.length}`, ...list]
          if (page.next === undefined) break
          cursor = page.next
        }
        assert.deepEqual(seen, wanted)
      }),
    )
  })

  it('of a list that is there as a whole do the same', () => {
    const all = [1, 2, 3, 4, 5]
    const first = slicePage({ limit: 3 }, all)
    assert.deepEqual(first.items, [1, 2, 3])
    assert.deepEqual(slicePage({ limit: 3, cursor: first.next! }, all), { items: [4, 5] })
    assert.deepEqual(slicePage({ limit: 5 }, all), { items: all })
    assert.throws(() => slicePage({ cursor: cursorAt('x') }, all), refused)
  })

  it('say when what a cursor stands on is gone', async () => {
    const gone = { read: async () => [], placeOf: String, isThere: async () => false }
    await assert.rejects(paged({ cursor: cursorAt('x') }, gone), refused)
    assert.deepEqual(await paged({ cursor: cursorAt('x') }, { ...gone, isThere: async () => true }), { items: [] })
    assert.deepEqual(await paged({}, gone), { items: [] })
  })
})

describe('cursors', () => {
  it('come back as they went out, and nothing else is one', () => {
    fc.assert(fc.property(fc.stringMatching(/^[\w-]{1,64}$/), (place) => assert.equal(placeIn(cursorAt(place)), place)))
    for (const cursor of ['', '!', 'YQ==', 'YQ=', 'Yb', cursorAt('../x'), cursorAt('x'.repeat(65)), cursorAt('é')]) {
      assert.throws(() => placeIn(cursor), refused, cursor)
    }
  })
})
