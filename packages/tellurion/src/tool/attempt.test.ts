import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ToolCallPart } from '../message/message.ts'
import { sleep } from '../clock/clock.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { Attempt } from './attempt.ts'
import { tool } from './tool.ts'

const call: ToolCallPart = { type: 'tool-call', toolCallId: 'c1', toolName: 't', input: {} }

describe('an attempt', () => {
  it('ends once, with what came first: the tool, its timeout, or the abort', async () => {
    const course = fc.record({
      /** Instants that never meet: the tool's, the timeout's and the abort's. */
      work: fc.option(
        fc.nat(9).map((n) => n * 3),
        { nil: Infinity },
      ),
      timeout: fc.option(
        fc.nat(9).map((n) => n * 3 + 1),
        { nil: Infinity },
      ),
      abort: fc.option(
        fc.nat(9).map((n) => n * 3 + 2),
        { nil: Infinity },
      ),
      fails: fc.boolean(),
      obeys: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(course, async ({ work, timeout, abort, fails, obeys }) => {
        fc.pre(Math.min(work, timeout, abort) < Infinity)
        const clock = virtualClock()
        const controller = new AbortController()
        if (abort < Infinity) clock.timer(abort, () => controller.abort())
        const made = tool({
          description: 'd',
          inputSchema: { type: 'object' },
          timeout,
          execute: async (_input, { abortSignal }) => {
            if (work === Infinity)
              await new Promise((_, reject) => obeys && abortSignal.addEventListener('abort', reject))
            else await sleep(work, obeys ? { clock, signal: abortSignal } : { clock })
            if (fails) throw new Error('failed')
            return 'ok'
          },
        })
        const options = { clock, runId: 'r', idempotencyKey: 'k', signal: controller.signal }
        let outcomes = 0
        const ended = Promise.resolve(new Attempt(call, { tool: made, input: {} }, options).run()).then((outcome) => {
          outcomes++
          return { outcome, at: clock.now() }
        })
        await clock.runAll()
        const { outcome, at } = await ended
        const first = Math.min(work, timeout, abort)
        assert.deepEqual([at, outcomes, clock.pending], [first, 1, 0])
        const expected =
          first === work ? (fails ? 'tool_failed' : undefined) : first === timeout ? 'tool_timeout' : 'aborted'
        assert.equal(outcome.code, expected)
        assert.equal(outcome.isError, expected === undefined ? undefined : true)
      }),
      { numRuns: 200 },
    )
  })
})
