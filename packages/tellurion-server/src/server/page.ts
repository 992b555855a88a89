// Pages of lists: how many items, and where the next page begins. Cursors are opaque: a client gives back what it was given.

import { z } from 'zod'
import type { Page } from 'tellurion/protocol'
import { RequestError } from './failure.ts'
import { caps } from './limit.ts'

/** Items of a page that does not say how many. */
const usual = 50

/** What every list may be asked for. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .pipe(z.int().min(1).max(caps.page.value))
    .exactOptional()
    .meta({ description: `Items of the page, at most ${caps.page.value}. Default ${usual}.` }),
  cursor: z.string().max(200).exactOptional().meta({ description: 'What the page before gave as `next`.' }),
}

/** The schema of a page of items. */
export const pageOf = <Item>(item: z.ZodType<Item>): z.ZodType<Page<Item>> =>
  z.object({ items: z.array(item), next: z.string().exactOptional() })

/** One page: asks for one item more than fits, to know whether there is a next page. */
export async function paged<Item>(
  query: { readonly limit?: number; readonly cursor?: string },
  read: (options: { readonly limit: number; readonly after: string | undefined }) => Promise<readonly Item[]>,
  placeOf: (item: Item) => string,
): Promise<Page<Item>> {
  const { limit = usual, cursor } = query
  const found = await read({ limit: limit + 1, after: cursor === undefined ? undefined : placeIn(cursor) })
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last !== undefined ? { items, next: cursorAt(placeOf(last)) } : { items }
}

function cursorAt(place: string): string {
  return Buffer.from(place).toString('base64url')
}

function placeIn(cursor: string): string {
  const place = Buffer.from(cursor, 'base64url').toString()
  if (cursorAt(place) === cursor && /^[\w-]{1,64}$/.test(place)) return place
  throw new RequestError('invalid_request', "That is no cursor of this list; use the page's `next` as it is.")
}
