// AI SDK models and wrapped models, held against the list of behaviours that every model shows.

import test from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { Model } from '../port/model.ts'
import { modelBehaviours, type ModelUnderTest } from '../testing/model-behaviour.ts'
import { anthropicLanguage, openAILanguage, type WireLanguage } from '../testing/wire-script.ts'
import { serveWire } from '../testing/wire-server.node.ts'
import { breaker } from './breaker.ts'
import { fromAISDK } from './from-ai-sdk.ts'
import { limit } from './limit.ts'
import { model } from './named-model.ts'
import { pool } from './pool.ts'
import { retry } from './retry.ts'
import { timeout } from './timeout.ts'
import { toAISDK } from './to-ai-sdk.ts'

const subject = (
  name: string,
  language: WireLanguage,
  connect: (baseURL: string) => Model,
  skip: Readonly<Record<string, string>> = {},
): ModelUnderTest => ({
  name,
  skip,
  async open(script) {
    const server = await serveWire(language, script)
    return {
      model: connect(server.baseURL),
      requests: () => server.requests.length,
      disconnected: server.disconnected,
      close: () => server.close(),
    }
  },
})

const ours = (baseURL: string): Model => model('openai/scripted-1', { apiKey: 'test-key', baseURL, env: {} })

const subjects = [
  subject(
    'openai-compatible of the AI SDK',
    openAILanguage,
    (baseURL) =>
      fromAISDK(createOpenAICompatible({ name: 'scripted', baseURL, apiKey: 'k', includeUsage: true })('scripted-1')),
    {
      'a stream that just stops is not taken for a whole reply':
        'this provider calls it an invalid reply, not a broken connection; from-ai-sdk.test.ts holds that it fails',
    },
  ),
  subject('anthropic of the AI SDK', anthropicLanguage, (baseURL) =>
    fromAISDK(createAnthropic({ baseURL: `${baseURL}/v1`, apiKey: 'k' })('scripted-1')),
  ),
  subject('a model in retry, breaker, pool, limit and timeout', openAILanguage, (baseURL) =>
    retry(breaker(pool([limit(timeout(ours(baseURL), { total: 10_000, idle: 5_000 }), { concurrency: 1 })])), {
      maxRetries: 0,
    }),
  ),
  subject('there and back: fromAISDK(toAISDK(model))', openAILanguage, (baseURL) => fromAISDK(toAISDK(ours(baseURL)))),
]

for (const kind of subjects) {
  for (const { name, skip = false, run } of modelBehaviours(kind)) test(name, { skip }, run)
}
