// robots.txt: what a site asks of programs that read it (RFC 9309). A wish, not a guard; it is honoured because it was asked
// for politely.

import { createWildcard } from '../tool/wildcard.ts'

/** What a site asks of one reader. */
export interface Robots {
  /** Whether a path, with its query, may be read. */
  allows(path: string): boolean
}

/** A site that asks for nothing, and one that wants nobody. */
export const openSite: Robots = { allows: () => true }
export const closedSite: Robots = { allows: () => false }

/** Characters of a file, and rules of a group, that are looked at. */
const mostCharacters = 512_000
const mostRules = 2_000

interface Rule {
  readonly allow: boolean
  /** How much of a path it names: of two rules the one that names more counts. */
  readonly weight: number
  matches(path: string): boolean
}

/** Reads a robots.txt for a reader whose product token is `agent`. Never throws; lines that are no rules are passed over. */
export function parseRobots(text: string, agent: string): Robots {
  const own: Rule[] = []
  const everybody: Rule[] = []
  let named = false
  let groups: Rule[][] = []
  let inRules = true
  for (const line of text.slice(0, mostCharacters).split(/[\r\n]+/)) {
    const [, key = '', value = ''] = /^\s*([a-z-]+)\s*:\s*([^#]*)/i.exec(line) ?? []
    const field = key.toLowerCase()
    if (field === 'user-agent') {
      if (inRules) groups = []
      inRules = false
      const name = value.trim().toLowerCase()
      if (name === '*') groups.push(everybody)
      else if (name.split(/[\s/]/, 1)[0] === agent.toLowerCase()) {
        groups.push(own)
        named = true
      }
    } else if (field === 'allow' || field === 'disallow') {
      inRules = true
      // An empty path is no rule: `Disallow:` closes nothing.
      const rule = value.trim() === '' ? undefined : ruleOf(field === 'allow', value.trim())
      if (rule !== undefined) for (const group of groups) if (group.length < mostRules) group.push(rule)
    }
  }
  const rules = named ? own : everybody
  return {
    allows(path) {
      const encoded = normal(path)
      let best: Rule | undefined
      for (const rule of rules) {
        if (best !== undefined && (rule.weight < best.weight || (rule.weight === best.weight && !rule.allow))) continue
        if (rule.matches(encoded)) best = rule
      }
      return best?.allow ?? true
    },
  }
}

function ruleOf(allow: boolean, value: string): Rule {
  const path = normal(value)
  return {
    allow,
    weight: path.length,
    matches: createWildcard(path.endsWith('$') ? path.slice(0, -1) : `${path}*`),
  }
}

/** One spelling of a path: what is encoded in capitals, what need not be as it is. */
function normal(path: string): string {
  return encodeURI(path.toWellFormed())
    .replaceAll('%25', '%')
    .replace(/%[0-9a-f]{2}/gi, (code) => {
      const sign = String.fromCharCode(Number.parseInt(code.slice(1), 16))
      return /[\w.~-]/.test(sign) ? sign : code.toUpperCase()
    })
}
