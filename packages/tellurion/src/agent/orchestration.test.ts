import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TellurionError } from '../error/error.ts'
import { scriptedModel } from '../testing/scripted-model.ts'
import { tool } from '../tool/tool.ts'
import { Agent } from './agent.ts'
import { createAgentRegistry } from './agent-registry.ts'
import { orchestrate, type Course, type Done, type Strategy } from './orchestration.ts'
import { chain, coordinator, parallel, router } from './strategy.ts'
import { textOf } from '../message/message.ts'

/** An agent that says what `fn` makes of what it is told. */
function worker(name: string, fn: (task: string) => string): Agent {
  const model = scriptedModel(({ messages }) => ({ text: fn(textOf(messages.at(-1)!)) }))
  return new Agent({ name, model })
}
const failing = (name: string) =>
  worker(name, () => {
    throw new Error('broken')
  })
const failed = async (agent: Agent, input = 'x') => {
  const error = await agent.generate(input).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof TellurionError)
  return error
}

describe('a chain', () => {
  const agents = [worker('upper', (text) => text.toUpperCase()), worker('twice', (text) => `${text} ${text}`)]

  test('gives each what the one before it made', async () => {
    const agent = orchestrate({ name: 'line', agents, strategy: chain(['upper', 'twice']) })
    const result = await agent.generate('hi')
    assert.equal(result.text, 'HI HI')
    const chat = agent.session()
    await chat.generate('a')
    assert.equal((await chat.generate('b')).text, 'B B', 'the next turn begins anew')
  })

  test('hands long texts on whole', async () => {
    const long = worker('long', () => 'x'.repeat(50_000))
    const count = worker('count', (text) => String(text.length))
    const agent = orchestrate({ name: 'line', agents: [long, count], strategy: chain(['long', 'count']) })
    assert.equal((await agent.generate('go')).text, '50000')
  })

  test('fails with the first that fails', async () => {
    const agent = orchestrate({
      name: 'line',
      agents: [...agents, failing('bad')],
      strategy: chain(['upper', 'bad', 'twice']),
    })
    assert.match((await failed(agent)).message, /'bad' failed/)
  })

  test('nests: an orchestration is an agent', async () => {
    const inner = orchestrate({ name: 'inner', agents, strategy: chain(['upper', 'twice']) })
    const outer = orchestrate({
      name: 'outer',
      agents: [inner, worker('bang', (text) => `${text}!`)],
      strategy: chain(['inner', 'bang']),
    })
    assert.equal((await outer.generate('go')).text, 'GO GO!')
  })
})

describe('parallel', () => {
  const agents = [worker('a', (text) => `a:${text}`), worker('b', (text) => `b:${text}`), failing('bad')]

  test('gives all the input, and puts together what they did', async () => {
    const combine = (done: readonly Done[]) => done.map(({ text, failed: no }) => (no ? '-' : text)).join(' ')
    const agent = orchestrate({ name: 'p', agents, strategy: parallel(['a', 'b', 'bad'], { combine }) })
    assert.equal((await agent.generate('x')).text, 'a:x b:x -')
    const plain = orchestrate({ name: 'p', agents, strategy: parallel(['a', 'b']) })
    assert.equal((await plain.generate('x')).text, '## a\na:x\n\n## b\nb:x')
  })

  test('fails when all fail', async () => {
    await failed(orchestrate({ name: 'p', agents, strategy: parallel(['bad']) }))
  })

  test('keeps apart what one agent made of several tasks, also where that was nothing', async () => {
    const echo = worker('echo', (text) => (text === 'say nothing' ? '' : text))
    const work = ['one', 'say nothing', 'two'].map((task) => ({ agent: 'echo', task }))
    const strategy = ({ rounds }: Course) =>
      rounds.length < 2 ? { work } : { answer: JSON.stringify(rounds.flat().map(({ text, failed }) => [text, failed])) }
    const chat = orchestrate({ name: 'p', agents: [echo], strategy }).session()
    const once = [['one', false], ['', false], ['two', false]] // prettier-ignore
    assert.deepEqual(JSON.parse((await chat.generate('x')).text), [...once, ...once])
    await chat.generate('again')
    const ids = [...chat.messages].flatMap((message) => (message.role === 'tool' ? [message.toolCallId] : []))
    assert.equal(new Set(ids).size, 12, 'no two calls of a conversation have one id')
  })
})

