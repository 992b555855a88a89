import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { TellurionError } from '../error/error.ts'
import { macrotask } from '../testing/virtual-clock.ts'
import { createChannel, type Channel, type Overflow } from './channel.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

/** The channel as a plain list: what it should do, slowly. */
class Reference {
  readonly items: { item: number; priority: number }[] = []
  readonly blocked: { item: number; priority: number }[] = []
  readonly dropped: number[] = []
  readonly capacity: number
  readonly overflow: Overflow
  paused = false
  closed = false

  constructor(capacity: number, overflow: Overflow) {
    this.capacity = capacity
    this.overflow = overflow
  }

  send(item: number, priority: number): boolean | 'blocked' | 'full' | 'closed' {
    if (this.closed) return 'closed'
    if (this.items.length < this.capacity) {
      this.items.push({ item, priority })
      return true
    }
    if (this.overflow === 'error') return 'full'
    if (this.overflow === 'block') {
      this.blocked.push({ item, priority })
      return 'blocked'
    }
    if (this.overflow === 'drop-newest') {
      this.dropped.push(item)
      return false
    }
    const lowest = Math.min(...this.items.map((held) => held.priority))
    if (lowest > priority) {
      this.dropped.push(item)
      return false
    }
    const [oldest] = this.items.splice(
      this.items.findIndex((held) => held.priority === lowest),
      1,
    )
    this.items.push({ item, priority })
    if (oldest) this.dropped.push(oldest.item)
    return true
  }

  poll(): number | undefined {
    if (this.paused || this.items.length === 0) return undefined
    const highest = Math.max(...this.items.map((held) => held.priority))
    const [first] = this.items.splice(
      this.items.findIndex((held) => held.priority === highest),
      1,
    )
    const sender = this.blocked.shift()
    if (sender) this.items.push(sender)
    return first?.item
  }
}

type Step = { do: 'send'; priority: number } | { do: 'poll' | 'pause' | 'resume' | 'close' }

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), priority: fc.nat(2) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('poll' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
  ),
  { maxLength: 80 },
)

function sendBoth(channel: Channel<number>, reference: Reference, item: number, priority: number): void {
  const expected = reference.send(item, priority)
  if (expected === 'closed') assert.throws(() => channel.send(item, priority), code('channel_closed'))
  else if (expected === 'full') assert.throws(() => channel.send(item, priority), code('channel_full'))
  else {
    const sent = channel.send(item, priority)
    if (expected !== 'blocked') assert.equal(sent, expected)
    else {
      assert.ok(sent instanceof Promise)
      sent.catch(() => {})
    }
  }
}

test('a channel does what a plain list would do, whatever the policy and the order of calls', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Overflow>('block', 'drop-oldest', 'drop-newest', 'error'),
      fc.integer({ min: 1, max: 5 }),
      steps,
      (overflow, capacity, plan) => {
        const dropped: number[] = []
        const channel = createChannel<number>({
          capacity,
          overflow,
          priorities: 3,
          onDrop: (item) => dropped.push(item),
        })
        const reference = new Reference(capacity, overflow)
        let item = 0
        for (const step of plan as Step[]) {
          if (step.do === 'send') sendBoth(channel, reference, ++item, step.priority)
          else if (step.do === 'poll') assert.equal(channel.poll(), reference.poll())
          else if (step.do === 'close') {
            channel.close()
            Object.assign(reference, { closed: true, paused: false })
            reference.blocked.length = 0
          } else {
            channel[step.do]()
            reference.paused = step.do === 'pause' && !reference.closed
          }
          assert.equal(channel.size, reference.items.length)
          assert.ok(channel.size <= capacity)
        }
        assert.deepEqual(dropped, reference.dropped)
        assert.equal(channel.dropped, dropped.length)
      },
    ),
    { numRuns: 500 },
  )
})

test('nothing sent is lost or repeated between producers that block and a reader that pauses', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      async (capacity, counts, pauses) => {
        const channel = createChannel<string>({ capacity, overflow: 'block' })
        const producers = counts.map(async (count, who) => {
          for (let n = 0; n < count; n++) await channel.send(`${who}:${n}`)
        })
        const all = Promise.all(producers).then(() => channel.close())
        const read: string[] = []
        for await (const item of channel) {
          read.push(item)
          if (pauses.shift()) {
            channel.pause()
            void Promise.resolve().then(() => channel.resume())
          }
        }
        await all
        counts.forEach((count, who) => {
          const own = read.filter((item) => item.startsWith(`${who}:`))
          assert.deepEqual(
            own,
            Array.from({ length: count }, (_, n) => `${who}:${n}`),
          )
        })
        assert.equal(
          read.length,
          counts.reduce((sum, count) => sum + count, 0),
        )
      },
    ),
    { numRuns: 100 },
  )
})

