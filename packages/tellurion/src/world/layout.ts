// Layouts: which components a world knows, and in which slot of an entity's row each one lies. Worlds that came to know
// the same components in the same order share one layout, as objects of one shape share a hidden class.

import { TellurionError } from '../error/error.ts'
import type { Component } from './component.ts'
import { Query } from './query.ts'

/** An immutable list of components. Slots count from 1: slot 0 of a row is its owner's. */
export class Layout {
  /** The layout of no components. */
  static readonly empty: Layout = new Layout([])

  readonly components: readonly Component[]
  /** Slot by component index; 0, or undefined behind the end, where the component is not known. */
  readonly slots: readonly number[]
  readonly #byName: Map<string, Component>
  /** By the index of the first component that they ask for. */
  readonly #queries: Query[][] = []
  readonly #successors: WeakMap<Component, WeakRef<Layout>> = new WeakMap()

  private constructor(components: readonly Component[]) {
    const length = Math.max(-1, ...components.map(({ index }) => index)) + 1
    const slots = Array.from({ length }, () => 0)
    for (const [position, { index }] of components.entries()) slots[index] = position + 1
    this.components = components
    this.slots = slots
    this.#byName = new Map(components.map((component) => [component.name, component]))
  }

  /** The component of that name. */
  find(name: string): Component | undefined {
    return this.#byName.get(name)
  }

  /** This layout, grown by a component it does not know. Throws `duplicate_name` when another one has its name. */
  with(component: Component): Layout {
    if (this.slots[component.index]) return this
    if (this.#byName.has(component.name)) {
      throw new TellurionError('duplicate_name', `Two components are named ${component.name}; rename one of them.`)
    }
    const known = this.#successors.get(component)?.deref()
    if (known !== undefined) return known
    const grown = new Layout([...this.components, component])
    this.#successors.set(component, new WeakRef(grown))
    return grown
  }

  /** The query for components that this layout knows: the same object for the same question. */
  query(all: readonly Component[], none: readonly Component[]): Query {
    const known = (this.#queries[all[0]?.index ?? 0] ??= [])
    for (const query of known) if (query.asks(all, none)) return query
    const query = new Query([...all], [...none], this.slots)
    known.push(query)
    return query
  }
}
