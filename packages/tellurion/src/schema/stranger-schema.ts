// A schema of a stranger at the door: it is a JSON Schema, or refused. Its patterns are not even read, as that may take
// long too; values are checked with `boundedSchema`.

import { boundedSchema } from './bounded-schema.ts'
import type { Schema } from './infer.ts'
import type { JsonObject } from './json.ts'
import { soundSchema } from './json-shape.ts'
import { jsonProblem } from './plain-json.ts'
import { compileSchema } from './schema.ts'

/** What a schema that need not be trusted says, for models to be told and for `boundedSchema`. Throws `invalid_schema`. */
export function strangerSchema(schema: Schema, what: string): JsonObject {
  const told = isBare(schema) ? schema : compileSchema(schema, what).jsonSchema
  return boundedSchema(soundSchema(told, what, { patterns: false }).jsonSchema, what).jsonSchema
}

/** Whether it is bare JSON. Schemas of libraries have functions, which nothing on a wire has. */
function isBare(schema: Schema): schema is JsonObject {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema) && jsonProblem(schema) === undefined
}
