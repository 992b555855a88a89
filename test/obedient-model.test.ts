// Strangers' words against a model that obeys every one of them: no harm is done that no person approved. Each scenario
// also plays without what protects, and then the harm is real.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crews } from './obedient-crew.ts'
import { requests } from './obedient-request.ts'
import { memories, results } from './obedient-source.ts'
import { playGuarded, playUnguarded, type Scenario, type Where } from './obedient.ts'

const scenarios: readonly Scenario[] = [...results, ...memories, ...crews, ...requests]
const places: readonly Where[] = ['in memory', 'durably']

describe('a model that obeys', () => {
  test('at least fifty scenarios, each with a name of its own', (t) => {
    const names = new Set(scenarios.map(({ name }) => name))
    t.diagnostic(`${names.size} scenarios`)
    assert.equal(names.size, scenarios.length)
    assert.ok(names.size >= 50, `${names.size}`)
  })

  for (const where of places) {
    describe(where, () => {
      for (const scenario of scenarios) {
        if ((scenario.only ?? where) !== where) continue
        test(`does no harm: ${scenario.name}`, () => playGuarded(scenario, where))
        test(`would do harm without the rule: ${scenario.name}`, () => playUnguarded(scenario, where))
      }
    })
  }
})
