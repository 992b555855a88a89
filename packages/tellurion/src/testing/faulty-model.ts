// A model that goes wrong on purpose: everything that providers were seen to do, and what no model should. Whatever
// reads a model must come through it with one last event, no hang and nothing left behind.

import { abortReason } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { sleep, systemClock } from '../clock/clock.ts'
import { failure } from '../model/failure.ts'
import type { Model, ModelEvent, ModelFailure, ModelRequest } from '../port/model.ts'

/** What goes wrong with one call. `after` counts the events that come before it; default 0: the model is not asked. */
export type Fault =
  /** Ends with a failure; default a service failure with status 503. */
  | { readonly fault: 'error'; readonly after?: number; readonly failure?: ModelFailure }
  /** The iterator rejects, which a model must never do. */
  | { readonly fault: 'throw'; readonly after?: number; readonly error?: unknown }
  /** `stream` itself throws. */
  | { readonly fault: 'throw-at-once'; readonly error?: unknown }
  /** Says nothing more until it is cancelled. */
  | { readonly fault: 'hang'; readonly after?: number }
  /** Says nothing more, and does not listen to cancelling either. */
  | { readonly fault: 'deaf'; readonly after?: number }
  /** The stream ends without a last event. */
  | { readonly fault: 'cut'; readonly after?: number }
  /** `wait` milliseconds before each event. */
  | { readonly fault: 'slow'; readonly wait: number }
  /** The last event comes twice, and then one more delta. */
  | { readonly fault: 'twice' }

/** What goes wrong when: the faults of the first calls in order, or a function of the call's number (from 0). */
export type FaultPlan = readonly (Fault | undefined)[] | ((call: number, request: ModelRequest) => Fault | undefined)

/** A faulty model, and what it can tell about those who use it. */
export interface FaultyModel extends Model {
  readonly calls: number
  /** Calls that were begun and neither ended, nor cancelled, nor left. Deaf ones are not counted: nothing ends them. */
  readonly open: number
}

/** `model` with faults. Calls beyond the plan are well. */
export function faultyModel(model: Model, plan: FaultPlan, options: { readonly clock?: Clock } = {}): FaultyModel {
  const { clock = systemClock } = options
  let calls = 0
  let open = 0

  async function* stream(
    fault: Fault | undefined,
    request: ModelRequest,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ModelEvent> {
    const counted = fault?.fault !== 'deaf'
    if (counted) open++
    try {
      let count = 0
      const limit = fault && 'after' in fault ? (fault.after ?? 0) : 0
      const breaks = fault !== undefined && fault.fault !== 'slow' && fault.fault !== 'twice'
      const asked = breaks && limit === 0 ? [] : model.stream(request, { signal })
      for await (const event of asked) {
        const last = event.type === 'finish' || event.type === 'error' || event.type === 'aborted'
        if (breaks && (count === limit || last)) break
        if (fault?.fault === 'slow') await sleep(fault.wait, { clock, signal })
        yield event
        count++
        if (fault?.fault === 'twice' && last) yield* [event, { type: 'text.delta', text: 'too late' }] as const
      }
      if (fault && breaks) yield* breakDown(fault, signal, model.name)
    } catch (error) {
      if (!signal?.aborted) throw error
      yield { type: 'aborted' }
    } finally {
      if (counted) open--
    }
  }

  return {
    name: model.name,
    get calls() {
      return calls
    },
    get open() {
      return open
    },
    stream(request, { signal }) {
      const call = calls++
      const fault = typeof plan === 'function' ? plan(call, request) : plan[call]
      if (fault?.fault === 'throw-at-once') throw fault.error ?? new Error('a model that throws')
      return stream(fault, request, signal)
    },
  }
}

async function* breakDown(
  fault: Exclude<Fault, { fault: 'slow' | 'twice' }>,
  signal: AbortSignal | undefined,
  name: string,
): AsyncGenerator<ModelEvent> {
  switch (fault.fault) {
    case 'error':
      yield { type: 'error', failure: fault.failure ?? failure('service', 'HTTP 503', { status: 503, model: name }) }
      return
    case 'throw':
      throw fault.error ?? new Error('a model that throws')
    case 'hang':
      await cancelled(signal)
      return
    case 'deaf':
      await new Promise<never>(() => {})
      return
    case 'cut':
    case 'throw-at-once':
      return
    default:
      fault satisfies never
  }
}

function cancelled(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(abortReason(signal))
    else signal?.addEventListener('abort', () => reject(abortReason(signal)), { once: true })
  })
}
