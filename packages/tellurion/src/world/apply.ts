// Applying deltas: the inverse of recording them.

import { TellurionError } from '../error/error.ts'
import type { Component } from './component.ts'
import type { Core } from './core.ts'
import type { Delta, Operation } from './delta.ts'
import type { Entity } from './entity.ts'
import { LogView } from './log.ts'
import { own } from './value.ts'
import { $inside, type World } from './world.ts'

/**
 * Applies a delta that another world recorded. It is tried on a fork first, so that a delta that does not fit changes
 * nothing. Its records are not emitted again. Throws `invalid_snapshot`, `unknown_component`, `invalid_value`.
 */
export function apply(world: World, delta: Delta): void {
  const { core } = world[$inside]
  const trial = core.fork()
  for (const operation of delta.operations) applyOperation(trial, own(operation, 'Delta'), new Set())
  const { operations, records } = core
  core.adopt(trial)
  core.operations = operations
  core.records = records
}

/** Applies one operation; components in `retired` are skipped. */
export function applyOperation(core: Core, operation: Operation, retired: ReadonlySet<string>): void {
  switch (operation[0]) {
    case 'spawn':
      if (!Number.isInteger(operation[1]) || operation[1] < core.nextEntity) throw misfit(operation)
      core.put(operation[1] as Entity)
      return
    case 'destroy':
      if (!core.exists(operation[1] as Entity)) throw misfit(operation)
      core.destroy(operation[1] as Entity)
      core.takeDelta()
      return
    case 'header':
      core.header = { ...core.header, ...operation[1] }
      return
    case 'set':
    case 'remove':
    case 'append':
    case 'splice':
      applyToComponent(core, operation, retired)
      return
    default:
      operation satisfies never
      throw misfit(operation)
  }
}

type ComponentOperation = Extract<Operation, readonly ['set' | 'remove' | 'append' | 'splice', ...unknown[]]>

function applyToComponent(core: Core, operation: ComponentOperation, retired: ReadonlySet<string>): void {
  const entity = operation[1] as Entity
  const component = core.components.get(operation[2])
  if (component === undefined) {
    if (retired.has(operation[2])) return
    throw new TellurionError('unknown_component', `The delta names ${operation[2]}, which this world does not declare.`)
  }
  if (!core.exists(entity)) throw misfit(operation)
  if (operation[0] === 'remove') {
    core.remove(entity, component)
    core.takeDelta()
    return
  }
  core.place(entity, component, valueAfter(core.read(entity, component), component, operation))
}

function valueAfter(
  old: unknown,
  component: Component,
  operation: Exclude<ComponentOperation, readonly ['remove', ...unknown[]]>,
): unknown {
  if (component.kind === 'value') {
    if (operation[0] !== 'set') throw misfit(operation)
    return operation[3]
  }
  const log = (old as LogView<unknown> | undefined) ?? LogView.empty<unknown>()
  if (operation[0] === 'append') {
    if (!Array.isArray(operation[3])) throw misfit(operation)
    return log.append(operation[3])
  }
  if (operation[0] !== 'splice') throw misfit(operation)
  const [, , , start, deleteCount, items] = operation
  const fits = Number.isInteger(start) && start >= 0 && Number.isInteger(deleteCount) && deleteCount >= 0
  if (!fits || start + deleteCount > log.length || !Array.isArray(items)) throw misfit(operation)
  return log.splice(start, deleteCount, items)
}

function misfit(operation: Operation): TellurionError {
  const shown = JSON.stringify(operation)?.slice(0, 120) ?? 'undefined'
  return new TellurionError('invalid_snapshot', `The operation ${shown} does not fit this world.`)
}
