import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TellurionError } from 'tellurion'
import { chooseModel, describeChoice, modelOfProvider } from './model-choice.ts'

const key = { OPENAI_API_KEY: 'k' }
const chosen = (name: string | undefined, env = {}): [string, string | undefined, boolean] => {
  const { model, because, isDemo } = chooseModel({ name, env })
  return [model.name, because, isDemo]
}

describe('chooseModel', () => {
  it('takes what the option names before what the environment names', () => {
    assert.deepEqual(chosen('openai/gpt-x', key), ['openai/gpt-x', '--model', false])
    assert.deepEqual(chosen(undefined, key), ['openai/gpt-5', 'OPENAI_API_KEY', false])
    assert.deepEqual(chosen('demo', key), ['tellurion/demo', '--model', true])
  })

  it('takes the demo where nothing names a model', () => {
    assert.deepEqual(chosen(undefined), ['tellurion/demo', undefined, true])
    assert.deepEqual(chosen(undefined, { OPENAI_API_KEY: ' ' }), ['tellurion/demo', undefined, true])
  })

  it('refuses a model without its key', () => {
    assert.throws(
      () => chosen('anthropic/claude-x'),
      (error) => error instanceof TellurionError && error.code === 'missing_key',
    )
  })
})

describe('modelOfProvider', () => {
  const cases: readonly [provider: string, name: string | undefined, env: Record<string, string>, full: string][] = [
    ['openai', undefined, {}, 'openai/gpt-5'],
    ['openai', undefined, { OPENAI_MODEL: 'gpt-x' }, 'openai/gpt-x'],
    ['openai', 'gpt-y', { OPENAI_MODEL: 'gpt-x' }, 'openai/gpt-y'],
    ['openai', 'openai/gpt-y', {}, 'openai/gpt-y'],
    ['openrouter', 'openai/gpt-y', {}, 'openrouter/openai/gpt-y'],
    ['demo', undefined, {}, 'demo'],
  ]
  for (const [provider, name, env, full] of cases)
    it(`is ${full} for ${provider} and ${name}`, () => assert.equal(modelOfProvider(provider, name, env), full))

  it('asks for a name where a provider has no default', () => {
    assert.throws(() => modelOfProvider('vllm', undefined, {}), /vllm has no default model: name one with --model/)
  })
})

describe('describeChoice', () => {
  it('says who answers and how to change it, in lines of a terminal', () => {
    const demo = describeChoice(chooseModel({ env: {} })).join('\n')
    assert.match(demo, /built-in demo model, for no key was found[^]*--model vendor\/name/)
    const real = describeChoice(chooseModel({ env: key })).join('\n')
    assert.match(real, /^Talking to openai\/gpt-5 \(named by OPENAI_API_KEY\)\.\n.*--model vendor\/name/)
    for (const line of `${demo}\n${real}`.split('\n')) assert.ok(line.length < 80, line)
  })
})
