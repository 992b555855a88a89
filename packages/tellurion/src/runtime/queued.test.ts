import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { Agent } from '../agent/agent.ts'
import { TellurionError } from '../error/error.ts'
import { failure } from '../model/failure.ts'
import { textOf } from '../message/message.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import type { BackendOpener } from './backend.ts'
import { sqlite } from './backend/sqlite/sqlite.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import type { RunHandle } from './run-handle.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected

/** Asks a person when it is told to `ask`, fails when it is told to `fail`, and says what it was told otherwise. */
function parrot(heard: string[] = []): Agent {
  const model = scriptedModel(({ messages }) => {
    const last = messages.at(-1)!
    const said = textOf(last)
    if (last.role !== 'user') return 'Asked.'
    heard.push(said)
    if (said.startsWith('ask')) return { calls: [{ toolName: 'remove', input: {} }] }
    return said === 'fail' ? failure('authentication', 'no') : said
  })
  const remove = tool({ description: 'r', inputSchema: z.object({}), needsApproval: true, execute: () => 'gone' })
  return new Agent({ name: 'parrot', model, tools: { remove } })
}

const endings = async (run: RunHandle): Promise<readonly string[]> => {
  const types: string[] = []
  for await (const { type, seq } of run.events()) if (seq !== undefined) types.push(type)
  return types
}

for (const material of materials) describe(`a run behind another of its session on ${material}`, () => queued(material))

function queued(material: (typeof materials)[number]): void {
  const open = (agent = parrot(), store: BackendOpener = backendPlace(material)): Promise<Runtime> =>
    createRuntime({ store, agents: [agent] })

  test('is cancelled at once, while that one waits for a person', async () => {
    await using runtime = await open()
    const first = await runtime.submit('parrot', 'ask', { session: 's' })
    const [asked] = (await first.result()).interactions
    const second = await runtime.submit('parrot', 'two', { session: 's' })
    const third = await runtime.submit('parrot', 'three', { session: 's' })
    const waiter = second.result()
    await second.cancel()
    assert.equal((await waiter).status, 'cancelled')
    assert.deepEqual(await endings(second), ['run.cancelled'])
    await second.cancel()
    assert.deepEqual([(await first.record()).status, (await third.record()).status], ['waiting', 'queued'])
    await runtime.interactions.answer(asked!.id, 'approve')
    assert.equal((await third.result()).text, 'three')
    const chat = runtime.session('parrot', { id: 's' })
    const said = (await chat.messages()).filter(({ role }) => role === 'user').map(textOf)
    assert.deepEqual(said, ['ask', 'three'])
    assert.deepEqual(
      (await chat.runs()).map(({ id }) => id),
      [third.id, first.id],
    )
  })

  test('is cancelled at once, while that one is at work, and hurts it nothing', async () => {
    const begun = Promise.withResolvers<void>()
    const go = Promise.withResolvers<string>()
    const model = scriptedModel(async () => (begun.resolve(), go.promise))
    await using runtime = await open(new Agent({ name: 'parrot', model }))
    const first = await runtime.submit('parrot', 'one', { session: 's' })
    const second = await runtime.submit('parrot', 'two', { session: 's' })
    await begun.promise
    await second.cancel()
    assert.equal((await second.result()).status, 'cancelled')
    go.resolve('Done.')
    assert.equal((await first.result()).text, 'Done.')
    assert.deepEqual(await runtime.deleteSession('s'), true)
  })

  test('and was given another try is cancelled at once, with its whole log', async () => {
    await using runtime = await open()
    const failed = await runtime.submit('parrot', 'fail', { session: 's' })
    await assert.rejects(failed.result(), /no/)
    const before = await endings(failed)
    const first = await runtime.submit('parrot', 'ask', { session: 's' })
    await first.result()
    await failed.retry()
    await failed.cancel()
    const { status, messages } = await failed.result()
    assert.deepEqual([status, messages.map(textOf)], ['cancelled', ['fail']])
    assert.deepEqual(await endings(failed), [...before, 'run.cancelled'])
    assert.equal((await failed.log({ after: before.length })).length, 1)
    assert.equal((await failed.messages()).length, 1)
    assert.equal((await first.record()).status, 'waiting')
  })

  test('is paused at once, and begins only when it is resumed', async () => {
    const heard: string[] = []
    await using runtime = await open(parrot(heard))
    const first = await runtime.submit('parrot', 'ask', { session: 's' })
    const [asked] = (await first.result()).interactions
    const second = await runtime.submit('parrot', 'two', { session: 's' })
    await second.pause()
    assert.equal((await second.record()).status, 'paused')
    await second.steer('and more')
    await runtime.interactions.answer(asked!.id, 'approve')
    for await (const { type } of first.events()) if (type === 'run.succeeded') break
    assert.equal((await second.record()).status, 'paused')
    assert.deepEqual(heard, ['ask'])
    await second.resume()
    assert.equal((await second.result()).status, 'succeeded')
    assert.deepEqual((await second.result()).messages.filter(({ role }) => role === 'user').map(textOf), [
      'two',
      'and more',
    ])
  })

  test('that was paused before it began is cancelled at once too', async () => {
    await using runtime = await open()
    const first = await runtime.submit('parrot', 'ask', { session: 's' })
    await first.result()
    const second = await runtime.submit('parrot', 'two', { session: 's' })
    await second.pause()
    await second.cancel()
    assert.equal((await second.result()).status, 'cancelled')
    assert.equal((await first.record()).status, 'waiting')
  })

  test('is undone as a turn that never began, and that one waits on', async () => {
    await using runtime = await open()
    const chat = runtime.session('parrot', { id: 's' })
    const first = await runtime.submit('parrot', 'ask', { session: 's' })
    await first.result()
    const second = await runtime.submit('parrot', 'two', { session: 's' })
    await assert.rejects(chat.undo(), code('run_live'))
    await chat.undo({ cancel: true })
    assert.deepEqual([(await first.record()).status, (await second.record()).status], ['waiting', 'cancelled'])
    assert.equal((await chat.interactions()).length, 1)
  })

  test('and began in no process is left out of what a session undoes', async () => {
    await using runtime = await open()
    const chat = runtime.session('parrot', { id: 's' })
    await chat.generate('zero')
    const first = await runtime.submit('parrot', 'ask', { session: 's' })
    await first.result()
    const second = await runtime.submit('parrot', 'two', { session: 's' })
    await chat.undo({ turns: 2, cancel: true })
    assert.deepEqual([(await first.record()).status, (await second.record()).status], ['cancelled', 'cancelled'])
    assert.deepEqual((await chat.messages()).map(textOf), ['zero', 'zero'])
    assert.equal((await chat.generate('again')).text, 'again')
  })
}

test('a run behind another is cancelled by a process that does not work, and one that does wakes who waits', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tellurion-queued-'))
  try {
    const store = sqlite(join(folder, 'runs.db'), { synchronous: 'normal' })
    await using worker = await createRuntime({ store, agents: [parrot()] })
    await using other = await createRuntime({ store, agents: [], work: false })
    const first = await worker.submit('parrot', 'ask', { session: 's' })
    await first.result()
    const second = await worker.submit('parrot', 'two', { session: 's' })
    const waiter = second.result()
    await other.run(second.id).cancel()
    assert.equal((await waiter).status, 'cancelled')
    assert.equal((await first.record()).status, 'waiting')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
