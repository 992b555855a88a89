import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { Agent } from 'tellurion'
import { demoModel } from 'tellurion/model'
import { pathOf, routes, type RouteName } from 'tellurion/protocol'
import { createRuntime, memory } from 'tellurion/runtime'
import { z } from 'zod'
import { createHandler } from './handler.ts'
import type { Operation } from './operation.ts'
import { settle } from './server.ts'

const names = Object.keys(routes) as RouteName[]
const anything = z.record(z.string(), z.string())

/** Routes that answer with their names and what stood in their paths. */
const echoes = Object.fromEntries(
  names.map((name) => {
    const operation: Operation = {
      name,
      parameters: anything,
      handle: ({ parameters }) => Promise.resolve({ name, parameters }),
    }
    return [name, operation]
  }),
) as Record<RouteName, Operation>

const token = 'a-token-of-somebody-0123456789'
const runtime = await createRuntime({ store: memory(), agents: [new Agent({ name: 'guide', model: demoModel() })] })
after(() => runtime.close())
const { setting } = settle({
  runtime,
  identities: [{ user: 'ada', token, scopes: ['admin'] }],
  limits: { requests: 1e9, burst: 1e9 },
})
const handle = createHandler(setting, echoes)

async function ask(method: string, path: string): Promise<{ status: number; allow: string | null; json: never }> {
  const response = await handle(
    new Request(`http://localhost${path}`, { method, headers: { authorization: `Bearer ${token}` } }),
  )
  const text = await response.text()
  const json = text === '' ? undefined : JSON.parse(text)
  return { status: response.status, allow: response.headers.get('allow'), json: json as never }
}

describe('createRoutes', () => {
  it('finds every route by the path that clients make, with what they put into it', async () => {
    // An address has no segments `.` and `..`.
    const value = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/^\.{1,2}$/.test(text))
    const parameters = fc.record({ run: value, session: value, message: value, interaction: value, tick: value })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), parameters, async (name, given) => {
        const { status, json } = await ask(routes[name].method, pathOf(name, given))
        assert.equal(status, 200)
        const wanted = [...routes[name].path.matchAll(/\{(\w+)\}/g)].map(([, key]) => [key, given[key as 'run']])
        assert.deepEqual(json, { name, parameters: Object.fromEntries(wanted) })
      }),
      { numRuns: 300 },
    )
  })

  for (const [method, path, status, code] of [
    ['GET', '/nothing', 404, 'unknown_route'],
    ['GET', '/api/v1', 404, 'unknown_route'],
    ['GET', '/api/v1/runs/', 404, 'unknown_route'],
    ['GET', '//api/v1/runs', 404, 'unknown_route'],
    ['GET', '/api/v1/runs/a%2Fb/nothing', 404, 'unknown_route'],
    ['GET', '/api/v1/runs/%zz', 400, 'malformed_request'],
    ['GET', '/api/v1/runs/%ff', 400, 'malformed_request'],
    ['PUT', '/api/v1/runs', 405, 'method_not_allowed'],
    ['OPTIONS', '/api/v1/runs', 405, 'method_not_allowed'],
    ['POST', '/health', 405, 'method_not_allowed'],
  ] as const)
    it(`answers ${method} ${path} with ${status}`, async () => {
      const { json, ...answer } = await ask(method, path)
      assert.equal(answer.status, status)
      assert.equal((json as { error: { code: string } }).error.code, code)
    })

  it('says which methods a path has', async () => {
    assert.equal((await ask('PUT', '/api/v1/runs/x')).allow, 'DELETE, GET, HEAD')
    assert.equal((await ask('HEAD', '/api/v1/tools/call')).allow, 'POST')
  })

  it('answers HEAD like GET, without a body', async () => {
    assert.deepEqual(await ask('HEAD', '/api/v1/runs/x'), { status: 200, allow: null, json: undefined })
  })
})
