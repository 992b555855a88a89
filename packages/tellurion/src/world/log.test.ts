import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LogView } from './log.ts'

interface Log {
  readonly length: number
  toArray(): number[]
  append(items: readonly number[]): Log
  splice(start: number, deleteCount: number, items: readonly number[]): Log
}

/** Grows a tree of logs: each step takes any log made so far and makes another one of it. */
const step = fc.record({
  of: fc.nat(),
  splice: fc.option(fc.record({ start: fc.nat(), deleteCount: fc.nat(80), evenly: fc.boolean() }), { freq: 3 }),
  count: fc.oneof(fc.nat(3), fc.nat(150)),
})
const steps = fc.array(step, { minLength: 1, maxLength: 40, size: 'max' })

/** The law: every log ever made still holds what the plain array made in the same way holds. */
function law(empty: Log, plan: typeof steps extends fc.Arbitrary<infer T> ? T : never): void {
  const made: { log: Log; model: number[] }[] = [{ log: empty, model: [] }]
  let next = 0
  for (const { of, splice, count } of plan) {
    const { log, model } = made[of % made.length]!
    if (splice === null) {
      const items = Array.from({ length: count }, () => next++)
      made.push({ log: log.append(items), model: [...model, ...items] })
    } else {
      const start = splice.start % (model.length + 1)
      const deleteCount = Math.min(splice.deleteCount, model.length - start)
      const items = Array.from({ length: splice.evenly ? deleteCount : count }, () => next++)
      made.push({
        log: log.splice(start, deleteCount, items),
        model: [...model.slice(0, start), ...items, ...model.slice(start + deleteCount)],
      })
    }
  }
  for (const { log, model } of made) {
    assert.equal(log.length, model.length)
    assert.deepEqual(log.toArray(), model)
  }
}

/** A broken log: it always appends in place and never asks whether somebody else has. */
class Rude implements Log {
  readonly #items: number[]
  readonly length: number
  constructor(items: number[], length: number) {
    this.#items = items
    this.length = length
  }
  toArray(): number[] {
    return this.#items.slice(0, this.length)
  }
  append(items: readonly number[]): Log {
    items.forEach((item, offset) => (this.#items[this.length + offset] = item))
    return new Rude(this.#items, this.length + items.length)
  }
  splice(start: number, deleteCount: number, items: readonly number[]): Log {
    const copy = this.toArray()
    copy.splice(start, deleteCount, ...items)
    return new Rude(copy, copy.length)
  }
}

describe('logs', () => {
  test('share their past and never see what others append', () => {
    fc.assert(
      fc.property(steps, (plan) => law(LogView.empty<number>(), plan)),
      { numRuns: 300 },
    )
  })

  test('the law has teeth: a log that always appends in place is caught', () => {
    assert.throws(() =>
      fc.assert(
        fc.property(steps, (plan) => law(new Rude([], 0), plan)),
        { seed: 1 },
      ),
    )
  })

  test('read as arrays do', () => {
    const index = fc.oneof(fc.integer({ min: -150, max: 150 }), fc.double(), fc.constantFrom(Number.NaN, Infinity))
    fc.assert(
      fc.property(fc.nat(140), index, fc.option(index, { nil: undefined }), (length, start, end) => {
        const model = Array.from({ length }, (_, item) => item)
        const log = LogView.from(model)
        assert.equal(log.at(start), model.at(start))
        assert.deepEqual(log.slice(start, end), model.slice(start, end))
        assert.deepEqual([...log], model)
        assert.equal(JSON.stringify(log), JSON.stringify(model))
      }),
    )
  })

  test('a copy may be changed; the log stays as it is', () => {
    const log = LogView.from([1, 2, 3])
    log.toArray().push(4)
    assert.deepEqual(log.toArray(), [1, 2, 3])
    assert.equal(log.append([]), log)
  })

  test('appending does not copy what is there', () => {
    let log = LogView.from(Array.from({ length: 100_000 }, (_, item) => item))
    for (let item = 0; item < 100_000; item++) log = log.append([item])
    assert.equal(log.length, 200_000)
    assert.equal(log.at(-1), 99_999)
  })

  test('putting one in the place of another does not copy what is there', () => {
    const length = 100_000
    let log = LogView.from(Array.from({ length }, (_, item) => item))
    const before = log
    for (let item = 0; item < length; item++) log = log.splice(item, 1, [-item])
    assert.deepEqual([log.length, log.at(17), log.at(-1)], [length, -17, 1 - length])
    assert.deepEqual([before.at(17), before.at(-1)], [17, length - 1])
  })
})

describe('pieces of a log', () => {
  test('are the items in order; a full one is shared by every log that has it, a short one is not what others append to', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 12 }), fc.nat(50), (counts, more) => {
        let log = LogView.empty<number>()
        for (const count of counts) log = log.append(Array.from({ length: count }, (_, index) => index))
        const longer = log.append(Array.from({ length: more }, () => -1))
        const pieces = [...log.pieces()]
        assert.deepEqual(pieces.flat(), log.toArray())
        const full = pieces.filter((piece) => piece.length === LogView.pieceSize)
        assert.equal(full.length, Math.floor(log.length / LogView.pieceSize))
        const others = [...longer.pieces()]
        full.forEach((piece, index) => assert.equal(others[index], piece))
      }),
    )
  })
})
