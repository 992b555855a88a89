import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { dependencyOrder, dependencyStages, findCycle, readyOf, type Dependent } from './dependency.ts'

const item = (id: string, ...dependsOn: string[]): Dependent<string> => ({ id, dependsOn })

/** A graph in which names depend on earlier names alone, told in any order. */
const acyclic = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 30 })
  .map((rows): Dependent<number>[] =>
    rows.map((wishes, id) => ({ id, dependsOn: id === 0 ? [] : wishes.map((wish) => wish % id) })),
  )
  .chain((items) => fc.shuffledSubarray(items, { minLength: items.length, maxLength: items.length }))

describe('dependencyOrder', () => {
  test('puts each after what it depends on, and keeps the order of the rest', () => {
    assert.deepEqual(dependencyOrder([item('c', 'b'), item('b', 'a'), item('a'), item('z')]), ['a', 'b', 'c', 'z'])
    assert.deepEqual(dependencyOrder([item('x'), item('y'), item('z')]), ['x', 'y', 'z'])
    assert.deepEqual(dependencyOrder([{ id: 1 }, { id: 0 }]), [1, 0])
    assert.deepEqual(dependencyOrder([]), [])
  })

  test('law: every name once, none before what it depends on', () => {
    fc.assert(
      fc.property(acyclic, (items) => {
        const order = dependencyOrder(items)
        assert.equal(new Set(order).size, items.length)
        const place = new Map(order.map((id, index) => [id, index]))
        for (const { id, dependsOn = [] } of items)
          for (const other of dependsOn) assert.ok(place.get(other)! < place.get(id)!)
      }),
    )
  })

  test('refuses a circle, and says which', () => {
    const message = 'Dependencies run in a circle: b → c → b. Leave one out.'
    assert.throws(() => dependencyOrder([item('a', 'b'), item('b', 'c'), item('c', 'b')]), {
      code: 'invalid_dependency',
      message,
    })
    assert.throws(() => dependencyOrder([item('a', 'a')]), { message: /a → a/ })
  })

  test('shows a long circle in short', () => {
    const ring = Array.from({ length: 1000 }, (_, id) => ({ id, dependsOn: [(id + 1) % 1000] }))
    assert.throws(() => dependencyOrder(ring), { message: /0 → 1 → 2 → 3 → 4 → 5 → 6 → … → 0/ })
  })

  test('refuses what is not there, and two of one name', () => {
    assert.throws(() => dependencyOrder([item('a', 'gone')]), {
      code: 'invalid_dependency',
      message: "'a' depends on 'gone', which is not there.",
    })
    assert.throws(() => dependencyOrder([item('a'), item('a')]), { code: 'duplicate_name' })
  })

  test('a chain of 200,000 neither recurses nor takes long, told from either end', () => {
    const length = 200_000
    const chain = Array.from({ length }, (_, id) => ({ id, dependsOn: id === 0 ? [] : [id - 1] }))
    assert.equal(dependencyOrder(chain).at(-1), length - 1)
    assert.equal(dependencyOrder(chain.toReversed())[0], 0)
  })
})

describe('findCycle', () => {
  test('finds a circle where there is one, and only there', () => {
    const edges: Readonly<Record<string, string[]>> = { a: ['b', 'd'], b: ['d'], c: ['b'], d: [], e: ['e'] }
    assert.equal(
      findCycle(['a', 'c'], (id) => edges[id]),
      undefined,
    )
    assert.deepEqual(
      findCycle(['a', 'e'], (id) => edges[id]),
      ['e', 'e'],
    )
  })

  test('law: a circle that is found runs along dependencies; one that was put in is found', () => {
    fc.assert(
      fc.property(acyclic, fc.nat(), fc.nat(), (items, first, second) => {
        if (items.length < 2) return
        const low = Math.min(first, second) % items.length
        const high = Math.max(first, second) % items.length
        // Along the order of names everything leads down; this leads up again, to something that leads here.
        const edges = new Map(items.map(({ id, dependsOn = [] }) => [id, [...dependsOn]]))
        edges.get(high)!.push(low)
        edges.get(low)!.push(high)
        const cycle = findCycle(edges.keys(), (id) => edges.get(id))
        assert.ok(cycle !== undefined && cycle[0] === cycle.at(-1))
        for (let at = 1; at < cycle.length; at++) assert.ok(edges.get(cycle[at - 1]!)?.includes(cycle[at]!))
      }),
    )
  })
})

describe('dependencyStages', () => {
  test('puts each into the first stage that has all it depends on', () => {
    const items = [{ id: 'd', dependsOn: ['b', 'c'] }, { id: 'a' }, { id: 'b', dependsOn: ['a'] }, { id: 'c' }]
    const names = dependencyStages(items).map((stage) => stage.map(({ id }) => id))
    assert.deepEqual(names, [['a', 'c'], ['b'], ['d']])
    assert.deepEqual(dependencyStages([]), [])
    assert.throws(() => dependencyStages([{ id: 1, dependsOn: [1] }]), /circle/)
  })

  test('law: the stages are what readyOf gives, one after the other', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(30), { maxLength: 3 }), { maxLength: 30 }), (links) => {
        const items = links.map((before, id) => ({ id, dependsOn: before.filter((other) => other < id) }))
        const done = new Set<number>()
        for (const stage of dependencyStages(items)) {
          assert.deepEqual(
            stage,
            readyOf(items, (id) => done.has(id)),
          )
          for (const { id } of stage) done.add(id)
        }
        assert.equal(done.size, items.length)
      }),
    )
  })
})

test('readyOf gives what is not done and waits for nothing', () => {
  const items = [item('a'), item('b', 'a'), item('c', 'a', 'b'), item('d')]
  const ready = (...done: string[]): string[] => readyOf(items, (id) => done.includes(id)).map(({ id }) => id)
  assert.deepEqual(ready(), ['a', 'd'])
  assert.deepEqual(ready('a'), ['b', 'd'])
  assert.deepEqual(ready('a', 'd', 'b'), ['c'])
  assert.deepEqual(ready('a', 'b', 'c', 'd'), [])
})
