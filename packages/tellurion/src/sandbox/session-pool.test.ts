import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createSandbox, type Sandbox } from './sandbox.ts'
import { SessionPool } from './session-pool.ts'

let sandbox: Sandbox
before(async () => {
  sandbox = await createSandbox({ limits: { timeout: 20_000 } })
})
after(() => sandbox.close())

function lacks(t: TestContext): boolean {
  const isMissing = sandbox.level === 'none' || sandbox.level === 'wasm-only' || sandbox.languages.length < 3
  if (isMissing) t.skip(`the sandbox is ${sandbox.level}; apt-get install bubblewrap python3`)
  return isMissing
}

describe('SessionPool', () => {
  it('gives its places to whoever else needs them', async (t) => {
    if (lacks(t)) return
    await using narrow = await createSandbox({ capacity: 1 })
    const pool = new SessionPool(narrow, { most: 4, idle: 60_000, clock: virtualClock() })
    const lent = await pool.borrow(bash('a'))
    const waiting = narrow.run({ language: 'bash', code: 'echo mine' })
    assert.equal((await lent.session.run({ code: 'echo still' })).stdout, 'still\n')
    await lent.giveBack()
    assert.deepEqual([(await waiting).stdout, lent.session.isLive], ['mine\n', false])
    const idle = await pool.borrow(bash('b'))
    await idle.giveBack()
    const other = await narrow.run({ language: 'bash', code: 'echo too' })
    assert.deepEqual([other.stdout, idle.session.isLive], ['too\n', false])
  })

  const bash = (runId: string, signal = new AbortController().signal) => ({ runId, language: 'bash', signal }) as const

  it('closes what nobody has used for a while', async (t) => {
    if (lacks(t)) return
    const clock = virtualClock()
    const pool = new SessionPool(sandbox, { most: 4, idle: 1_000, clock })
    const first = await pool.borrow(bash('run1'))
    await first.giveBack()
    await clock.advance(900)
    const again = await pool.borrow(bash('run1'))
    assert.deepEqual([again.session === first.session, first.isNew, again.isNew], [true, true, false])
    await clock.advance(2_000)
    assert.equal(again.session.isLive, true)
    await again.giveBack()
    await clock.advance(1_000)
    assert.equal(again.session.isLive, false)
    assert.equal(clock.pending, 0)
  })

  it('makes room by closing the one unused for longest', async (t) => {
    if (lacks(t)) return
    const pool = new SessionPool(sandbox, { most: 2, idle: 60_000, clock: virtualClock() })
    const lent = []
    for (const run of ['a', 'b', 'a', 'c']) {
      const each = await pool.borrow(bash(run))
      lent.push(each.session)
      await each.giveBack()
    }
    assert.deepEqual(
      lent.map(({ isLive }) => isLive),
      [true, false, true, true],
    )
    for (const each of lent) await each.close()
  })

  it('lends to one call at a time, and shares nothing between runs without a name', async (t) => {
    if (lacks(t)) return
    const pool = new SessionPool(sandbox, { most: 2, idle: 60_000, clock: virtualClock() })
    const [first, second] = [pool.borrow(bash('a')), pool.borrow(bash('a'))]
    let isSecond = false
    void second.then(() => (isSecond = true))
    const one = await first
    await one.session.run({ code: 'x=1' })
    assert.equal(isSecond, false)
    await one.giveBack()
    const two = await second
    assert.equal((await two.session.run({ code: 'echo $x' })).stdout, '1\n')
    await two.session.close()
    await two.giveBack()
    const [stranger, other] = [await pool.borrow(bash('')), await pool.borrow(bash(''))]
    assert.notEqual(stranger.session, other.session)
    await Promise.all([stranger.giveBack(), other.giveBack()])
    assert.equal(other.session.isLive, false)
  })

  it('lets a call wait in vain without harm to the next', async (t) => {
    if (lacks(t)) return
    const pool = new SessionPool(sandbox, { most: 2, idle: 60_000, clock: virtualClock() })
    await assert.rejects(pool.borrow(bash('a', AbortSignal.abort())), { name: 'AbortError' })
    const lent = await pool.borrow(bash('a'))
    assert.equal((await lent.session.run({ code: 'echo well' })).stdout, 'well\n')
    await lent.session.close()
    await lent.giveBack()
  })
})
