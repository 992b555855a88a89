import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../clock/clock.ts'
import { macrotask, virtualClock } from '../../testing/virtual-clock.ts'
import { createHintHub } from './hint-hub.ts'
import { createTableQueue, type Claimable } from './table-queue.ts'

/** A table of so many runs, those who work on them, and how often it was asked. */
function desk(count: number, capacity: number) {
  const queued = new Map(Array.from({ length: count }, (_, index): [string, number] => [`r${index}`, 0]))
  const hints = createHintHub()
  const at = new Map<string, () => void>()
  const stop = new AbortController()
  const seen = { asked: 0, most: 0, done: [] as string[] }
  const claimable = ({ limit }: { readonly limit: number }): readonly Claimable[] => {
    seen.asked++
    return [...queued].slice(0, limit).map(([run, epoch]) => ({ run, epoch }))
  }
  const queue = createTableQueue({ claimable, nextAvailable: () => undefined }, { hints, clock: systemClock })
  const deliver = async (run: string): Promise<void> => {
    queued.delete(run)
    await new Promise<void>((resolve) => {
      at.set(run, resolve)
      seen.most = Math.max(seen.most, at.size)
    })
    at.delete(run)
    seen.done.push(run)
  }
  const consumed = queue.consume({ capacity: () => capacity, deliver }, { signal: stop.signal })
  return {
    seen,
    queued,
    hints,
    at,
    async end(): Promise<void> {
      stop.abort()
      for (const finish of at.values()) finish()
      await consumed
    },
  }
}

test('what finds no room is handed out as soon as there is some, without anybody saying so', async () => {
  const { seen, at, end } = desk(50, 7)
  for (let round = 0; round < 50; round++) {
    await macrotask()
    at.values().next().value?.()
  }
  await macrotask()
  equal(seen.done.length, 50)
  equal(seen.most, 7)
  await end()
})

test('a run that is queued again while it is handed out is handed out again when that is over', async () => {
  const { seen, at, queued, hints, end } = desk(1, 5)
  await macrotask()
  queued.set('r0', 1)
  hints.send({ type: 'queue' })
  await macrotask()
  equal(at.size, 1)
  at.get('r0')!()
  await macrotask()
  deepEqual([seen.done, at.size], [['r0'], 1])
  await end()
})

test('where everything was handed out the table is not asked again at each end', async () => {
  const { seen, at, end } = desk(20, 100)
  await macrotask()
  const { asked } = seen
  for (const finish of at.values()) {
    finish()
    await macrotask()
  }
  equal(seen.done.length, 20)
  equal(seen.asked, asked)
  await end()
})

test('a table that cannot be read for a moment is read again, and ends no worker', async () => {
  const clock = virtualClock()
  let broken = true
  const read = <T>(value: T): T => {
    if (broken) throw new Error('disk I/O error')
    return value
  }
  const table = { claimable: () => read([{ run: 'r', epoch: 0 }]), nextAvailable: () => read(undefined) }
  const hints = createHintHub()
  const queue = createTableQueue(table, { hints, clock })
  const stop = new AbortController()
  const done: string[] = []
  const deliver = async (run: string): Promise<void> => void done.push(run)
  const consumed = queue.consume({ capacity: () => 1, deliver }, { signal: stop.signal })
  await macrotask()
  hints.send({ type: 'queue' })
  await macrotask()
  deepEqual(done, [])
  broken = false
  await clock.advance(1_000)
  await macrotask()
  deepEqual(done, ['r'])
  stop.abort()
  await consumed
})
