import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TellurionError } from 'tellurion'
import { macrotask, virtualClock } from 'tellurion/testing'
import { isOutage, Link } from './link.ts'

const gone = (): TellurionError => new TellurionError('server_unreachable', 'The server cannot be reached.')

describe('a link', () => {
  it('tries again until the server is there, and says how it stands', async () => {
    const clock = virtualClock(1000)
    const seen: string[] = []
    const link = new Link({ clock, onChange: () => seen.push(link.state.kind) })
    let tries = 0
    const work = link.persist(async () => {
      if (++tries < 4) throw gone()
      return 'here'
    }, new AbortController().signal)
    await macrotask()
    assert.equal(link.state.kind === 'lost' && link.state.retryAt, 1250)
    for (let step = 0; step < 20; step++) {
      await clock.advance(250)
      await macrotask()
    }
    assert.equal(await work, 'here')
    assert.deepEqual(seen, ['lost', 'lost', 'lost', 'online'])
    assert.equal(tries, 4)
  })

  it('remembers since when the server is gone, and waits longer each time', async () => {
    const clock = virtualClock(0)
    const link = new Link({ clock, onChange: () => {} })
    const end = new AbortController()
    const work = link.persist(() => Promise.reject(gone()), end.signal)
    const waits: number[] = []
    for (let step = 0; step < 200; step++) {
      await clock.advance(50)
      await macrotask()
      const { state } = link
      assert.ok(state.kind === 'lost' && state.since === 0)
      if (waits.at(-1) !== state.retryAt) waits.push(state.retryAt)
    }
    assert.deepEqual(waits.slice(0, 5), [250, 750, 1750, 3750, 6750])
    end.abort()
    await assert.rejects(work, { name: 'AbortError' })
  })

  it('does not try again what the server refuses', async () => {
    const link = new Link({ clock: virtualClock(0), onChange: () => {} })
    const refused = new TellurionError('unknown_run', 'There is no such run.')
    await assert.rejects(
      link.persist(() => Promise.reject(refused), new AbortController().signal),
      refused,
    )
    assert.equal(link.state.kind, 'online')
  })

  it('tells an outage from an answer', () => {
    const data = (status: number) => ({ data: { status }, retryable: true })
    assert.equal(isOutage(gone()), true)
    assert.equal(isOutage(new TellurionError('invalid_response', 'x', data(502))), true)
    assert.equal(isOutage(new TellurionError('rate_limited', 'x', data(429))), false)
    assert.equal(isOutage(new TellurionError('runtime_closed', 'x', data(503))), true)
    assert.equal(isOutage(new Error('x')), false)
  })
})
