// Systems: behaviour without state. A system decides from components alone, and is harmless when it is entered again
// after any commit.

import { TellurionError } from '../error/error.ts'
import type { Component } from './component.ts'
import { checkName } from './value.ts'
import { checkPriority, type System } from './world.ts'

/** What `defineSystem` takes. `priority` defaults to 0, `query` and `without` to none. */
export type SystemOptions =
  | {
      readonly name: string
      readonly priority?: number
      readonly query: readonly Component[]
      readonly without?: readonly Component[]
      readonly each: NonNullable<System['each']>
    }
  | { readonly name: string; readonly priority?: number; readonly run: NonNullable<System['run']> }

/**
 * Declares a system. `each` is called for every entity that matches the query; a throw becomes `Failure` on that entity
 * and hurts no other. `run` is the rare form for the world as a whole; its failure goes on the world's own entity.
 * Throws `invalid_name` and `invalid_option`.
 */
export function defineSystem(options: SystemOptions): System {
  checkName('system', options.name)
  const { name, priority = 0 } = options
  checkPriority(name, priority)
  if ('run' in options) return { name, priority, query: [], without: [], each: undefined, run: options.run }
  if (options.query.length === 0) {
    throw new TellurionError('invalid_option', `System ${name}: its query is empty; name a component, or use run.`)
  }
  return { name, priority, query: options.query, without: options.without ?? [], each: options.each, run: undefined }
}
