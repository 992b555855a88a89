// Which model the environment names.

import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { modelFromEnv, modelNamedByEnv } from './environment.ts'
import type { Environment } from './endpoint.ts'

const named = (env: Environment): string | undefined => modelNamedByEnv(env)?.name

test('an environment that names no model gives none', () => {
  assert.equal(modelNamedByEnv({}), undefined)
  assert.equal(modelNamedByEnv({ PATH: '/bin', OPENAI_API_KEY: ' ' }), undefined)
  assert.equal(modelFromEnv({}), undefined)
})

test('LLM_* comes first: a server of one’s own, a provider, a vendor in the name, else OpenAI', () => {
  const rest = { LOOM_PROVIDER: 'anthropic', OPENAI_API_KEY: 'k' }
  assert.equal(named({ ...rest, LLM_BASE_URL: 'http://h/v1', LLM_MODEL: 'openai/gpt-5' }), 'local/openai/gpt-5')
  assert.equal(named({ ...rest, LLM_PROVIDER: 'Groq', LLM_MODEL: 'x' }), 'groq/x')
  assert.equal(named({ ...rest, LLM_PROVIDER: 'anthropic' }), 'anthropic/claude-sonnet-5')
  assert.equal(named({ ...rest, LLM_MODEL: 'anthropic/claude-opus-5' }), 'anthropic/claude-opus-5')
  assert.equal(named({ ...rest, LLM_MODEL: 'gpt-4.1' }), 'openai/gpt-4.1')
  assert.equal(named({ ...rest, LLM_MODEL: 'meta/llama' }), 'openai/meta/llama')
  assert.equal(named({ LLM_API_KEY: 'k' }), 'openai/gpt-5')
})

test('then LOOM_PROVIDER and LOOM_MODEL, together or alone', () => {
  const rest = { DEFAULT_MODEL_PROVIDER: 'openai', OPENAI_API_KEY: 'k' }
  assert.equal(named({ ...rest, LOOM_PROVIDER: 'anthropic', LOOM_MODEL: 'claude-opus-5' }), 'anthropic/claude-opus-5')
  assert.equal(named({ ...rest, LOOM_PROVIDER: 'anthropic', LOOM_MODEL: 'anthropic/x' }), 'anthropic/x')
  assert.equal(named({ ...rest, LOOM_PROVIDER: 'deepseek' }), 'deepseek/deepseek-chat')
  assert.equal(named({ ...rest, LOOM_MODEL: 'gpt-4.1' }), 'openai/gpt-4.1')
})

test('then DEFAULT_MODEL_PROVIDER, if its key is set; then the first key in the order of the table', () => {
  const keys = { QWEN_API_KEY: 'k', DEEPSEEK_API_KEY: 'k', ANTHROPIC_API_KEY: 'k' }
  assert.equal(named({ ...keys, DEFAULT_MODEL_PROVIDER: 'qwen' }), 'qwen/qwen-plus')
  assert.equal(named({ ...keys, DEFAULT_MODEL_PROVIDER: 'openai' }), 'anthropic/claude-sonnet-5')
  assert.equal(named({ DEFAULT_MODEL_PROVIDER: 'ollama', OLLAMA_MODEL: 'qwen3' }), 'ollama/qwen3')
  assert.equal(named(keys), 'anthropic/claude-sonnet-5')
  assert.equal(named({ DASHSCOPE_API_KEY: 'k' }), 'qwen/qwen-plus')
  assert.equal(named({ OPENAI_API_KEY: 'k', OPENAI_MODEL: 'gpt-5-mini' }), 'openai/gpt-5-mini')
})

test('a key alone does not choose a vendor that has no address or no model', () => {
  assert.equal(named({ AZURE_OPENAI_API_KEY: 'k' }), undefined)
  const azure = { AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: 'https://me.test', AZURE_OPENAI_DEPLOYMENT: 'mine' }
  assert.equal(named(azure), 'azure/mine')
})

test('mistakes name the variable', () => {
  const bad = (env: Environment, code: string, message: RegExp): void => {
    assert.throws(() => modelNamedByEnv(env), { code, message })
  }
  bad({ LLM_BASE_URL: 'http://h' }, 'invalid_configuration', /LLM_BASE_URL.*set LLM_MODEL/)
  bad({ LLM_PROVIDER: 'opnai' }, 'unknown_provider', /LLM_PROVIDER is 'opnai'.*Did you mean 'openai'/)
  bad({ LOOM_PROVIDER: 'constructor' }, 'unknown_provider', /LOOM_PROVIDER/)
  bad({ DEFAULT_MODEL_PROVIDER: 'antropic' }, 'unknown_provider', /DEFAULT_MODEL_PROVIDER.*'anthropic'/)
  bad({ DEFAULT_MODEL_PROVIDER: 'vllm' }, 'invalid_configuration', /set VLLM_MODEL/)
})

test('it says which variable decided, and holds no secret', () => {
  const found = modelNamedByEnv({ LLM_API_KEY: 'sk-secret-1', LLM_MODEL: 'x' })
  assert.deepEqual(found, { name: 'openai/x', because: 'LLM_MODEL', keyName: 'LLM_API_KEY' })
})

test('the model it makes uses the key that LLM_API_KEY holds, and hides it', async () => {
  const sent: (string | null)[] = []
  const fetching: typeof fetch = async (url, init) => {
    sent.push(String(url), new Headers(init?.headers).get('authorization'))
    return new Response('')
  }
  const ask = async (env: Environment): Promise<void> => {
    const found = modelFromEnv(env, { fetch: fetching })
    assert.ok(found && !inspect(found, { depth: 9, showHidden: true }).includes('sk-mine'))
    for await (const event of found.stream({ messages: [{ role: 'user', content: 'x' }] }, {}))
      assert.equal(event.type, 'error')
  }
  await ask({ LLM_API_KEY: 'sk-mine', LLM_MODEL: 'x', OPENAI_API_KEY: 'sk-other' })
  await ask({ LLM_API_KEY: 'sk-mine', LLM_MODEL: 'x', LLM_BASE_URL: 'http://h.test/v1' })
  assert.deepEqual(sent, [
    'https://api.openai.com/v1/chat/completions',
    'Bearer sk-mine',
    'http://h.test/v1/chat/completions',
    'Bearer sk-mine',
  ])
})

test('a provider that is named without its key is an error that says so', () => {
  assert.throws(() => modelFromEnv({ LOOM_PROVIDER: 'anthropic' }), {
    code: 'missing_key',
    message: /ANTHROPIC_API_KEY/,
  })
})
