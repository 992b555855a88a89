// The memory backend shows every behaviour of a backend, and the suite catches every broken one.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Backend } from '../../backend.ts'
import { backendBehaviour } from '../../../testing/backend-behaviour.ts'
import type { BackendBench } from '../../../testing/backend-bench.ts'
import { keyValueBehaviour } from '../../../testing/key-value-behaviour.ts'
import { virtualClock } from '../../../testing/virtual-clock.ts'
import { memory } from './memory.ts'

function bench(): BackendBench {
  const clock = virtualClock(1_000)
  return { clock, open: (): Promise<Backend> => memory()({ clock }) }
}

suite('memory', () => {
  for (const { name, needs, run } of backendBehaviour) {
    if (needs === undefined) test(name, () => run(bench()))
    else test(name, { skip: 'what is in memory is gone when it is closed, and has one handle' }, () => {})
  }
  for (const { name, run } of keyValueBehaviour) {
    test(`key-value: ${name}`, async () => {
      const { clock, open } = bench()
      const { keyValue } = await open()
      await run({ keyValue, advance: clock.advance })
    })
  }
  test('says that it keeps nothing', async () => {
    const backend = await bench().open()
    assert.deepEqual([backend.name, backend.durable], ['memory', false])
  })
})
