import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defineComponent } from './component.ts'
import type { Entity } from './entity.ts'
import { World, $inside } from './world.ts'

const Name = defineComponent<string>('Name')
const one = 1 as Entity

describe('the state of a world', () => {
  test('that became another goes its own way from there, and so does the other', () => {
    const world = new World()
    world.spawn(Name('before'))
    const other = world.fork()
    other.set(one, Name, 'other')
    world[$inside].state.adopt(other[$inside].state.keep())
    assert.equal(world.get(one, Name), 'other')
    other.set(one, Name, 'later')
    assert.equal(world.get(one, Name), 'other')
    world.set(one, Name, 'mine')
    assert.equal(other.get(one, Name), 'later')
  })

  test('that was taken as a delta does not grow any more', () => {
    const world = new World()
    world.spawn(Name('before'))
    const changes = world.takeDelta()
    world.emit({ type: 'own.kept' })
    const events = world.takeDelta()
    world.set(one, Name, 'after')
    world.emit({ type: 'own.kept' })
    assert.deepEqual([changes.operations.length, changes.records], [2, []])
    assert.deepEqual([events.operations, events.records.length], [[], 1])
    assert.deepEqual([world.takeDelta().operations.length, world.takeDelta().records.length], [1, 0])
  })

  test('keeps queries alive while it is large, and finds the same without them', () => {
    const world = new World()
    const { state } = world[$inside]
    const query = state.query([Name])
    for (let count = 1; count <= 40; count++) {
      world.spawn(Name('x'))
      assert.equal(state.matching(query).length, count)
    }
    for (let count = 39; count >= 0; count--) {
      world.destroy((count + 1) as Entity)
      assert.equal(state.matching(query).length, count)
    }
  })

  test("finds a large world's matches without going through the rows again", () => {
    const world = new World()
    const { state } = world[$inside]
    for (let count = 0; count < 40; count++) world.spawn(Name('x'))
    const list = state.matching(state.query([Name]))
    assert.equal(state.matching(state.query([Name])), list)
    world.remove(20 as Entity, Name)
    assert.deepEqual(state.matching(state.query([Name])).includes(20 as Entity), false)
    world.set(20 as Entity, Name, 'back')
    assert.deepEqual([...state.matching(state.query([Name]))], world.entities())
  })
})
