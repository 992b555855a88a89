import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { boundNames, findBound, withBound, type Resource } from './resource.ts'
import { World } from './world.ts'

test('law: a list of bindings is a map, and binding leaves older lists as they were', () => {
  const binding = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer())
  fc.assert(
    fc.property(fc.array(binding, { maxLength: 12 }), (bindings) => {
      const map = new Map<string, number>()
      const seen: { list: Resource | undefined; entries: [string, number][] }[] = []
      let list: Resource | undefined
      for (const [name, value] of bindings) {
        seen.push({ list, entries: [...map] })
        list = withBound(list, name, value)
        map.set(name, value)
      }
      seen.push({ list, entries: [...map] })
      for (const { list: then, entries } of seen) {
        for (const name of ['a', 'b', 'c', 'd']) assert.equal(findBound(then, name), new Map(entries).get(name))
        assert.deepEqual(boundNames(then).toSorted(), entries.map(([name]) => name).toSorted())
      }
    }),
  )
})

test('a fork binds for itself alone', () => {
  const world = new World({ resources: { a: 1, b: 2 } })
  const fork = world.fork()
  fork.bind('a', 3)
  world.bind('c', 4)
  assert.equal(world.resource('a'), 1)
  assert.equal(fork.resource('a'), 3)
  assert.equal(fork.findResource('c'), undefined)
  assert.equal(fork.resource('b'), 2)
})
