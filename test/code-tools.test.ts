// Tools that run code, as agents have them: state for the run, files in and out, bounds of the entity, who is asked.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { Agent, textOf, type Event, type Message } from 'tellurion'
import { SandboxConfig } from 'tellurion/agent'
import { scriptedModel } from 'tellurion/testing'
import type { ToolLimits } from 'tellurion/tool'
import { codeTools, createSandbox, type CodeToolOptions, type Sandbox } from 'tellurion/sandbox'

type ToolMessage = Extract<Message, { role: 'tool' }>

let sandbox: Sandbox
before(async () => {
  sandbox = await createSandbox({ limits: { timeout: 20_000 } })
})
after(() => sandbox.close())

function lacks(t: TestContext): boolean {
  const isMissing = sandbox.level === 'none' || sandbox.level === 'wasm-only' || sandbox.languages.length < 3
  if (isMissing) t.skip(`the sandbox is ${sandbox.level}; apt-get install bubblewrap python3`)
  return isMissing
}

const code = (toolName: string, text: string) => ({ toolName, input: { code: text } })

interface Asked {
  readonly box?: Sandbox
  readonly options?: CodeToolOptions
  readonly limits?: ToolLimits
}

/** A result; empty where it was cut and is no JSON any more. */
function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** An agent that makes these calls, one after another in one run: its results, and what was seen on the way. */
async function ask(calls: readonly ReturnType<typeof code>[], { box = sandbox, options, limits }: Asked = {}) {
  const model = scriptedModel([...calls.map((each) => ({ calls: [each] })), 'done'])
  const chat = new Agent({ name: 'analyst', model, tools: codeTools(box, options) }).session()
  if (limits !== undefined) chat.world.set(chat.entity, SandboxConfig, limits)
  const events: Event[] = []
  const stream = chat.stream('go')
  for await (const event of stream) events.push(event)
  const result = await stream.result()
  const messages = result.messages.filter((each) => each.role === 'tool')
  return {
    chat,
    result,
    events,
    messages,
    results: messages.map((each) => parsed(textOf(each))),
  }
}

describe('codeTools', () => {
  it('keep state for the run, hand files in and out, and report output', async (t) => {
    if (lacks(t)) return
    const { results, messages, events, chat } = await ask(
      [
        code('runPython', 'import csv\nrows = list(csv.DictReader(open("sales.csv")))\nprint("read", len(rows))'),
        code(
          'runPython',
          'total = sum(int(row["sum"]) for row in rows)\nopen("total.json", "w").write(str(total))\ntotal',
        ),
        code('runBash', 'ls; exit 3'),
        code('runJavaScript', '6 * 7'),
      ],
      { options: { files: { 'sales.csv': 'name,sum\na,1\nb,2\n' } } },
    )
    assert.deepEqual(results, [
      { exitCode: 0, stdout: 'read 2\n' },
      { exitCode: 0, stdout: '3\n', files: [{ name: 'total.json', size: 1 }] },
      { exitCode: 3, stdout: 'sales.csv\n', notes: ['Its variables and files are gone; the next call starts afresh.'] },
      { exitCode: 0, stdout: '42\n' },
    ])
    const kept = messages[1]?.kept?.[0]
    assert.deepEqual([kept?.name, kept?.mediaType], ['total.json', 'application/json'])
    assert.equal(new TextDecoder().decode(await chat.artifacts.get(kept!.hash)), '3')
    const progress = events.flatMap((event) => (event.type === 'tool.progress' ? [event.progress] : []))
    assert.deepEqual(progress[0], { stream: 'stdout', text: 'read 2\n' })
  })

  it('start afresh in another run', async (t) => {
    if (lacks(t)) return
    await ask([code('runPython', 'secret = 1')])
    const { results } = await ask([code('runPython', 'secret')])
    assert.match(String(results[0]?.['stderr']), /NameError/)
  })

  it('are told how long, how much and how loud by SandboxConfig', async (t) => {
    if (lacks(t)) return
    const { results } = await ask([code('runPython', 'print("begun", flush=True)\nwhile True: pass')], {
      limits: { timeout: 3_000, maxOutput: 3_000 },
    })
    assert.equal(results[0]?.['stdout'], 'begun\n')
    assert.match(String(results[0]?.['notes']), /took too long.*starts afresh/)
    const loud = await ask([code('runBash', 'seq 1000')], { limits: { maxOutput: 400 } })
    assert.match(textOf(loud.messages[0]!), /^\{"exitCode":0,"stdout":"1\\n2/)
    const heavy = await ask([code('runPython', 'held = bytearray(90 << 20)')], { limits: { memory: 64 << 20 } })
    if (sandbox.level === 'full') assert.match(String(heavy.results[0]?.['notes']), /too much memory/)
  })

  it('say what was left out', async (t) => {
    if (lacks(t)) return
    const { results } = await ask([code('runBash', 'ln -s /etc/passwd link')])
    assert.deepEqual(results[0]?.['notes'], ['The file "link" was left out: it is a link.'])
  })

  it('are there for what can be run, and for nothing else', async () => {
    await using engine = await createSandbox({ backend: 'quickjs' })
    assert.deepEqual(Object.keys(codeTools(engine)), ['runJavaScript'])
    const { results } = await ask(
      [code('runJavaScript', 'const x = [1, 2]; writeFile("x.json", x)'), code('runJavaScript', 'x.length')],
      { box: engine },
    )
    assert.deepEqual(results, [
      { exitCode: 0, stdout: '', files: [{ name: 'x.json', size: 5 }] },
      { exitCode: 0, stdout: '2\n' },
    ])
    const nothing = { ...engine, closed: engine.closed, languages: [], level: 'none' } as unknown as Sandbox
    assert.deepEqual(codeTools(nothing), {})
  })

  it('ask about every single call where nothing isolates', async (t) => {
    if (lacks(t)) return
    await using open = await createSandbox({ backend: 'process', allowUnisolated: true })
    const tools = codeTools(open)
    assert.deepEqual(
      Object.values(tools).map(({ asksEachTime }) => asksEachTime),
      [true, true, true],
    )
    const model = scriptedModel([{ calls: [code('runBash', 'echo ran')] }, 'done'])
    const chat = new Agent({ name: 'a', model, tools, approval: [{ allow: '*' }] }).session()
    const waiting = await chat.generate('go')
    assert.equal(waiting.status, 'waiting')
    const result = await chat.answer(waiting.interactions[0]!.id, 'approve')
    assert.match(textOf(result.messages.find(({ role }) => role === 'tool') as ToolMessage), /ran/)
  })

  it('refuse options that cannot be meant', () => {
    for (const options of [{ sessions: 0 }, { idle: -1 }, { idle: 1.5 }]) {
      assert.throws(() => codeTools(sandbox, options), { code: 'invalid_option' })
    }
    assert.throws(() => codeTools(sandbox, { session: 1 } as never), { code: 'unknown_option' })
  })
})
