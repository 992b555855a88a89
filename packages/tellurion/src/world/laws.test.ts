// The laws of worlds, held against a plain model by random histories: writes, refused writes, forks, deltas, queries.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { apply } from './apply.ts'
import { defineComponent, defineLog, type Component, type LogComponent, type ValueComponent } from './component.ts'
import { worldEntity, type Entity } from './entity.ts'
import { hostileValues } from './hostile.test.ts'
import { restore, snapshot, type Snapshot } from './snapshot.ts'
import { $inside, World } from './world.ts'

const values: readonly ValueComponent<Json>[] = ['A', 'B', 'C'].map((name) => defineComponent<Json>(name))
const logs: readonly LogComponent<Json>[] = ['L', 'M'].map((name) => defineLog<Json>(name))
const components: readonly Component[] = [...values, ...logs]

const json = fc.oneof(
  fc.constantFrom<Json>(null, true, 0, 1, 'text', []),
  fc.dictionary(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 2 }), {
    noNullPrototype: true,
  }) as fc.Arbitrary<Json>,
)
const list = fc.array(json, { maxLength: 3 })
const pick = fc.nat(60)
const kind = <K extends string>(name: K): fc.Arbitrary<K> => fc.constant(name)

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: kind('spawn'),
      values: fc.array(fc.tuple(fc.nat(2), json), { maxLength: 3 }),
      log: fc.option(list),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: kind('destroy'), entity: pick }) },
  { weight: 8, arbitrary: fc.record({ do: kind('set'), entity: pick, of: fc.nat(2), value: json }) },
  { weight: 3, arbitrary: fc.record({ do: kind('update'), entity: pick, of: fc.nat(2), value: json }) },
  { weight: 4, arbitrary: fc.record({ do: kind('append'), entity: pick, of: fc.nat(1), items: list }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: kind('splice'),
      entity: pick,
      of: fc.nat(1),
      start: pick,
      count: fc.nat(3),
      items: list,
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: kind('remove'), entity: pick, of: fc.nat(4) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: kind('refused'), entity: pick, of: fc.nat(4), value: fc.nat(hostileValues.length - 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: kind('pause'), paused: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: kind('deltas') }) },
  { weight: 1, arbitrary: fc.record({ do: kind('reload') }) },
  { weight: 1, arbitrary: fc.record({ do: kind('fork') }) },
  { weight: 3, arbitrary: fc.record({ do: kind('turn'), to: fc.nat(9) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Model {
  paused: boolean
  next: number
  rows: Map<number, Record<string, Json>>
}

/** One world, what it must be, and what its deltas make of an empty one. */
interface Subject {
  world: World
  model: Model
  replica: World
}

const newReplica = (): World => new World({ components })
const copyOf = ({ paused, next, rows }: Model): Model => ({ paused, next, rows: structuredClone(rows) })

/** What a snapshot of the model would be. */
function expected({ paused, next, rows }: Model): Snapshot {
  const columns: Record<string, Snapshot['components'][string]> = {}
  for (const { name, kind } of components) {
    const found = [...rows].flatMap(([entity, row]): [number, Json][] => (name in row ? [[entity, row[name]!]] : []))
    if (found.length > 0) columns[name] = { version: 1, kind, values: found.sort(([a], [b]) => a - b) }
  }
  const entities = [...rows.keys()].filter((entity) => entity !== 0).sort((a, b) => a - b)
  return { format: 1, header: { tick: 0, runTicks: 0, paused }, next, entities, components: columns }
}

/** A present entity, the world's own among them, or one that does not exist. */
function chosen({ rows, next }: Model, entity: number): Entity {
  const present = [0, ...[...rows.keys()].filter((id) => id !== 0)]
  return (entity % 7 === 6 ? next + (entity % 3) : present[entity % present.length]) as Entity
}

function take({ world, model }: Subject, step: Step): void {
  const target = 'entity' in step ? chosen(model, step.entity) : worldEntity
  const exists = target === 0 || model.rows.has(target)
  const row = model.rows.get(target) ?? {}
  const expectMissing = (act: () => void): void => void assert.throws(act, TellurionError)
  const keep = (name: string, value: Json): void => void model.rows.set(target, { ...row, [name]: value })
  switch (step.do) {
    case 'spawn': {
      const inits = step.values.map(([of, value]) => values[of]!(value))
      if (step.log !== null) inits.push(logs[0]!(step.log))
      assert.equal(world.spawn(...inits), model.next)
      const made: Record<string, Json> = {}
      for (const [of, value] of step.values) made[values[of]!.name] = value
      if (step.log !== null) made['L'] = step.log
      model.rows.set(model.next++, made)
      return
    }
    case 'destroy':
      if (!exists || target === 0) return expectMissing(() => world.destroy(target))
      world.destroy(target)
      model.rows.delete(target)
      return
    case 'set':
      if (!exists) return expectMissing(() => world.set(target, values[step.of]!, step.value))
      world.set(target, values[step.of]!, step.value)
      return keep(values[step.of]!.name, step.value)
    case 'update': {
      const component = values[step.of]!
      if (!(component.name in row)) return expectMissing(() => world.update(target, component, () => step.value))
      world.update(target, component, (old) => {
        assert.deepEqual(old, row[component.name])
        return step.value
      })
      return keep(component.name, step.value)
    }
    case 'append': {
      const log = logs[step.of]!
      if (!exists) return expectMissing(() => world.append(target, log, ...step.items))
      world.append(target, log, ...step.items)
      return keep(log.name, [...((row[log.name] as Json[]) ?? []), ...step.items])
    }
    case 'splice': {
      const log = logs[step.of]!
      const old = row[log.name] as Json[] | undefined
      if (old === undefined) {
        return expectMissing(() => world.splice(target, log, { start: 0, deleteCount: 0, items: step.items }))
      }
      const start = step.start % (old.length + 1)
      const deleteCount = Math.min(step.count, old.length - start)
      world.splice(target, log, { start, deleteCount, items: step.items })
      return keep(log.name, [...old.slice(0, start), ...step.items, ...old.slice(start + deleteCount)])
    }
    case 'remove': {
      const { name } = components[step.of]!
      assert.equal(world.remove(target, components[step.of]!), name in row)
      if (name in row) model.rows.set(target, Object.fromEntries(Object.entries(row).filter(([key]) => key !== name)))
      return
    }
    case 'refused':
      return refuse(world, target, step)
    case 'pause':
      world.pause(step.paused)
      model.paused = step.paused
      return
    default:
  }
}

/** A write of a hostile value throws one typed error and leaves nothing behind: no state, no delta, no entity. */
function refuse(world: World, target: Entity, { of, value }: { of: number; value: number }): void {
  const before = JSON.stringify(snapshot(world))
  const { state } = world[$inside]
  const { changes, pending } = state
  const make = hostileValues[value]![1]
  const component = components[of]!
  const tries: (() => void)[] = [
    () => world.spawn(values[0]!(1), { component, value: component.kind === 'log' ? [1, make()] : make() }),
  ]
  if (component.kind === 'log') {
    const log = logs[of - values.length]!
    tries.push(() => world.append(target, log, 1, make() as Json))
    tries.push(() => world.splice(target, log, { start: 0, deleteCount: 0, items: [make() as Json] }))
  } else {
    tries.push(() => world.set(target, values[of]!, make() as Json))
    tries.push(() => world.update(target, values[of]!, () => make() as Json))
  }
  for (const attempt of tries) assert.throws(attempt, TellurionError)
  assert.equal(JSON.stringify(snapshot(world)), before)
  assert.deepEqual({ changes: state.changes, pending: state.pending }, { changes, pending })
}

/** Queries, kept up to date at each write, find what a scan of the model finds. */
function checkQueries({ world, model }: Subject): void {
  for (const asked of [[values[0]!], [values[1]!, values[0]!], [values[2]!, logs[0]!, values[0]!]] as Component[][]) {
    const names = asked.map(({ name }) => name)
    const found = [...model.rows]
      .filter(([, row]) => names.every((name) => name in row))
      .sort(([a], [b]) => a - b)
      .map(([entity, row]) => [entity, names.map((name) => row[name])])
    // As data: a write that only reorders the keys of a value is no write.
    assert.deepEqual(JSON.parse(JSON.stringify(world.query(...asked))), JSON.parse(JSON.stringify(found)))
    assert.equal(world.count(...asked), found.length)
    const without = world[$inside].state.query([values[0]!], [values[1]!])
    assert.deepEqual(
      [...world[$inside].state.matching(without)],
      [...model.rows].flatMap(([entity, row]) => ('A' in row && !('B' in row) ? [entity] : [])).sort((a, b) => a - b),
    )
  }
}

/** All laws at once, after each step of a history that begins with `crowd` entities. */
function law(steps: readonly Step[], crowd: number, fork: (world: World) => World = (world) => world.fork()): void {
  const model: Model = { paused: false, next: 1, rows: new Map() }
  const subjects: Subject[] = [{ world: new World({ components }), model, replica: newReplica() }]
  let at = 0
  for (let count = 0; count < crowd; count++)
    take(subjects[0]!, { do: 'spawn', values: [[count % 3, count]], log: null })
  for (const step of steps) {
    const subject = subjects[at]!
    take(subject, step)
    if (step.do === 'turn') at = step.to % subjects.length
    if (step.do === 'deltas' || step.do === 'fork') {
      apply(subject.replica, JSON.parse(JSON.stringify(subject.world.takeDelta())))
      assert.deepEqual(snapshot(subject.replica), expected(subject.model))
    }
    if (step.do === 'fork') {
      subjects.push({ world: fork(subject.world), model: copyOf(subject.model), replica: subject.replica.fork() })
    }
    if (step.do === 'reload') {
      subject.world.takeDelta()
      const stored: Snapshot = JSON.parse(JSON.stringify(snapshot(subject.world)))
      subject.world = restore(stored, { components })
      subject.replica = restore(stored, { components })
      assert.deepEqual(snapshot(subject.world), stored)
    }
    checkQueries(subject)
  }
  for (const { world, model } of subjects) assert.deepEqual(snapshot(world), expected(model))
}

const history = fc.tuple(fc.array(step, { maxLength: 60, size: 'max' }), fc.constantFrom(0, 1, 7, 12, 30))

describe('the laws of worlds', () => {
  test('hold for every history', () => {
    fc.assert(
      fc.property(history, ([steps, crowd]) => law(steps, crowd)),
      { numRuns: 150 },
    )
  })

  const broken: Record<string, (world: World) => World> = {
    'both sides of a fork may write what they share': (world) => {
      const { owner } = world[$inside].state
      const fork = world.fork()
      world[$inside].state.owner = owner
      fork[$inside].state.owner = owner
      return fork
    },
    'a fork hands out ids of its own from the start': (world) => {
      const fork = world.fork()
      fork[$inside].state.nextEntity = 1
      return fork
    },
    'a fork takes the pending delta along': (world) => {
      const fork = world.fork()
      fork.spawn()
      return fork
    },
  }
  for (const [name, fork] of Object.entries(broken)) {
    test(`have teeth: ${name}`, () => {
      assert.throws(() =>
        fc.assert(
          fc.property(history, ([steps, crowd]) => law(steps, crowd, fork)),
          { numRuns: 150, seed: 7 },
        ),
      )
    })
  }
})
