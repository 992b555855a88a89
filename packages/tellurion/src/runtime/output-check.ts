// The check of an output that was asked of a run: as a whole, or bounded where a stranger wrote its schema.

import type { Output } from '../agent/component.ts'
import { boundedSchema } from '../schema/bounded-schema.ts'
import { compileSchema, type CompiledSchema } from '../schema/schema.ts'
import type { ReadOf } from '../world/component.ts'

/** What an `Output` is checked with. Throws `invalid_schema`. */
export function checkOf({ schema, bounded }: ReadOf<typeof Output>): CompiledSchema {
  return bounded ? boundedSchema(schema, 'the output schema') : compileSchema(schema, 'the output schema')
}
