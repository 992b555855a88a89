import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Entity } from './entity.ts'
import { EntityMap, isEntity, newOwner } from './entity-map.ts'

const id = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.integer({ min: 100, max: 300 }),
  fc.integer({ min: 16_000, max: 17_000 }),
  fc.constantFrom(2 ** 31 - 1, 2 ** 21, 2 ** 28),
) as fc.Arbitrary<Entity>

type Step = { kind: 'set' | 'delete'; on: number; entity: Entity } | { kind: 'fork'; on: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), on: fc.nat(9), entity: id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), on: fc.nat(9), entity: id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fork' as const), on: fc.nat(9) }) },
)

interface Twin {
  map: EntityMap<number>
  model: Map<Entity, number>
}

/** The law: whatever is written to whichever copy, each map holds what its model holds, ascending. */
function law(steps: readonly Step[], fork: (map: EntityMap<number>) => [EntityMap<number>, EntityMap<number>]): void {
  const twins: Twin[] = [{ map: new EntityMap(newOwner()), model: new Map() }]
  for (const [at, step] of steps.entries()) {
    const twin = twins[step.on % twins.length]!
    if (step.kind === 'set') {
      twin.map.set(step.entity, at)
      twin.model.set(step.entity, at)
    } else if (step.kind === 'delete') {
      assert.equal(twin.map.delete(step.entity), twin.model.delete(step.entity))
    } else {
      const [mine, theirs] = fork(twin.map)
      twin.map = mine
      twins.push({ map: theirs, model: new Map(twin.model) })
    }
  }
  for (const { map, model } of twins) {
    const expected = [...model].sort(([a], [b]) => a - b)
    const seen: [Entity, number][] = []
    map.each((entity, value) => seen.push([entity, value]))
    assert.deepEqual(seen, expected)
    assert.equal(map.size, model.size)
    for (const [entity, value] of model) assert.equal(map.get(entity), value)
    const walked: Entity[] = []
    for (let entity = map.next(0); entity !== undefined; entity = map.next(entity + 1)) walked.push(entity)
    assert.deepEqual(
      walked,
      expected.map(([entity]) => entity),
    )
  }
}

const copies = (map: EntityMap<number>): [EntityMap<number>, EntityMap<number>] => [
  new EntityMap(newOwner(), map),
  new EntityMap(newOwner(), map),
]

describe('maps from entities', () => {
  test('hold what was put into them, and copies go their own ways', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => law(steps, copies)),
      { numRuns: 300 },
    )
  })

  test('the law has teeth: copies that keep the owner are caught', () => {
    assert.throws(() =>
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) =>
          law(steps, (map) => [map, new EntityMap(map.owner, map)]),
        ),
        { numRuns: 300, seed: 1 },
      ),
    )
  })

  test('know nothing of what is no entity', () => {
    const map = new EntityMap<number>(newOwner())
    map.set(1 as Entity, 7)
    for (const odd of [1.5, -1, Number.NaN, Infinity, 2 ** 32 + 1, '1', null, undefined, {}]) {
      assert.equal(map.get(odd as Entity), undefined)
      assert.equal(map.delete(odd as Entity), false)
    }
    assert.deepEqual([0, 1, 2 ** 31 - 1, 2 ** 31, 1.5, '1'].map(isEntity), [false, true, true, false, false, false])
  })

  test('one entity costs the same whatever its number: its pages are few', () => {
    const map = new EntityMap<number>(newOwner())
    for (let entity = 1; entity <= 50_000; entity++) {
      map.set(entity as Entity, entity)
      if (entity > 1) map.delete((entity - 1) as Entity)
    }
    assert.equal(map.size, 1)
    assert.equal(map.next(0), 50_000)
    assert.equal(map.get(50_000 as Entity), 50_000)
  })
})
