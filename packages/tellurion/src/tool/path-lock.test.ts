import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { macrotask } from '../testing/virtual-clock.ts'
import { createPathLocks, plainPath, type PathLocks, type Release } from './path-lock.ts'

/** Takes paths and tells when they were given. */
function take(
  locks: PathLocks,
  paths: readonly string[],
  write: boolean,
  signal?: AbortSignal,
): { given: boolean; refused: unknown; release(): void } {
  let release: Release | undefined
  const state = { given: false, refused: undefined as unknown, release: () => release?.() }
  const given = locks.acquire(paths, { write, signal })
  const take = (each: Release): void => {
    state.given = true
    release = each
  }
  if (given instanceof Promise)
    given.then(take, (error: unknown) => {
      state.refused = error
    })
  else take(given)
  return state
}

describe('path locks', () => {
  it('give free paths at once', () => {
    assert.equal(createPathLocks().acquire(['a', 'b'], { write: true }) instanceof Promise, false)
    assert.equal(createPathLocks().acquire([], { write: true }) instanceof Promise, false)
  })

  it('let readers in together, writers one by one, readers wait for the writer before them', async () => {
    const locks = createPathLocks()
    const [r1, r2] = [take(locks, ['a'], false), take(locks, ['a'], false)]
    const w = take(locks, ['a'], true)
    const r3 = take(locks, ['a'], false)
    assert.deepEqual([r1.given, r2.given, w.given, r3.given], [true, true, false, false])
    r1.release()
    await macrotask()
    assert.equal(w.given, false)
    r2.release()
    await macrotask()
    assert.deepEqual([w.given, r3.given], [true, false])
    w.release()
    w.release()
    await macrotask()
    assert.equal(r3.given, true)
  })

  it('know a path by every spelling', async () => {
    const locks = createPathLocks()
    const first = take(locks, ['/a/b/c'], true)
    const others = ['/a/./b//c', '/a/x/../b/c', '\\a\\b\\c', '/a/b/c/', '/../a/b/c'].map((path) =>
      take(locks, [path], true),
    )
    assert.deepEqual(
      others.map(({ given }) => given),
      others.map(() => false),
    )
    assert.equal(take(locks, ['/a/b'], true).given, true)
    first.release()
    await macrotask()
    assert.deepEqual(
      others.map(({ given }) => given),
      [true, false, false, false, false],
    )
  })

  it('count a path once in one call', () => {
    const locks = createPathLocks()
    const twice = take(locks, ['a', './a'], true)
    assert.equal(twice.given, true)
    twice.release()
    assert.equal(take(locks, ['a'], true).given, true)
  })

  it('let those behind go on when one in the line gives up', async () => {
    const locks = createPathLocks()
    const reader = take(locks, ['a'], false)
    const controller = new AbortController()
    const writer = take(locks, ['a'], true, controller.signal)
    const behind = take(locks, ['a'], false)
    controller.abort(new Error('enough'))
    await macrotask()
    assert.equal(String(writer.refused), 'Error: enough')
    assert.equal(behind.given, true)
    const late = take(locks, ['a'], true, controller.signal)
    await macrotask()
    assert.equal(String(late.refused), 'Error: enough')
    reader.release()
    behind.release()
    assert.equal(take(locks, ['a'], true).given, true)
  })

  it('take nothing when the spelling cannot be found out', () => {
    const locks = createPathLocks((path) => {
      if (path === 'bad') throw new Error('no such root')
      return path
    })
    assert.throws(() => locks.acquire(['a', 'bad'], { write: true }), /no such root/)
    assert.equal(take(locks, ['a'], true).given, true)
  })

  it('never let two in that conflict, and let everyone in at last', async () => {
    const claim = fc.record({
      paths: fc.array(fc.constantFrom('a', 'b', 'c', './a', 'x/../b'), { maxLength: 3 }),
      write: fc.boolean(),
      ticks: fc.nat(3),
      aborts: fc.option(fc.nat(2), { freq: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(claim, { maxLength: 12 }), async (claims) => {
        const locks = createPathLocks()
        const held = new Map<string, { readers: number; writers: number }>()
        const finished = await Promise.all(
          claims.map(async ({ paths, write, ticks, aborts }) => {
            const controller = new AbortController()
            if (aborts !== null) void wait(aborts).then(() => controller.abort())
            let release: Release
            try {
              release = await locks.acquire(paths, { write, signal: controller.signal })
            } catch {
              assert.ok(controller.signal.aborted)
              return true
            }
            const keys = new Set(paths.map(plainPath))
            for (const key of keys) {
              const state = held.get(key) ?? { readers: 0, writers: 0 }
              held.set(key, state)
              state[write ? 'writers' : 'readers']++
              assert.ok(state.writers === 0 || (state.writers === 1 && state.readers === 0))
            }
            await wait(ticks)
            for (const key of keys) {
              const state = held.get(key)
              if (state) state[write ? 'writers' : 'readers']--
            }
            release()
            return true
          }),
        )
        assert.equal(finished.length, claims.length)
        assert.equal(locks.acquire(['a', 'b', 'c'], { write: true }) instanceof Promise, false)
      }),
      { numRuns: 300 },
    )
  })
})

async function wait(ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks * 3; tick++) await Promise.resolve()
}
