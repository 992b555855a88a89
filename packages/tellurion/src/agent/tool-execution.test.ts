import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import { textOf, type ToolMessage } from '../message/message.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import { PendingToolCalls, ToolRegistry, ToolResults } from './component.ts'

const call = (toolName: string, input: object = {}) => ({ toolName, input: input as never })
const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const toolMessages = (messages: readonly { role: string }[]): ToolMessage[] =>
  messages.filter((message) => message.role === 'tool') as ToolMessage[]

const echo = tool({
  description: 'Says it back',
  inputSchema: z.object({ text: z.string() }),
  effects: 'read',
  execute: ({ text }) => text,
})

describe('every call gets exactly one result', () => {
  test('unknown tool, wrong arguments, no JSON, a throw: each is a text the model can act on', async () => {
    const boom = tool({
      description: 'Fails',
      inputSchema: z.object({}),
      execute: () => {
        throw new Error('disk on fire')
      },
    })
    const broken = { type: 'tool-call', toolCallId: 'c4', toolName: 'echo', input: null, invalidInput: '{"text": ' }
    const model = scriptedModel([
      {
        role: 'assistant',
        content: [
          { type: 'tool-call', toolCallId: 'c1', toolName: 'ecko', input: { text: 'x' } },
          { type: 'tool-call', toolCallId: 'c2', toolName: 'echo', input: { text: 5 } },
          { type: 'tool-call', toolCallId: 'c3', toolName: 'boom', input: {} },
          broken as never,
          { type: 'tool-call', toolCallId: 'c5', toolName: 'echo', input: { text: 'fine' } },
        ],
      },
      'done',
    ])
    const result = await new Agent({ name: 'a', model, tools: { echo, boom } }).generate('go')
    const [unknown, wrong, thrown, invalid, fine] = toolMessages(result.messages)
    assert.match(textOf(unknown!), /no tool 'ecko'.*'echo'/)
    assert.match(textOf(wrong!), /text/)
    assert.match(textOf(thrown!), /disk on fire/)
    assert.match(textOf(invalid!), /JSON/)
    assert.equal(fine?.content, 'fine')
    assert.equal(fine?.isError, undefined)
    assert.ok([unknown, wrong, thrown, invalid].every((message) => message?.isError === true))
    assert.equal(result.text, 'done')
  })

  test('arguments that no world can hold are refused, never run', async () => {
    const hostile = JSON.parse('{"text":"x","__proto__":{"polluted":true}}') as never
    const model = scriptedModel([{ calls: [{ toolName: 'echo', input: hostile }] }, 'done'])
    const result = await new Agent({ name: 'a', model, tools: { echo } }).generate('go')
    assert.equal(toolMessages(result.messages)[0]?.isError, true)
    assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  })

  test('calls with the same id, or with no usable one, are told apart', async () => {
    const ids = ['same', 'same', '', 'bell\u0007', 'x'.repeat(300)]
    const calls = ids.map((toolCallId, index) => ({ toolName: 'echo', toolCallId, input: { text: `t${index}` } }))
    const result = await new Agent({ name: 'a', model: scriptedModel([{ calls }, 'done']), tools: { echo } }).generate(
      'go',
    )
    const messages = toolMessages(result.messages)
    assert.equal(new Set(messages.map((message) => message.toolCallId)).size, ids.length)
    assert.deepEqual(messages.map(textOf), ['t0', 't1', 't2', 't3', 't4'])
  })

  test('a timeout aborts the work and the run goes on', async () => {
    const clock = virtualClock()
    let aborted = false
    const slow = tool({
      description: 'Sleeps',
      inputSchema: z.object({}),
      timeout: 50,
      execute: (_input, { abortSignal }) =>
        new Promise(() => abortSignal.addEventListener('abort', () => (aborted = true))),
    })
    const model = scriptedModel([{ calls: [call('slow')] }, 'went on'])
    const running = new Agent({ name: 'a', model, tools: { slow } }).generate('go', { resources: { clock } })
    await clock.runAll()
    const result = await running
    assert.ok(aborted)
    assert.match(textOf(toolMessages(result.messages)[0]!), /50 ms/)
    assert.equal(result.text, 'went on')
  })

  test('cancelling while a tool runs aborts it and ends at once', async () => {
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const hang = tool({
      description: 'Hangs',
      inputSchema: z.object({}),
      execute: (_input, { abortSignal }) => {
        seen = abortSignal
        queueMicrotask(() => queueMicrotask(() => controller.abort()))
        return new Promise(() => {})
      },
    })
    const model = scriptedModel([{ calls: [call('hang')] }])
    const chat = new Agent({ name: 'a', model, tools: { hang } }).session()
    const result = await chat.generate('go', { abortSignal: controller.signal })
    assert.equal(result.status, 'cancelled')
    assert.equal(seen?.aborted, true)
  })

  test('a cancelled batch is closed, its questions withdrawn, and the conversation goes on', async () => {
    const controller = new AbortController()
    const stop = tool({
      description: 'Cancels',
      inputSchema: z.object({}),
      effects: 'read',
      execute: () => controller.abort(),
    })
    const ask = tool({ description: 'Asks', inputSchema: z.object({}), needsApproval: true, execute: () => 'never' })
    const model = scriptedModel([{ calls: [call('ask'), call('stop'), call('stop')] }, 'better'])
    const chat = new Agent({ name: 'a', model, tools: { stop, ask } }).session()
    const cancelled = await chat.generate('go', { abortSignal: controller.signal })
    assert.equal(cancelled.status, 'cancelled')
    assert.deepEqual(cancelled.interactions, [])
    assert.deepEqual(
      toolMessages([...chat.messages]).map((message) => message.toolCallId),
      ['call_1', 'call_2', 'call_3'],
    )
    assert.equal((await chat.generate('again')).text, 'better')
  })
})

