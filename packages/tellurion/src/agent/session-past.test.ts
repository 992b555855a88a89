import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import { textOf } from '../message/message.ts'
import type { Event } from '../event/event.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { defineSystem } from '../world/system.ts'
import { Agent, type AgentOptions } from './agent.ts'
import { checkpoint } from './checkpoint.ts'
import { wishCheckpoint } from './checkpoint-label.ts'
import { Checkpoint, Conversation, PendingToolCalls } from './component.ts'
import type { Session } from './session.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const said = ({ messages }: Session): string => [...messages].map(textOf).join(' ')

/** Says the request again, louder; what begins with `use` is a call that asks a person. */
function parrot(options: Partial<AgentOptions> = {}): { agent: Agent; removed: string[] } {
  const removed: string[] = []
  const remove = tool({
    description: 'Removes',
    inputSchema: z.object({ name: z.string() }),
    needsApproval: true,
    execute: ({ name }) => void removed.push(name),
  })
  const model = scriptedModel(({ messages }) => {
    const newest = messages.at(-1)!
    if (newest.role === 'tool') return 'REMOVED'
    const text = textOf(newest)
    return text.startsWith('use') ? { calls: [{ toolName: 'remove', input: { name: text } }] } : text.toUpperCase()
  })
  return { agent: new Agent({ name: 'parrot', model, tools: { remove }, ...options }), removed }
}

describe('the past of a session', () => {
  test('undo goes back to before the last turn, or several', async () => {
    const chat = parrot().agent.session()
    for (const word of ['a', 'b', 'c']) await chat.generate(word)
    await chat.undo()
    assert.equal(said(chat), 'a A b B')
    const { messages } = await chat.generate('d')
    assert.deepEqual(messages.map(textOf), ['d', 'D'])
    await chat.undo({ turns: 2 })
    assert.equal(said(chat), 'a A')
    await chat.undo()
    assert.equal(said(chat), '')
    await assert.rejects(chat.undo(), /0 turns to undo/)
    assert.equal((await chat.generate('again')).text, 'AGAIN')
  })

  test('with nothing to undo, a clear error, and nothing has changed', async () => {
    const chat = parrot().agent.session()
    await assert.rejects(chat.undo(), code('unknown_tick'))
    await chat.generate('a')
    for (const turns of [2, 0, -1, Number.NaN, 0.5]) await assert.rejects(chat.undo({ turns }), code('unknown_tick'))
    assert.equal(said(chat), 'a A')
  })

  test('a turn that waits for a person can be undone, and answered after another was', async () => {
    const { agent, removed } = parrot()
    const chat = agent.session()
    await chat.generate('a')
    assert.equal((await chat.generate('use it')).status, 'waiting')
    await chat.undo()
    assert.deepEqual(chat.interactions, [])
    assert.equal(chat.world.has(chat.entity, PendingToolCalls), false)
    const { interactions } = await chat.generate('use that')
    const result = await chat.answer(interactions[0]!.id, 'approve')
    assert.deepEqual([removed, result.messages.map(textOf)[0]], [['use that'], 'use that'])
    assert.equal(said(chat).startsWith('a A use that'), true)
  })

  test('what was changed between turns belongs to the turn before', async () => {
    const chat = parrot().agent.session()
    await chat.generate('a')
    chat.world.append(chat.entity, Conversation, { role: 'assistant', content: [{ type: 'text', text: 'by hand' }] })
    await chat.generate('b')
    await chat.undo()
    assert.equal(said(chat), 'a A by hand')
  })

  test('a turn that ended before its first tick is undone with the next, and its messages are its own', async () => {
    const chat = parrot().agent.session()
    const cancelled = await chat.generate('a', { abortSignal: AbortSignal.abort() })
    assert.equal(cancelled.status, 'cancelled')
    const { messages } = await chat.generate('b')
    assert.deepEqual(messages.map(textOf), ['b', 'B'])
    await chat.undo()
    assert.equal(said(chat), '')
  })

  test('labels can be gone back to, again and again, and tell of it', async () => {
    const chat = parrot().agent.session()
    const events: Event[] = []
    chat.world.on('*', (event) => void (event.type.startsWith('checkpoint.') && events.push(event)))
    await chat.generate('a')
    const tick = await chat.checkpoint('liked')
    assert.deepEqual(chat.checkpoints, { liked: tick })
    for (const word of ['b', 'c']) {
      await chat.generate(word)
      await chat.checkpoint('worse')
      await chat.restore('liked')
      assert.deepEqual([said(chat), chat.checkpoints], ['a A', { liked: tick }])
    }
    await chat.undo()
    await assert.rejects(chat.restore('liked'), code('unknown_tick'))
    assert.equal(said(chat), '')
    const told = events.map((event) => [event.type, 'label' in event ? event.label : undefined])
    assert.deepEqual(told.slice(-2), [
      ['checkpoint.restored', 'liked'],
      ['checkpoint.restored', undefined],
    ])
  })

  test('labels that the system gives in the middle of a turn can be gone back to', async () => {
    const wishes = defineSystem({
      name: 'wishes',
      priority: 6,
      query: [PendingToolCalls],
      each: (entity, world) => void (world.has(entity, Checkpoint) || wishCheckpoint(world, entity, 'asked')),
    })
    const { agent, removed } = parrot({ systems: [checkpoint, wishes] })
    const chat = agent.session()
    await chat.generate('a')
    const waiting = await chat.generate('use it')
    const { id } = waiting.interactions[0]!
    await chat.answer(id, { deny: 'no' })
    assert.deepEqual(removed, [])
    await chat.restore('asked')
    assert.equal(chat.interactions[0]?.id, id)
    const result = await chat.answer(id, 'approve')
    assert.deepEqual([removed, result.messages.map(textOf).at(-1), result.messages.length], [['use it'], 'REMOVED', 4])
  })

  test('is left alone in the middle of a turn', async () => {
    const chat = parrot().agent.session()
    await chat.generate('a')
    await chat.checkpoint('here')
    const going = chat.generate('b')
    for (const act of [chat.undo(), chat.checkpoint('there'), chat.restore('here')]) {
      await assert.rejects(act, code('already_running'))
    }
    await going
    assert.equal(said(chat), 'a A b B')
  })

  test('keeps the newest hundred turns', async () => {
    const chat = parrot().agent.session()
    for (let turn = 0; turn < 102; turn++) await chat.generate(`t${turn}`)
    await assert.rejects(chat.undo({ turns: 101 }), code('unknown_tick'))
    await chat.undo({ turns: 100 })
    assert.equal(said(chat), 't0 T0 t1 T1')
  })
})
