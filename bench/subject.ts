// What we measure of our own: one agent with one tool, as a user writes it.

import { Agent, tool } from 'tellurion'
import {
  checkpoint,
  collaboration,
  compaction,
  handingOver,
  planMaking,
  planning,
  rag,
  ragTrigger,
  replanning,
  treeSearch,
} from 'tellurion/agent'
import type { Model } from 'tellurion/model'
import type { System } from 'tellurion/world'
import { add, addSchema } from './floor.ts'

/** Every system that an agent brings only when it is asked to, without their components: they have nothing to do. */
export const everySystem: readonly System[] = [
  checkpoint,
  collaboration,
  compaction,
  handingOver,
  planMaking,
  planning,
  rag,
  ragTrigger,
  replanning,
  treeSearch,
]

/** An agent with the tool `add`, the systems that every agent has, and the given model. */
export function adder(model: Model, systems: readonly System[] = []): Agent {
  return new Agent({
    name: 'bench',
    model,
    instructions: 'Be brief.',
    systems,
    tools: { add: tool({ description: 'Adds two numbers', inputSchema: addSchema, effects: 'read', execute: add }) },
  })
}

/** Throws unless a cell did what it was timed for. */
export function expectEqual(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`expected ${String(expected)}, got ${String(actual)}`)
}
