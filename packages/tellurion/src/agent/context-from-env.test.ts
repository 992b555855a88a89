import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError } from '../error/error.ts'
import { compactContext, type CompactContextOptions } from './compact-context.ts'
import { boundedBy, contextFromEnv } from './context-from-env.ts'
import { agentFromEnv } from './from-env.node.ts'
import { CompactionConfig } from './context-component.ts'

const window = '8000'

describe('the environment bounds a context', () => {
  const cases: readonly [env: Record<string, string>, expected: unknown][] = [
    [{}, undefined],
    [{ MAX_CONTEXT_LENGTH: window }, { window: 8_000 }],
    [{ CONTEXT_COMPRESSION_THRESHOLD: '0.8' }, { stages: { summarise: 0.8 } }],
    [
      { MAX_CONTEXT_LENGTH: window, CONTEXT_COMPRESSION_THRESHOLD: '1' },
      { window: 8_000, stages: { summarise: 1 } },
    ],
    [{ CONTEXT_COMPRESSION_THRESHOLD: '6000' }, { threshold: 6_000 }],
  ]
  for (const [env, expected] of cases) {
    test(JSON.stringify(env), () => {
      assert.deepEqual(contextFromEnv(env), expected)
      const { world, entity } = agentFromEnv({ env, dotEnv: false }).session()
      assert.deepEqual(world.get(entity, CompactionConfig), expected)
    })
  }

  const wrong: readonly Record<string, string>[] = [
    { MAX_CONTEXT_LENGTH: 'large' },
    { MAX_CONTEXT_LENGTH: '-1' },
    { MAX_CONTEXT_LENGTH: '0.5' },
    { CONTEXT_COMPRESSION_THRESHOLD: '0' },
    { CONTEXT_COMPRESSION_THRESHOLD: '80%' },
    { CONTEXT_COMPRESSION_THRESHOLD: '1.5' },
  ]
  for (const env of wrong) {
    test(`${JSON.stringify(env)} is refused`, () => {
      const [name = ''] = Object.keys(env)
      assert.throws(
        () => agentFromEnv({ env, dotEnv: false }),
        (error) =>
          error instanceof TellurionError && error.code === 'invalid_configuration' && error.message.startsWith(name),
      )
    })
  }

  test('what a program says wins, the rest is taken from the environment', () => {
    const settings = (own: CompactContextOptions, env: Record<string, string>): unknown => {
      const [system] = boundedBy(contextFromEnv(env), [compactContext(own)])
      return system?.initial?.[0]?.value
    }
    const both = { MAX_CONTEXT_LENGTH: window, CONTEXT_COMPRESSION_THRESHOLD: '0.8' }
    assert.deepEqual(settings({ keep: 5 }, both), { window: 8_000, stages: { summarise: 0.8 }, keep: 5 })
    assert.deepEqual(settings({ window: 9_000, stages: { summarise: 0.9 } }, both), {
      window: 9_000,
      stages: { summarise: 0.9 },
    })
    assert.deepEqual(settings({ threshold: 100 }, both), { window: 8_000, threshold: 100 })
    const tokens = { CONTEXT_COMPRESSION_THRESHOLD: '6000' }
    assert.deepEqual(settings({ stages: { shorten: 0.5 } }, tokens), { threshold: 6_000, stages: { shorten: 0.5 } })
    assert.deepEqual(settings({ stages: { summarise: 0.5 } }, tokens), { stages: { summarise: 0.5 } })
    const other = compactContext({ keep: 5 })
    assert.equal(boundedBy(undefined, [other])[0], other)
  })
})
