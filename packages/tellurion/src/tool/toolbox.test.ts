import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import type { Json } from '../schema/json.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createApproval } from './approval.ts'
import { functionTool } from './function-tool.ts'
import { toolMessage } from './result.ts'
import { tool, type AnyTool } from './tool.ts'
import { createToolbox, isToolbox, type Tools } from './toolbox.ts'

const weather = tool({
  description: 'Weather',
  inputSchema: z.object({ place: z.string() }),
  effects: 'read',
  execute: ({ place }) => `sun in ${place}`,
})
const remove = tool({
  description: 'Removes',
  inputSchema: { type: 'object', properties: { path: { type: 'string' } } },
  needsApproval: true,
  execute: ({ path }) => `removed ${path}`,
})
const add = functionTool(
  function add({ a, b }) {
    return a + b
  },
  { description: 'Adds', parameters: { a: 'number', b: 'number' } },
)

function refusal(tools: unknown): string {
  try {
    createToolbox(tools as Tools)
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`
  }
  return 'accepted'
}

describe('createToolbox', () => {
  it('takes tools by name, named tools, toolboxes, and lists of these', () => {
    const one = createToolbox({ weather })
    const all = createToolbox([one, { remove }, add, [createToolbox()]])
    assert.deepEqual(all.names(), ['weather', 'remove', 'add'])
    assert.equal(all.get('weather'), weather)
    assert.equal(all.get('toString'), undefined)
    assert.deepEqual(createToolbox(one).names(), ['weather'])
    assert.deepEqual(createToolbox(add).names(), ['add'])
    assert.deepEqual(
      [isToolbox(all), isToolbox({ weather }), isToolbox({ get: weather, specs: weather })],
      [true, false, false],
    )
  })

  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    [
      'two tools of one name',
      [{ weather }, { weather: remove }],
      /^duplicate_tool: There are two tools named 'weather'/,
    ],
    ['toolboxes that share a name', [createToolbox({ add }), add], /^duplicate_tool: There are two tools named 'add'/],
    ['a bad name', { 'get weather': weather }, /^invalid_name: "get weather" is no name for a tool/],
    ['a long name', { ['x'.repeat(65)]: weather }, /^invalid_name: /],
    ['an empty name', { '': weather }, /^invalid_name: /],
    [
      'a plain object',
      { weather: { description: 'd', execute: () => 1 } },
      /^invalid_option: The tool 'weather' is an Object; make it with tool/,
    ],
    ['a function', { weather: () => 1 }, /^invalid_option: The tool 'weather' is a function/],
    ['nothing', { weather: undefined }, /^invalid_option: The tool 'weather' is undefined/],
    ['a tool without a name in a list', [weather], /^invalid_option: A tool in a list needs a name/],
    ['a text', 'weather', /^invalid_option: tools must be an object/],
    ['null', null, /^invalid_option: tools must be an object/],
  ]
  for (const [name, tools, expected] of cases) it(`refuses ${name}`, () => assert.match(refusal(tools), expected))

  it('tells models the same array until a tool is registered', () => {
    const toolbox = createToolbox({ weather })
    const specs = toolbox.specs()
    assert.equal(toolbox.specs(), specs)
    assert.deepEqual(specs, [
      {
        name: 'weather',
        description: 'Weather',
        inputSchema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
      },
    ])
    toolbox.register('remove', remove)
    assert.deepEqual(
      toolbox.specs().map(({ name }) => name),
      ['weather', 'remove'],
    )
    assert.deepEqual(toolbox.names(), ['weather', 'remove'])
    assert.throws(() => toolbox.register('remove', remove), { code: 'duplicate_tool' })
    assert.throws(() => toolbox.register('other', {} as AnyTool), { code: 'invalid_option' })
  })

  it('speaks OpenAI', () => {
    assert.deepEqual(createToolbox({ remove }).toOpenAIFormat(), [
      {
        type: 'function',
        function: {
          name: 'remove',
          description: 'Removes',
          parameters: { type: 'object', properties: { path: { type: 'string' } } },
        },
      },
    ])
  })
})

describe('running tools by hand', () => {
  const toolbox = createToolbox([{ weather, remove }, add])

  it('takes an object or its JSON text', async () => {
    assert.deepEqual(await toolbox.execute('weather', { place: 'Oslo' }, { toolCallId: 'c7' }), {
      toolCallId: 'c7',
      toolName: 'weather',
      content: 'sun in Oslo',
    })
    assert.equal((await toolbox.execute('add', '{"a":1,"b":2}')).content, '3')
    assert.match(
      String((await toolbox.execute('add', '{"a":1,"b":')).content),
      /they are not one JSON object: \{"a":1,"b":/,
    )
    assert.match(String((await toolbox.execute('add', '')).content), /missing a; missing b/)
    assert.match(String((await toolbox.execute('add', '"text"')).content), /expected object, got "text"/)
  })

  it('never rejects', async () => {
    const hostile: readonly Json[] = [null, 5, [], 'x', JSON.parse('{"__proto__":1}') as Json]
    for (const args of hostile) assert.equal((await toolbox.execute('add', args)).code, 'tool_input_invalid')
    assert.equal((await toolbox.execute('nothing', {})).code, 'unknown_tool')
    assert.equal((await toolbox.execute('add', undefined as unknown as Json)).code, 'tool_input_invalid')
    assert.equal((await toolbox.execute('weather', { place: 'x' }, { signal: AbortSignal.abort() })).code, 'aborted')
  })

  it('goes through approval like an agent’s calls', async () => {
    assert.equal((await toolbox.execute('remove', { path: 'a' })).code, 'tool_denied')
    assert.equal((await toolbox.execute('remove', { path: 'a' }, { approved: true })).content, 'removed a')
    const approval = createApproval([{ allow: 'remove', where: { path: '/tmp/*' } }, { ask: 'weather' }])
    assert.equal((await toolbox.execute('remove', { path: '/tmp/x' }, { approval })).content, 'removed /tmp/x')
    assert.equal((await toolbox.execute('remove', { path: '/' }, { approval, approved: true })).code, 'tool_denied')
    assert.equal((await toolbox.execute('weather', { place: 'x' }, { approval })).code, 'tool_denied')
    assert.equal((await toolbox.execute('weather', { place: 'x' }, { approval, approved: true })).content, 'sun in x')
  })

  it('keeps exclusive calls apart and bounds results', async () => {
    const clock = virtualClock()
    let running = 0
    const alone = tool({
      description: 'd',
      inputSchema: { type: 'object' },
      execute: async () => {
        assert.equal(++running, 1)
        await new Promise<void>((resolve) => clock.timer(10, resolve))
        running--
        return 'x'.repeat(50)
      },
    })
    const box = createToolbox({ alone })
    const outcomes = Promise.all([1, 2, 3].map(() => box.execute('alone', {}, { clock, results: { maxLength: 5 } })))
    await clock.runAll()
    for (const { content } of await outcomes) assert.match(String(content), /^xxxxx\n\[cut: 5 of 50/)
  })

  it('makes a manual loop: calls, results, messages', async () => {
    const calls = [
      { id: 'call_1', function: { name: 'add', arguments: '{"a":20,"b":22}' } },
      { id: 'call_2', function: { name: 'divide', arguments: '{}' } },
    ]
    const messages = []
    for (const { id, function: fn } of calls)
      messages.push(toolMessage(await toolbox.execute(fn.name, fn.arguments, { toolCallId: id })))
    assert.deepEqual(messages[0], { role: 'tool', toolCallId: 'call_1', toolName: 'add', content: '42' })
    assert.deepEqual([messages[1]?.toolCallId, messages[1]?.isError], ['call_2', true])
  })
})
