// Lists that come in pages: one page as it is asked for, or all items, fetched while they are read.

import type { Page } from '../protocol/resource.ts'

/** A list on a server. Iterating reads page after page to its end; nothing is asked before. */
export interface Pages<Item> extends AsyncIterable<Item> {
  /** The one page that the query asks for; `next` is the cursor of the one behind it. */
  page(): Promise<Page<Item>>
}

/** Makes a list of what fetches a page; without a cursor the first one that was asked for. */
export function pagesOf<Item>(fetchPage: (cursor?: string) => Promise<Page<Item>>): Pages<Item> {
  return {
    page: () => fetchPage(),
    async *[Symbol.asyncIterator]() {
      for (let page = await fetchPage(); ; page = await fetchPage(page.next)) {
        yield* page.items
        if (page.next === undefined) return
      }
    },
  }
}
