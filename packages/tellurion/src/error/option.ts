// Options by name: whoever takes some says which one is not known, with the nearest name, so that a slip of the pen is an
// error at once and never silence.

import { suggestion, TellurionError } from './error.ts'

/**
 * Throws `invalid_option` for what is no object, and `unknown_option` for a name that is not `known`. `what` takes them:
 * `checkOptions('reflection', options, ['rounds'])`.
 */
export function checkOptions(what: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TellurionError('invalid_option', `${what} takes one object, with ${known.join(', ')}.`)
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new TellurionError('unknown_option', `${what} has no option '${name}'.${suggestion(name, known)}`)
  }
}

/** Throws `invalid_option` unless a number was left out, or is whole and from `least` (default 1) to `most`. */
export function checkWhole(
  what: string,
  value: number | undefined,
  { least = 1, most = Infinity }: { readonly least?: number; readonly most?: number } = {},
): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
  const end = most === Infinity ? '' : ` to ${most}`
  throw new TellurionError(
    'invalid_option',
    `${what} must be a whole number from ${least}${end}, not ${String(value)}.`,
  )
}
