import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { modelNamedByEnv } from 'tellurion/model'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from './load.ts'
import { namedModel } from './model-variable.ts'

/** Which model is named by a call, the environment and a file; and the key that goes with it. */
async function named(given: object, env: Record<string, string>, file: object): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'named-'))
  try {
    writeFileSync(join(folder, 'tellurion.config.json'), JSON.stringify(file))
    const { name, env: whole } = namedModel(await loadConfig({ folder, given, env }))
    return name ?? modelNamedByEnv(whole)?.name
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const file = { model: { name: 'anthropic/claude-sonnet-5' }, keys: { anthropic: 'a-1' } }

describe('the model that a configuration names', () => {
  const cases: readonly [what: string, Parameters<typeof named>, string | undefined][] = [
    ['nothing', [{}, {}, {}], undefined],
    ['the file', [{}, {}, file], 'anthropic/claude-sonnet-5'],
    ['the file, whatever key the environment has', [{}, { OPENAI_API_KEY: 'k' }, file], 'anthropic/claude-sonnet-5'],
    ['the environment before the file', [{}, { LLM_MODEL: 'openai/gpt-5' }, file], 'openai/gpt-5'],
    ['LOOM_MODEL before the file', [{}, { LOOM_MODEL: 'deepseek/deepseek-chat' }, file], 'deepseek/deepseek-chat'],
    [
      'DEFAULT_MODEL_PROVIDER before the file',
      [{}, { DEFAULT_MODEL_PROVIDER: 'qwen', QWEN_API_KEY: 'k' }, file],
      'qwen/qwen-plus',
    ],
    [
      'DEFAULT_MODEL_PROVIDER without its key chooses nothing',
      [{}, { DEFAULT_MODEL_PROVIDER: 'qwen' }, file],
      'anthropic/claude-sonnet-5',
    ],
    ['DEFAULT_MODEL_PROVIDER without any key', [{}, { DEFAULT_MODEL_PROVIDER: 'openai' }, {}], undefined],
    ['a call before all', [{ model: { name: 'groq/x' } }, { LLM_MODEL: 'openai/gpt-5' }, file], 'groq/x'],
    [
      'a call, for the server of the environment',
      [{ model: { name: 'openai/gpt-5' } }, { LLM_BASE_URL: 'http://localhost:1/v1' }, {}],
      'local/openai/gpt-5',
    ],
    [
      'a call that says itself which server',
      [{ model: { name: 'local/m' } }, { LLM_BASE_URL: 'http://localhost:1/v1' }, {}],
      'local/m',
    ],
    [
      'a call for the demo, whatever else there is',
      [{ model: { name: 'demo' } }, { LLM_BASE_URL: 'http://localhost:1/v1', LLM_MODEL: 'm' }, {}],
      'demo',
    ],
    ['a key in the environment', [{}, { DEEPSEEK_API_KEY: 'k' }, {}], 'deepseek/deepseek-chat'],
    ['a key in the file', [{}, {}, { keys: { qwen: 'k' } }], 'qwen/qwen-plus'],
    [
      'a server of one’s own in the file',
      [{}, {}, { model: { baseURL: 'http://localhost:1/v1', name: 'm' } }],
      'local/m',
    ],
    [
      'a server of one’s own by a call',
      [{ model: { baseURL: 'http://localhost:1/v1', name: 'm' } }, { OPENAI_API_KEY: 'k' }, {}],
      'local/m',
    ],
    ['a provider in the file', [{}, {}, { model: { provider: 'openai' } }], 'openai/gpt-5'],
    ['the demo in the file', [{}, { OPENAI_API_KEY: 'k' }, { model: { name: 'demo' } }], 'demo'],
    [
      'the environment before the demo of the file',
      [{}, { LLM_MODEL: 'openai/o4' }, { model: { name: 'demo' } }],
      'openai/o4',
    ],
  ]
  for (const [what, given, expected] of cases)
    test(`is named by ${what}`, async () => assert.equal(await named(...given), expected))

  test('finds keys of the file under their variables, and the environment’s before them', async () => {
    const keys = { openai: 'file-key', google: 'g-key' }
    const loaded = await loadConfig({ given: { keys }, env: { OPENAI_API_KEY: 'env-key' }, dotEnv: false, file: false })
    const { env } = namedModel(loaded)
    assert.deepEqual([env['OPENAI_API_KEY'], env['GEMINI_API_KEY']], ['env-key', 'g-key'])
  })
})