describe('batches', () => {
  test('reads run together and results stand in call order, whatever came first', async () => {
    const clock = virtualClock()
    const order: string[] = []
    const wait = tool({
      description: 'Waits',
      inputSchema: z.object({ ms: z.number() }),
      effects: 'read',
      execute: ({ ms }) =>
        new Promise((resolve) => {
          clock.timer(ms, () => {
            order.push(String(ms))
            resolve(String(ms))
          })
        }),
    })
    const model = scriptedModel([{ calls: [30, 10, 20].map((ms) => call('wait', { ms })) }, 'done'])
    const running = new Agent({ name: 'a', model, tools: { wait } }).generate('go', { resources: { clock } })
    await clock.runAll()
    const result = await running
    assert.deepEqual(order, ['10', '20', '30'])
    assert.deepEqual(
      toolMessages(result.messages).map((message) => message.content),
      ['30', '10', '20'],
    )
    assert.equal(clock.now(), 30)
  })

  test('undeclared effects run alone', async () => {
    let running = 0
    let most = 0
    const alone = tool({
      description: 'Counts',
      inputSchema: z.object({}),
      execute: async () => {
        most = Math.max(most, ++running)
        await Promise.resolve()
        running--
        return 'ok'
      },
    })
    const model = scriptedModel([{ calls: [call('alone'), call('alone'), call('alone')] }, 'done'])
    await new Agent({ name: 'a', model, tools: { alone } }).generate('go')
    assert.equal(most, 1)
  })

  test('long results are bounded, and the whole is kept as an artifact', async () => {
    const long = tool({
      description: 'Long',
      inputSchema: z.object({}),
      effects: 'read',
      execute: () => 'é'.repeat(20_000),
    })
    const model = scriptedModel([{ calls: [call('long')] }, 'done'])
    const chat = new Agent({ name: 'a', model, tools: { long } }).session()
    const result = await chat.generate('go')
    const text = textOf(toolMessages(result.messages)[0]!)
    assert.ok(text.length < 10_500)
    const { artifact } = chat.world.require(chat.entity, ToolResults).at(0)!
    assert.ok(text.includes(artifact!.hash))
    assert.equal(new TextDecoder().decode(await chat.artifacts.get(artifact!.hash)), 'é'.repeat(20_000))
  })

  test('a registry hides tools from the model and from its calls; an empty one means none', async () => {
    for (const [names, offered] of [
      [['echo'], ['echo']],
      [[], undefined],
    ] as const) {
      const model = scriptedModel([{ calls: [call('other', { text: 'x' })] }, 'done'])
      const chat = new Agent({ name: 'a', model, tools: { echo, other: echo } }).session()
      chat.world.set(chat.entity, ToolRegistry, { names })
      const result = await chat.generate('go')
      assert.deepEqual(
        model.requests[0]?.tools?.map((spec) => spec.name),
        offered,
      )
      assert.match(textOf(toolMessages(result.messages)[0]!), /no tool 'other'/)
    }
  })
})

