import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { LLM, ToolApproval } from '../agent/component.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { failure } from '../model/failure.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { macrotask } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { defineSystem } from '../world/system.ts'
import type { System } from '../world/world.ts'
import type { BackendOpener } from './backend.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import type { RunStore } from './run-store.ts'
import type { RuntimeOptions } from './runtime-options.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const add = tool({
  description: 'Adds',
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  effects: 'read',
  execute: ({ a, b }) => a + b,
})

function careful(systems: readonly System[] = []): Agent {
  const remove = tool({ description: 'r', inputSchema: z.object({}), needsApproval: true, execute: () => 'gone' })
  const model = scriptedModel([{ calls: [{ toolName: 'remove', input: {} }] }, 'Done.'])
  return new Agent({ name: 'guide', model, tools: { remove }, systems })
}

for (const material of materials) describe(`a run on ${material}`, () => runs(material))

function runs(material: (typeof materials)[number]): void {
  const open = (agents: RuntimeOptions['agents'], options: Partial<RuntimeOptions> = {}): Promise<Runtime> =>
    createRuntime({ store: backendPlace(material), agents, ...options })

  test('is accepted, worked on, and its result is that of generate', async () => {
    const model = scriptedModel([{ calls: [{ toolName: 'add', input: { a: 1, b: 2 } }] }, 'It is 3.'])
    await using runtime = await open([new Agent({ name: 'guide', model, tools: { add } })])
    const run = await runtime.submit('guide', '1 + 2?')
    const result = await run.result()
    assert.equal(result.text, 'It is 3.')
    assert.equal(result.status, 'succeeded')
    assert.equal(result.steps, 2)
    assert.deepEqual(
      result.messages.map((message) => message.role),
      ['user', 'assistant', 'tool', 'assistant'],
    )
    assert.equal((await run.record()).status, 'succeeded')
  })

  test('shows its events from any cursor, without gaps', async () => {
    const model = scriptedModel(['Hello there'], { chunkSize: 3 })
    await using runtime = await open([new Agent({ name: 'guide', model })])
    const run = await runtime.submit('guide', 'Hi')
    const seen: { type: string; seq?: number }[] = []
    for await (const event of run.events()) seen.push(event)
    const kept = seen.filter((event) => event.seq !== undefined)
    assert.deepEqual(
      kept.map((event) => event.seq),
      kept.map((_, index) => index + 1),
    )
    assert.equal(kept[0]?.type, 'run.started')
    assert.equal(kept.at(-1)?.type, 'run.succeeded')
    assert.ok(seen.some((event) => event.type === 'text.delta'))
    const later: { seq?: number }[] = []
    for await (const event of run.events({ after: 3 })) later.push(event)
    assert.equal(later[0]?.seq, 4)
    assert.equal(later.length, kept.length - 3)
    assert.deepEqual(await run.log(), kept)
    assert.deepEqual(await run.log({ after: 2, limit: 2 }), kept.slice(2, 4))
    assert.deepEqual(await run.log({ after: kept.length }), [])
  })

  test('is told of when it is made and when it changes', async () => {
    await using runtime = await open([new Agent({ name: 'guide', model: scriptedModel(['Hi', 'Hi']) })], {
      work: false,
    })
    const heard: string[] = []
    const stop = runtime.changes((run) => heard.push(run))
    const run = await runtime.submit('guide', 'Hi')
    await macrotask()
    assert.deepEqual(heard, [run.id])
    await run.work()
    assert.ok(heard.length > 1 && heard.every((id) => id === run.id))
    stop()
    const told = heard.length
    await (await runtime.submit('guide', 'Hi')).work()
    assert.equal(heard.length, told)
  })

  test('that fails rejects its result and keeps what there is', async () => {
    const model = scriptedModel([failure('authentication', 'bad key')])
    await using runtime = await open([new Agent({ name: 'guide', model })])
    const run = await runtime.submit('guide', 'Hi')
    await assert.rejects(run.result(), code('model_authentication'))
    assert.equal((await run.record()).status, 'failed')
  })

  test('tells its outcome without reading its session', async () => {
    let loads = 0
    const store: BackendOpener = async (given) => {
      const backend = await backendPlace(material)(given)
      const load: RunStore['load'] = (...asked) => {
        loads++
        return backend.store.load(...asked)
      }
      return { ...backend, store: { ...backend.store, load } }
    }
    const model = scriptedModel(['Hello!', failure('authentication', 'bad key')])
    await using runtime = await createRuntime({ store, agents: [new Agent({ name: 'guide', model })] })
    const run = await runtime.submit('guide', 'Hi', { session: 's' })
    const { record, result, error } = await run.outcome()
    assert.equal(loads, 1, 'to work on it')
    const { messages, ...rest } = await run.result()
    assert.equal(messages.length, 2)
    assert.deepEqual([result, record, error], [rest, await run.record(), undefined])
    const failed = await (await runtime.submit('guide', 'Hi', { session: 's' })).outcome()
    assert.deepEqual([failed.result.status, failed.error?.code], ['failed', 'model_authentication'])
  })

  test('of an unknown agent fails with a clear error', async () => {
    await using runtime = await open([new Agent({ name: 'guide', model: scriptedModel([]) })])
    const run = await runtime.submit('gide', 'Hi')
    await assert.rejects(run.result(), (error: unknown) => code('unknown_agent')(error) && /guide/.test(String(error)))
  })

  test('can be cancelled in the middle, and only once', async () => {
    let aborted = false
    const hang = tool({
      description: 'Hangs',
      inputSchema: z.object({}),
      execute: (_input, { abortSignal }) =>
        new Promise(() => abortSignal.addEventListener('abort', () => (aborted = true))),
    })
    const model = scriptedModel([{ calls: [{ toolName: 'hang', input: {} }] }])
    await using runtime = await open([new Agent({ name: 'guide', model, tools: { hang } })])
    const run = await runtime.submit('guide', 'Hi')
    for await (const event of run.events()) if (event.type === 'tool.started') await run.cancel()
    const result = await run.result()
    assert.equal(result.status, 'cancelled')
    assert.ok(aborted)
    await run.cancel()
    const types: string[] = []
    for await (const event of run.events()) types.push(event.type)
    assert.equal(types.filter((type) => type === 'run.cancelled').length, 1)
    assert.ok(!types.includes('run.succeeded'))
  })

  test('waits for a person, and goes on with the answer', async () => {
    const ran: string[] = []
    const remove = tool({
      description: 'Removes',
      inputSchema: z.object({ path: z.string() }),
      needsApproval: true,
      execute: ({ path }) => void ran.push(path),
    })
    const model = scriptedModel([{ calls: [{ toolName: 'remove', input: { path: 'a' } }] }, 'Done.'])
    await using runtime = await open([new Agent({ name: 'guide', model, tools: { remove } })])
    const run = await runtime.submit('guide', 'Clean up')
    const waiting = await run.result()
    assert.equal(waiting.status, 'waiting')
    const [interaction] = await runtime.interactions.list({ agent: 'guide' })
    assert.deepEqual(interaction?.input, { path: 'a' })
    await runtime.interactions.answer(interaction!.id, 'approve', { by: 'ada' })
    await assert.rejects(
      runtime.interactions.answer(interaction!.id, 'deny'),
      (error: unknown) => code('unknown_interaction')(error) && !String(error).includes('Did you mean'),
    )
    for await (const event of run.events()) if (event.type === 'run.succeeded') break
    assert.equal((await run.result()).text, 'Done.')
    assert.deepEqual(ran, ['a'])
  })

  test('of a session goes on its conversation, one after another', async () => {
    const model = scriptedModel(['one', 'two', 'three'])
    await using runtime = await open([new Agent({ name: 'guide', model })])
    const runs = await Promise.all(['a', 'b', 'c'].map((input) => runtime.submit('guide', input, { session: 's1' })))
    const results = await Promise.all(runs.map((run) => run.result()))
    assert.deepEqual(
      results.map((result) => result.text),
      ['one', 'two', 'three'],
    )
    assert.equal(model.requests[2]?.messages.length, 5)
  })

  test('takes steering in at the next safe point', async () => {
    const echo = tool({ description: 'e', inputSchema: z.object({}), effects: 'read', execute: () => 'ok' })
    let steer = (): Promise<void> => Promise.resolve()
    const model = scriptedModel([
      async () => {
        await steer()
        return { calls: [{ toolName: 'echo', input: {} }] }
      },
      'In Celsius.',
    ])
    await using runtime = await open([new Agent({ name: 'guide', model, tools: { echo } })])
    const run = await runtime.submit('guide', 'Weather?')
    steer = () => run.steer('In Celsius, please')
    assert.equal((await run.result()).text, 'In Celsius.')
    const roles = (await run.result()).messages.map((message) => message.role)
    assert.deepEqual(roles, ['user', 'assistant', 'tool', 'user', 'assistant'])
  })

  test('pauses after a tick and resumes', async () => {
    const echo = tool({ description: 'e', inputSchema: z.object({}), effects: 'read', execute: () => 'ok' })
    let pause = (): Promise<void> => Promise.resolve()
    const model = scriptedModel([
      async () => {
        await pause()
        return { calls: [{ toolName: 'echo', input: {} }] }
      },
      'Done.',
    ])
    await using runtime = await open([new Agent({ name: 'guide', model, tools: { echo } })])
    const run = await runtime.submit('guide', 'Go')
    pause = () => run.pause()
    for await (const event of run.events()) if (event.type === 'run.paused') break
    assert.equal((await run.record()).status, 'paused')
    await run.resume()
    assert.equal((await run.result()).text, 'Done.')
  })

  test('takes no answer that does not fit, and still takes the right one', async () => {
    await using runtime = await open([careful()])
    const run = await runtime.submit('guide', 'Clean up')
    const [interaction] = (await run.result()).interactions
    await assert.rejects(runtime.interactions.answer(interaction!.id, { text: 'maybe' }), code('invalid_answer'))
    await runtime.interactions.answer(interaction!.id, 'approve')
    for await (const event of run.events()) if (event.type === 'run.succeeded') break
    assert.equal((await run.result()).text, 'Done.')
  })

  test('takes no answer that comes too late', async () => {
    let late = 0
    const clock = { ...systemClock, now: () => systemClock.now() + late }
    const patience = defineSystem({
      name: 'patience',
      query: [LLM],
      each: (entity, world) => world.set(entity, ToolApproval, { timeout: 60_000 }),
    })
    const store = backendPlace(material)
    await using runtime = await createRuntime({ store, agents: [careful([patience])], ports: { clock } })
    const run = await runtime.submit('guide', 'Clean up')
    const [interaction] = (await run.result()).interactions
    late = 60_000
    await assert.rejects(runtime.interactions.answer(interaction!.id, 'approve'), code('unknown_interaction'))
  })

  test('that failed gets another try, and no other does', async () => {
    const model = scriptedModel([failure('authentication', 'bad key'), 'Now it works.'])
    await using runtime = await open([new Agent({ name: 'guide', model })])
    const run = await runtime.submit('guide', 'Hi')
    await assert.rejects(run.result(), code('model_authentication'))
    await run.retry()
    for await (const event of run.events()) if (event.type === 'run.succeeded') break
    assert.equal((await run.result()).text, 'Now it works.')
    await assert.rejects(run.retry(), code('invalid_transition'))
    await assert.rejects(runtime.run('run_x').retry(), code('unknown_run'))
  })

  test('is worked on without a queue: also its retries, and what comes after an answer', async () => {
    const model = scriptedModel([
      failure('network', 'gone'),
      { calls: [{ toolName: 'remove', toolCallId: 'r', input: {} }] },
      'Done.',
    ])
    const remove = tool({ description: 'r', inputSchema: z.object({}), needsApproval: true, execute: () => 'gone' })
    const agents = [new Agent({ name: 'guide', model, tools: { remove } })]
    const store = backendPlace(material)
    await using runtime = await createRuntime({ store, agents, work: false, retry: { initialWait: 1 } })
    const other = await runtime.submit('guide', 'not mine')
    const waiting = await runtime.execute('guide', 'Clean up')
    assert.equal(waiting.status, 'waiting')
    const [asked] = await runtime.interactions.list()
    const run = runtime.run(asked!.run)
    const working = run.work()
    await runtime.interactions.answer(asked!.id, 'approve', { run: run.id })
    await working
    assert.equal((await run.result()).text, 'Done.')
    assert.equal((await other.record()).status, 'queued')
  })
}
