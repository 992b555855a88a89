// The second half of the pipeline: carrying out what was decided. It always gives an outcome: failing, timing out and
// being cancelled are outcomes too. A call without an `allow` does not run, and there is no other way to run a tool.

import { raceAbort } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { messageOf } from '../error/error.ts'
import type { ToolCallPart } from '../message/message.ts'
import type { Json } from '../schema/json.ts'
import { Attempt } from './attempt.ts'
import type { Decided, Decision } from './decide.ts'
import { isRejection, prepare, type Prepared, type Rejection } from './prepare.ts'
import { errorOutcome, type ResultOptions, type ToolOutcome } from './result.ts'
import type { Schedule } from './schedule.ts'
import type { ToolLimits, ToolSource } from './tool.ts'

/** What performing needs. */
export interface PerformOptions {
  readonly toolbox: ToolSource
  readonly schedule: Schedule
  readonly clock: Clock
  readonly runId: string
  readonly user?: string | undefined
  readonly idempotencyKey: string
  /** Milliseconds that a call may take at most; the tool's own timeout holds too. */
  readonly timeout?: number | undefined
  /** What the tool is told that it may take. */
  readonly limits?: ToolLimits | undefined
  readonly signal?: AbortSignal | undefined
  readonly results?: ResultOptions | undefined
  readonly onProgress?: ((progress: Json) => void) | undefined
}

/**
 * Carries out a decision: runs the call when it was allowed, else says why not. Without `prepared` (resumed from
 * stored state) the call is prepared anew. An outcome at once where the tool gave its result at once, else a promise.
 * Never throws, never rejects. A tool that ignores its `abortSignal` is left behind at its timeout or at the abort;
 * what it says later is dropped.
 */
export function perform(
  call: ToolCallPart,
  { decision, prepared }: Decided,
  options: PerformOptions,
): ToolOutcome | Promise<ToolOutcome> {
  if (decision.verdict !== 'allow') return refusal(call, decision)
  try {
    if (options.signal?.aborted) return cancelled(call)
    const ready = prepared ?? prepare(call, options.toolbox)
    const outcome =
      ready instanceof Promise
        ? raceAbort(ready, options.signal).then((each) => start(call, each, options))
        : start(call, ready, options)
    return outcome instanceof Promise ? outcome.catch((error: unknown) => lost(call, error, options)) : outcome
  } catch (error) {
    return lost(call, error, options)
  }
}

function start(
  call: ToolCallPart,
  ready: Prepared | Rejection,
  options: PerformOptions,
): ToolOutcome | Promise<ToolOutcome> {
  if (isRejection(ready)) return refusal(call, ready)
  const { tool, input } = ready
  const { signal } = options
  const claim = { mode: tool.effects.mode, paths: tool.paths(input) }
  return options.schedule.run(
    claim,
    () => (signal?.aborted ? cancelled(call) : new Attempt(call, ready, options).run()),
    signal,
  )
}

/** Whatever went wrong around the tool itself: cancelled in the line, or `paths` threw. */
function lost(call: ToolCallPart, error: unknown, { signal }: PerformOptions): ToolOutcome {
  if (signal?.aborted) return cancelled(call)
  return errorOutcome(call, 'tool_failed', `The tool '${call.toolName}' failed: ${messageOf(error)}`)
}

function cancelled(call: ToolCallPart): ToolOutcome {
  return errorOutcome(call, 'aborted', `The call of the tool '${call.toolName}' was cancelled.`)
}

/** The outcome of a call that does not run. */
function refusal(call: ToolCallPart, decision: Exclude<Decision, { verdict: 'allow' }>): ToolOutcome {
  switch (decision.verdict) {
    case 'deny':
      return errorOutcome(
        call,
        'tool_denied',
        `The call of the tool '${call.toolName}' was denied: ${decision.reason}. Do not repeat it; find another way or ask the user.`,
      )
    case 'reject':
      return errorOutcome(call, decision.code, decision.message)
    case 'ask':
      return errorOutcome(
        call,
        'tool_denied',
        `The call of the tool '${call.toolName}' has not been approved, so it did not run.`,
      )
    default:
      return decision satisfies never
  }
}