describe('approval', () => {
  const ran: string[] = []
  const remove = tool({
    description: 'Removes',
    inputSchema: z.object({ path: z.string() }),
    needsApproval: true,
    execute: ({ path }) => {
      ran.push(path)
      return `removed ${path}`
    },
  })
  const asking = () =>
    scriptedModel([
      { calls: [call('remove', { path: 'a' }), call('echo', { text: 'free' }), call('remove', { path: 'b' })] },
      'done',
    ])

  test('asked calls wait, the others of the batch run, and nothing else does', async () => {
    ran.length = 0
    const chat = new Agent({ name: 'a', model: asking(), tools: { remove, echo } }).session()
    const waiting = await chat.generate('go')
    assert.equal(waiting.status, 'waiting')
    assert.equal(waiting.interactions.length, 2)
    assert.deepEqual(ran, [])
    assert.equal(chat.world.require(chat.entity, ToolResults).length, 1)
    await assert.rejects(chat.generate('are you there?'), code('open_tool_calls'))

    const [first, second] = waiting.interactions
    assert.deepEqual(first?.input, { path: 'a' })
    assert.match(first?.inputHash ?? '', /^[0-9a-f]{64}$/)
    const still = await chat.answer(first!.id, 'approve', { by: 'ada' })
    assert.equal(still.status, 'waiting')
    assert.deepEqual(ran, ['a'])
    const done = await chat.answer(second!.id, { deny: 'not that one' })
    assert.equal(done.text, 'done')
    assert.deepEqual(ran, ['a'])
    const texts = toolMessages([...chat.messages]).map(textOf)
    assert.equal(texts[0], 'removed a')
    assert.equal(texts[1], 'free')
    assert.match(texts[2]!, /not that one/)
    assert.equal(chat.world.has(chat.entity, PendingToolCalls), false)
  })

  test('an answer is taken once, and must fit', async () => {
    const chat = new Agent({ name: 'a', model: asking(), tools: { remove, echo } }).session()
    const { interactions } = await chat.generate('go')
    const { id } = interactions[0]!
    await assert.rejects(chat.answer(id, 'maybe' as never), code('invalid_answer'))
    await assert.rejects(chat.answer(`${id}x`, 'approve'), code('unknown_interaction'))
    await chat.answer(id, 'approve')
    await assert.rejects(chat.answer(id, 'deny'), code('unknown_interaction'))
  })

  test('rules decide before needsApproval, an empty list denies, safe mode asks for all but reads', async () => {
    ran.length = 0
    const verdict = async (approval: ConstructorParameters<typeof Agent>[0]['approval']) => {
      const agent = new Agent({ name: 'a', model: asking(), tools: { remove, echo }, ...(approval && { approval }) })
      const result = await agent.generate('go')
      return { status: result.status, asked: result.interactions.map((each) => each.toolName), ran: ran.splice(0) }
    }
    assert.deepEqual(await verdict([{ allow: '*' }]), { status: 'succeeded', asked: [], ran: ['a', 'b'] })
    assert.deepEqual(await verdict([]), { status: 'succeeded', asked: [], ran: [] })
    const onlyA = [{ allow: 'remove', where: { path: 'a' } }, { deny: 'remove' }, { allow: 'echo' }]
    assert.deepEqual(await verdict(onlyA), { status: 'succeeded', asked: [], ran: ['a'] })
    const safe = { rules: [{ allow: '*' }], safeMode: true }
    assert.deepEqual(await verdict(safe), { status: 'waiting', asked: ['remove', 'remove'], ran: [] })
  })

  test('events tell who was asked and what was decided', async () => {
    const chat = new Agent({ name: 'a', model: asking(), tools: { remove, echo } }).session()
    const seen: Event['type'][] = []
    chat.world.on('*', (event) => seen.push(event.type))
    const { interactions } = await chat.generate('go')
    await chat.answer(interactions[0]!.id, 'approve')
    await chat.answer(interactions[1]!.id, 'deny')
    const about = seen.filter((type) => /^(interaction|tool\.(approved|denied)|run)/.test(type))
    assert.deepEqual(about, [
      'run.started',
      'interaction.requested',
      'interaction.requested',
      'run.waiting',
      'tool.approved',
      'interaction.answered',
      'run.started',
      'run.waiting',
      'tool.denied',
      'interaction.answered',
      'run.started',
      'run.succeeded',
    ])
  })
})
