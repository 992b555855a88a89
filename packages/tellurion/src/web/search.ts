// Searching the web: one small port, and what its services have in common. Which service it is, is the operator's
// configuration; its address is reached by a way out of its own.

import { isAbort, throwIfAborted } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import { createRedactor, type Redactor } from '../secret/redactor.ts'
import { isRevealing, revealed } from '../secret/secret.ts'
import { createEgress, type Egress } from './egress.ts'
import { plainLine } from './plain-text.ts'

/** One hit. */
export interface SearchResult {
  readonly title: string
  readonly url: string
  /** A few lines of it, as plain text. */
  readonly snippet: string
}

/** Something that searches the web. */
export interface Search {
  /** What it is called in errors: `Brave`. */
  readonly name: string
  /** At most `count` results, best first. Rejects with `search_failed`, errors of the way out, and the signal's reason. */
  search(
    query: string,
    options: { readonly count: number; readonly signal?: AbortSignal | undefined },
  ): Promise<readonly SearchResult[]>
}

/** Asks a service for JSON. Rejects with `search_failed` where it refuses or answers something else. */
export async function askForJSON(
  { name, egress, redactor }: { readonly name: string; readonly egress: Egress; readonly redactor?: Redactor },
  url: URL,
  init: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string
    readonly signal?: AbortSignal | undefined
  },
): Promise<unknown> {
  const { signal, headers, ...rest } = init
  throwIfAborted(signal)
  const response = await egress(url, {
    ...rest,
    headers: { accept: 'application/json', ...headers },
    ...(signal === undefined ? {} : { signal }),
  })
  if (!response.ok) {
    const problem = problems[response.status] ?? `answered ${response.status}`
    const told = plainLine(await response.text().catch(() => ''), 200)
    const clean = redactor?.text(told) ?? told
    const retryable = response.status === 429 || response.status >= 500
    throw new TellurionError('search_failed', `${name} ${problem}${clean === '' ? '' : `: ${clean}`}`, { retryable })
  }
  try {
    return await response.json()
  } catch (error) {
    if (isAbort(error, signal) || error instanceof TellurionError) throw error
    throw new TellurionError('search_failed', `${name} answered something that is no JSON.`, { cause: error })
  }
}

const problems: Readonly<Record<number, string>> = {
  401: 'refused the key (401): check it',
  402: 'wants to be paid (402)',
  403: 'refused the request (403): check the key, and for SearXNG that `json` is among its formats',
  422: 'refused the query (422)',
  429: 'was asked too often (429): wait a little',
}

/** The results in a list that a service gave; what is no result is passed over. */
export function resultsOf(list: unknown, count: number, snippetName: string): SearchResult[] {
  const results: SearchResult[] = []
  for (const item of Array.isArray(list) ? (list as unknown[]) : []) {
    if (results.length >= count) break
    if (typeof item !== 'object' || item === null) continue
    const { title, url, [snippetName]: snippet } = item as Record<string, unknown>
    if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || url.length > 2_000 || !URL.canParse(url)) continue
    results.push({
      title: plainLine(text(title), 200),
      url: new URL(url).href,
      snippet: plainLine(text(snippet), 500),
    })
  }
  return results
}

/** What a service wrote, without the tags by which some show what they found. */
const text = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, 4_000).replace(/<\/?(strong|b|em|mark)>/g, '') : ''

/** The way out to a service of the operator: its host alone, wherever that is. */
export function egressTo(url: URL): Egress {
  return createEgress({ allow: [url.host], limits: { whole: 20_000, bytes: 4_194_304, redirects: 2 } }).within([
    url.host,
  ])
}

/** How a service that wants a key is reached: its address, its key, and what it is asked with. */
export interface KeyedSearch {
  readonly base: URL
  readonly secret: string
  readonly service: { readonly name: string; readonly egress: Egress; readonly redactor: Redactor }
}

/** A service that wants a key, by its options. Throws `missing_key` and `invalid_option`. */
export function keyedSearch(
  name: string,
  { apiKey, baseURL }: { readonly apiKey: unknown; readonly baseURL: string },
  variable: string,
): KeyedSearch {
  const secret = serviceKey(name, apiKey, variable)
  const base = serviceURL(name, baseURL)
  return { base, secret, service: { name, egress: egressTo(base), redactor: createRedactor([secret]) } }
}

/** The address of a service. Throws `invalid_option`. */
export function serviceURL(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new TellurionError(
      'invalid_option',
      `${name}: the base URL must be an http(s) address such as 'http://localhost:8888'.`,
    )
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** The key of a service. Throws `missing_key` and `invalid_option`. */
function serviceKey(name: string, given: unknown, variable: string): string {
  const key = typeof given === 'string' || isRevealing(given) ? revealed(given).trim() : ''
  if (key === '') {
    throw new TellurionError('missing_key', `${name} needs an API key: pass \`apiKey\`, or set ${variable}.`)
  }
  if (/^[\x21-\x7e]{6,}$/.test(key)) return key
  throw new TellurionError(
    'invalid_option',
    `The key of ${name} is too short, or holds characters that no key has; check for stray text.`,
  )
}
