// Kinds of settings: numbers, switches, lists, durations, sizes, secrets. Each reads what a file says (a number, a list)
// and what a variable says (text) alike, and says in its own words what it takes.

import { z } from 'zod'
import { Secret } from 'tellurion/secret'

/** The longest duration: what a timer of the platform can wait in one piece is less, and nobody waits longer. */
const maxDuration = 365 * 86_400_000
const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const sizes = { b: 1, kb: 1_000, mb: 1_000_000, gb: 1_000_000_000 } as const

/** A text that is not empty. */
export const text = () =>
  z
    .string({ error: 'must be a text' })
    .trim()
    .min(1, { error: 'must not be empty' })
    .refine((value) => !/\p{Cc}/u.test(value), { error: 'must be one line without control characters' })

/** The address of a server, without names, passwords or queries. */
export const address = () =>
  reading(
    (words) => z.string(words),
    'must be the address of a server, such as http://127.0.0.1:8000',
    (value) => {
      const url = URL.canParse(value.trim()) ? new URL(value.trim()) : undefined
      const isPlain = url !== undefined && url.username + url.password + url.search + url.hash === ''
      return isPlain && /^https?:$/.test(url.protocol) ? value.trim() : undefined
    },
  )

/** A secret of at least so many characters. */
export const secret = (least = 1) =>
  z
    .union([z.string(), z.instanceof(Secret)], { error: 'must be a text' })
    .transform((value) => (typeof value === 'string' ? new Secret(value.trim()) : value))
    .refine((value) => value.reveal().length >= least, { error: `must have at least ${least} characters` })
    .refine((value) => /^[\x21-\x7e]*$/.test(value.reveal()), {
      error: 'must be visible ASCII characters without blanks',
    })

/** A whole number between two bounds. */
export const whole = (least: number, most: number) => {
  const expected = `must be a whole number from ${least} to ${most}`
  return reading(numberOrText, expected, (value) => {
    const number = numberOf(value)
    return Number.isInteger(number) && number >= least && number <= most ? number : undefined
  })
}

/** A number between two bounds. */
export const number = (least: number, most: number) =>
  reading(numberOrText, `must be a number from ${least} to ${most}`, (value) => {
    const read = numberOf(value)
    return read >= least && read <= most ? read : undefined
  })

/** On or off. */
export const flag = () =>
  reading(
    (words) => z.union([z.boolean(), z.string()], words),
    "must be 'true' or 'false'",
    (value) => {
      if (typeof value === 'boolean') return value
      const word = value.trim().toLowerCase()
      if (['true', 'yes', 'on', '1'].includes(word)) return true
      return ['false', 'no', 'off', '0'].includes(word) ? false : undefined
    },
  )

/** One of some words, in any case; `synonyms` are read too. */
export const oneOf = <const Name extends string>(
  names: readonly Name[],
  synonyms: Readonly<Record<string, NoInfer<Name>>> = {},
) =>
  reading(
    (words) => z.string(words),
    `must be one of ${names.join(', ')}`,
    (value) => {
      const word = value.trim().toLowerCase()
      return names.find((name) => name === word) ?? (Object.hasOwn(synonyms, word) ? synonyms[word] : undefined)
    },
  )

/** A list of texts; in a variable they are separated by commas. */
export const list = (most = 100) =>
  reading(
    (words) => z.union([z.array(z.string()), z.string()], words),
    `must be a list of at most ${most} texts`,
    (value) => {
      const items = (typeof value === 'string' ? value.split(',') : value).map((item) => item.trim())
      const filled = items.filter((item) => item !== '')
      return filled.length <= most && filled.every((item) => !/\p{Cc}/u.test(item)) ? filled : undefined
    },
  )

/** A duration with its unit, such as `30s`, as milliseconds. A number without a unit could mean anything, and is refused. */
export const duration = () =>
  reading(
    (words) => z.string(words),
    "must be a duration with its unit, such as '250ms', '30s', '5m', '24h' or '7d'",
    (value) => {
      const [, amount = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h|d)$/.exec(value.trim()) ?? []
      const ms = Number(amount) * (units[unit as keyof typeof units] ?? Number.NaN)
      return ms > 0 && ms <= maxDuration ? ms : undefined
    },
  )

/** A size with its unit, such as `100MB`, or a number of bytes. */
export const size = (least: number, most: number) =>
  reading(numberOrText, `must be a size from ${least} bytes on, such as '512KB' or '100MB'`, (value) => {
    const [, amount = '', unit = 'b'] =
      /^(\d{1,15}(?:\.\d{1,3})?) ?(b|kb|mb|gb)?$/i.exec(String(value).trim().toLowerCase()) ?? []
    const bytes = amount === '' ? Number.NaN : Number(amount) * (sizes[unit as keyof typeof sizes] ?? Number.NaN)
    return Number.isInteger(bytes) && bytes >= least && bytes <= most ? bytes : undefined
  })

/** What is written in one of a few shapes and read as one value, or refused in these words. */
function reading<S extends z.ZodType, T>(
  shape: (words: { readonly error: string }) => S,
  expected: string,
  read: (value: z.output<S>) => T | undefined,
) {
  return shape({ error: expected }).transform((value, context): T => {
    const result = read(value)
    if (result !== undefined) return result
    context.addIssue({ code: 'custom', message: expected })
    return z.NEVER
  })
}

const numberOrText = (words: { readonly error: string }) => z.union([z.number(), z.string()], words)

/** The number that is written; NaN for anything else, such as an empty text or `0x10`. */
function numberOf(value: number | string): number {
  if (typeof value === 'number') return value
  return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(value.trim()) ? Number(value) : Number.NaN
}
