import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSandbox } from 'tellurion/sandbox'
import { checkSandboxLevel } from './sandbox-level.ts'

test('the level is told as soon as it is known, and none where the self-test fails', async () => {
  const quickjs = checkSandboxLevel(() => createSandbox({ backend: 'quickjs' }))
  assert.deepEqual(quickjs.current(), {})
  await quickjs[Symbol.asyncDispose]()
  assert.deepEqual(quickjs.current(), { sandbox: { ok: true, detail: 'wasm-only' } })

  const broken = checkSandboxLevel(() => Promise.reject(new Error('x')))
  await broken[Symbol.asyncDispose]()
  assert.deepEqual(broken.current(), { sandbox: { ok: false, detail: 'none' } })
})
