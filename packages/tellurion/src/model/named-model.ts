// `model('openai/gpt-5')`: a model by its name.

import type { Model } from '../port/model.ts'
import { anthropicWire } from './anthropic-wire.ts'
import { demoModel } from './demo-model.ts'
import { connect, readModelName, type ModelOptions } from './endpoint.ts'
import { openAIWire } from './openai-wire.ts'
import { ReplyStream, type Endpoint } from './reply-stream.ts'

/**
 * The model of that name, `vendor/model` (the vendors are the rows of `vendors`). Reads the environment now, sends
 * nothing until it is asked. Throws `unknown_provider`, `missing_key`, `unknown_option` and `invalid_option`. The key is
 * held where neither `JSON.stringify` nor an inspector shows it. The name `demo` alone is the built-in demo model.
 */
export function model(name: string, options: ModelOptions = {}): Model {
  if (name === 'demo') return demoModel()
  const named = readModelName(name)
  const { vendor, model: modelName, row } = named
  const { headers, fetch, context, url } = connect(named, options)
  const wire =
    row.wire === 'anthropic'
      ? anthropicWire({ vendor, model: modelName })
      : openAIWire({ vendor, model: modelName, quirks: row.quirks })
  const endpoint: Endpoint = { wire, url: url(wire.path), headers, fetch, context }
  return {
    name: `${vendor}/${modelName}`,
    stream: (request, { signal } = {}) => new ReplyStream(endpoint, request, signal),
  }
}
