// What we measure of our own: one agent with one tool, as a user writes it.

import { Agent, tool } from 'tellurion'
import type { Model } from 'tellurion/model'
import { add, addSchema } from './floor.ts'

/** An agent with the tool `add`, all built-in systems, and the given model. */
export function adder(model: Model): Agent {
  return new Agent({
    name: 'bench',
    model,
    instructions: 'Be brief.',
    tools: { add: tool({ description: 'Adds two numbers', inputSchema: addSchema, effects: 'read', execute: add }) },
  })
}

/** Throws unless a cell did what it was timed for. */
export function expectEqual(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`expected ${String(expected)}, got ${String(actual)}`)
}
