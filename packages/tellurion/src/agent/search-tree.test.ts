import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seededRandom } from '../id/random.ts'
import type { Entity } from '../world/entity.ts'
import { World } from '../world/world.ts'
import { SearchNode } from './plan-component.ts'
import { addScore, bestSteps, chooseLeaf, fellTree, growNode, pathTo, plantRoot, ucb1 } from './search-tree.ts'

function plant() {
  const world = new World()
  const owner = world.spawn()
  const root = plantRoot(world, owner)
  const leaf = (exploration: number, seed = 1) => chooseLeaf(world, root, { exploration, random: seededRandom(seed) })
  const stepOf = (node: Entity) => world.require(node, SearchNode).step
  return { world, root, leaf, stepOf }
}

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`)

describe('a search tree', () => {
  test('weighs nodes by UCB1, those that nobody has visited first', () => {
    const node = { owner: 1, step: 'a', depth: 1 }
    near(ucb1({ ...node, visits: 4, total: 3 }, 9, 1.5), 0.75 + 1.5 * Math.sqrt(Math.log(9) / 4))
    near(ucb1({ ...node, visits: 4, total: 3 }, 9, 0), 0.75)
    assert.equal(ucb1({ ...node, visits: 0, total: 0 }, 9, 0), Infinity)
  })

  test('goes to each child once before it goes to any twice', () => {
    const { world, root, leaf, stepOf } = plant()
    assert.equal(leaf(1), root)
    growNode(world, root, ['a', 'b', 'c'])
    const seen = new Set<string>()
    for (let turn = 0; turn < 3; turn++) {
      const node = leaf(1, turn)
      seen.add(stepOf(node))
      addScore(world, node, turn / 10)
    }
    assert.deepEqual([...seen].toSorted(), ['a', 'b', 'c'])
  })

  test('prefers the best without a wish to explore, and the least known with a strong one', () => {
    const { world, root, leaf, stepOf } = plant()
    const [a, b] = growNode(world, root, ['a', 'b']) as [Entity, Entity]
    for (const score of [0.9, 0.9, 0.9]) addScore(world, a, score)
    addScore(world, b, 0.1)
    assert.equal(stepOf(leaf(0)), 'a')
    assert.equal(stepOf(leaf(10)), 'b')
  })

  test('adds a score to all on the way, and tells the way', () => {
    const { world, root } = plant()
    const [a] = growNode(world, root, ['a', 'b']) as [Entity, Entity]
    const [, d] = growNode(world, a, ['c', 'd']) as [Entity, Entity]
    addScore(world, d, 0.5)
    addScore(world, a, 0.25)
    const figures = [root, a, d].map((node) => {
      const { visits, total } = world.require(node, SearchNode)
      return [visits, total]
    })
    assert.deepEqual(figures, [
      [2, 0.75],
      [2, 0.75],
      [1, 0.5],
    ])
    assert.deepEqual(
      pathTo(world, d).map(({ step, depth }) => [step, depth]),
      [
        ['a', 1],
        ['d', 2],
      ],
    )
    assert.deepEqual(pathTo(world, root), [])
  })

  test('gives the child with the highest mean, step by step, ties to the first, as far as was looked', () => {
    const { world, root } = plant()
    assert.deepEqual(bestSteps(world, root), [])
    const [a, b, c] = growNode(world, root, ['a', 'b', 'c']) as [Entity, Entity, Entity]
    assert.deepEqual(bestSteps(world, root), [])
    for (const score of [0.2, 0.2, 0.2, 0.2]) addScore(world, a, score)
    addScore(world, b, 0.5)
    addScore(world, c, 0.5)
    assert.deepEqual(bestSteps(world, root), ['b'])
    const [, e] = growNode(world, b, ['d', 'e']) as [Entity, Entity]
    addScore(world, e, 0.6)
    assert.deepEqual(bestSteps(world, root), ['b', 'e'])
  })

  test('goes out of the world with all its nodes', () => {
    const { world, root } = plant()
    const [a] = growNode(world, root, ['a', 'b']) as [Entity, Entity]
    growNode(world, a, ['c'])
    world.destroy(a)
    fellTree(world, root)
    assert.equal(world.exists(root), false)
    assert.equal(world.count(SearchNode), 1, 'what hung on a node that is gone was not its business')
    fellTree(world, root)
  })
})
