import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { user } from '../message/message.ts'
import type { Model, ModelRequest } from '../port/model.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import { complete } from './collect.ts'
import { limit } from './limit.ts'

const request: ModelRequest = { messages: [user('hi')] }

/** A model whose calls take `time`, and that notes when each one began and how many ran beside it. */
function observed(clock: VirtualClock, time: number, tokens = 1) {
  const starts: number[] = []
  const order: string[] = []
  let running = 0
  let most = 0
  const inner = scriptedModel((asked) => {
    starts.push(clock.now())
    order.push(String(asked.messages.at(0)?.content))
    most = Math.max(most, ++running)
    return { text: 'x', usage: { inputTokens: 0, outputTokens: tokens, totalTokens: tokens } }
  })
  const model: Model = {
    name: 'test/observed',
    async *stream(asked, options) {
      try {
        for await (const event of inner.stream(asked, options)) {
          if (event.type === 'finish') await new Promise<void>((resolve) => clock.timer(time, resolve))
          yield event
        }
      } finally {
        running--
      }
    },
  }
  return { model, starts, order, most: () => most }
}

test('no more calls run at once than allowed, in the order they came', async () => {
  const clock = virtualClock()
  const seen = observed(clock, 100)
  const model = limit(seen.model, { concurrency: 3, clock })
  const names = Array.from({ length: 10 }, (_, index) => `call ${index}`)
  const all = Promise.all(names.map((name) => complete(model, { messages: [user(name)] })))
  await clock.runAll()
  assert.ok((await all).every((reply) => reply.status === 'finished'))
  assert.equal(seen.most(), 3)
  assert.deepEqual(seen.order, names)
  assert.equal(clock.now(), 400)
})

test('over any 60 seconds there are never more requests than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 20 }),
      async (requestsPerMinute, arrivals) => {
        const clock = virtualClock()
        const seen = observed(clock, 10)
        const model = limit(seen.model, { requestsPerMinute, clock })
        const replies: Promise<unknown>[] = []
        for (const at of arrivals) clock.timer(at, () => void replies.push(complete(model, request)))
        await clock.runAll()
        await Promise.all(replies)
        assert.equal(seen.starts.length, arrivals.length)
        seen.starts.forEach((start, index) => {
          const earlier = seen.starts[index - requestsPerMinute]
          if (earlier !== undefined) assert.ok(start - earlier >= 60_000)
        })
        // Never idle: a call waits only when the last minute is full.
        assert.ok(
          (seen.starts.at(-1) ?? 0) <= Math.max(...arrivals) + 60_000 * Math.ceil(arrivals.length / requestsPerMinute),
        )
        assert.equal(clock.pending, 0)
      },
    ),
    { numRuns: 60 },
  )
})

test('tokens are reserved before the call and corrected to what it used', async () => {
  const clock = virtualClock()
  const seen = observed(clock, 1_000, 40)
  const model = limit(seen.model, { tokensPerMinute: 100, clock })
  const asking = { ...request, maxOutputTokens: 70 }
  const all = Promise.all([1, 2, 3].map(() => complete(model, asking)))
  await clock.runAll()
  await all
  // The first reserves about 75 and uses 40. Not before then does the second's reservation fit, and that not either:
  // 40 + 75 is too much, so it waits for the minute to pass.
  assert.deepEqual(seen.starts, [0, 60_000, 120_000])

  const small = observed(clock, 1_000, 10)
  const loose = limit(small.model, { tokensPerMinute: 100, clock })
  const before = clock.now()
  const more = Promise.all([1, 2].map(() => complete(loose, { ...request, maxOutputTokens: 60 })))
  await clock.runAll()
  await more
  assert.deepEqual(
    small.starts.map((start) => start - before),
    [0, 1_000],
    'the second goes when the first has given back what it did not use',
  )
})

test('one call larger than the bound goes alone instead of waiting for ever', async () => {
  const clock = virtualClock()
  const seen = observed(clock, 10, 500)
  const model = limit(seen.model, { tokensPerMinute: 100, clock })
  const replying = complete(model, { ...request, maxOutputTokens: 500 })
  await clock.runAll()
  assert.equal((await replying).status, 'finished')
})

test('whoever is cancelled leaves the line, and the line is bounded', async () => {
  const clock = virtualClock()
  const seen = observed(clock, 100)
  const model = limit(seen.model, { concurrency: 1, maxWaiting: 2, clock })
  const first = complete(model, { messages: [user('1')] })
  const controller = new AbortController()
  const second = complete(model, { messages: [user('2')] }, { signal: controller.signal })
  const third = complete(model, { messages: [user('3')] })
  const fourth = await complete(model, { messages: [user('4')] })
  assert.ok(fourth.status === 'failed')
  assert.equal(fourth.failure.code, 'model_rate_limit')
  assert.match(fourth.failure.message, /2 calls wait already/)
  controller.abort()
  assert.equal((await second).status, 'aborted')
  await clock.runAll()
  await Promise.all([first, third])
  assert.deepEqual(seen.order, ['1', '3'])
})

test('a limit without a bound is refused', () => {
  assert.throws(() => limit(scriptedModel([]), {}), /at least one of 'concurrency'/)
  assert.throws(() => limit(scriptedModel([]), { concurrency: 0 }), /'concurrency' must be a number of at least 1/)
})
