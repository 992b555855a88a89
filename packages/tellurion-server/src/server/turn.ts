// Turns: a run as somebody waits for it, until it has ended, asks a person, or the wait is over.

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
  const leave = (): void => over.abort()
  const stop = setting.clock.timer(wait, leave)
  signal.addEventListener('abort', leave)
  if (signal.aborted) leave()
  try {
    const { record, result, error } = await run.outcome({ signal: over.signal })
    const { text, output, steps, usage, finishReason, status, stopReason, interactions } = result
    return {
      run: run.id,
      session: record.session,
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
    signal.removeEventListener('abort', leave)
    stop()
  }
}
