// How a run ended, read from its record: what it brought without its messages, and why it failed.

import type { AgentResult } from '../agent/result.ts'
import { noUsage } from '../agent/usage.ts'
import { TellurionError, type ErrorData } from '../error/error.ts'
import type { Interaction } from '../event/event.ts'
import type { RunRecord } from './run.ts'

/** How a run ended, or stands when nobody waits for it any more. */
export interface RunOutcome {
  /** The run as it was then. */
  readonly record: RunRecord
  /** What it brought, but for its messages. */
  readonly result: Omit<AgentResult<unknown>, 'messages'>
  /** Why it failed or timed out. */
  readonly error?: ErrorData
}

/** What is stored of a result: where its messages stand in the conversation instead of them. */
type StoredResult = Partial<RunOutcome['result']> & { readonly from?: number; readonly to?: number }

/** JSON of the store, which only this file writes. */
const storedOf = ({ result }: RunRecord): StoredResult => (result ?? {}) as unknown as StoredResult

/** Where the messages of a run stand in the conversation of its branch; nowhere for one that said nothing. */
export function spanOf(record: RunRecord): Pick<StoredResult, 'from' | 'to'> {
  return storedOf(record)
}

/** What a run brought, but for its messages, with what it asks now. */
export function resultOf(record: RunRecord, asked: readonly Interaction[]): RunOutcome['result'] {
  const { from: _from, to: _to, ...rest } = storedOf(record)
  const status = statusOf(record)
  const stopReason = record.stopReason ?? (status === 'waiting' ? 'waiting' : record.status)
  const empty = { text: '', output: undefined, steps: 0, usage: record.usage ?? noUsage, finishReason: undefined }
  return { ...empty, ...rest, status, stopReason, interactions: asked }
}

/** The error of a run that failed or timed out. */
export function failureOf({ id, status, error }: RunRecord): TellurionError | undefined {
  if (status !== 'failed' && status !== 'timed_out') return undefined
  return TellurionError.from(error ?? { code: 'run_failed', message: `Run ${id} failed.`, retryable: false })
}

function statusOf({ status }: RunRecord): AgentResult['status'] {
  switch (status) {
    case 'succeeded':
    case 'cancelled':
      return status
    case 'failed':
    case 'timed_out':
      return 'failed'
    default:
      return 'waiting'
  }
}
