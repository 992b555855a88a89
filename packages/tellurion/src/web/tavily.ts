// Tavily, a search for programs.

import { checkOptions } from '../error/option.ts'
import type { Revealing } from '../secret/secret.ts'
import { askForJSON, keyedSearch, resultsOf, type Search } from './search.ts'

/** How it is reached. */
export interface TavilyOptions {
  readonly apiKey: string | Revealing
  /** Default `https://api.tavily.com`. */
  readonly baseURL?: string
}

/** Searches by Tavily. Throws `missing_key`, `invalid_option` and `unknown_option`. */
export function tavilySearch(options: TavilyOptions): Search {
  checkOptions('tavilySearch', options, ['apiKey', 'baseURL'])
  const name = 'Tavily'
  const { apiKey, baseURL = 'https://api.tavily.com' } = options
  const { base, secret, service } = keyedSearch(name, { apiKey, baseURL }, 'TAVILY_API_KEY')
  return {
    name,
    async search(query, { count, signal }) {
      const answer = await askForJSON(service, new URL('search', base), {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, max_results: Math.min(count, 20) }),
        signal,
      })
      return resultsOf((answer as { results?: unknown } | null)?.results, count, 'content')
    },
  }
}
