import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { pathOf, routes, type RouteName } from 'tellurion/protocol'
import { RequestError } from './failure.ts'
import { createRouteTable } from './route-table.ts'

const table = createRouteTable()
const names = Object.keys(routes) as RouteName[]

describe('createRouteTable', () => {
  it('finds every route by the path that clients make, with what they put into it', () => {
    const parameters = fc.record({
      run: fc.string({ minLength: 1 }),
      session: fc.string({ minLength: 1 }),
      message: fc.string({ minLength: 1 }),
      interaction: fc.string({ minLength: 1 }),
      tick: fc.string({ minLength: 1 }),
    })
    fc.assert(
      fc.property(fc.constantFrom(...names), parameters, (name, given) => {
        // A run that is named like a fixed segment is that segment's.
        fc.pre(given.run !== 'import' && given.session !== 'stream')
        const found = table.find(routes[name].method, pathOf(name, given))
        assert.equal(found.name, name)
        for (const [key, value] of Object.entries(found.parameters)) assert.equal(value, given[key as 'run'])
      }),
    )
  })

  it('tells what is not there from what is there by another method', () => {
    const code = (wanted: string) => (error: unknown) => error instanceof RequestError && error.code === wanted
    assert.throws(() => table.find('GET', '/nothing'), code('unknown_route'))
    assert.throws(() => table.find('GET', '/api/v1'), code('unknown_route'))
    assert.throws(() => table.find('GET', '/api/v1/runs/'), code('unknown_route'))
    assert.throws(() => table.find('GET', '/api/v1/runs/%zz'), code('malformed_request'))
    assert.throws(() => table.find('PUT', '/api/v1/runs'), code('method_not_allowed'))
    assert.deepEqual(table.methods('/api/v1/runs/x'), ['DELETE', 'GET', 'HEAD'])
    assert.deepEqual(table.methods('/nothing'), [])
  })

  it('answers HEAD where it answers GET', () => {
    assert.equal(table.find('HEAD', '/health').name, 'health')
    assert.throws(() => table.find('HEAD', '/api/v1/tools/call'))
  })
})
