// A filter looked at before it is trusted, and as a question to one item. Filters may come from a model or a request.

import { nearest, suggestion, TellurionError } from '../../error/error.ts'
import type { Json, JsonObject } from '../../schema/json.ts'
import type { FilterValue, MetadataFilter } from '../metadata-filter.ts'
import { compareTexts } from './text-order.ts'

/** Most conditions, most values of all lists together, and deepest nesting of a filter. */
export const filterBounds = { conditions: 256, values: 10_000, depth: 32 } as const

/** What a filter is asked about. */
export interface Filterable {
  readonly document: string
  readonly source: string
  readonly metadata?: JsonObject
}

const bounds = ['gt', 'gte', 'lt', 'lte'] as const
const comparisons = ['equals', 'in', 'has', 'exists', ...bounds] as const
const alone = ['document', 'source', 'and', 'or', 'not'] as const

/** A copy of the filter. Throws `invalid_option` for what is no filter, or one beyond `filterBounds`. */
export function checkFilter(filter: unknown): MetadataFilter {
  const left = { conditions: filterBounds.conditions, values: filterBounds.values }
  check(filter, left, 0)
  return JSON.parse(JSON.stringify(filter)) as MetadataFilter
}

function check(filter: unknown, left: { conditions: number; values: number }, depth: number): void {
  if (depth > filterBounds.depth) throw invalid(`is nested deeper than ${filterBounds.depth}`)
  if (--left.conditions < 0) throw invalid(`has more than ${filterBounds.conditions} conditions`)
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) throw invalid('must be an object')
  const names = Object.keys(filter).filter((name) => (filter as Record<string, unknown>)[name] !== undefined)
  const parts = filter as Record<string, unknown>
  const inner = (part: unknown): void => check(part, left, depth + 1)
  const spend = (values: unknown, isValue: (value: unknown) => boolean, what: string): void => {
    if (!Array.isArray(values) || !values.every(isValue)) throw invalid(what)
    left.values -= values.length
    if (left.values < 0) throw invalid(`has more than ${filterBounds.values} values`)
  }
  if (names.includes('key')) return checkField(parts, names, spend)
  const [name = '', ...rest] = names
  if (rest.length > 0) throw invalid(`says '${names.join("' and '")}' at once; join them by an 'and'`)
  switch (name) {
    case 'document':
    case 'source':
      return spend(parts[name], isText, `'${name}' must be a list of texts`)
    case 'and':
    case 'or':
      if (!Array.isArray(parts[name])) throw invalid(`'${name}' must be a list of filters`)
      return parts[name].forEach(inner)
    case 'not':
      return inner(parts['not'])
    default:
      throw invalid(`must have a 'key', or say one of: ${alone.join(', ')}.${meant(name)}`)
  }
}

function meant(name: string): string {
  const near = name === '' ? undefined : nearest(name, alone)
  return near === undefined ? '' : ` Did you mean '${near}'?`
}

type Spend = (values: unknown, isValue: (value: unknown) => boolean, what: string) => void

function checkField(parts: Record<string, unknown>, names: readonly string[], spend: Spend): void {
  if (!isText(parts['key'])) throw invalid("'key' must be the name of a metadata field")
  const said = names.filter((name) => name !== 'key')
  for (const name of said) {
    const known: readonly string[] = comparisons
    if (!known.includes(name)) throw invalid(`has no comparison '${name}'.${suggestion(name, known)}`)
  }
  const ranged = said.every((name) => isBound(name))
  if (said.length === 0 || (said.length > 1 && !ranged)) {
    throw invalid('needs exactly one comparison for its key, or the bounds of a range')
  }
  for (const name of said) {
    const value = parts[name]
    if (isBound(name)) spend([value], isOrdered, `'${name}' must be a number or a text`)
    else if (name === 'in') spend(value, isFilterValue, "'in' must be a list of texts, numbers, booleans or null")
    else if (name === 'exists') spend([value], (one) => typeof one === 'boolean', "'exists' must be true or false")
    else spend([value], isFilterValue, `'${name}' must be a text, a number, a boolean or null`)
  }
}

/** The filter as a predicate. The filter must have been checked. */
export function filterPredicate(filter: MetadataFilter): (item: Filterable) => boolean {
  if ('and' in filter) {
    const all = filter.and.map(filterPredicate)
    return (item) => all.every((meets) => meets(item))
  }
  if ('or' in filter) {
    const any = filter.or.map(filterPredicate)
    return (item) => any.some((meets) => meets(item))
  }
  if ('not' in filter) {
    const meets = filterPredicate(filter.not)
    return (item) => !meets(item)
  }
  if ('document' in filter) {
    const documents = new Set(filter.document)
    return ({ document }) => documents.has(document)
  }
  if ('source' in filter) {
    const sources = new Set(filter.source)
    return ({ source }) => sources.has(source)
  }
  return fieldPredicate(filter)
}

type FieldFilter = Extract<MetadataFilter, { readonly key: string }>

function fieldPredicate(filter: FieldFilter): (item: Filterable) => boolean {
  const { key } = filter
  const field = ({ metadata }: Filterable): Json | undefined =>
    metadata !== undefined && Object.hasOwn(metadata, key) ? metadata[key] : undefined
  if ('equals' in filter) return (item) => field(item) === filter.equals
  if ('in' in filter) {
    const values: ReadonlySet<Json | undefined> = new Set(filter.in)
    return (item) => values.has(field(item))
  }
  if ('has' in filter) {
    return (item) => {
      const list = field(item)
      return Array.isArray(list) && list.includes(filter.has)
    }
  }
  if ('exists' in filter) return (item) => (field(item) !== undefined) === filter.exists
  const { gt, gte, lt, lte } = filter
  return (item) => {
    const value = field(item)
    return (
      (gt === undefined || order(value, gt) > 0) &&
      (gte === undefined || order(value, gte) >= 0) &&
      (lt === undefined || order(value, lt) < 0) &&
      (lte === undefined || order(value, lte) <= 0)
    )
  }
}

/** How a field compares with a bound; not a number where they are of different kinds. */
function order(value: Json | undefined, bound: string | number): number {
  if (typeof value === 'number' && typeof bound === 'number') return value - bound
  if (typeof value === 'string' && typeof bound === 'string') return compareTexts(value, bound)
  return Number.NaN
}

function isBound(name: string): name is (typeof bounds)[number] {
  return (bounds as readonly string[]).includes(name)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

function isOrdered(value: unknown): boolean {
  return isText(value) || Number.isFinite(value)
}

function isFilterValue(value: unknown): value is FilterValue {
  return value === null || typeof value === 'boolean' || isOrdered(value)
}

function invalid(problem: string): TellurionError {
  return new TellurionError('invalid_option', `A filter ${problem}${/[.?]$/.test(problem) ? '' : '.'}`)
}
