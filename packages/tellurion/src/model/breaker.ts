// A model behind a circuit breaker: after repeated failures it refuses at once instead of waiting for what is down.

import type { Model, ModelEvent, ModelRequest } from '../port/model.ts'
import { createBreaker, type BreakerOptions, type BreakerPass, type BreakerState } from '../retry/breaker.ts'
import { asModel, type AnyModel } from './any-model.ts'
import { ask } from './ask.ts'
import { failureFromError } from './failure.ts'
import { isIllHealth } from './health.ts'

/** A model whose breaker can be looked at. */
export interface BreakerModel extends Model {
  readonly state: BreakerState
}

/**
 * A model that opens after 5 failures in a row (see `isIllHealth`), stays open for 60 s, then lets one probe through at
 * a time and closes after 2 successes. A refusal is an `error` with code `breaker_open`, kind `service`, and the wait in
 * `retryAfter`. A reply that was cancelled or left early counts neither way.
 */
export function breaker(
  model: AnyModel,
  options: Pick<BreakerOptions, 'failures' | 'openFor' | 'successes' | 'clock'> = {},
): BreakerModel {
  const inner = asModel(model)
  const circuit = createBreaker({ ...options, name: `The breaker of '${inner.name}'` })

  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    if (signal?.aborted) {
      yield { type: 'aborted' }
      return
    }
    let pass: BreakerPass
    try {
      pass = circuit.enter()
    } catch (error) {
      yield { type: 'error', failure: failureFromError(error, { model: inner.name }) }
      return
    }
    try {
      for await (const event of ask(inner, request, signal)) {
        if (event.type === 'finish') pass.succeed()
        else if (event.type === 'error' && isIllHealth(event.failure)) pass.fail()
        yield event
      }
    } finally {
      pass.release()
    }
  }

  return {
    name: inner.name,
    stream: (request, { signal }) => stream(request, signal),
    get state() {
      return circuit.state
    },
  }
}
