// What validation found wrong, as one readable line for a model or a log.

import type { StandardIssue } from './standard.ts'

/** Issues that are spelled out; the rest is only counted. */
const maxIssues = 5
const maxLength = 400

/** The place of an issue as a JSON pointer; the root is the empty string. */
export function issuePlace(issue: StandardIssue): string {
  let place = ''
  for (const part of issue.path ?? []) {
    const key = typeof part === 'object' ? part.key : part
    place += `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
  }
  return place
}

/** `/place: expected string, got 5; /days: …`: at most five issues in one well-formed line, then how many more. */
export function issuesText(issues: readonly StandardIssue[]): string {
  const shown = issues.slice(0, maxIssues).map((issue) => {
    const place = issuePlace(issue)
    const text = place === '' ? issue.message : `${place}: ${issue.message}`
    const line = text.replaceAll(/\s+/g, ' ').toWellFormed()
    return line.length > maxLength ? `${line.slice(0, maxLength).toWellFormed()}…` : line
  })
  if (issues.length > maxIssues) shown.push(`and ${issues.length - maxIssues} more`)
  return shown.length === 0 ? 'not valid' : shown.join('; ')
}
