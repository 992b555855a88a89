// The law of cancelling: wherever a turn is aborted, every call has exactly one result, nothing is left waiting or
// ticking, and the session takes the next turn.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { sleep } from '../clock/clock.ts'
import { assistant, toolCallsOf, user, type Message, type Messages } from '../message/message.ts'
import type { ModelRequest } from '../port/model.ts'
import { scriptedModel, type ScriptedReply } from '../testing/scripted-model.ts'
import { virtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { Wait } from '../world/lifecycle.ts'
import { Agent } from './agent.ts'
import { PendingToolCalls } from './component.ts'
import type { Session } from './session.ts'

/** What is wrong with a conversation, or undefined. */
function fault(messages: Messages): string | undefined {
  const open: string[] = []
  for (const message of messages) {
    if (message.role === 'tool') {
      const expected = open.shift()
      if (expected !== message.toolCallId) return `a result of ${message.toolCallId} where ${expected} was due`
    } else if (open.length > 0) return `a message of ${message.role} while ${open[0]} was open`
    if (message.role !== 'assistant') continue
    const calls = toolCallsOf(message)
    if (message.partial && calls.length > 0) return 'a partial reply with calls'
    open.push(...calls.map((call) => call.toolCallId))
  }
  return open.length === 0 ? undefined : `${open.join(', ')} without a result`
}

const kinds = ['read', 'write', 'alone', 'asks', 'stubborn', 'instant', 'unknown', 'slowApproval'] as const
type Kind = (typeof kinds)[number]

interface Plan {
  /** The tools of each reply but the last. */
  readonly replies: readonly (readonly Kind[])[]
  readonly answers: readonly ('approve' | 'deny')[]
  readonly streams: boolean
  /** When to abort: at an event, at a virtual time, or so many promise jobs after the start. */
  readonly abort: { readonly at: 'event' | 'time' | 'job'; readonly count: number }
}

function replies(plan: Plan): (request: ModelRequest) => ScriptedReply {
  let asked = 0
  return () => {
    const calls = plan.replies[asked++]
    if (calls === undefined || calls.length === 0) return 'The end.'
    return {
      text: 'Working on it.',
      calls: calls.map((toolName, index) => ({ toolName, toolCallId: `${asked}-${index}`, input: { path: 'a' } })),
    }
  }
}

function toolsOn(clock: VirtualClock) {
  const made = (effects: 'read' | 'exclusive' | { mode: 'write'; paths: () => string[] }, ms: number) =>
    tool({
      description: 'Takes a while',
      inputSchema: z.object({ path: z.string() }),
      effects,
      execute: async (_input, { abortSignal }) => {
        await sleep(ms, { clock, signal: abortSignal })
        return 'done'
      },
    })
  return {
    read: made('read', 10),
    write: made({ mode: 'write', paths: () => ['a'] }, 7),
    alone: made('exclusive', 5),
    asks: tool({ description: 'Asks', inputSchema: z.object({}), needsApproval: true, execute: () => 'allowed' }),
    slowApproval: tool({
      description: 'Thinks about asking',
      inputSchema: z.object({}),
      needsApproval: async () => {
        await sleep(3, { clock })
        return false
      },
      execute: () => 'allowed',
    }),
    stubborn: tool({
      description: 'Does not heed its signal',
      inputSchema: z.object({}),
      effects: 'read',
      execute: async () => {
        await sleep(50, { clock })
        return 'late'
      },
    }),
    instant: tool({ description: 'At once', inputSchema: z.object({}), effects: 'read', execute: () => 'now' }),
  }
}

/** Takes one turn, with every answer, while the clock moves on. */
async function turn(session: Session, clock: VirtualClock, plan: Plan): Promise<string> {
  const controller = new AbortController()
  const { at, count } = plan.abort
  let left = count
  const strike = (): void => {
    if (left-- === 0) controller.abort()
  }
  const unsubscribe = at === 'event' ? session.world.on('*', strike) : undefined
  const cancelTimer = at === 'time' ? clock.timer(count, () => controller.abort()) : undefined
  const jobs = async (): Promise<void> => {
    for (let job = 0; job < count; job++) await Promise.resolve()
    controller.abort()
  }
  const options = { abortSignal: controller.signal, resources: { clock } }
  const work = async (): Promise<string> => {
    let result = plan.streams ? await session.stream('Go', options).result() : await session.generate('Go', options)
    for (let index = 0; result.status === 'waiting'; index++) {
      const { id } = result.interactions.at(index % 2 === 0 ? -1 : 0)!
      result = await session.answer(id, plan.answers[index % plan.answers.length]!, { abortSignal: controller.signal })
    }
    return result.status
  }
  const ended = work()
  if (at === 'job') void jobs()
  let over = false
  void ended.then(
    () => (over = true),
    () => (over = true),
  )
  while (!over) await clock.advance(1)
  unsubscribe?.()
  cancelTimer?.()
  return ended
}

const plans = fc.record({
  replies: fc.array(fc.array(fc.constantFrom(...kinds), { maxLength: 5 }), { minLength: 1, maxLength: 3 }),
  answers: fc.array(fc.constantFrom('approve' as const, 'deny' as const), { minLength: 1, maxLength: 3 }),
  streams: fc.boolean(),
  abort: fc.record({ at: fc.constantFrom('event', 'time', 'job'), count: fc.nat({ max: 60 }) }),
}) satisfies fc.Arbitrary<Plan>

describe('a turn that is aborted anywhere', () => {
  test('is judged by a law that sees what is wrong', () => {
    const reply = assistant([{ type: 'tool-call', toolCallId: 'c', toolName: 'read', input: {} }])
    const result = { role: 'tool', toolCallId: 'c', toolName: 'read', content: '' } as const
    assert.equal(fault([user('Go'), reply, result]), undefined)
    for (const wrong of [
      [reply],
      [reply, user('Go'), result],
      [reply, result, result],
      [{ ...reply, partial: true }],
    ]) {
      assert.notEqual(fault(wrong as Message[]), undefined)
    }
  })

  test('leaves a whole conversation, nothing open, and a session that goes on', async () => {
    const seen = { succeeded: 0, cancelled: 0 }
    const law = fc.asyncProperty(plans, async (plan) => {
      const clock = virtualClock()
      const model = scriptedModel(replies(plan), { delay: 2, chunkSize: 4, clock, keepRequests: false })
      const session = new Agent({ name: 'a', model, tools: toolsOn(clock) }).session()
      const status = await turn(session, clock, plan)
      if (status === 'succeeded' || status === 'cancelled') seen[status]++
      assert.ok(status === 'succeeded' || status === 'cancelled', status)
      assert.equal(fault(session.messages), undefined)
      assert.deepEqual(session.interactions, [])
      assert.equal(session.world.has(session.entity, PendingToolCalls), false)
      assert.equal(session.world.has(session.entity, Wait), false)
      const before = session.messages.length
      const next = { replies: [['alone', 'write', 'read']], answers: ['approve'], streams: false } as const
      const length = { at: 'time', count: 1_000_000 } as const
      const again = turn(session, clock, { ...next, abort: length })
      assert.equal(await again, 'succeeded')
      assert.equal(fault(session.messages), undefined)
      assert.ok(session.messages.length > before)
      await clock.advance(100)
      assert.equal(clock.pending, 0)
    })
    await fc.assert(law, { numRuns: 300 })
    assert.ok(seen.succeeded > 10 && seen.cancelled > 100, JSON.stringify(seen))
  })
})
