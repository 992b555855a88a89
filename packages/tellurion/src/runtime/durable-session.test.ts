import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { TellurionError } from '../error/error.ts'
import { textOf } from '../message/message.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { macrotask, virtualClock } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import type { RunContext } from './agent-runtime.ts'
import { createRuntime, type Runtime } from './runtime.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

for (const material of materials) {
  describe(`a durable session on ${material}`, () => {
    const open = (agent: Agent, more = {}): Promise<Runtime> =>
      createRuntime({ store: backendPlace(material), agents: [agent], ...more })
    const echo = () => scriptedModel(({ messages }) => `You said ${textOf(messages.at(-1)!)}`)

    test('remembers, whoever holds it', async () => {
      await using runtime = await open(new Agent({ name: 'guide', model: echo() }))
      const chat = runtime.session('guide', { id: 's1' })
      assert.equal((await chat.generate('one')).text, 'You said one')
      assert.equal((await runtime.session('guide', { id: 's1' }).generate('two')).text, 'You said two')
      assert.deepEqual((await chat.messages()).map(textOf), ['one', 'You said one', 'two', 'You said two'])
      const [session] = await runtime.sessions()
      assert.equal(session?.id, 's1')
    })

    test('streams like a chat in memory', async () => {
      await using runtime = await open(new Agent({ name: 'guide', model: echo() }))
      const turn = runtime.session('guide').stream('hello')
      const types: string[] = []
      for await (const event of turn) types.push(event.type)
      assert.equal(types.at(-1), 'run.succeeded')
      assert.equal((await turn.result()).text, 'You said hello')
    })

    test('waits for answers and goes on', async () => {
      const ask = tool({ description: 'a', inputSchema: z.object({}), needsApproval: true, execute: () => 'did it' })
      const model = scriptedModel([{ calls: [{ toolName: 'ask', input: {} }] }, 'Done.'])
      await using runtime = await open(new Agent({ name: 'guide', model, tools: { ask } }))
      const chat = runtime.session('guide')
      let result = await chat.generate('go')
      while (result.status === 'waiting') result = await chat.answer(result.interactions[0]!.id, 'approve')
      assert.equal(result.text, 'Done.')
      await assert.rejects(chat.answer('nope', 'approve'), code('unknown_interaction'))
    })

    test('tells what was said to agents of any make, too', async () => {
      const shout = { key: 'shout', run: async ({ input }: RunContext) => ({ output: String(input).toUpperCase() }) }
      await using runtime = await createRuntime({ store: backendPlace(material), agents: [shout] })
      const chat = runtime.session('shout')
      await chat.generate('hello')
      assert.deepEqual((await chat.messages()).map(textOf), ['hello', 'HELLO'])
    })

    test('goes back by turns; what was undone does not stand', async () => {
      await using runtime = await open(new Agent({ name: 'guide', model: echo() }))
      const chat = runtime.session('guide')
      for (const text of ['one', 'two', 'three']) await chat.generate(text)
      await chat.undo({ turns: 2 })
      assert.deepEqual((await chat.messages()).map(textOf), ['one', 'You said one'])
      await chat.generate('four')
      await chat.undo()
      await chat.generate('five')
      assert.deepEqual((await chat.messages()).map(textOf), ['one', 'You said one', 'five', 'You said five'])
      await assert.rejects(chat.undo({ turns: 3 }), { code: 'unknown_tick', message: /has 2 turns to undo, not 3\.$/ })
      for (const turns of [0, -1, 1.5, NaN])
        await assert.rejects(chat.undo({ turns }), /turns is a whole number from 1/)
    })

    test('is deleted when nobody touched it for long, but not while a run is live', async () => {
      const clock = virtualClock(1_000_000)
      const ask = tool({ description: 'a', inputSchema: z.object({}), needsApproval: true, execute: () => 'x' })
      const model = scriptedModel(({ messages }) =>
        textOf(messages.at(-1)!) === 'ask' ? { calls: [{ toolName: 'ask', input: {} }] } : 'ok',
      )
      const agent = new Agent({ name: 'guide', model, tools: { ask } })
      await using runtime = await open(agent, { ports: { clock }, patience: { idle: 3_600_000 } })
      const working = async <T>(work: Promise<T>): Promise<T> => {
        let done = false
        const ended = work.finally(() => (done = true))
        while (!done) {
          await clock.advance(10)
          await macrotask()
        }
        return ended
      }
      await working(runtime.session('guide', { id: 'idle' }).generate('hello'))
      await working(runtime.session('guide', { id: 'asking' }).generate('ask'))
      const names = async () => (await runtime.sessions()).map(({ id }) => id).toSorted()
      assert.deepEqual(await names(), ['asking', 'idle'])
      for (let minute = 0; minute < 70; minute++) {
        await clock.advance(60_000)
        await macrotask()
      }
      assert.deepEqual(await names(), ['asking'])
    })

    test('is counted and limited, but not those that runs have for themselves', async () => {
      await using runtime = await open(new Agent({ name: 'guide', model: echo() }), { maxSessions: 2 })
      await runtime.execute('guide', 'own')
      await runtime.session('guide', { id: 's1' }).generate('x')
      await runtime.session('guide', { id: 's2' }).generate('x')
      await assert.rejects(runtime.session('guide', { id: 's3' }).generate('x'), code('session_limit'))
      await runtime.session('guide', { id: 's3', user: 'ada' }).generate('x')
      assert.throws(() => runtime.session('gide'), code('unknown_agent'))
      assert.throws(() => runtime.session('guide', { id: '../x' }), code('invalid_option'))
    })
  })
}
