import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Agent } from 'tellurion'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'
import { createLog } from 'tellurion/trace'
import { createServer } from './server.ts'

const token = 'a-token-of-some-length'

describe('createServer', () => {
  it('takes a run and shows it, over a socket', async () => {
    const agent = new Agent({ name: 'guide', model: scriptedModel(['Hello!']) })
    const runtime = await createRuntime({ store: memory(), agents: [agent] })
    const lines: string[] = []
    const log = createLog({ write: (line) => lines.push(line) })
    const server = createServer({ runtime, identities: [{ token, user: 'ada', scopes: ['write'] }], log })
    const { url } = await server.listen()
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    assert.equal((await fetch(`${url}/health`)).status, 200)
    const made = await fetch(`${url}/api/v1/runs`, { method: 'POST', headers, body: JSON.stringify({ input: 'Hi' }) })
    const run = await made.json()
    assert.equal(made.status, 201, JSON.stringify(run))
    await runtime.run(run.id).result()
    const shown = await (await fetch(`${url}/api/v1/runs/${run.id}`, { headers })).json()
    assert.equal(shown.status, 'succeeded')
    assert.equal(shown.result.text, 'Hello!')
    const list = await (await fetch(`${url}/api/v1/runs?limit=1`, { headers })).json()
    assert.deepEqual(
      list.items.map((each: { id: string }) => each.id),
      [run.id],
    )
    assert.equal((await fetch(`${url}/api/v1/runs`)).status, 401)
    assert.equal((await fetch(`${url}/api/v1/runs/run_nothing`, { headers })).status, 404)
    await server.close()
    await assert.rejects(fetch(`${url}/health`))
    assert.ok(lines.every((line) => !line.includes(token)))
  })
})
