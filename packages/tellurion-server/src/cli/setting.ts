// What commands stand on: the process as they see it, and how wrong usage is told from everything else.

import type { Event } from 'tellurion'
import { createLog, logEvents } from 'tellurion/trace'
import { UsageError } from './fault.ts'
import { inert } from '../terminal/inert.ts'
import type { Streams } from './line-input.ts'

/** A signal that asks a process to end. */
export type EndingSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** The process as a command sees it. */
export interface Host extends Streams {
  readonly stdin: Streams['stdin'] & AsyncIterable<string | Uint8Array>
  readonly stderr: Streams['stdout']
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends the process at once; absent where it is not ours to end. */
  exit?(code: number): void
  /** Tells all processes of this one's job to stop (0 is that job); absent where they are not ours. */
  kill?(job: 0, signal: 'SIGTSTP'): unknown
  on(signal: EndingSignal, listener: () => void): unknown
  off(signal: EndingSignal, listener: () => void): unknown
}

/** What `work` gives; what it throws becomes a `UsageError` with the same words behind `prefix`. */
export function asUsage<T>(work: () => T, prefix = ''): T {
  try {
    return work()
  } catch (error) {
    throw new UsageError(prefix + (error instanceof Error ? error.message : String(error)), { cause: error })
  }
}

/** Writes debug lines about events where `--verbose` asks for them. */
export function tracer({ verbose }: { readonly verbose?: boolean }, host: Host): (event: Event) => void {
  if (verbose !== true) return () => {}
  const write = (line: string): void => void host.stderr.write(`${inert(line)}\n`)
  return logEvents(createLog({ level: 'debug', format: 'text', write }))
}
