// Pages of lists: how many items, and where the next page begins. Cursors are opaque: a client gives back what it was given.

import { z } from 'zod'
import type { Page } from 'tellurion/protocol'
import { RequestError } from './failure.ts'
import { mostItems } from './limit.ts'
import { wholeNumber } from './schema-part.ts'

/** Items of a page that does not say how many. */
const usual = 50

/** What every list may be asked for. */
export const pageQuery = {
  limit: wholeNumber(mostItems, 1)
    .exactOptional()
    .meta({ description: `Items of the page, at most ${mostItems}. Default ${usual}.` }),
  cursor: z.string().max(200).exactOptional().meta({ description: 'What the page before gave as `next`.' }),
}

const pages = new WeakMap<z.ZodType, z.ZodType>()

/** The schema of a page of items; its name is that of the items and `Page`. */
export function pageOf<Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> {
  let page = pages.get(item)
  if (page === undefined) {
    const next = z.string().exactOptional().meta({ description: 'The cursor of the next page, if there is one.' })
    page = z.object({ items: z.array(item), next }).meta({ id: `${item.meta()?.id ?? ''}Page` })
    pages.set(item, page)
  }
  return page as z.ZodType<Page<Item>>
}

/** Where a list is read from. */
export interface PageSource<Item> {
  /** At most `limit` items after the place, in the order of the list. */
  readonly read: (options: { readonly limit: number; readonly after: string | undefined }) => Promise<readonly Item[]>
  readonly placeOf: (item: Item) => string
  /** Whether the item of a place is still there: without it, the rest of the list cannot be found. */
  readonly isThere?: (place: string) => Promise<boolean>
}

interface PageQuery {
  readonly limit?: number
  readonly cursor?: string
}

/** One page: asks for one item more than fits, to know whether there is a next page. */
export async function paged<Item>(query: PageQuery, source: PageSource<Item>): Promise<Page<Item>> {
  const { limit = usual, cursor } = query
  const after = cursor === undefined ? undefined : placeIn(cursor)
  const found = await source.read({ limit: limit + 1, after })
  if (found.length === 0 && after !== undefined && (await source.isThere?.(after)) === false) {
    throw new RequestError('invalid_request', 'What this cursor stands on is gone; begin with the first page.')
  }
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last !== undefined ? { items, next: cursorAt(source.placeOf(last)) } : { items }
}

/** One page of a list that only grows at its end and is there as a whole. */
export function slicePage<Item>({ limit = usual, cursor }: PageQuery, all: readonly Item[]): Page<Item> {
  const from = cursor === undefined ? 0 : Number(placeIn(cursor))
  if (!Number.isSafeInteger(from)) throw noCursor()
  const items = all.slice(from, from + limit)
  return from + limit < all.length ? { items, next: cursorAt(String(from + limit)) } : { items }
}

/** The cursor of a place. */
export function cursorAt(place: string): string {
  return Buffer.from(place).toString('base64url')
}

/** The place of a cursor. Throws `invalid_request` for what is none. */
export function placeIn(cursor: string): string {
  const place = Buffer.from(cursor, 'base64url').toString()
  if (cursorAt(place) === cursor && /^[\w-]{1,64}$/.test(place)) return place
  throw noCursor()
}

function noCursor(): RequestError {
  return new RequestError('invalid_request', "That is no cursor of this list; use the page's `next` as it is.")
}
