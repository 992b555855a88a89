import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fullLimits, tighter, type SandboxLimits } from './limit.ts'

describe('fullLimits', () => {
  it('has a default for each', () => {
    const MiB = 1024 * 1024
    const expected = {
      timeout: 30_000,
      memory: 256 * MiB,
      processes: 64,
      maxOutput: MiB / 4,
      disk: 64 * MiB,
      artifacts: 16 * MiB,
    }
    assert.deepEqual(fullLimits(), expected)
    assert.deepEqual(fullLimits({ timeout: 5, memory: undefined }), { ...expected, timeout: 5 })
  })

  const wrong: readonly (readonly [SandboxLimits, string])[] = [
    [{ timeout: 0 }, 'invalid_option'],
    [{ timeout: 1.5 }, 'invalid_option'],
    [{ timeout: Number.NaN }, 'invalid_option'],
    [{ timeout: Infinity }, 'invalid_option'],
    [{ memory: 1024 }, 'invalid_option'],
    [{ processes: 1 }, 'invalid_option'],
    [{ maxOutput: -1 }, 'invalid_option'],
    [{ disk: '1GB' as unknown as number }, 'invalid_option'],
    [{ time: 5 } as SandboxLimits, 'unknown_option'],
  ]
  for (const [limits, code] of wrong) {
    it(`refuses ${JSON.stringify(limits)}`, () => assert.throws(() => fullLimits(limits), { code }))
  }
})

describe('tighter', () => {
  const limits = fullLimits({ timeout: 1_000, memory: 64 << 20 })

  it('takes the tighter of each, and never widens', () => {
    assert.deepEqual(tighter(limits), limits)
    assert.deepEqual(tighter(limits, { timeout: 10, memory: 1 << 30 }), { ...limits, timeout: 10 })
  })

  it('goes no lower than an interpreter needs', () => {
    assert.equal(tighter(limits, { memory: 1 }).memory, 16 << 20)
  })

  it('refuses what is no limit', () => {
    for (const timeout of [0, -1, Number.NaN])
      assert.throws(() => tighter(limits, { timeout }), { code: 'invalid_option' })
    assert.throws(() => tighter(limits, { times: 1 } as SandboxLimits), { code: 'unknown_option' })
  })
})
