// It reads the working directory and the environment of the process, so it has a process of its own.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { TellurionError } from '../error/error.ts'
import { vendors } from '../model/vendor.ts'
import { tool } from '../tool/tool.ts'
import { agentFromEnv, type FromEnvOptions } from './from-env.node.ts'

const folder = mkdtempSync(join(tmpdir(), 'from-env-'))
const names = Object.values(vendors).flatMap(({ keyNames, baseURLNames, modelNames }) => [
  ...keyNames,
  ...baseURLNames,
  ...modelNames,
])
const others = ['LLM_PROVIDER', 'LOOM_PROVIDER', 'LOOM_MODEL', 'DEFAULT_MODEL_PROVIDER']

before(() => {
  process.chdir(folder)
  for (const name of [...names, ...others]) delete process.env[name]
})
beforeEach(() => rmSync(join(folder, '.env'), { force: true }))
after(() => {
  process.chdir(tmpdir())
  rmSync(folder, { recursive: true })
})

/** Which model an agent would ask: what its first event about a model says. Nothing leaves the process. */
async function modelOf(options: FromEnvOptions): Promise<string> {
  const controller = new AbortController()
  for await (const event of agentFromEnv(options).stream('hi', { abortSignal: controller.signal })) {
    if (event.type !== 'model.called') continue
    controller.abort()
    return event.model
  }
  return 'none'
}

const closed = 'http://127.0.0.1:9/v1'
const cases: readonly [what: string, env: Record<string, string>, model: string][] = [
  ['nothing', {}, 'tellurion/demo'],
  ['a key', { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: closed }, 'openai/gpt-5'],
  ['LLM_*', { LLM_API_KEY: 'k', LLM_BASE_URL: closed, LLM_MODEL: 'm-1' }, 'local/m-1'],
  [
    'LOOM_*',
    { LOOM_PROVIDER: 'anthropic', LOOM_MODEL: 'claude-x', ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: closed },
    'anthropic/claude-x',
  ],
  [
    'DEFAULT_MODEL_PROVIDER',
    { DEFAULT_MODEL_PROVIDER: 'deepseek', DEEPSEEK_API_KEY: 'k', DEEPSEEK_BASE_URL: closed, OPENAI_API_KEY: 'k' },
    'deepseek/deepseek-chat',
  ],
]

describe('agentFromEnv', () => {
  for (const [what, env, model] of cases) {
    it(`takes its model from ${what} in the environment`, async () => assert.equal(await modelOf({ env }), model))

    it(`takes its model from ${what} in .env`, async () => {
      writeFileSync(
        '.env',
        Object.entries(env)
          .map(([name, value]) => `${name}="${value}"\n`)
          .join(''),
      )
      assert.equal(await modelOf({}), model)
    })
  }

  it('lets the environment win over .env, and leaves the process as it was', async () => {
    writeFileSync('.env', `LLM_MODEL=from-file\nLLM_BASE_URL=${closed}\n`)
    const before = JSON.stringify(process.env)
    assert.equal(await modelOf({ env: { LLM_MODEL: 'from-env' } }), 'local/from-env')
    process.env['LLM_MODEL'] = 'from-process'
    assert.equal(await modelOf({}), 'local/from-process')
    delete process.env['LLM_MODEL']
    assert.equal(JSON.stringify(process.env), before)
  })

  it('reads another file when told, which must be there, or none', async () => {
    writeFileSync('.env', `LLM_MODEL=here\nLLM_BASE_URL=${closed}\n`)
    assert.equal(await modelOf({ dotEnv: false }), 'tellurion/demo')
    writeFileSync('other.env', `LLM_MODEL=other\nLLM_BASE_URL=${closed}\n`)
    assert.equal(await modelOf({ dotEnv: 'other.env' }), 'local/other')
    assert.throws(() => agentFromEnv({ dotEnv: 'absent.env' }), /absent\.env: there is no such file/)
  })

  it('gives an agent with tools that answers without a key', async () => {
    const calculator = tool({
      description: 'Calculates.',
      inputSchema: { type: 'object', properties: { expression: { type: 'string' } }, required: ['expression'] },
      execute: ({ expression }) => (expression === '6*7' ? '42' : 'wrong'),
    })
    const { text } = await agentFromEnv({ tools: { calculator } }).generate('what is 6*7?')
    assert.equal(text, '6*7 = 42.')
  })

  it('takes every option of an agent but the model', async () => {
    const agent = agentFromEnv({ name: 'poor', budget: { modelCalls: 0 }, approval: [], stopWhen: [], systems: [] })
    await assert.rejects(agent.generate('hi'), (error) => (error as TellurionError).code === 'budget_exceeded')
  })

  const refusals: readonly [what: string, options: object, code: string, words: RegExp][] = [
    ['a missing key', { env: { LOOM_PROVIDER: 'openai' } }, 'missing_key', /OPENAI_API_KEY/],
    ['an unknown provider', { env: { LLM_PROVIDER: 'opnai' } }, 'unknown_provider', /LLM_PROVIDER.*'openai'/],
    ['an unknown option', { modle: 'x' }, 'unknown_option', /'modle'/],
    ['a model, which is what the environment is for', { model: 'x' }, 'unknown_option', /'model'/],
  ]
  for (const [what, options, code, words] of refusals)
    it(`refuses ${what}`, () =>
      assert.throws(
        () => agentFromEnv(options),
        (error) => error instanceof TellurionError && error.code === code && words.test(error.message),
      ))

  it('refuses a malformed .env, naming the line', () => {
    writeFileSync('.env', 'A=1\noops\n')
    assert.throws(() => agentFromEnv(), /^TellurionError: \.env:2: write NAME=value/)
  })
})
