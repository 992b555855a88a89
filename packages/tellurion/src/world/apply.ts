// Applying deltas: the inverse of recording them.

import { TellurionError } from '../error/error.ts'
import type { Component } from './component.ts'
import type { State } from './state.ts'
import type { Delta, Header, Operation } from './delta.ts'
import { worldEntity, type Entity } from './entity.ts'
import { isEntity } from './entity-map.ts'
import { LogView } from './log.ts'
import { own } from './value.ts'
import { $inside, type World } from './world.ts'

/**
 * Applies a delta that another world recorded. It is tried on a fork first, so that a delta that does not fit changes
 * nothing. Its records are not emitted again. Throws `invalid_snapshot`, `unknown_component`, `newer_version`,
 * `invalid_value`, and `write_forbidden` in a subscriber.
 */
export function apply(world: World, delta: Delta): void {
  const { state } = world[$inside]
  const trial = state.fork()
  applyDelta(trial, delta, { retired: new Set(), accept: requireCurrent })
  state.adopt(trial.keep())
}

/**
 * A fork of a world, wound on by deltas that were recorded in its own versions of components; the world stays as it is.
 * Throws what `apply` throws.
 */
export function advanced(world: World, deltas: readonly Delta[], retired: readonly string[]): World {
  const fork = world.fork()
  const judge = { retired: new Set(retired), accept: requireCurrent }
  for (const delta of deltas) applyDelta(fork[$inside].state, delta, judge)
  return fork
}

function requireCurrent({ name, version: known }: Component, version: number): void {
  if (version === known) return
  throw new TellurionError(
    'invalid_snapshot',
    `The delta holds ${name} version ${version}, this code has ${known}: load it with restore, which migrates.`,
  )
}

/** What applying has to ask. */
export interface Judge {
  /** Names of components that are passed over. */
  readonly retired: ReadonlySet<string>
  /** Throws when values in `version` do not fit; it is not newer than the code's. */
  accept(component: Component, version: number): void
}

/** Applies the operations of a delta to a state that is thrown away when one does not fit. */
export function applyDelta(state: State, delta: Delta, judge: Judge): void {
  const operations: unknown = delta?.operations
  if (!Array.isArray(operations))
    throw new TellurionError('invalid_snapshot', 'This is no delta: it has no operations.')
  const versions = new Map(Object.entries(delta.versions ?? {}))
  for (const operation of operations as Operation[]) applyOperation(state, operation, { ...judge, versions })
}

/** A stored version of a component, when it is one that this code can know. Throws otherwise. */
export function checkVersion({ name, version: known }: Component, version: unknown): number {
  if (!Number.isInteger(version) || (version as number) < 1) {
    throw new TellurionError('invalid_snapshot', `The version of ${name} must be a positive integer.`)
  }
  if ((version as number) > known) {
    throw new TellurionError('newer_version', `The state holds ${name} version ${version}; this code knows ${known}.`)
  }
  return version as number
}

interface DeltaJudge extends Judge {
  readonly versions: ReadonlyMap<string, unknown>
}

function applyOperation(state: State, operation: Operation, judge: DeltaJudge): void {
  if (!Array.isArray(operation)) throw misfit(operation)
  const entity = operation[1] as Entity
  switch (operation[0]) {
    case 'spawn':
      if (!isEntity(entity) || entity < state.nextEntity) throw misfit(operation)
      state.put(entity)
      return
    case 'destroy':
      if (entity === worldEntity || !state.exists(entity)) throw misfit(operation)
      state.drop(entity)
      return
    case 'header':
      state.header = checkHeader({ ...state.header, ...(operation[1] as object) }, () => misfit(operation))
      return
    case 'set':
    case 'remove':
    case 'append':
    case 'splice':
      if (!state.exists(entity)) throw misfit(operation)
      applyToComponent(state, operation, judge)
      return
    default:
      operation satisfies never
      throw misfit(operation)
  }
}

/** The header that `raw` is. Throws what `refuse` makes when it is none. */
export function checkHeader(raw: Header, refuse: () => TellurionError): Header {
  const { tick, runTicks, paused } = raw
  const count = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
  if (!count(tick) || !count(runTicks) || typeof paused !== 'boolean') throw refuse()
  return Object.freeze({ tick, runTicks, paused })
}

type ComponentOperation = Extract<Operation, readonly ['set' | 'remove' | 'append' | 'splice', ...unknown[]]>

function applyToComponent(state: State, operation: ComponentOperation, judge: DeltaJudge): void {
  const entity = operation[1] as Entity
  const component = state.layout.find(operation[2])
  if (component === undefined) {
    if (judge.retired.has(operation[2])) return
    throw new TellurionError('unknown_component', `The delta names ${operation[2]}, which this world does not declare.`)
  }
  if (operation[0] === 'remove') {
    if (!state.take(entity, component)) throw misfit(operation)
    return
  }
  judge.accept(component, checkVersion(component, judge.versions.get(component.name) ?? 1))
  state.place(entity, component, valueAfter(state.read(entity, component), component, operation))
}

function valueAfter(
  old: unknown,
  component: Component,
  operation: Exclude<ComponentOperation, readonly ['remove', ...unknown[]]>,
): unknown {
  if (component.kind === 'value') {
    if (operation[0] !== 'set') throw misfit(operation)
    return own(operation[3], component.name)
  }
  const log = old as LogView<unknown> | undefined
  if (operation[0] === 'append') {
    return (log ?? LogView.empty<unknown>()).append(ownItems(component, operation[3], operation))
  }
  if (operation[0] !== 'splice' || log === undefined) throw misfit(operation)
  const [, , , start, deleteCount, items] = operation
  const fits = Number.isInteger(start) && start >= 0 && Number.isInteger(deleteCount) && deleteCount >= 0
  if (!fits || start + deleteCount > log.length) throw misfit(operation)
  return log.splice(start, deleteCount, ownItems(component, items, operation))
}

function ownItems(component: Component, items: unknown, operation: Operation): unknown[] {
  if (!Array.isArray(items)) throw misfit(operation)
  return Array.from(items, (item: unknown) => own(item, component.name))
}

function misfit(operation: unknown): TellurionError {
  const parts: unknown[] = Array.isArray(operation) ? operation.slice(0, 3) : [operation]
  const shown = parts
    .map((part) => (typeof part === 'object' ? '…' : String(part).slice(0, 64).toWellFormed()))
    .join(' ')
  return new TellurionError('invalid_snapshot', `The operation '${shown}' does not fit this world.`)
}
