// A filter as a query for the keys of the items that meet it. Every name and every value is bound; the text holds only
// what is written here, and reads indexes alone, never the items.

import type { FilterValue, MetadataFilter } from '../../port/metadata-filter.ts'
import { fieldKind, fieldValue } from './vector-table.ts'

/** A query whose one column is `key`, each key once, and what is bound to its question marks, in order. */
export interface KeySet {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

const nothing: KeySet = { sql: 'SELECT key FROM item WHERE 0', values: [] }
const everything: KeySet = { sql: 'SELECT key FROM item', values: [] }

/** The keys that meet a filter, which has been checked. */
export function filterKeys(filter: MetadataFilter): KeySet {
  if ('and' in filter) return join(filter.and.map(filterKeys), ' INTERSECT ', everything)
  if ('or' in filter) return join(filter.or.map(filterKeys), ' UNION ', nothing)
  if ('not' in filter) return not(filterKeys(filter.not))
  if ('document' in filter) return among('document', filter.document)
  if ('source' in filter) return among('source', filter.source)
  return fieldKeys(filter)
}

function fieldKeys(filter: Extract<MetadataFilter, { readonly key: string }>): KeySet {
  const { key } = filter
  if ('equals' in filter) return isOneOf(key, 0, [filter.equals])
  if ('in' in filter) return isOneOf(key, 0, filter.in)
  if ('has' in filter) return isOneOf(key, 1, [filter.has])
  if ('exists' in filter) {
    const exists = field('', [key, 0])
    return filter.exists ? exists : not(exists)
  }
  return isInRange(filter)
}

/** One of the values; each kind by itself, for 1 is not true. */
function isOneOf(name: string, place: number, values: readonly FilterValue[]): KeySet {
  const byKind = new Map<number, (string | number)[]>()
  for (const value of values) {
    const [kind, plain] = fieldValue(value)
    const sameKind = byKind.get(kind)
    if (sameKind === undefined) byKind.set(kind, [plain])
    else sameKind.push(plain)
  }
  const sets = [...byKind].map(([kind, plain]) =>
    field(` AND kind = ? AND value IN (${marks(plain)})`, [name, place, kind, ...plain]),
  )
  return join(sets, ' UNION ', nothing)
}

const operators = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

function isInRange(filter: Extract<MetadataFilter, { readonly gt?: unknown }>): KeySet {
  const bounds = Object.entries(operators).flatMap(([name, operator]) => {
    const bound = filter[name as keyof typeof operators]
    return bound === undefined ? [] : [{ operator, bound }]
  })
  const kinds = new Set(bounds.map(({ bound }) => typeof bound))
  // No value is a number and a text at once.
  if (kinds.size !== 1) return nothing
  const kind = kinds.has('number') ? fieldKind.number : fieldKind.string
  const sql = bounds.map(({ operator }) => ` AND value ${operator} ?`).join('')
  return field(` AND kind = ?${sql}`, [filter.key, 0, kind, ...bounds.map(({ bound }) => bound)])
}

function field(sql: string, values: readonly (string | number)[]): KeySet {
  return { sql: `SELECT key FROM field WHERE name = ? AND place = ?${sql}`, values }
}

function among(column: 'document' | 'source', values: readonly string[]): KeySet {
  return values.length === 0 ? nothing : { sql: `SELECT key FROM item WHERE ${column} IN (${marks(values)})`, values }
}

function not({ sql, values }: KeySet): KeySet {
  return { sql: `SELECT key FROM item EXCEPT SELECT key FROM (${sql})`, values }
}

function join(sets: readonly KeySet[], by: ' INTERSECT ' | ' UNION ', none: KeySet): KeySet {
  const [first, ...rest] = sets
  if (first === undefined) return none
  if (rest.length === 0) return first
  return {
    sql: sets.map(({ sql }) => `SELECT key FROM (${sql})`).join(by),
    values: sets.flatMap(({ values }) => values),
  }
}

function marks(values: readonly unknown[]): string {
  return Array(values.length).fill('?').join(', ')
}