describe('a router', () => {
  const agents = [worker('math', (text) => `math ${text}`), worker('poem', (text) => `poem ${text}`)]
  const routes = { math: 'sums', poem: 'verse' }

  test('by a function', async () => {
    const strategy = router({ routes, by: (input) => (/\d/.test(input) ? 'math' : 'poem') })
    const agent = orchestrate({ name: 'r', agents, strategy })
    assert.equal((await agent.generate('1+1')).text, 'math 1+1')
    assert.equal((await agent.generate('rose')).text, 'poem rose')
  })

  test('by an agent, whose answer may be wordy', async () => {
    const judge = worker('judge', (text) => (text.includes('1+1') ? 'I would say math.' : 'hmm'))
    const make = (otherwise?: string) =>
      orchestrate({
        name: 'r',
        agents: [...agents, judge],
        strategy: router({ routes, by: 'judge', ...(otherwise === undefined ? {} : { otherwise }) }),
      })
    assert.equal((await make().generate('1+1')).text, 'math 1+1')
    assert.equal((await make('poem').generate('?')).text, 'poem ?')
    assert.match((await failed(make(), '?')).message, /No route is named/)
  })
})

describe('a coordinator', () => {
  const told: string[] = []
  const workers = { dig: 'digs', plant: 'plants' }
  const agents = (plan: string) => [
    worker('boss', () => plan),
    worker('dig', (task) => (told.push(task), 'a hole')),
    worker('plant', (task) => (told.push(task), 'a tree')),
    worker('sum', (task) => `Sum of ${task.includes('a hole') && task.includes('a tree') ? 'both' : 'what?'}`),
  ]
  const make = (plan: string, aggregator?: string) =>
    orchestrate({
      name: 'garden',
      agents: agents(plan),
      strategy: coordinator({ planner: 'boss', workers, ...(aggregator === undefined ? {} : { aggregator }) }),
    })
  const plan = JSON.stringify([
    { id: 'p', agent: 'plant', task: 'Plant it', dependsOn: ['d'] },
    { id: 'd', agent: 'dig', task: 'Dig a hole' },
  ])

  test('reads a plan as models write them', async () => {
    for (const text of [
      'The plan [draft 2]: [{"id": 1, "agent": "dig", "task": "Dig", "dependsOn": null}]. It needs [1] hole.',
      '{"tasks": [{"agent": "dig", "task": "Dig", "dependsOn": []}]}',
      '[{"id": "1", "agent": "dig", "task": "Dig\\ud800"}, {"id": "\\udfff", "agent": "dig", "task": "Dig", "dependsOn": 1}]',
    ])
      assert.match((await make(text).generate('A hole')).text, /^## Dig\ufffd?\na hole/, text)
  })

  test('keeps to what was planned, however long the chain', async () => {
    const chained = (length: number) =>
      Array.from({ length }, (_, index) => ({
        id: `${index}`,
        agent: 'dig',
        task: `t${index}`,
        dependsOn: index === 0 ? [] : [`${index - 1}`],
      }))
    const strategy = coordinator({ planner: 'boss', workers, maxTasks: 1_000 })
    const planned = { agent: 'boss', task: 'plan', text: JSON.stringify(chained(1_000)), failed: false }
    const rounds: Done[][] = [[planned]]
    const started = process.cpuUsage()
    for (;;) {
      const move = await strategy({ input: 'x', rounds })
      if ('answer' in move) break
      rounds.push(move.work.map((each) => ({ ...each, text: 'done', failed: false })))
    }
    assert.equal(rounds.length, 1_001)
    const { user, system } = process.cpuUsage(started)
    assert.ok(user + system < 5_000_000, `${(user + system) / 1000} ms`)
  })

  test('divides, does in order of dependencies, and puts together', async () => {
    told.length = 0
    const result = await make(`Sure! Here is it:\n\`\`\`json\n${plan}\n\`\`\``).generate('A garden')
    assert.equal(result.text, '## Plant it\na tree\n\n## Dig a hole\na hole')
    assert.match(told[0]!, /^Dig a hole/)
    assert.match(told[1]!, /^Plant it[^]*A garden[^]*- d: a hole/)
    assert.equal((await make(plan, 'sum').generate('A garden')).text, 'Sum of both')
  })

  for (const [name, bad, why] of [
    ['prose', 'I cannot.', /no JSON list/],
    ['broken JSON', '[{', /no JSON list/],
    ['hostile JSON', '[{"__proto__": {"agent": "dig"}, "task": "x"}]', /task 1 is for nobody/],
    ['an empty list', '[]', /empty/],
    ['a stranger', '[{"agent":"digg","task":"x"}]', /'digg', who is not there\. Did you mean 'dig'\?$/],
    ['a stranger unlike any', '[{"agent":"zzzzzz","task":"x"}]', /who is not there\. Known: dig, plant\.$/],
    ['a circle', '[{"id":"a","agent":"dig","task":"x","dependsOn":["a"]}]', /circle|each other|itself/],
    ['a dependency of itself', '[{"id":"a","agent":"dig","task":"x","dependsOn":"a"}]', /circle/],
    ['a missing dependency', '[{"id":"a","agent":"dig","task":"x","dependsOn":["z"]}]', /'z'/],
    ['an id of no kind', '[{"id":{"toString":1,"valueOf":1},"agent":"dig","task":"x"}]', /an id in task 1 is neither/],
    [
      'a deep id',
      `[{"agent":"dig","task":"x","dependsOn":[${'['.repeat(9_000)}${']'.repeat(9_000)}]}]`,
      /an id in task 1/,
    ],
    ['too many', JSON.stringify(Array.from({ length: 21 }, () => ({ agent: 'dig', task: 'x' }))), /21 tasks/],
    ['far too many', `[${'{"agent":"dig","task":"x"},'.repeat(1_000_000)}{}]`, /list/],
  ] as const) {
    test(`fails clearly on ${name}`, async () => assert.match((await failed(make(bad))).message, why))
  }
})

describe('an orchestration', () => {
  test('takes any strategy, bounded by its budget', async () => {
    const agents = [worker('a', () => 'again')]
    const endless = ({ rounds }: Course) => ({ work: [{ agent: 'a', task: `round ${rounds.length}` }] })
    const agent = orchestrate({ name: 'loop', agents, strategy: endless, budget: { modelCalls: 20 } })
    assert.equal((await failed(agent)).code, 'budget_exceeded')
  })

  test('goes on for a hundred rounds, or as its budget says, however many work in each', async () => {
    const agents = [worker('a', () => 'done')]
    const rounds = (count: number): Strategy => {
      return ({ rounds: past }) => (past.length < count ? { work: [{ agent: 'a', task: 'x' }] } : { answer: 'over' })
    }
    const make = (strategy: Strategy, ticks?: number) =>
      orchestrate({ name: 'o', agents, strategy, ...(ticks === undefined ? {} : { budget: { ticks } }) })
    assert.equal((await make(rounds(100)).generate('go')).text, 'over')
    const { code, message } = await failed(make(rounds(Infinity)))
    assert.deepEqual([code, /gave work 100 times/.test(message)], ['run_limit', true])
    assert.equal((await make(rounds(101), 300).generate('go')).text, 'over')
    const many = Array.from({ length: 510 }, () => ({ agent: 'a', task: 'x' }))
    const wide: Strategy = ({ rounds: [done] }) => (done === undefined ? { work: many } : { answer: `${done.length}` })
    assert.equal((await make(wide).generate('go')).text, '510')
  })

  test('that gives work to nobody, or none, fails and says so', async () => {
    const agents = [worker('anna', () => '')]
    const make = (move: { work: { agent: string; task: string }[] }) =>
      orchestrate({ name: 'o', agents, strategy: () => move })
    assert.match((await failed(make({ work: [{ agent: 'ana', task: '' }] }))).message, /Did you mean 'anna'/)
    assert.match((await failed(make({ work: [] }))).message, /no work and no answer/)
    for (const none of [undefined, null, 5, {}, { work: 'a' }, { work: [null] }, { work: [{ agent: 'anna' }] }]) {
      assert.match((await failed(make(none as never))).message, /\{ work: \[\{ agent, task \}\] \} or \{ answer \}/)
    }
    assert.throws(() => orchestrate({ name: 'o', agents: [], strategy: chain(['a']) }), /at least one agent/)
    assert.throws(() => chain([]), /at least one/)
  })

  test('refuses options that are none, and counts that cannot be meant', () => {
    const agents = [worker('a', () => '')]
    const none = <T>(options: object) => options as T
    assert.throws(() => orchestrate(none({ name: 'o', agents, strategy: chain(['a']), budgets: {} })), /'budget'\?/)
    assert.throws(() => parallel(['a'], none({ combines: () => '' })), /'combine'\?/)
    assert.throws(() => router(none({ routes: { a: 'x' }, by: 'a', other: 'a' })), /no option 'other'/)
    assert.throws(() => coordinator(none({ planner: 'a', workers: { a: 'x' }, tasks: 5 })), /no option 'tasks'/)
    for (const maxTasks of [0, Number.NaN, 1_001, 2.5]) {
      assert.throws(() => coordinator({ planner: 'a', workers: { a: 'x' }, maxTasks }), /maxTasks must be a whole/)
    }
  })

  test('waits where one of its agents asks a person', async () => {
    const remove = tool({
      description: 'r',
      inputSchema: { type: 'object' },
      needsApproval: true,
      execute: () => 'gone',
    })
    const model = scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? String(messages.at(-1)?.content)
        : { calls: [{ toolName: 'remove', input: {} }] },
    )
    const careful = new Agent({ name: 'careful', model, tools: { remove } })
    const chat = orchestrate({ name: 'o', agents: [careful], strategy: chain(['careful']) }).session()
    const waiting = await chat.generate('clean')
    assert.equal(waiting.interactions[0]?.toolName, 'remove')
    assert.equal((await chat.answer(waiting.interactions[0]!.id, 'approve')).text, 'gone')
  })
})

