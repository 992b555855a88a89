// The web tools together, on one way out.

import { systemClock, type Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import type { AnyTool } from '../tool/tool.ts'
import { createCredentials, type WebCredential } from './credential.ts'
import { createEgress, type Egress } from './egress.ts'
import { fetchPageTool } from './fetch-page.ts'
import { createHostTurns } from './host-turns.ts'
import { httpRequestTool } from './http-request.ts'
import { createPageReader } from './page-reader.ts'
import type { Search } from './search.ts'
import { searchWebTool } from './search-web.ts'
import { createSiteRules } from './site-rules.ts'
import { createWebAccess } from './web-access.ts'

/** What a call may cost, and how polite it is. */
export interface WebLimits {
  /** Characters of a piece of a page, or of a body. Default 8,000. */
  readonly length?: number
  /** Bytes of a page that are looked at. Default 2 MiB. */
  readonly bytes?: number
  /** Milliseconds that a page may take to be read, before it is read as mere text. Default 5,000. */
  readonly readTime?: number
  /** Requests to one host at a time. Default 2. */
  readonly perHost?: number
  /** Milliseconds between the starts of two requests to one host. Default 200. */
  readonly delay?: number
}

/** The options of `webTools`. */
export interface WebToolsOptions {
  /** The way out. Default: `createEgress()`, which reaches public addresses only. */
  readonly egress?: Egress
  /** Default none: `searchWeb` says then how to set one up. */
  readonly search?: Search | undefined
  /**
   * Hosts that may be told things: reading from them risks nothing, and a request that begins there stays there. Default
   * none: every address is `exfiltrating`, because an address itself can tell a stranger something.
   */
  readonly hosts?: readonly string[]
  /** Credentials by name that `httpRequest` may use. No model sees their values. */
  readonly credentials?: Readonly<Record<string, WebCredential>>
  /** Whether `fetchPage` does as robots.txt asks. Default true. */
  readonly robots?: boolean
  /** Who it says it is. Its first word is the name that robots.txt can use. */
  readonly userAgent?: string
  readonly limits?: WebLimits
  readonly clock?: Clock
}

/** Characters from a name of one's own and on, as a header may have them. */
const userAgents = /^[A-Za-z][\x20-\x7e]{0,199}$/
const known = ['egress', 'search', 'hosts', 'credentials', 'robots', 'userAgent', 'limits', 'clock']
const defaults: Required<WebLimits> = { length: 8_000, bytes: 2_097_152, readTime: 5_000, perHost: 2, delay: 200 }
/** How many calls may wait for one host. */
const mostWaiting = 32

/**
 * The tools `fetchPage`, `searchWeb` and `httpRequest`, for `tools` of an agent. What they give is untrusted. Throws
 * `invalid_option` and `unknown_option`. `fetchPage` needs the packages @mozilla/readability, linkedom and turndown.
 */
export function webTools(
  options: WebToolsOptions = {},
): Readonly<Record<'fetchPage' | 'searchWeb' | 'httpRequest', AnyTool>> {
  checkOptions('webTools', options, known)
  const { egress = createEgress(), search, hosts = [], credentials = {}, robots = true, clock = systemClock } = options
  const { userAgent = 'tellurion (reads pages for an AI agent)', limits = {} } = options
  checkOptions('limits of webTools', limits, Object.keys(defaults))
  const { length, bytes, readTime, perHost, delay } = { ...defaults, ...limits }
  checkWhole('limits.length', length, { least: 200, most: 1_000_000 })
  checkWhole('limits.bytes', bytes, { most: 20_000_000 })
  checkWhole('limits.readTime', readTime)
  checkWhole('limits.perHost', perHost)
  checkWhole('limits.delay', delay, { least: 0 })
  if (typeof egress !== 'function' || typeof egress.within !== 'function') {
    throw new TellurionError('invalid_option', 'egress must be what createEgress() gives.')
  }
  if (search !== undefined && typeof search?.search !== 'function') {
    throw new TellurionError(
      'invalid_option',
      "search must be a service: searxngSearch({ baseURL: 'http://localhost:8888' }).",
    )
  }
  if (typeof robots !== 'boolean') throw new TellurionError('invalid_option', 'robots must be true or false.')
  if (typeof userAgent !== 'string' || !userAgents.test(userAgent)) {
    throw new TellurionError(
      'invalid_option',
      "userAgent must be a line such as 'my-agent/1.0 (+https://example.com/agent)'.",
    )
  }
  const access = createWebAccess(egress, hosts)
  const takeTurn = createHostTurns({ concurrency: perHost, delay, waiting: mostWaiting, clock })
  const reader = createPageReader({ deadline: readTime, clock })
  const checkSite = robots ? createSiteRules({ userAgent, clock }) : undefined
  return {
    fetchPage: fetchPageTool({ access, reader, takeTurn, checkSite, userAgent, length, bytes, clock }),
    searchWeb: searchWebTool(search),
    httpRequest: httpRequestTool({
      access,
      credentials: createCredentials(credentials, egress),
      takeTurn,
      userAgent,
      length,
    }),
  }
}
