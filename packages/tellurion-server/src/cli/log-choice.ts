// Where a process logs: to the file of the configuration, and what a person must see to standard error as well.

import { createLog, createLogFile, type Log, type LogLevel } from 'tellurion/trace'
import type { LoadedConfig } from '../config/load.ts'
import { inert } from '../terminal/inert.ts'
import { UsageError } from './fault.ts'
import type { Output } from './screen.ts'

/** A log and where it goes. */
export interface LogChoice {
  readonly log: Log
  /** The file; undefined where everything goes to standard error. */
  readonly file: string | undefined
  close(): void
}

/** Opens the log. `debug` shows everything, in the file and on standard error. Throws a `UsageError`. */
export function openLog(
  { settings, sourceOf }: LoadedConfig,
  host: { readonly stderr: Output },
  { debug = false }: { readonly debug?: boolean | undefined } = {},
): LogChoice {
  const { level, format, file, maxSize, maxFiles } = settings.log
  const least: LogLevel = debug ? 'debug' : level
  const seen = (shown: LogLevel, as: 'json' | 'text'): Log =>
    createLog({ level: shown, format: as, write: (line) => void host.stderr.write(`${inert(line)}\n`) })
  if (file === 'none') return { log: seen(least, format), file: undefined, close: () => {} }
  try {
    const sink = createLogFile(file, { maxSize, maxFiles })
    const kept = createLog({ level: least, format, write: sink.write })
    return { log: both(kept, seen(debug ? 'debug' : 'warn', 'text')), file, close: sink.close }
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