describe('a registry of agents', () => {
  const [a, b, c] = [worker('fr', (x) => x), worker('en', (x) => x), worker('sql', (x) => x)]
  const registry = createAgentRegistry([
    { agent: a, description: 'Translates text into French', capabilities: ['translate', 'french'] },
    { agent: b, description: 'Translates text into English', capabilities: ['translate', 'english'] },
    { agent: c, description: 'Writes database queries', capabilities: ['SQL'] },
  ])

  test('finds by capabilities and by task', () => {
    assert.deepEqual(
      registry.withCapabilities('Translate').map(({ agent }) => agent.name),
      ['fr', 'en'],
    )
    assert.deepEqual(
      registry.withCapabilities('translate', 'english').map(({ agent }) => agent.name),
      ['en'],
    )
    assert.equal(registry.match('translate this into French, please')[0]?.agent, a)
    assert.equal(registry.match('a query for my sql database')[0]?.agent, c)
    assert.deepEqual(registry.match('bake bread'), [])
    assert.equal(registry.match('translate', { limit: 1 }).length, 1)
  })

  test('counts short and odd capabilities where the task names them, and nowhere else', () => {
    const listings = [
      { agent: a, description: 'Tests by hand', capabilities: ['QA', 'C++', ''] },
      { agent: b, description: 'Writes servers', capabilities: ['Go'] },
      { agent: c, description: '翻译文件', capabilities: ['翻译'] },
    ]
    const short = createAgentRegistry(listings)
    const names = (task: string) => short.match(task).map(({ agent }) => agent.name)
    assert.deepEqual(names('bake bread'), [])
    assert.deepEqual(names('qa of a release'), ['fr'])
    assert.deepEqual(names('a program in go'), ['en'])
    assert.deepEqual(names('请翻译这个'), ['sql'])
    assert.deepEqual(names(''), [])
    for (const limit of [0, Number.NaN])
      assert.throws(() => short.match('go', { limit }), /limit must be a whole number/)
  })

  test('keeps names apart', () => {
    assert.throws(() => registry.register({ agent: a, description: 'x' }), /registered already/)
    assert.equal(registry.unregister('fr'), true)
    assert.equal(registry.get('fr'), undefined)
    assert.equal(registry.list().length, 2)
  })
})
