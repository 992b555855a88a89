// Logs: structured lines about what happens, one JSON object or one readable line each. Writing never throws and never
// waits; fields that are named as secrets never get out.

import { systemClock, type Clock } from '../clock/clock.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import type { Log, LogFields, LogLevel } from '../port/log.ts'
import type { Redactor } from '../secret/redactor.ts'

/** How lines look: `json`, one object a line; `text`, for a person at a terminal. */
export type LogFormat = 'json' | 'text'

/** How a log is made. */
export interface LogOptions {
  /** The least level that is written. Default `info`. */
  readonly level?: LogLevel
  /** Default `json`. */
  readonly format?: LogFormat
  /** Takes each line, without its line break; what it throws is swallowed. Default: standard error. */
  readonly write?: (line: string) => void
  readonly clock?: Clock
  /** What every line carries. */
  readonly fields?: LogFields
  /** Takes secrets out of each line. */
  readonly redactor?: Redactor
  /** Names of fields, at any depth and in any case, whose values show as `[redacted]`; added to `redactedNames`. */
  readonly redact?: readonly string[]
}

/** Names of fields that no log shows, in lower case. */
export const redactedNames: readonly string[] = [
  'apikey',
  'api_key',
  'api-key',
  'x-api-key',
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'secret',
  'token',
  'access_token',
  'refresh_token',
]

const weights = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<LogLevel, number>
const formats: readonly string[] = ['json', 'text'] satisfies LogFormat[]
const known = ['level', 'format', 'write', 'clock', 'fields', 'redactor', 'redact']

/** The levels by weight, for options and help texts. */
export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/**
 * Makes a log. A line is `{ time, level, message, …fields }`: `time` is ISO 8601 in UTC; a field with one of these three
 * names shows as `fields.time` and so on. Throws `unknown_option` for options, levels and formats that do not exist.
 */
export function createLog(options: LogOptions = {}): Log {
  const { level = 'info', format = 'json', write = toStandardError, clock = systemClock } = options
  const { fields = {}, redactor, redact = [] } = options
  for (const key of Object.keys(options)) refuseUnknown('option of a log', key, known)
  refuseUnknown('log level', level, logLevels)
  refuseUnknown('log format', format, formats)
  const secret = new Set([...redactedNames, ...redact.map((name) => name.toLowerCase())])
  const render = format === 'json' ? jsonLine : textLine
  const least = weights[level]

  const lineWriter = (carried: LogFields): Log => {
    const at =
      (lineLevel: LogLevel) =>
      (message: string, own: LogFields = {}): void => {
        if (weights[lineLevel] < least) return
        try {
          const time = new Date(clock.now()).toISOString()
          const line = render({ time, level: lineLevel, message: String(message) }, { ...carried, ...own }, secret)
          write(redactor === undefined ? line : redactor.text(line))
        } catch {
          // A log that cannot be written must not hurt what it tells about.
        }
      }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (more) => lineWriter({ ...carried, ...more }),
    }
  }
  return lineWriter(fields)
}

interface Head {
  readonly time: string
  readonly level: LogLevel
  readonly message: string
}

function jsonLine(head: Head, fields: LogFields, secret: ReadonlySet<string>): string {
  const line: Record<string, unknown> = { ...head }
  for (const [name, value] of Object.entries(fields)) line[name in head ? `fields.${name}` : name] = value
  return stringify(line, secret)
}

function textLine(head: Head, fields: LogFields, secret: ReadonlySet<string>): string {
  let line = `${head.time} ${head.level.toUpperCase().padEnd(5)} ${inert(head.message)}`
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    const hidden = secret.has(name.toLowerCase())
    const plain = typeof value === 'string' && /^[\w./:@+-]+$/.test(value)
    line += ` ${inert(name)}=${hidden ? '[redacted]' : plain ? value : inert(stringify(value, secret))}`
  }
  return line
}

/** JSON of anything: secrets hidden, cycles and values that JSON lacks shown as text. */
function stringify(value: unknown, secret: ReadonlySet<string>): string {
  const above: unknown[] = []
  return JSON.stringify(value, function (this: unknown, name, part: unknown) {
    if (secret.has(name.toLowerCase())) return '[redacted]'
    if (typeof part === 'string') return part.toWellFormed()
    if (typeof part === 'bigint' || typeof part === 'symbol' || typeof part === 'function') return String(part)
    if (typeof part !== 'object' || part === null) return part
    while (above.length > 0 && above.at(-1) !== this) above.pop()
    if (above.includes(part)) return '[circular]'
    above.push(part)
    return part
  })
}

/** Without what moves a cursor or forges a second line. */
function inert(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`)
}

function refuseUnknown(what: string, name: string, names: readonly string[]): void {
  if (names.includes(name)) return
  throw new TellurionError('unknown_option', `There is no ${what} '${name}'.${suggestion(name, names)}`)
}
