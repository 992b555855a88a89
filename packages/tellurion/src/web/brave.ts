// Brave Search, over its API for web search.

import { checkOptions } from '../error/option.ts'
import type { Revealing } from '../secret/secret.ts'
import { askForJSON, keyedSearch, resultsOf, type Search } from './search.ts'

/** How it is reached. */
export interface BraveOptions {
  readonly apiKey: string | Revealing
  /** Default `https://api.search.brave.com/res/v1`. */
  readonly baseURL?: string
}

/** Searches by Brave. Throws `missing_key`, `invalid_option` and `unknown_option`. */
export function braveSearch(options: BraveOptions): Search {
  checkOptions('braveSearch', options, ['apiKey', 'baseURL'])
  const name = 'Brave'
  const { apiKey, baseURL = 'https://api.search.brave.com/res/v1' } = options
  const { base, secret, service } = keyedSearch(name, { apiKey, baseURL }, 'BRAVE_API_KEY')
  return {
    name,
    async search(query, { count, signal }) {
      const url = new URL('web/search', base)
      // It takes at most 400 characters and 20 results.
      url.search = new URLSearchParams({ q: query.slice(0, 400), count: String(Math.min(count, 20)) }).toString()
      const headers = { 'x-subscription-token': secret }
      const answer = await askForJSON(service, url, { headers, signal })
      return resultsOf((answer as { web?: { results?: unknown } | null } | null)?.web?.results, count, 'description')
    },
  }
}
