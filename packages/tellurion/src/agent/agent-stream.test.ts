import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError } from '../error/error.ts'
import type { Event } from '../event/event.ts'
import { failure } from '../model/failure.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { Agent } from './agent.ts'

const read = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
const typed = (events: readonly Event[], type: Event['type']) => events.filter((event) => event.type === type)

describe('streams', () => {
  test('can be watched and awaited: the same value', async () => {
    const agent = new Agent({ name: 'a', model: scriptedModel(['Hello there'], { chunkSize: 4 }) })
    const stream = agent.stream('Hi')
    let text = ''
    for await (const event of stream) if (event.type === 'text.delta') text += event.text
    const result = await stream.result()
    assert.equal(text, 'Hello there')
    assert.equal(result.text, text)
    assert.equal(await stream.result(), result)
  })

  test('a start is always followed by its end, whatever happens between', async () => {
    const ends: [string, Parameters<typeof scriptedModel>[0]][] = [
      ['whole', ['Hi']],
      ['failed', [failure('service', 'down')]],
      [
        'cut',
        [
          {
            events: [
              { type: 'text.delta', text: 'x' },
              { type: 'error', failure: failure('network', 'cut') },
            ],
          },
        ],
      ],
      ['aborted', [{ events: [{ type: 'text.delta', text: 'x' }, { type: 'aborted' }] }]],
      ['no end', [{ events: [{ type: 'text.delta', text: 'x' }] }]],
    ]
    for (const [what, replies] of ends) {
      const stream = new Agent({ name: 'a', model: scriptedModel(replies) }).stream('Hi', { maxTicks: 3 })
      const events = await read(stream)
      await stream.result().catch(() => {})
      assert.ok(typed(events, 'stream.started').length >= 1, what)
      assert.equal(typed(events, 'stream.started').length, typed(events, 'stream.ended').length, what)
    }
  })

  test('generate emits no live events: only a stream asks for them', async () => {
    const chat = new Agent({ name: 'a', model: scriptedModel(['Hello', 'again'], { chunkSize: 1 }) }).session()
    const events: Event[] = []
    chat.world.on('*', (event) => events.push(event))
    await chat.generate('Hi')
    assert.equal(typed(events, 'text.delta').length, 0)
    await chat.stream('Hi').result()
    assert.equal(typed(events, 'text.delta').length, 5)
  })

  test('a failed run ends the events and rejects the result; nobody has to ask for it', async () => {
    const stream = new Agent({ name: 'a', model: scriptedModel([failure('permission', 'no')]) }).stream('Hi')
    const events = await read(stream)
    assert.equal(events.at(-1)?.type, 'run.failed')
    await assert.rejects(stream.result(), (error: unknown) => (error as TellurionError).code === 'model_permission')
    const unread = new Agent({ name: 'a', model: scriptedModel([failure('permission', 'no')]) }).stream('Hi')
    await new Promise((resolve) => unread.result().then(resolve, resolve))
  })

  test('leaving the loop early does not stop the run', async () => {
    const stream = new Agent({ name: 'a', model: scriptedModel(['a whole answer'], { chunkSize: 1 }) }).stream('Hi')
    for await (const event of stream) if (event.type === 'text.delta') break
    assert.equal((await stream.result()).text, 'a whole answer')
  })

  test('a reader that is too far behind is dropped, never the run', async () => {
    const model = scriptedModel([{ reasoning: 'x'.repeat(12_000), text: 'done' }], { chunkSize: 1 })
    const stream = new Agent({ name: 'a', model }).stream('Hi')
    assert.equal((await stream.result()).text, 'done')
    await assert.rejects(read(stream), (error: unknown) => (error as TellurionError).code === 'slow_reader')
  })

  test('a burst of text is joined for whoever is behind, and drops nobody', async () => {
    const text = Array.from({ length: 40_000 }, (_, index) => String(index % 10)).join('')
    const agent = new Agent({ name: 'a', model: scriptedModel(() => text, { chunkSize: 1 }) })
    assert.equal((await read(agent.stream('Hi').texts())).join(''), text)
    const late = agent.stream('Hi')
    await late.result()
    const events = await read(late)
    assert.ok(events.length < 2_000)
    const deltas = events.flatMap((event) => (event.type === 'text.delta' ? [event.text] : []))
    assert.equal(deltas.join(''), text)
    assert.equal(events.at(-1)?.type, 'run.succeeded')
  })

  test('after a restart only the second reply remains; a reader of texts, who cannot take back, fails', async () => {
    const restart = { type: 'restart', failure: failure('service', 'died') } as const
    const events = [
      { type: 'text.delta', text: 'first ' },
      restart,
      { type: 'text.delta', text: 'second' },
      { type: 'finish', finishReason: 'stop', usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } },
    ] as const
    const agent = new Agent({ name: 'a', model: scriptedModel(() => ({ events })) })
    const stream = agent.stream('Hi')
    assert.equal(typed(await read(stream), 'stream.restarted').length, 1)
    assert.equal((await stream.result()).text, 'second')
    const seen: string[] = []
    await assert.rejects(async () => {
      for await (const text of agent.stream('Hi').texts()) seen.push(text)
    }, /died/)
    assert.deepEqual(seen, ['first '])
  })
})
