// A model whose replies say what they cost. Prices are the caller's: this library keeps no price list.

import { messageOf } from '../error/error.ts'
import type { Model, ModelEvent, ModelRequest, PriceFunction, Usage } from '../port/model.ts'
import { asModel, type AnyModel } from './any-model.ts'
import { ask } from './ask.ts'
import { failure } from './failure.ts'

/**
 * A model with `usage.cost` on every finished reply: `price(usage, name)`, `name` being the model's own. In a pool, price
 * each member. A price that throws or is no finite number fails the reply with `invalid_option`: a budget that counts
 * on it must not be fooled.
 */
export function priced(model: AnyModel, price: PriceFunction): Model {
  const inner = asModel(model)
  const { name } = inner

  const withCost = (event: Extract<ModelEvent, { type: 'finish' }>): ModelEvent => {
    const cost = costOf(event.usage)
    if (typeof cost === 'number') return { ...event, usage: { ...event.usage, cost } }
    const message = `the price function must return a finite number: ${cost.wrong}`
    return { type: 'error', failure: failure('unknown', message, { code: 'invalid_option', model: name }) }
  }
  const costOf = (usage: Usage): number | { wrong: string } => {
    try {
      const cost = price(usage, name)
      return Number.isFinite(cost) ? cost : { wrong: `it returned ${String(cost)}` }
    } catch (error) {
      return { wrong: `it threw ${messageOf(error)}` }
    }
  }
  async function* stream(request: ModelRequest, signal: AbortSignal | undefined): AsyncGenerator<ModelEvent> {
    for await (const event of ask(inner, request, signal)) yield event.type === 'finish' ? withCost(event) : event
  }

  return { name, stream: (request, { signal }) => stream(request, signal) }
}
