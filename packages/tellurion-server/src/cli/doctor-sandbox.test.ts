import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSandbox } from 'tellurion/sandbox'
import { checkSandbox } from './doctor-sandbox.ts'

test('a doctor tells the level of the sandbox, and what to mend', async () => {
  const findings = await checkSandbox()
  await using sandbox = await createSandbox()
  const [summary, ...rest] = findings
  assert.deepEqual([summary?.name, summary?.state], ['sandbox', sandbox.level === 'full' ? 'ok' : 'warning'])
  assert.ok(summary?.detail.startsWith(`${sandbox.level}: `))
  assert.deepEqual(
    rest.map(({ name }) => name),
    sandbox.probes.filter(({ passed }) => !passed).map(({ name }) => `sandbox ${name}`),
  )
})

test('also where there is less', async () => {
  const [summary, failed] = await checkSandbox(async () => {
    const sandbox = await createSandbox({ backend: 'quickjs' })
    return Object.assign(Object.create(sandbox) as typeof sandbox, {
      level: sandbox.level,
      probes: [
        {
          name: 'namespaces',
          passed: false,
          detail: 'bubblewrap is not installed',
          mend: 'apt-get install bubblewrap',
        },
      ],
      [Symbol.asyncDispose]: () => sandbox.close(),
    })
  })
  assert.deepEqual(summary, {
    name: 'sandbox',
    state: 'warning',
    detail: 'wasm-only: JavaScript in QuickJS; no Python, no Bash; javascript',
  })
  assert.deepEqual(failed, {
    name: 'sandbox namespaces',
    state: 'warning',
    detail: 'bubblewrap is not installed',
    mend: 'apt-get install bubblewrap',
  })
})
