// Turns: a run as somebody waits for it, until it has ended, asks a person, or the wait is over.

import { TellurionError, type ErrorData } from 'tellurion'
import type { AgentResult } from 'tellurion/agent'
import type { TurnResource } from 'tellurion/protocol'
import type { RunHandle } from 'tellurion/runtime'
import type { ServerSetting } from './setting.ts'

/** Who waits: until when, and by which clock. */
export interface Waiting {
  readonly setting: Pick<ServerSetting, 'clock'>
  readonly signal: AbortSignal
}

/** Waits at most `wait` milliseconds, and less when the client goes or the server closes. */
export async function turnOf({ setting, signal }: Waiting, run: RunHandle, wait: number): Promise<TurnResource> {
  const over = new AbortController()
  const stop = setting.clock.timer(wait, () => over.abort())
  try {
    const { result, error } = await ended(run, AbortSignal.any([signal, over.signal]))
    const { session } = await run.record()
    const { text, output, steps, usage, finishReason, status, stopReason, interactions } = result
    return {
      run: run.id,
      session,
      status: status === 'waiting' && interactions.length === 0 ? 'running' : status,
      text,
      ...(output === undefined ? {} : { output: output as never }),
      steps,
      usage,
      ...(finishReason === undefined ? {} : { finishReason }),
      stopReason,
      interactions,
      ...(error === undefined ? {} : { error }),
    }
  } finally {
    stop()
  }
}

/** How it ended; a run that failed is no failure of whoever waits for it. */
async function ended(
  run: RunHandle,
  signal: AbortSignal,
): Promise<{ readonly result: AgentResult<unknown>; readonly error?: ErrorData }> {
  try {
    return { result: await run.result({ signal }) }
  } catch (error) {
    if (!(error instanceof TellurionError) || error.result === undefined) throw error
    return { result: error.result as AgentResult<unknown>, error: error.toJSON() }
  }
}
