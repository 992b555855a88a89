// Schemas of a server as models are shown them: with their texts cleaned. How values are checked with them is the
// matter of `boundedSchema`.

import { TellurionError } from '../error/error.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { cleanText, hasHidden } from './clean-text.ts'

/** Longest description of one property. */
const maxDescription = 1_000

const words = new Set(['title', 'description', '$comment'])
/** What stands below these is data: its texts are values and stay as they are. */
const values = new Set(['enum', 'const', 'default', 'examples', 'required'])

/** A copy with clean texts, of an object. Throws `invalid_schema` for what hides characters in names or values. */
export function shownSchema(schema: JsonObject, what: string): JsonObject {
  return cleaned({ ...schema, type: schema['type'] ?? 'object' }, what) as JsonObject
}

function cleaned(value: Json, what: string, key = ''): Json {
  if (typeof value === 'string') {
    if (words.has(key)) return cleanText(value, maxDescription)
    if (hasHidden(value)) throw refused(what, `it hides characters in ${key === '' ? 'a value' : `'${key}'`}`)
    return value
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: Json) => cleaned(item, what, values.has(key) ? key : ''))
  const copy: Record<string, Json> = {}
  for (const [name, item] of Object.entries(value as JsonObject)) {
    if (hasHidden(name)) throw refused(what, 'it hides characters in a name')
    if (item === undefined) continue
    // A property may be called `description`: then a schema stands there, no text.
    copy[name] = cleaned(item, what, values.has(key) ? key : name)
  }
  return copy
}

function refused(what: string, why: string): TellurionError {
  return new TellurionError('invalid_schema', `${what} cannot be used: ${why}.`)
}
