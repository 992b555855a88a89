// W8, the kernel alone: 10,000 entities with eight components. Structure changes, checked value writes, reads and
// iteration, with deltas on: every change is recorded, and taken a tick's worth at a time.

import { defineComponent, World, type Entity } from 'tellurion/world'
import { microsecondsPer } from '../measure.ts'
import { expectEqual } from '../subject.ts'
import type { Figures, Scale, Workload } from './workload.ts'

const entities = 10_000
const kinds = 8

interface Point {
  readonly x: number
  readonly y: number
}

/** The four things that are timed; each does one operation an entity, iteration over two components. */
interface Store {
  addTag(): void
  removeTag(): void
  write(step: number): void
  read(): number
  iterate(): number
}

async function measure(scale: Scale, { addTag, removeTag, write, read, iterate }: Store): Promise<Figures> {
  const sum = (entities * (entities - 1)) / 2
  expectEqual(read(), sum)
  expectEqual(iterate(), sum * 2)
  let step = 0
  const perSecond = async (units: number, work: () => unknown): Promise<number> =>
    1 / (await microsecondsPer(units, scale, work))
  return {
    structure: await perSecond(entities * 2, () => {
      addTag()
      removeTag()
    }),
    write: await perSecond(entities, () => write(++step)),
    get: await perSecond(entities, read),
    iterate: await perSecond(entities, iterate),
  }
}

type Column = Map<number, unknown>

/** A Map a component. `honest` also looks whether the entity is there, refuses what is no number, and keeps a journal. */
function maps(honest: boolean): Store {
  const alive = new Set<number>()
  const columns = Array.from({ length: kinds }, (): Column => new Map())
  const tag: Column = new Map()
  const [first, second] = columns as [Column, Column]
  let journal: unknown[] = []
  const record = (entity: number, operation: unknown): void => {
    if (!alive.has(entity)) throw new Error('unknown entity')
    journal.push(operation)
  }
  for (let entity = 1; entity <= entities; entity++) {
    alive.add(entity)
    for (const column of columns) column.set(entity, { x: entity - 1, y: 0 })
  }
  return {
    addTag() {
      for (let entity = 1; entity <= entities; entity++) {
        if (honest) record(entity, ['set', entity, 'tag', true])
        tag.set(entity, true)
      }
      journal = []
    },
    removeTag() {
      for (let entity = 1; entity <= entities; entity++) {
        if (honest) record(entity, ['remove', entity, 'tag'])
        tag.delete(entity)
      }
      journal = []
    },
    write(step) {
      for (let entity = 1; entity <= entities; entity++) {
        const value = { x: entity - 1, y: step }
        if (honest) {
          if (!Number.isFinite(value.x) || !Number.isFinite(value.y)) throw new Error('not JSON')
          record(entity, ['set', entity, 'first', value])
        }
        first.set(entity, value)
      }
      journal = []
    },
    read() {
      let sum = 0
      for (let entity = 1; entity <= entities; entity++) sum += (first.get(entity) as Point).x
      return sum
    },
    iterate() {
      let sum = 0
      for (const [entity, value] of first) {
        const other = second.get(entity)
        if (other !== undefined) sum += (value as Point).x + (other as Point).x
      }
      return sum
    },
  }
}

function ours(): Store {
  const names = Array.from({ length: kinds }, (_, index) => `Bench${index}`)
  const components = names.map((name) => defineComponent<Point>(name))
  const Tag = defineComponent<true>('BenchTag')
  const [first, second] = components as [(typeof components)[0], (typeof components)[0]]
  const world = new World()
  const all: Entity[] = []
  for (let index = 0; index < entities; index++) {
    all.push(world.spawn(...components.map((component) => component({ x: index, y: 0 }))))
  }
  // A system's query over the tag is alive, as in any program that would use one.
  world.count(Tag)
  world.takeDelta()
  return {
    addTag() {
      for (const entity of all) world.set(entity, Tag, true)
      expectEqual(world.takeDelta().operations.length, entities)
    },
    removeTag() {
      for (const entity of all) world.remove(entity, Tag)
      expectEqual(world.takeDelta().operations.length, entities)
    },
    write(step) {
      for (let index = 0; index < entities; index++) world.set(all[index]!, first, { x: index, y: step })
      expectEqual(world.takeDelta().operations.length, entities)
    },
    read() {
      let sum = 0
      for (const entity of all) sum += world.require(entity, first).x
      return sum
    },
    iterate() {
      let sum = 0
      world.each([first, second], (_, a, b) => {
        sum += a.x + b.x
      })
      return sum
    },
  }
}

export default {
  title: 'W8  kernel: 10,000 entities with eight components, deltas on; millions a second',
  metrics: [
    { name: 'structure', unit: 'M changes/s', better: 'higher', floor: 'loop' },
    { name: 'write', unit: 'M writes/s', better: 'higher', floor: 'loop' },
    { name: 'get', unit: 'M gets/s', better: 'higher', floor: 'loop' },
    { name: 'iterate', unit: 'M iterated/s', better: 'higher', floor: 'loop' },
  ],
  cells: {
    loop: (scale) => measure(scale, maps(false)),
    honest: (scale) => measure(scale, maps(true)),
    tellurion: (scale) => measure(scale, ours()),
  },
  targets: [
    { cell: 'tellurion', metric: 'structure', least: 5 },
    { cell: 'tellurion', metric: 'write', least: 2 },
    { cell: 'tellurion', metric: 'get', least: 50 },
    { cell: 'tellurion', metric: 'iterate', over: 'loop', least: 1 },
  ],
} satisfies Workload
