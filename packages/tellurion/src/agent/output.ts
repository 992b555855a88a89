// Structured output: the final text as an object of the asked shape. One repair with the validation error, then a typed
// failure; raw text never passes for the object.

import { messageOf, type ErrorData } from '../error/error.ts'
import { textOf, type AssistantMessage } from '../message/message.ts'
import { issuesText } from '../schema/issue.ts'
import { compileSchema, loadChecker, type CompiledSchema } from '../schema/schema.ts'
import type { StandardResult } from '../schema/standard.ts'
import type { ReadOf } from '../world/component.ts'
import type { Entity } from '../world/entity.ts'
import type { World } from '../world/world.ts'
import { Output } from './component.ts'
import { outputOf } from './configuration.ts'
import { say } from './conversation.ts'
import { unfenced } from './fence.ts'

/** How often a model is asked to mend its output. */
const maxRepairs = 1

/**
 * Checks a final reply against the entity's `Output`. When it does not fit, the model is told once what is wrong; the
 * second time the error is returned.
 */
export function checkOutput(world: World, entity: Entity, message: AssistantMessage): ErrorData | undefined {
  const output = world.require(entity, Output)
  const text = textOf(message)
  const compile = output.bounded ? bounding!.boundedSchema : compileSchema
  const schema = outputOf(world) ?? compile(output.schema, 'the output schema')
  const problem = problemOf(text, schema)
  if (problem === undefined) return undefined
  if (output.repairs >= maxRepairs) {
    return {
      code: 'output_invalid',
      message: `The reply does not match the output schema: ${problem}`.slice(0, 2000).toWellFormed(),
      retryable: false,
      data: { text: text.slice(0, 10_000).toWellFormed() },
    }
  }
  world.update(entity, Output, (old) => ({ ...old, repairs: old.repairs + 1 }))
  say(world, entity, {
    role: 'user',
    content: `Your answer does not match the required JSON Schema: ${problem.slice(0, 2000).toWellFormed()}\nAnswer again with the corrected JSON only.`,
  })
  return undefined
}

let bounding: typeof import('../schema/bounded-schema.ts') | undefined

/** Resolves when a reply can be checked against an `Output` at once. */
export async function loadCheck({ bounded }: ReadOf<typeof Output>): Promise<void> {
  if (bounded) bounding = await import('../schema/bounded-schema.ts')
  else await loadChecker()
}

function problemOf(text: string, schema: CompiledSchema): string | undefined {
  const parsed = parseOutput(text)
  if ('problem' in parsed) return parsed.problem
  const result = schema.validate(parsed.value)
  // What only an asynchronous check could refuse is refused by the caller, who can wait for it.
  if (result instanceof Promise) return undefined
  return result.issues === undefined ? undefined : issuesText(result.issues)
}

/** The JSON in a reply: bare, or alone inside one Markdown fence, as models like to put it. */
function parseOutput(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(unfenced(text)) as unknown }
  } catch (error) {
    return { problem: `it is not JSON (${messageOf(error)})` }
  }
}

/** The typed object of a reply. Undefined when the text does not fit. */
export async function readOutput(text: string, schema: CompiledSchema): Promise<StandardResult<unknown>> {
  const parsed = parseOutput(text)
  return 'problem' in parsed ? { issues: [{ message: parsed.problem }] } : schema.validate(parsed.value)
}
