// Where a process logs: to the file of the configuration, and what a person must see to standard error as well.

import type { Redactor } from 'tellurion/secret'
import { createLog, createLogFile, type Log, type LogLevel } from 'tellurion/trace'
import type { LoadedConfig } from '../config/load.ts'
import { inert } from '../terminal/inert.ts'
import { UsageError } from './fault.ts'
import { redactorOf } from './redaction.ts'
import type { Output } from './screen.ts'

/** A log and where it goes. */
export interface LogChoice {
  readonly log: Log
  /** Takes the secrets of the configuration out of each line, and out of whatever else it is given to. */
  readonly redactor: Redactor
  /** The file; undefined where everything goes to standard error. */
  readonly file: string | undefined
  close(): void
}

/** Opens the log. `debug` shows everything, in the file and on standard error. Throws a `UsageError`. */
export function openLog(
  loaded: LoadedConfig,
  host: { readonly stderr: Output },
  { debug = false }: { readonly debug?: boolean | undefined } = {},
): LogChoice {
  const { settings, sourceOf } = loaded
  const { level, format, file, maxSize, maxFiles } = settings.log
  const redactor = redactorOf(loaded)
  const least: LogLevel = debug ? 'debug' : level
  const seen = (shown: LogLevel, as: 'json' | 'text'): Log =>
    createLog({ level: shown, format: as, redactor, write: (line) => void host.stderr.write(`${inert(line)}\n`) })
  if (file === 'none') return { log: seen(least, format), redactor, file: undefined, close: () => {} }
  try {
    const sink = createLogFile(file, { maxSize, maxFiles })
    const kept = createLog({ level: least, format, redactor, write: sink.write })
    return { log: both(kept, seen(debug ? 'debug' : 'warn', 'text')), redactor, file, close: sink.close }
  } catch (error) {
    const name = sourceOf('log.file')?.name ?? 'log.file'
    throw new UsageError(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Two logs as one. */
function both(one: Log, other: Log): Log {
  const at =
    (level: LogLevel): Log[LogLevel] =>
    (message, fields) => {
      one[level](message, fields)
      other[level](message, fields)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => both(one.with(fields), other.with(fields)),
  }
}
