// Words of a shell: a text as a person can paste it into a command line.

import { inertLine } from './inert.ts'

/** The text as one word of a POSIX shell: as it is where that is plain, else quoted, without control characters. */
export function shellWord(text: string): string {
  return /^[\w./:@+-]+$/.test(text) ? text : `'${inertLine(text).replaceAll("'", `'\\''`)}'`
}
