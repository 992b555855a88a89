import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { textOf } from '../message/message.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { macrotask } from '../testing/virtual-clock.ts'
import { tool } from '../tool/tool.ts'
import { memory } from './backend/memory/memory.ts'
import { createRuntime } from './runtime.ts'

const add = tool({
  description: 'Adds',
  inputSchema: { type: 'object', properties: {}, additionalProperties: false },
  effects: 'read',
  execute: () => '3',
})

const call = (text: string) => ({ text, calls: [{ toolName: 'add', input: {} }] })

/** The pieces of each reply as a reader sees them up to its end, beside the whole. */
async function replies(pauses: readonly number[]): Promise<[pieces: string, whole: string][]> {
  const model = scriptedModel([call('First.'), call('Second one.'), call(''), 'And the end.'], { chunkSize: 1 })
  const agent = new Agent({ name: 'guide', model, tools: { add } })
  await using runtime = await createRuntime({ store: memory(), agents: [agent] })
  const run = await runtime.submit('guide', 'Go')
  const seen: [string, string][] = []
  let pieces = ''
  let seq = 0
  for await (const event of run.events()) {
    for (let pause = pauses[seq % pauses.length] ?? 0; pause > 0; pause--) await macrotask()
    if (event.seq !== undefined) assert.equal(event.seq, ++seq)
    if (event.type === 'text.delta') pieces += event.text
    if (event.type === 'stream.ended') {
      seen.push([pieces, event.message === undefined ? '' : textOf(event.message)])
      pieces = ''
    }
  }
  seen.push([pieces, ''])
  return seen
}

test('what is live comes before what is kept of it, and never after, however slow the reader is', async () => {
  const wholes = ['First.', 'Second one.', '', 'And the end.', '']
  for (const pauses of [[0], [1], [3], [40], [0, 0, 7], [0, 20, 0, 0, 1], [5, 0]]) {
    assert.deepEqual(
      await replies(pauses),
      wholes.map((whole) => [whole, whole]),
      `pauses ${pauses.join(', ')}`,
    )
  }
})

test('who watches a run just after it was submitted misses nothing, also when it has ended by then', async () => {
  const model = scriptedModel([call('First.'), 'And the end.'], { chunkSize: 1 })
  const agent = new Agent({ name: 'guide', model, tools: { add } })
  await using runtime = await createRuntime({ store: memory(), agents: [agent] })
  const run = await runtime.submit('guide', 'Go')
  await run.result()
  const said = async (options: object): Promise<string> => {
    let text = ''
    for await (const event of run.events(options)) {
      if (event.type === 'text.delta') text += event.text
      if (event.type === 'stream.ended') text += '|'
    }
    return text
  }
  assert.equal(await said({ recent: true }), 'First.|And the end.|')
  assert.equal(await said({}), '||')
  const { events } = await run.record()
  assert.equal(await said({ recent: true, after: events - 5 }), '|', 'what was kept since is not live any more')
})
