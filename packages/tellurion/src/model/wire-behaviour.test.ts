// Both wires, held against the list of behaviours that every model shows.

import test from 'node:test'
import { modelBehaviours } from '../testing/model-behaviour.ts'
import { serveWire } from '../testing/wire-server.node.ts'
import { anthropicLanguage, openAILanguage } from '../testing/wire-script.ts'
import { model } from './named-model.ts'

const subjects = [
  { name: 'openai wire', model: 'openai/scripted-1', language: openAILanguage },
  { name: 'anthropic wire', model: 'anthropic/scripted-1', language: anthropicLanguage },
] as const

for (const { name, model: modelName, language } of subjects) {
  const behaviours = modelBehaviours({
    name,
    async open(script) {
      const server = await serveWire(language, script)
      return {
        model: model(modelName, { apiKey: 'test-key', baseURL: server.baseURL, env: {} }),
        requests: () => server.requests.length,
        disconnected: server.disconnected,
        close: () => server.close(),
      }
    },
  })
  for (const behaviour of behaviours) test(behaviour.name, () => behaviour.run())
}
