// JSON Schemas of strangers: what a model is shown, and what values are checked with here. A schema can be a bomb; the
// check is a tree of bounded size without patterns, so its time grows with schema times value and never faster.

import { TellurionError } from '../error/error.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { compileSchema, type CompiledSchema } from '../schema/schema.ts'
import type { StandardSchema } from '../schema/standard.ts'
import { cleanText, hasHidden } from './clean-text.ts'

/** Longest description of one property. */
const maxDescription = 1_000
/** Parts of a schema that the check applies; beyond them anything goes, and the server looks itself. */
const maxParts = 2_000
/** Levels of JSON of the check itself; plain JSON ends at 64. */
const maxDepth = 56

/** Keywords whose check takes time in proportion to the value. */
const plainKeywords = new Set(
  'type enum const required minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems minProperties maxProperties'.split(
    ' ',
  ),
)
const words = new Set(['title', 'description', '$comment'])
/** What stands below these is data: its texts are values and stay as they are. */
const values = new Set(['enum', 'const', 'default', 'examples', 'required'])

/**
 * A schema of a server, made ready: models are shown it with its texts cleaned, values are checked with the part of it
 * that is cheap to check. It accepts everything that the schema itself accepts, and for most schemas nothing else.
 * Throws `invalid_schema` for what hides characters in names or values, or refers to what is not there.
 */
export function boundedSchema(schema: JsonObject, what: string): CompiledSchema {
  const shown = cleaned({ ...schema, type: schema['type'] ?? 'object' }, what) as JsonObject
  const check = compileSchema(new Loosening(shown, what).tree(), what)
  const standard: StandardSchema & { '~standard': { jsonSchema: { input(): unknown } } } = {
    '~standard': {
      version: 1,
      vendor: 'mcp',
      validate: (value) => check.validate(value),
      jsonSchema: { input: () => shown },
    },
  }
  return compileSchema(standard, what)
}

/** A copy with clean texts. */
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

/** One schema on its way to a tree: references are followed until the tree is full, or comes round to itself. */
class Loosening {
  readonly #root: JsonObject
  readonly #what: string
  #parts = 0

  constructor(root: JsonObject, what: string) {
    this.#root = root
    this.#what = what
  }

  tree(): JsonObject {
    const tree = this.#loosened(this.#root, 0)
    return typeof tree === 'object' && Object.keys(tree).length > 0 ? tree : { type: 'object' }
  }

  /** What accepts all that this part accepts; `true` where there is no room left, or no cheap check. */
  #loosened(schema: Json | undefined, depth: number): JsonObject | boolean {
    if (schema === false) return false
    if (!isObject(schema) || depth > maxDepth || ++this.#parts > maxParts) return true
    const tree: Record<string, Json> = {}
    for (const [key, value] of Object.entries(schema)) {
      if (plainKeywords.has(key) && value !== undefined) tree[key] = this.#counted(value)
    }
    const { properties, additionalProperties: more, patternProperties, items, prefixItems } = schema
    if (isObject(properties)) tree['properties'] = this.#each(properties, depth)
    if (more !== undefined && patternProperties === undefined)
      tree['additionalProperties'] = this.#loosened(more, depth + 1)
    if (Array.isArray(prefixItems)) tree['prefixItems'] = this.#list(prefixItems, depth)
    // A list under `items` is draft 7's word for prefixItems.
    if (Array.isArray(items)) tree['prefixItems'] = this.#list(items, depth)
    else if (items !== undefined) tree['items'] = this.#loosened(items, depth + 1)
    const all = [...this.#alternatives(schema, depth), ...this.#conjuncts(schema, depth)]
    if (all.length > 0) tree['allOf'] = all
    return tree
  }

  /** `oneOf` says more than `anyOf`, but what it adds cannot be said of loosened parts. */
  #alternatives(schema: JsonObject, depth: number): JsonObject[] {
    return [schema['anyOf'], schema['oneOf']].flatMap((list) =>
      Array.isArray(list) && list.length > 0 ? [{ anyOf: this.#list(list, depth + 2) }] : [],
    )
  }

  #conjuncts(schema: JsonObject, depth: number): Json[] {
    const { allOf, $ref: reference } = schema
    const all = Array.isArray(allOf) ? this.#list(allOf, depth) : []
    return typeof reference === 'string' ? [...all, this.#loosened(this.#target(reference), depth + 2)] : all
  }

  #each(schemas: JsonObject, depth: number): JsonObject {
    return Object.fromEntries(Object.entries(schemas).map(([name, each]) => [name, this.#loosened(each, depth + 2)]))
  }

  #list(schemas: readonly Json[], depth: number): Json[] {
    return schemas.map((each) => this.#loosened(each, depth + 2))
  }

  /** Values of `enum` and the like are compared one by one, so they count. */
  #counted(value: Json): Json {
    this.#parts += Array.isArray(value) ? Math.ceil(value.length / 8) : 0
    return value
  }

  #target(reference: string): Json {
    if (!reference.startsWith('#')) throw refused(this.#what, `its reference ${brief(reference)} leaves it`)
    let place: Json | undefined = this.#root
    for (const part of reference.slice(1).split('/').slice(1)) {
      const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
      if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) {
        throw refused(this.#what, `its reference ${brief(reference)} leads nowhere`)
      }
      place = (place as Readonly<Record<string, Json>>)[key]
    }
    // A reference by name (`#node`) is not looked up: the server does.
    return reference === '#' || reference.startsWith('#/') ? (place ?? true) : true
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function brief(text: string): string {
  return JSON.stringify(text.slice(0, 60))
}

function refused(what: string, why: string): TellurionError {
  return new TellurionError('invalid_schema', `${what} cannot be used: ${why}.`)
}
