import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextWindow } from './context-window.ts'
import { vendors, type Vendor } from './vendor.ts'

test('a window is known by the beginning of the model’s own name, whoever serves it', () => {
  assert.equal(contextWindow('anthropic/claude-sonnet-5'), 200_000)
  assert.equal(contextWindow('openrouter/openai/gpt-4.1-mini'), 1_047_576)
  assert.equal(contextWindow('azure/GPT-4o'), 128_000)
  assert.equal(contextWindow('test/scripted'), undefined)
})

test('the default models of the large vendors have one', () => {
  for (const name of ['openai', 'anthropic', 'deepseek', 'qwen', 'google'] as const) {
    const { defaultModel }: Vendor = vendors[name]
    assert.ok(contextWindow(`${name}/${defaultModel}`), name)
  }
})
