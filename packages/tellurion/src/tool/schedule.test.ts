import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { macrotask } from '../testing/virtual-clock.ts'
import type { EffectMode } from './effects.ts'
import { createPathLocks, plainPath } from './path-lock.ts'
import { createSchedule, type Claim, type Schedule } from './schedule.ts'

const read: Claim = { mode: 'read', paths: undefined }
const exclusive: Claim = { mode: 'exclusive', paths: undefined }
const write = (...paths: string[]): Claim => ({ mode: 'write', paths })
const reads = (...paths: string[]): Claim => ({ mode: 'read', paths })

/** Starts a call that goes on until `finish`. */
function begin(
  schedule: Schedule,
  claim: Claim,
  signal?: AbortSignal,
): { started: boolean; ended: unknown; finish(): Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const state = {
    started: false,
    ended: undefined as unknown,
    finish: async () => {
      resolve()
      await macrotask()
    },
  }
  const result = schedule.run(
    claim,
    () => {
      state.started = true
      return promise
    },
    signal,
  )
  Promise.resolve(result).then(
    () => {
      state.ended = 'done'
    },
    (error: unknown) => {
      state.ended = error
    },
  )
  return state
}

function started(...calls: readonly { started: boolean }[]): string {
  return calls.map((call) => (call.started ? '1' : '0')).join('')
}

describe('schedule', () => {
  it('runs at once, and without a promise, what nothing stands in the way of', () => {
    const schedule = createSchedule()
    assert.equal(
      schedule.run(exclusive, () => 'now', undefined),
      'now',
    )
    assert.equal(
      schedule.run(write('a'), () => 'now', undefined),
      'now',
    )
    assert.equal(schedule.active, 0)
  })

  it('runs reads together, and an exclusive call alone, in the order they came', async () => {
    const schedule = createSchedule()
    const [a, b, alone, c] = [
      begin(schedule, read),
      begin(schedule, read),
      begin(schedule, exclusive),
      begin(schedule, read),
    ]
    assert.equal(started(a, b, alone, c), '1100')
    await a.finish()
    assert.equal(started(alone, c), '00')
    await b.finish()
    assert.equal(started(alone, c), '10')
    await alone.finish()
    assert.equal(started(c), '1')
    await c.finish()
    assert.deepEqual([schedule.active, schedule.waiting], [0, 0])
  })

  it('runs a write without paths alone, one with paths beside others', async () => {
    const schedule = createSchedule()
    const [a, b, r, blind] = [
      begin(schedule, write('a')),
      begin(schedule, write('b')),
      begin(schedule, read),
      begin(schedule, { mode: 'write', paths: undefined }),
    ]
    assert.equal(started(a, b, r, blind), '1110')
    for (const call of [a, b, r]) await call.finish()
    assert.equal(started(blind), '1')
    await blind.finish()
  })

  it('lets writes of one path follow each other, and reads of a path wait for its writer', async () => {
    const schedule = createSchedule()
    const first = begin(schedule, write('dir/a'))
    const [second, reader, other] = [
      begin(schedule, write('dir/../dir/a')),
      begin(schedule, reads('./dir/a')),
      begin(schedule, reads('dir/b')),
    ]
    assert.equal(started(first, second, reader, other), '1001')
    await first.finish()
    assert.equal(started(second, reader), '10')
    await second.finish()
    assert.equal(started(reader), '1')
  })

  it('shares locks with other schedules, but not the rest', async () => {
    const locks = createPathLocks()
    const [one, two] = [createSchedule({ locks }), createSchedule({ locks })]
    const mine = begin(one, write('a'))
    const [theirs, alone] = [begin(two, write('a')), begin(createSchedule({ locks }), exclusive)]
    assert.equal(started(mine, theirs, alone), '101')
    const aloneWithPath = begin(createSchedule({ locks }), { mode: 'exclusive', paths: ['a'] })
    await mine.finish()
    assert.equal(started(theirs, aloneWithPath), '10')
    await theirs.finish()
    assert.equal(started(aloneWithPath), '1')
  })

  it('bounds the calls that run at once', async () => {
    const schedule = createSchedule({ concurrency: 2 })
    const calls = Array.from({ length: 4 }, () => begin(schedule, read))
    assert.equal(started(...calls), '1100')
    await calls[1]?.finish()
    assert.equal(started(...calls), '1110')
    const ten = createSchedule()
    assert.equal(Array.from({ length: 15 }, () => begin(ten, read)).filter((call) => call.started).length, 10)
    for (const concurrency of [0, -1, 1.5, Number.NaN])
      assert.throws(() => createSchedule({ concurrency }), { code: 'invalid_option' })
  })

  it('forgets who gives up in the line, and lets those behind go on', async () => {
    const schedule = createSchedule()
    const reading = begin(schedule, read)
    const controller = new AbortController()
    const alone = begin(schedule, exclusive, controller.signal)
    const behind = begin(schedule, read)
    assert.equal(started(alone, behind), '00')
    controller.abort(new Error('enough'))
    await macrotask()
    assert.equal(String(alone.ended), 'Error: enough')
    assert.equal(started(alone, behind), '01')
    const late = begin(schedule, exclusive, controller.signal)
    await macrotask()
    assert.equal(String(late.ended), 'Error: enough')
    await reading.finish()
    await behind.finish()
    assert.deepEqual([schedule.active, schedule.waiting], [0, 0])
  })

  it('gives its place back when a call gives up waiting for a path', async () => {
    const schedule = createSchedule({ concurrency: 2 })
    const first = begin(schedule, write('a'))
    const controller = new AbortController()
    const second = begin(schedule, write('a'), controller.signal)
    const third = begin(schedule, read)
    assert.equal(started(first, second, third), '100')
    controller.abort()
    await macrotask()
    assert.equal(started(second, third), '01')
    await first.finish()
    await third.finish()
    assert.equal(schedule.active, 0)
  })

  it('gives its place back when work throws, rejects, or its paths cannot be spelled', async () => {
    const fail = (): never => {
      throw new Error('boom')
    }
    const schedule = createSchedule({ locks: createPathLocks((path) => (path === 'bad' ? fail() : path)) })
    assert.throws(() => schedule.run(exclusive, fail, undefined), /boom/)
    await assert.rejects(
      async () => schedule.run(write('a'), () => Promise.reject(new Error('later')), undefined),
      /later/,
    )
    assert.throws(() => schedule.run(write('bad'), () => 1, undefined), /boom/)
    assert.equal(
      schedule.run(exclusive, () => 'free', undefined),
      'free',
    )
    assert.equal(
      schedule.run(write('a'), () => 'free', undefined),
      'free',
    )
  })

  it('never lets two run together that conflict, keeps its bound, and runs everyone', async () => {
    assert.ok((await keepsApart(createSchedule)) > 100, 'calls that do not conflict do run together')
  })

  // The property must catch each of these.
  const broken: Record<string, typeof createSchedule> = {
    'forgets about paths': (options) =>
      changed(createSchedule(options), ({ mode, paths }) => ({ mode, paths: paths && [] })),
    'takes writers of a path for readers': (options) =>
      changed(createSchedule(options), ({ mode, paths }) => ({
        mode: paths && mode === 'write' ? 'read' : mode,
        paths,
      })),
    'lets exclusive calls run beside others': (options) =>
      changed(createSchedule(options), ({ mode, paths }) => ({ mode: mode === 'exclusive' ? 'read' : mode, paths })),
    'lets one more run': ({ concurrency = 10, ...rest } = {}) =>
      createSchedule({ ...rest, concurrency: concurrency + 1 }),
    'has no spelling of paths': (options) => createSchedule({ ...options, locks: createPathLocks((path) => path) }),
  }
  for (const [name, create] of Object.entries(broken)) {
    it(`is caught by that test when it ${name}`, () => assert.rejects(keepsApart(create)))
  }
})