test('an item that is there costs no promise', () => {
  const channel = createChannel<number>({ capacity: 2, overflow: 'block' })
  assert.equal(channel.send(1), true)
  assert.equal(channel.ready(), true)
  assert.equal(channel.poll(), 1)
  assert.equal(channel.poll(), undefined)
})

test('closing wakes a waiting reader, blocked senders and those who drain', async () => {
  const full = createChannel<number>({ capacity: 1, overflow: 'block' })
  full.send(1)
  const blocked = full.send(2)
  const drained = full.drain()
  full.close()
  await assert.rejects(async () => blocked, code('channel_closed'))
  assert.equal(await full.receive(), 1, 'what was inside is still delivered')
  await drained
  assert.equal(await full.receive(), undefined)

  const empty = createChannel<number>({ capacity: 1, overflow: 'block' })
  const waiting = empty.receive()
  empty.close()
  assert.equal(await waiting, undefined)
})

test('closing with an error delivers what is inside and then rejects', async () => {
  const channel = createChannel<number>({ capacity: 4, overflow: 'error' })
  channel.send(1)
  channel.close(new TellurionError('slow_reader', 'too slow'))
  const read: number[] = []
  await assert.rejects(async () => {
    for await (const item of channel) read.push(item)
  }, code('slow_reader'))
  assert.deepEqual(read, [1])
})

test('closing a paused channel ends the pause, so that nobody waits for ever', async () => {
  const channel = createChannel<number>({ capacity: 2, overflow: 'error' })
  channel.pause()
  channel.send(7)
  const waiting = channel.receive()
  const drained = channel.drain()
  channel.close()
  assert.equal(await waiting, 7)
  await drained
})

test('a paused reader waits although items are there, and goes on with resume', async () => {
  const channel = createChannel<number>({ capacity: 2, overflow: 'error' })
  channel.pause()
  let got: number | undefined
  const reading = channel.receive().then((item) => (got = item))
  channel.send(5)
  await macrotask()
  assert.equal(got, undefined)
  channel.resume()
  await reading
  assert.equal(got, 5)
})

test('aborting wakes everybody with the reason and leaves no listener', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const channel = createChannel<number>({ capacity: 1, overflow: 'block', signal })
  channel.send(1)
  const blocked = channel.send(2)
  const drained = channel.drain()
  const reason = new Error('enough')
  controller.abort(reason)
  await assert.rejects(async () => blocked, reason)
  await assert.rejects(drained, reason)
  await assert.rejects(channel.receive(), reason)
  assert.throws(() => channel.send(3), reason)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('one waiter can be cancelled alone; the others are not disturbed', async () => {
  const channel = createChannel<number>({ capacity: 1, overflow: 'block' })
  channel.send(1)
  const controller = new AbortController()
  const { signal } = controller
  const first = channel.send(2, 0, { signal })
  const second = channel.send(3)
  controller.abort(new Error('gone'))
  await assert.rejects(async () => first, /gone/)
  assert.equal(await channel.receive(), 1)
  assert.equal(await second, true)
  assert.equal(await channel.receive(), 3)

  const reader = new AbortController()
  const reading = channel.receive({ signal: reader.signal })
  reader.abort()
  await assert.rejects(reading, { name: 'AbortError' })
  channel.send(4)
  assert.equal(await channel.receive(), 4, 'the item goes to the next reader')
  for (const used of [signal, reader.signal]) assert.equal(getEventListeners(used, 'abort').length, 0)
})

test('leaving the loop early closes the channel and lets blocked senders go', async () => {
  const channel = createChannel<number>({ capacity: 1, overflow: 'block' })
  channel.send(1)
  const blocked = Promise.resolve(channel.send(2))
  const outcome = assert.rejects(blocked, code('channel_closed'))
  for await (const item of channel) if (item === 1) break
  // The reader took 1, which let 2 in before the loop was left: it is dropped with the rest.
  await Promise.allSettled([outcome])
  assert.equal(channel.closed, true)
  assert.equal(channel.size, 0)
})

test('misuse says what to write instead', () => {
  assert.throws(() => createChannel({ capacity: 0, overflow: 'block' }), /'capacity' must be a whole number/)
  assert.throws(() => createChannel({ capacity: 1, overflow: 'drop-odlest' as Overflow }), /Did you mean 'drop-oldest'/)
  const channel = createChannel<number>({ capacity: 1, overflow: 'block' })
  assert.throws(() => channel.send(1, 3), /this channel has 0 to 0/)
  void channel.receive()
  assert.throws(() => channel.ready(), code('channel_busy'))
  channel.close()
})
