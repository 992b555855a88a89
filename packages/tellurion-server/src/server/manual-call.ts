// Tool calls by hand, over HTTP or MCP: one pipeline and one schedule for all of a server, and counted like those of runs.

import type { Event } from 'tellurion'
import {
  createSchedule,
  perform,
  type Decided,
  type PerformOptions,
  type ToolOutcome,
  type ToolSource,
} from 'tellurion/tool'
import type { Clock } from 'tellurion/world'

/** A call, as it was asked for. */
export type AskedCall = Parameters<typeof perform>[0]

/** What goes with one call. */
export interface ManualCallOptions extends Pick<PerformOptions, 'signal' | 'results' | 'onProgress'> {
  readonly toolbox: ToolSource
  readonly user: string
  /** Default: the id of the call. */
  readonly idempotencyKey?: string | undefined
}

/** Performs calls. */
export interface ManualCalls {
  /** Carries out what was decided. Never rejects. */
  perform(call: AskedCall, decided: Decided, options: ManualCallOptions): Promise<ToolOutcome>
}

/** Who is told of calls; they are of no run. */
export interface CallReader {
  readonly clock: Clock
  /** Told that a call began, and how it ended. */
  readonly read?: (event: Event) => void
}

/** Makes it: calls keep to the effects of their tools among each other. */
export function createManualCalls({ clock, read = () => {} }: CallReader): ManualCalls {
  const schedule = createSchedule()
  return {
    async perform(call, decided, { idempotencyKey = call.toolCallId, ...options }) {
      const { toolCallId, toolName } = call
      const of = { entity: 0, toolCallId, toolName } as const
      read({ type: 'tool.called', ...of, input: call.input })
      const outcome = await perform(call, decided, { ...options, idempotencyKey, schedule, clock, runId: 'manual' })
      const { isError = false, code } = outcome
      read({ type: 'tool.ended', ...of, content: '', isError, ...(code === undefined ? {} : { code }) })
      return outcome
    },
  }
}
