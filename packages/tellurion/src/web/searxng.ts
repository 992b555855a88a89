// SearXNG, an engine of engines that one runs oneself. Its JSON must be switched on: `search.formats` in its settings.yml.

import { checkOptions } from '../error/option.ts'
import { askForJSON, egressTo, resultsOf, serviceURL, type Search } from './search.ts'

/** Where it is. */
export interface SearxngOptions {
  /** Such as `http://localhost:8888`; also an address that is not public. */
  readonly baseURL: string
  /** Such as `en` or `de-AT`. Default: what the instance says. */
  readonly language?: string
}

/** Searches by an instance of SearXNG. Throws `invalid_option` and `unknown_option`. */
export function searxngSearch(options: SearxngOptions): Search {
  checkOptions('searxngSearch', options, ['baseURL', 'language'])
  const { language } = options
  const base = serviceURL('SearXNG', options.baseURL)
  const egress = egressTo(base)
  const name = 'SearXNG'
  return {
    name,
    async search(query, { count, signal }) {
      const url = new URL('search', base)
      url.search = new URLSearchParams({
        q: query,
        format: 'json',
        ...(language === undefined ? {} : { language }),
      }).toString()
      const answer = (await askForJSON({ name, egress }, url, { signal })) as { results?: unknown } | null
      return resultsOf(answer?.results, count, 'content')
    },
  }
}