function changed(schedule: Schedule, change: (claim: Claim) => Claim): Schedule {
  return Object.assign(Object.create(schedule) as Schedule, {
    run: (claim, work, signal) => schedule.run(change(claim), work, signal),
  } satisfies Partial<Schedule>)
}

/** Throws many random calls at a schedule; rejects when it lets two together that conflict. How often it let two together. */
async function keepsApart(create: typeof createSchedule): Promise<number> {
  const claim = fc.record({
    mode: fc.constantFrom<EffectMode>('read', 'write', 'exclusive'),
    paths: fc.option(fc.array(fc.constantFrom('a', './a', 'b', 'x/../b', 'c'), { maxLength: 2 }), { nil: undefined }),
    ticks: fc.nat(4),
    late: fc.nat(3),
    abort: fc.option(fc.nat(3), { freq: 6 }),
  })
  let together = 0
  const property = fc.asyncProperty(
    fc.array(claim, { maxLength: 12 }),
    fc.integer({ min: 1, max: 4 }),
    async (claims, concurrency) => {
      const schedule = create({ concurrency })
      const running = new Set<Claim>()
      const clashes: string[] = []
      let ran = 0
      const outcomes = await Promise.all(
        claims.map(async ({ ticks, late, abort, ...each }) => {
          await wait(late)
          const controller = new AbortController()
          if (abort !== null) void wait(abort).then(() => controller.abort())
          const work = async (): Promise<void> => {
            for (const other of running) if (conflict(each, other)) clashes.push(JSON.stringify([each, other]))
            running.add(each)
            if (running.size > concurrency) clashes.push(`${running.size} at once`)
            if (running.size > 1) together++
            await wait(ticks)
            running.delete(each)
            ran++
          }
          try {
            await schedule.run(each, work, controller.signal)
          } catch {
            assert.ok(controller.signal.aborted)
            return 'aborted'
          }
          return 'ran'
        }),
      )
      assert.deepEqual(clashes, [])
      assert.equal(ran, outcomes.filter((each) => each === 'ran').length)
      assert.deepEqual([schedule.active, schedule.waiting], [0, 0])
      assert.equal(
        schedule.run(exclusive, () => 'free', undefined),
        'free',
      )
    },
  )
  await fc.assert(property, { numRuns: 300 })
  return together
}

/** The definition: who may not run beside whom. */
function conflict(one: Claim, two: Claim): boolean {
  const alone = ({ mode, paths }: Claim): boolean => mode === 'exclusive' || (mode === 'write' && paths === undefined)
  if (alone(one) || alone(two)) return true
  if (one.mode === 'read' && two.mode === 'read') return false
  const mine = new Set(one.paths?.map(plainPath))
  return two.paths?.some((path) => mine.has(plainPath(path))) ?? false
}

async function wait(ticks: number): Promise<void> {
  for (let tick = 0; tick < ticks * 3; tick++) await Promise.resolve()
}
