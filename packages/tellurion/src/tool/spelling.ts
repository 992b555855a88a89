// Patterns for addresses, paths and mail addresses: by what they mean and not by how they are written, so that no spelling
// slips past a rule. What can be read in two ways matches nothing.

import { TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { createPattern, type ArgumentPattern } from './argument-pattern.ts'
import type { ApprovalRequest } from './approval.ts'
import { createWildcard } from './wildcard.ts'

type Test = (value: unknown) => boolean

/** The forms that a value of a pattern may have beside the plain ones, and how each is made ready. */
const forms: Readonly<Record<string, (pattern: string) => Test>> = { $host: hostTest, $path: pathTest, $mail: mailTest }

/**
 * A `where` for approval rules whose pattern may hold `{ $host: '*.corp.example' }` (addresses over http and https),
 * `{ $path: 'reports/**' }` and `{ $mail: '*@corp.example' }` at any depth: `{ allow: 'open', where: matching({ url: {
 * $host: 'docs.example' } }) }`. Permissions take these forms as they are. Throws `invalid_option`.
 */
export function matching(pattern: ArgumentPattern): (request: ApprovalRequest) => boolean {
  const matches = createSpelledPattern(pattern)
  return ({ input }) => matches(input)
}

/** A test of a value against a pattern with such forms. Throws `invalid_option` for a form that does not exist. */
export function createSpelledPattern(pattern: Json): Test {
  if (typeof pattern !== 'object' || pattern === null) return createPattern(pattern)
  if (Array.isArray(pattern)) {
    const items = pattern.map(createSpelledPattern)
    return (value) =>
      Array.isArray(value) && value.length === items.length && items.every((item, index) => item(value[index]))
  }
  const form = Object.keys(pattern).find((name) => name.startsWith('$'))
  if (form !== undefined) return formTest(form, pattern as ArgumentPattern)
  const properties = Object.entries(pattern).map(([name, each]) => [name, createSpelledPattern(each)] as const)
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    properties.every(([name, test]) => Object.hasOwn(value, name) && test((value as Record<string, unknown>)[name]))
}

function formTest(form: string, pattern: ArgumentPattern): Test {
  const make = Object.hasOwn(forms, form) ? forms[form] : undefined
  const given = pattern[form]
  if (make === undefined || typeof given !== 'string' || given === '' || Object.keys(pattern).length > 1) {
    throw invalid(`a form stands alone and is one of ${Object.keys(forms).join(', ')} with a text`)
  }
  return make(given)
}

/** What different readers of one text take for different things. */
const ambiguous = /[\s\\\p{C}]/u

/**
 * Hosts of addresses over http and https: `docs.example`, `docs.example:8443`, or `*.example` for every host below it.
 * Addresses with a user, with another port than the scheme's, and those that only some readers would read, match nothing.
 */
function hostTest(pattern: string): Test {
  const below = pattern.startsWith('*.')
  const asked = `https://${below ? pattern.slice(2) : pattern}/`
  const url = URL.canParse(asked) && !pattern.includes('@') ? new URL(asked) : undefined
  if (url === undefined || url.pathname !== '/' || url.search !== '' || pattern.slice(2).includes('*')) {
    throw invalid(`$host takes a host such as 'docs.example', 'docs.example:8443' or '*.example', not '${pattern}'`)
  }
  const { hostname, port } = url
  return (value) => {
    if (typeof value !== 'string' || ambiguous.test(value) || !URL.canParse(value)) return false
    const given = new URL(value)
    if (given.protocol !== 'https:' && given.protocol !== 'http:') return false
    if (!/^https?:\/\/[^/]/i.test(value) || given.username !== '' || given.password !== '') return false
    if (given.port !== port) return false
    return below ? given.hostname.endsWith(`.${hostname}`) : given.hostname === hostname
  }
}

/**
 * Paths with `/`: `*` stands for any characters of one name, `**` for any names. Relative ones match relative ones, absolute
 * ones absolute ones. A path with `..`, of another system, of a home folder or with escapes matches nothing; where a
 * link leads is for the tool to say.
 */
function pathTest(pattern: string): Test {
  const wanted = namesOf(pattern)
  if (wanted === undefined) {
    throw invalid(`$path takes a path such as 'reports/**' or '/srv/data/*.csv', without '..', not '${pattern}'`)
  }
  const tests = wanted.names.map((name) => (name === '**' ? undefined : createWildcard(name)))
  return (value) => {
    const given = typeof value === 'string' ? namesOf(value) : undefined
    return given !== undefined && given.absolute === wanted.absolute && matchNames(given.names, tests)
  }
}

interface Names {
  readonly absolute: boolean
  readonly names: readonly string[]
}

function namesOf(path: string): Names | undefined {
  if (path === '' || /[\\\p{C}]/u.test(path) || /^~|^[a-z]:/i.test(path) || /%(?:2e|2f|5c|00)/i.test(path)) {
    return undefined
  }
  const names = path
    .normalize('NFC')
    .split('/')
    .filter((name) => name !== '' && name !== '.')
  // Some systems drop dots and blanks at the end of a name.
  if (names.some((name) => name === '..' || /[. ]$/.test(name) || name.includes('\u2215'))) return undefined
  return { absolute: path.startsWith('/'), names }
}

/** Names against tests, of which undefined stands for any number of names. At most names × tests steps. */
function matchNames(names: readonly string[], tests: readonly (((name: string) => boolean) | undefined)[]): boolean {
  let [at, test] = [0, 0]
  let retry: { at: number; test: number } | undefined
  while (at < names.length) {
    const next = tests[test]
    if (test < tests.length && next === undefined) retry = { at, test: ++test }
    else if (next?.(names[at]!) === true) [at, test] = [at + 1, test + 1]
    else if (retry === undefined) return false
    else [at, test] = [++retry.at, retry.test]
  }
  return tests.slice(test).every((each) => each === undefined)
}

/** One mail address: `*` stands for any characters of the part before or behind the `@`. Lists and names match nothing. */
function mailTest(pattern: string): Test {
  const [local = '', domain = '', ...more] = pattern.split('@')
  if (local === '' || domain === '' || more.length > 0) {
    throw invalid(`$mail takes an address such as '*@corp.example', not '${pattern}'`)
  }
  const [isLocal, isDomain] = [createWildcard(local), createWildcard(domain.toLowerCase())]
  return (value) => {
    const parts = typeof value === 'string' ? /^([\w.!#$&'*+/=?^`{|}~-]+)@([a-z\d.-]+)$/i.exec(value) : null
    return parts !== null && isLocal(parts[1]!) && isDomain(parts[2]!.toLowerCase())
  }
}

function invalid(why: string): TellurionError {
  return new TellurionError('invalid_option', `A pattern for arguments cannot be read: ${why}.`)
}
