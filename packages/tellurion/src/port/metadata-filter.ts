// The filter: a small closed JSON language over an item's metadata, document and source. This file is its shape alone.

/** A value that can be compared. */
export type FilterValue = string | number | boolean | null

/**
 * What an item must be like. `key` is the name of one metadata field; it is data, never a path.
 * - `equals`, `in`: the field is this value, or one of these; `null` is met by a field that is `null`, not by one that is absent.
 * - `has`: the field is a list that holds this value.
 * - `gt`, `gte`, `lt`, `lte`: the field lies in the range; numbers compare with numbers, strings with strings (by code
 *   point), everything else does not match. Several bounds must all hold.
 * - `exists`: the field is there, whatever its value.
 * - `document`, `source`: the item comes from one of these.
 * - `and`, `or`, `not`: as in logic; an empty `and` matches everything, an empty `or` and an empty `in` nothing.
 */
export type MetadataFilter =
  | { readonly key: string; readonly equals: FilterValue }
  | { readonly key: string; readonly in: readonly FilterValue[] }
  | { readonly key: string; readonly has: FilterValue }
  | { readonly key: string; readonly exists: boolean }
  | {
      readonly key: string
      readonly gt?: string | number
      readonly gte?: string | number
      readonly lt?: string | number
      readonly lte?: string | number
    }
  | { readonly document: readonly string[] }
  | { readonly source: readonly string[] }
  | { readonly and: readonly MetadataFilter[] }
  | { readonly or: readonly MetadataFilter[] }
  | { readonly not: MetadataFilter }
