import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assistant, system, toolCallsOf, user, type Message } from '../message/message.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { run } from '../world/runner.ts'
import { World } from '../world/world.ts'
import { Agent } from './agent.ts'
import { Conversation, ConversationLimit, PendingToolCalls } from './component.ts'
import { memory } from './memory.ts'

async function trim(
  messages: readonly Message[],
  limit?: { max: number | null; keep?: number },
): Promise<{
  left: Message[]
  removed: number[]
}> {
  const world = new World({ systems: [memory] })
  const entity = world.spawn(Conversation(messages))
  if (limit !== undefined) world.set(entity, ConversationLimit, limit)
  const removed: number[] = []
  world.on('conversation.truncated', (event) => removed.push(event.removedCount))
  await run(world)
  return { left: world.require(entity, Conversation).toArray(), removed }
}

const exchanges = (count: number): Message[] =>
  Array.from({ length: count }, (_, index) => [user(`q${index}`), assistant(`a${index}`)]).flat()

test('past 100 messages the oldest exchanges go, down to 80 % of the limit', async () => {
  const { left, removed } = await trim([system('stay'), ...exchanges(60)])
  assert.ok(left.length <= 80 && left.length > 75)
  assert.deepEqual(left[0], system('stay'))
  assert.equal(left[1]?.role, 'user')
  assert.deepEqual(left.at(-1), assistant('a59'))
  assert.deepEqual(removed, [121 - left.length])
})

test('at or under the limit nothing goes and nothing is said', async () => {
  const { left, removed } = await trim(exchanges(50))
  assert.equal(left.length, 100)
  assert.deepEqual(removed, [])
})

test('keep: 1 trims to the limit itself; null never trims', async () => {
  assert.equal((await trim(exchanges(10), { max: 6, keep: 1 })).left.length, 6)
  assert.equal((await trim(exchanges(200), { max: null })).left.length, 400)
})

test('one exchange that is longer than the limit keeps its request', async () => {
  const long = [user('the task'), ...Array.from({ length: 30 }, (_, index) => round(index)).flat()]
  const { left } = await trim(long, { max: 20 })
  assert.deepEqual(left[0], user('the task'))
  assert.equal(left[1]?.role, 'assistant')
  assert.ok(left.length <= 17 && left.length >= 14)
  assertPaired(left)
})

test('a trim in the middle of a turn leaves its result', async () => {
  const calls = [{ toolName: 'look', input: {} }]
  const look = tool({ description: 'Looks', inputSchema: { type: 'object' }, effects: 'read', execute: () => 'seen' })
  for (const rounds of [0, 1, 9]) {
    const replies = [...Array.from({ length: 4 }, () => 'hello'), ...Array.from({ length: rounds }, () => ({ calls }))]
    const session = new Agent({ name: 'a', model: scriptedModel([...replies, 'done']), tools: { look } }).session()
    session.world.set(session.entity, ConversationLimit, { max: 8 })
    for (let turn = 0; turn < 4; turn++) assert.equal((await session.generate(`q${turn}`)).messages.length, 2)
    const { text, messages } = await session.generate('last')
    assert.equal(text, 'done')
    assert.deepEqual(messages[0], user('last'))
    assert.ok(messages.length <= session.messages.length)
  }
})

test('a conversation with open calls is left alone', async () => {
  const world = new World({ systems: [memory] })
  const call = { toolCallId: 'c', toolName: 't', input: {}, key: 'k' }
  const entity = world.spawn(Conversation(exchanges(100)), PendingToolCalls([call]))
  await run(world)
  assert.equal(world.require(entity, Conversation).length, 200)
})

function round(index: number): Message[] {
  const toolCallId = `c${index}`
  return [
    assistant([{ type: 'tool-call', toolCallId, toolName: 't', input: {} }]),
    { role: 'tool', toolCallId, toolName: 't', content: 'r' },
  ]
}

function assertPaired(messages: readonly Message[]): void {
  const open = new Set<string>()
  for (const message of messages) {
    if (message.role === 'tool') assert.ok(open.delete(message.toolCallId), 'a result without its call')
    else assert.equal(open.size, 0, 'a call without its result')
    for (const call of toolCallsOf(message)) open.add(call.toolCallId)
  }
  assert.equal(open.size, 0)
}

test('law: trimming never separates a call from its results, and keeps system text and newest message', async () => {
  let id = 0
  const exchange = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 }).map((calls): Message[] => [
    user('q'),
    ...calls.flatMap((count): Message[] => {
      const ids = Array.from({ length: count }, () => `c${id++}`)
      const parts = ids.map((toolCallId) => ({ type: 'tool-call' as const, toolCallId, toolName: 't', input: {} }))
      const results = ids.map((toolCallId) => ({ role: 'tool' as const, toolCallId, toolName: 't', content: 'r' }))
      return [assistant(parts.length === 0 ? 'text' : parts), ...results]
    }),
  ])
  await fc.assert(
    fc.asyncProperty(
      fc.array(exchange, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      async (list, withSystem, max) => {
        const messages = [...(withSystem ? [system('s')] : []), ...list.flat()]
        const { left, removed } = await trim(messages, { max })
        assertPaired(left)
        assert.deepEqual(left.at(-1), messages.at(-1))
        if (withSystem) assert.equal(left[0]?.role, 'system')
        assert.equal(left.length + (removed[0] ?? 0), messages.length)
        const request = messages.findLast((message) => message.role === 'user')
        assert.ok(left.includes(left.findLast((message) => message.role === 'user')!))
        assert.deepEqual(
          left.findLast((message) => message.role === 'user'),
          request,
        )
      },
    ),
    { numRuns: 300 },
  )
})
