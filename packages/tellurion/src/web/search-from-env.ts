// Which search service an environment names.

import { braveSearch } from './brave.ts'
import type { Search } from './search.ts'
import { searxngSearch } from './searxng.ts'
import { tavilySearch } from './tavily.ts'

/** The variables that name a service, in the order in which they count. */
export const searchVariables = ['SEARXNG_URL', 'BRAVE_API_KEY', 'TAVILY_API_KEY'] as const

/**
 * The search service that an environment names: by `SEARXNG_URL`, `BRAVE_API_KEY` (or `BRAVE_SEARCH_API_KEY`) or
 * `TAVILY_API_KEY`, the first that is set; undefined where none is. Throws `invalid_option`.
 */
export function searchFromEnv(env: Readonly<Record<string, string | undefined>> = process.env): Search | undefined {
  const [searxng, brave, tavily] = searchVariables.map((name) => env[name]?.trim())
  if (searxng) return searxngSearch({ baseURL: searxng })
  const braveKey = brave || env['BRAVE_SEARCH_API_KEY']?.trim()
  if (braveKey) return braveSearch({ apiKey: braveKey })
  return tavily ? tavilySearch({ apiKey: tavily }) : undefined
}
