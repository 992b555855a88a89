// Tools of the world: calls that act on the world they are made in, and what tools bring to an agent besides themselves.
// A change is made in the same synchronous block as its result, so it happens exactly once, whatever crashes.

import { TellurionError } from '../error/error.ts'
import type { Schema } from '../schema/infer.ts'
import type { EffectMode, EffectOptions } from '../tool/effects.ts'
import { createTool, type AnyTool, type ToolInput, type ToolOptions } from '../tool/tool.ts'
import type { Component } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import type { System, World } from '../world/world.ts'
import type { BudgetLimits } from './component.ts'

/** An agent as others know it: a name, and how it gets into a world. */
export interface Inhabitant {
  readonly name: string
  readonly components: readonly Component[]
  /** What a turn of it may spend. */
  readonly limits: BudgetLimits | undefined
  bindTo(world: World): void
  spawn(world: World): Entity
}

/** What a tool brings besides itself. */
export interface Brought {
  /** Acts on the world and returns the result. */
  readonly change?: (world: World, entity: Entity, input: never) => unknown
  /** Makes the call a piece of work for another agent. */
  readonly errand?: ErrandTool
  /** Agents that a world needs to know for it; asked when one is bound. */
  readonly agents?: () => readonly Inhabitant[]
  /** Systems that a world needs for it. */
  readonly systems?: readonly System[]
}

/** How a call becomes the work of another agent. */
export interface ErrandTool {
  readonly agents: readonly Inhabitant[]
  /** What a call asks for, and of whom. Throws what the model should read. */
  describe(input: never): { readonly agent: string; readonly prompt: string }
  /** What each may spend; where nothing is said, an equal part of what is left. */
  readonly budget?: BudgetLimits
  /** Milliseconds. */
  readonly timeout: number
  /** Of its own tools, those it may use. */
  readonly tools?: readonly string[]
  /** Longest result, in characters. */
  readonly maxLength?: number
}

const $brought = Symbol('brought')

/** A tool with what it brings, besides what it brought before. */
export function bringing(tool: AnyTool, brought: Brought): AnyTool {
  return Object.assign(tool, { [$brought]: { ...broughtBy(tool), ...brought } })
}

/** What a tool brings, if anything. */
export function broughtBy(tool: AnyTool | undefined): Brought | undefined {
  return (tool as { [$brought]?: Brought } | undefined)?.[$brought]
}

/** The options of `worldTool`. */
export interface WorldToolOptions<Input extends Schema> extends Pick<
  ToolOptions<Input, Schema>,
  'description' | 'inputSchema' | 'needsApproval' | 'trust'
> {
  /** Default `read`: it touches nothing outside, so it may run beside anything. */
  readonly effects?: EffectMode | EffectOptions<ToolInput<Input>> | undefined
  /** Systems that a world needs for it. */
  readonly systems?: readonly System[]
  /**
   * Changes the world, at once, and returns what the model reads. Check first and write then: what is written before a
   * throw stays. What it throws becomes a result.
   */
  change(world: World, entity: Entity, input: ToolInput<Input>): unknown
}

/**
 * Defines a tool that changes the world its agent lives in, such as a list of todos. Its result is at most 10,000
 * characters long. Throws as `tool` does; called by hand, outside an agent, it fails with `tool_failed`.
 */
export function worldTool<const Input extends Schema>(options: WorldToolOptions<Input>): AnyTool {
  const { change, systems, effects = 'read', ...rest } = options
  if (typeof change !== 'function') {
    throw new TellurionError('invalid_option', 'worldTool() needs change(world, entity, input).')
  }
  const made = createTool({
    ...rest,
    needsApproval: rest.needsApproval as boolean,
    effects: effects as EffectMode,
    execute() {
      throw new TellurionError('tool_failed', 'This tool changes the world of an agent; give it to an agent.')
    },
  })
  return bringing(made, { change: change as NonNullable<Brought['change']>, ...(systems && { systems }) })
}
