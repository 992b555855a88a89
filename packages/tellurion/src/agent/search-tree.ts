// A search tree in a world: its nodes are entities. Where to look next, what a score says about the way to it, and the
// best way there is. Nothing here asks anybody.

import type { Random } from '../id/random.ts'
import type { Entity } from '../world/entity.ts'
import type { ReadOf } from '../world/component.ts'
import type { World } from '../world/world.ts'
import { SearchNode } from './plan-component.ts'

/** A node as its component has it. */
export type SearchNodeValue = ReadOf<typeof SearchNode>

/** Makes the root of a new tree. */
export function plantRoot(world: World, owner: Entity): Entity {
  return world.spawn(SearchNode({ owner, step: '', depth: 0, visits: 0, total: 0 }))
}

/** Takes a tree out of the world; what is gone already is passed over. */
export function fellTree(world: World, root: Entity): void {
  const waiting = [root]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (!world.exists(node)) continue
    for (const child of childrenOf(world, node)) waiting.push(child)
    world.destroy(node)
  }
}

/** Gives a node its next steps, in order; those of one node are distinct. */
export function growNode(world: World, node: Entity, steps: readonly string[]): readonly Entity[] {
  const { owner, depth } = world.require(node, SearchNode)
  const children = steps.map((step) =>
    world.spawn(SearchNode({ owner, parent: node, step, depth: depth + 1, visits: 0, total: 0 })),
  )
  world.update(node, SearchNode, (value) => ({ ...value, children }))
  return children
}

/** How a leaf is chosen. */
export interface Choice {
  /** Weight of what is little known. */
  readonly exploration: number
  /** Chooses among children that nobody has visited. */
  readonly random: Random
}

/** The node to look at next: down the tree by UCB1, to the first that has no children or was never visited. */
export function chooseLeaf(world: World, root: Entity, choice: Choice): Entity {
  let node = root
  for (;;) {
    const children = childrenOf(world, node)
    if (children.length === 0) return node
    const fresh = chooseFresh(world, children, choice.random)
    if (fresh !== undefined) return fresh
    const { visits } = world.require(node, SearchNode)
    node = best(children, (child) => ucb1(world.require(child, SearchNode), visits, choice.exploration))
  }
}

/** One of the nodes that nobody has visited, or undefined. */
function chooseFresh(world: World, nodes: readonly Entity[], random: Random): Entity | undefined {
  const fresh = nodes.filter((node) => world.require(node, SearchNode).visits === 0)
  return fresh[Math.floor(random() * fresh.length)]
}

/** UCB1 (Auer, Cesa-Bianchi and Fischer, 2002): the mean, and a bonus for what is little known. */
export function ucb1({ total, visits }: SearchNodeValue, parentVisits: number, exploration: number): number {
  if (visits === 0) return Number.POSITIVE_INFINITY
  return total / visits + exploration * Math.sqrt(Math.log(parentVisits) / visits)
}

/** Adds a score to a node and to all on the way to it. */
export function addScore(world: World, node: Entity, score: number): void {
  for (let at: Entity | undefined = node; at !== undefined; at = parentOf(world, at)) {
    world.update(at, SearchNode, (value) => ({ ...value, visits: value.visits + 1, total: value.total + score }))
  }
}

/** The nodes that lead to a node, the root left out. */
export function pathTo(world: World, node: Entity): readonly SearchNodeValue[] {
  const path: SearchNodeValue[] = []
  for (let at: Entity | undefined = node; at !== undefined; at = parentOf(world, at)) {
    const value = world.require(at, SearchNode)
    if (value.depth > 0) path.unshift(value)
  }
  return path
}

/** The steps of the best way: from the root the child with the highest mean, ties to the first, as far as was looked. */
export function bestSteps(world: World, root: Entity): readonly string[] {
  const steps: string[] = []
  for (let node = root; ;) {
    const seen = childrenOf(world, node).filter((child) => world.require(child, SearchNode).visits > 0)
    if (seen.length === 0) return steps
    node = best(seen, (child) => mean(world.require(child, SearchNode)))
    steps.push(world.require(node, SearchNode).step)
  }
}

function mean({ total, visits }: SearchNodeValue): number {
  return total / visits
}

/** The first of those with the highest value; there is at least one. */
function best(nodes: readonly Entity[], valueOf: (node: Entity) => number): Entity {
  let found = nodes[0]!
  let highest = valueOf(found)
  for (const node of nodes.slice(1)) {
    const value = valueOf(node)
    if (value > highest) [found, highest] = [node, value]
  }
  return found
}

function childrenOf(world: World, node: Entity): readonly Entity[] {
  return (world.get(node, SearchNode)?.children ?? []) as readonly Entity[]
}

function parentOf(world: World, node: Entity): Entity | undefined {
  return world.require(node, SearchNode).parent as Entity | undefined
}
