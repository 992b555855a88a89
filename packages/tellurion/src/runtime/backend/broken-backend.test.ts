// The list of behaviours has teeth: each broken backend fails at least one of them.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { backendBehaviour } from '../../testing/backend-behaviour.ts'
import { brokenBackends, type BrokenBackend } from '../../testing/broken-backend.ts'
import { virtualClock } from '../../testing/virtual-clock.ts'
import { memory } from './memory/memory.ts'

/** The first behaviour that a broken backend does not show. */
async function caughtBy({ damage }: BrokenBackend): Promise<string | undefined> {
  for (const { name, needs, run } of backendBehaviour) {
    if (needs !== undefined) continue
    const clock = virtualClock(1_000)
    try {
      await run({ clock, open: async () => damage(await memory()({ clock })) })
    } catch {
      return name
    }
  }
  return undefined
}

suite('broken backends are caught', () => {
  for (const broken of brokenBackends) {
    test(broken.name, async (context) => {
      const behaviour = await caughtBy(broken)
      assert.notEqual(behaviour, undefined, 'no behaviour caught it')
      context.diagnostic(`caught by: ${behaviour}`)
    })
  }
})
