// Records of the runtime as resources of the protocol.

import type { JsonObject, ResultResource, RunResource } from 'tellurion/protocol'
import type { RunRecord } from 'tellurion/runtime'

/** A run as it is shown. */
export function shownRun(record: RunRecord): RunResource {
  const { idempotencyKey: _key, epoch: attempt, leaseUntil: _lease, worker: _worker, ...rest } = record
  const { accounts: _accounts, mail: _mail, read: _read, input, result, ...shown } = rest
  return {
    ...shown,
    attempt,
    input: inputOf(input),
    ...(isObject(result) ? { result: shownResult(result) } : {}),
  }
}

/** What was said, out of what the run's inbox carries. */
function inputOf(input: RunRecord['input']): RunResource['input'] {
  if (typeof input !== 'object' || input === null || !('input' in input)) return null
  return input.input ?? null
}

/** A run that was cancelled before it began has none. */
function isObject(result: RunRecord['result']): result is JsonObject {
  return typeof result === 'object' && result !== null && !Array.isArray(result)
}

function shownResult(result: Partial<ResultResource>): ResultResource {
  const { text = '', steps = 0, usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 } } = result
  const { output, finishReason } = result
  return {
    text,
    steps,
    usage,
    ...(output === undefined ? {} : { output }),
    ...(finishReason === undefined ? {} : { finishReason }),
  }
}
