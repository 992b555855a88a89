import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyValueBehaviour } from '../testing/key-value-behaviour.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import type { KeyValue } from './key-value.ts'
import { memoryKeyValue } from './memory-key-value.ts'

describe('memoryKeyValue', () => {
  for (const { name, run } of keyValueBehaviour) {
    it(name, async () => {
      const clock = virtualClock(1_000_000)
      await run({ keyValue: memoryKeyValue({ clock }), advance: (ms) => clock.advance(ms) })
    })
  }

  it('says when an entry lapses', async () => {
    const clock = virtualClock(500)
    const keyValue = memoryKeyValue({ clock })
    await keyValue.set({ scope: 'global', owner: '' }, 'k', new Uint8Array(), { ttl: 250 })
    assert.equal((await keyValue.get({ scope: 'global', owner: '' }, 'k'))?.expires, 750)
  })
})

describe('the list of behaviours', () => {
  // Each broken store must be caught by at least one case.
  const broken: Record<string, (whole: KeyValue) => KeyValue> = {
    'ignores ifVersion': (whole) => ({
      ...whole,
      set: (scope, name, value, options) =>
        whole.set(scope, name, value, options?.ttl === undefined ? {} : { ttl: options.ttl }),
    }),
    'ignores ttl': (whole) => ({
      ...whole,
      set: (scope, name, value, options) =>
        whole.set(scope, name, value, options?.ifVersion === undefined ? {} : { ifVersion: options.ifVersion }),
    }),
    'mixes owners': (whole) => ({
      ...whole,
      get: (scope, name) => whole.get({ ...scope, owner: '' }, name),
      set: (scope, ...rest) => whole.set({ ...scope, owner: '' }, ...rest),
    }),
    'lists everything': (whole) => ({ ...whole, list: (scope) => whole.list(scope) }),
    'always deletes': (whole) => ({ ...whole, delete: async (...args) => (await whole.delete(...args), true) }),
    'counts versions from one again': (whole) => ({
      ...whole,
      set: async (...args) => (await whole.set(...args)) && 1,
    }),
  }
  for (const [what, breakIt] of Object.entries(broken)) {
    it(`catches a store that ${what}`, async () => {
      const outcomes = await Promise.allSettled(
        keyValueBehaviour.slice().map(async ({ run }) => {
          const clock = virtualClock(1)
          let writes = 0
          const store = breakIt(memoryKeyValue({ clock }))
          // A store that never lets a writer win would loop; give up instead.
          const bounded: KeyValue = {
            ...store,
            set: (...args) => (++writes > 5_000 ? Promise.reject(new Error('never ends')) : store.set(...args)),
          }
          await run({ keyValue: bounded, advance: (ms) => clock.advance(ms) })
        }),
      )
      assert.ok(outcomes.some(({ status }) => status === 'rejected'))
    })
  }
})
