// What sites ask of this reader, each asked once an hour.

import { throwIfAborted } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { readBytes } from './body-bytes.ts'
import type { Egress } from './egress.ts'
import { closedSite, openSite, parseRobots, type Robots } from './robots.ts'

/** Sites that are remembered, and for how long in milliseconds; a site that could not be asked is asked again sooner. */
const mostSites = 200
const hour = 3_600_000
const minute = 60_000
const mostBytes = 512_000

/** Who asks, and how. */
export interface SiteRulesOptions {
  readonly userAgent: string
  readonly clock: Clock
}

/** Throws `page_refused` where a site asks not to be read there. */
export type CheckSite = (url: URL, way: Egress, options: { readonly signal?: AbortSignal | undefined }) => Promise<void>

/** Makes a check that remembers. As RFC 9309 has it: no file means all is open, a server in trouble that nothing is. */
export function createSiteRules({ userAgent, clock }: SiteRulesOptions): CheckSite {
  const sites = new Map<string, { readonly until: number; readonly rules: Robots }>()
  const agent = /^[a-z_-]+/i.exec(userAgent)?.[0] ?? userAgent

  const learn = async (origin: string, way: Egress, signal: AbortSignal | undefined) => {
    let rules: Robots
    let keep = hour
    try {
      const headers = { 'user-agent': userAgent, accept: 'text/plain' }
      const response = await way(`${origin}/robots.txt`, { headers, ...(signal === undefined ? {} : { signal }) })
      const { bytes } = await readBytes(response, mostBytes)
      if (response.ok) rules = parseRobots(Buffer.from(bytes).toString(), agent)
      else if (response.status < 500 && response.status !== 429) rules = openSite
      else [rules, keep] = [closedSite, minute]
    } catch (error) {
      throwIfAborted(signal)
      // A site that sends its robots.txt where requests may not go has none; one that cannot be reached says so itself.
      if (error instanceof TellurionError && error.code === 'egress_failed') throw error
      ;[rules, keep] = [openSite, minute]
    }
    sites.delete(origin)
    sites.set(origin, { until: clock.monotonic() + keep, rules })
    for (const oldest of sites.keys()) if (sites.size > mostSites) sites.delete(oldest)
    return rules
  }
  return async (url, way, { signal }) => {
    const known = sites.get(url.origin)
    const rules =
      known !== undefined && known.until > clock.monotonic() ? known.rules : await learn(url.origin, way, signal)
    if (rules.allows(`${url.pathname}${url.search}`)) return
    const message = `${url.origin} asks programs in its robots.txt not to read ${url.pathname}: look elsewhere.`
    throw new TellurionError('page_refused', message)
  }
}
