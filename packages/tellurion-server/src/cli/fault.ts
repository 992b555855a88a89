// How the command fails: one clear line on standard error and an exit code. A stack only when it is asked for.

import { TellurionError } from 'tellurion'
import { inert, inertLine } from '../terminal/inert.ts'

/** What a process that ends with this code says: 1 failed, 2 nothing was asked (wrong usage or configuration), 130 cancelled. */
export type ExitCode = 0 | 1 | 2 | 130

/** Something is wrong with how the command was called. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What is written about an error: one line, and with `verbose` the stacks and causes below it. */
export function faultText(error: unknown, { verbose }: { readonly verbose: boolean }): string {
  const line = `tellurion: ${inertLine(messageOf(error))}`
  return verbose && error instanceof Error ? `${line}\n${stacksOf(error)}` : line
}

function messageOf(error: unknown): string {
  if (error instanceof TellurionError || error instanceof UsageError) return error.message
  if (error instanceof Error) return `${error.message || error.name} (run it with --verbose to see where)`
  return String(error)
}

function stacksOf(error: Error): string {
  let text = inert(error.stack ?? String(error))
  let cause: unknown = error.cause
  for (let depth = 0; cause instanceof Error && depth < 5; depth++) {
    text += `\ncaused by ${inert(cause.stack ?? String(cause))}`
    cause = cause.cause
  }
  return text
}
