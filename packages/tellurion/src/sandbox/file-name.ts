// Names of files that go in and out of sandboxes: relative paths that lead nowhere else and can be shown anywhere.

/** What a name must not hold: what steers terminals or the direction of text, or parts paths elsewhere. */
const steering = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\\]/u

/** Longest name, in characters. */
export const longestName = 200

/** Whether a name is a relative path of plain parts, none of which is `..`, empty or hidden. */
export function isFitName(name: string): boolean {
  if (name.length > longestName || steering.test(name)) return false
  return name.split('/').every((part) => part !== '' && !part.startsWith('.'))
}

/** Any name in ASCII, for messages about those that are not fit. */
export function shownName(name: string): string {
  const text = JSON.stringify(name.toWellFormed()).slice(1, -1)
  return text.replaceAll(/[^ -~]/gu, (each) => `\\u{${each.codePointAt(0)!.toString(16)}}`).slice(0, longestName)
}
