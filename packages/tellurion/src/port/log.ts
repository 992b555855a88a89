// The log port: where lines about what happens go. Small on purpose; any logger fits behind it.

import type { Json } from '../schema/json.ts'

/** Levels by weight. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a line carries besides its message: plain JSON by name. `correlationId` and `runId` are the field's words. */
export type LogFields = { readonly [name: string]: Json | undefined }

/** Takes lines; never throws and never waits. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log that adds these fields to each line. */
  with(fields: LogFields): Log
}
