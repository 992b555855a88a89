// File tools in agents: changes that a crash cuts off, undo of a run from its messages and its events, and writes of one
// path that never overlap, whatever way it is spelled.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, describe, it } from 'node:test'
import { Agent } from '../agent/agent.ts'
import { createFileLocks } from '../agent/configuration.ts'
import { sleep, systemClock } from '../clock/clock.ts'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { Json } from '../schema/json.ts'
import { backendPlace } from '../testing/backends.node.ts'
import { scriptedModel, type Script, type ScriptedReply } from '../testing/scripted-model.ts'
import { createArtifacts, type Artifacts } from '../tool/artifact.ts'
import { perform } from '../tool/perform.ts'
import type { ToolOutcome } from '../tool/result.ts'
import { createSchedule } from '../tool/schedule.ts'
import { tool, type AnyTool } from '../tool/tool.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { fileTools } from '../workspace/file-tools.ts'
import { undoEdits } from '../workspace/undo.ts'
import { createWorkspace, type Workspace } from '../workspace/workspace.ts'
import { createRuntime } from './runtime.ts'

const base = mkdtempSync(join(tmpdir(), 'tellurion-files-'))
after(() => rmSync(base, { recursive: true }))
let count = 0

function folder(files: Record<string, string>): { root: string; workspace: Workspace; read(path: string): string } {
  const root = join(base, String(++count))
  mkdirSync(root)
  for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content)
  return { root, workspace: createWorkspace({ root }), read: (path) => readFileSync(join(root, path), 'utf8') }
}

const calls = (...each: [toolName: string, input: Json][]): ScriptedReply => ({
  calls: each.map(([toolName, input]) => ({ toolName, input })),
})

/** Edits the file that it has just read. */
const editRead: Script = ({ messages }) => {
  const shown = String(messages.at(messages.length - 1)?.content)
  const at = /2:\w{4}/.exec(shown)![0]
  return calls(['editFile', { path: 'a.txt', edits: [{ at, text: 'TWO' }] }])
}
const script: Script[] = [
  calls(['readFile', { path: 'a.txt' }], ['grepFiles', { pattern: 'two' }]),
  editRead,
  calls(['writeFile', { path: 'new/b.txt', content: 'b' }], ['deleteFile', { path: 'c.txt' }]),
  'Done.',
]

describe('an agent with file tools', () => {
  const files = { 'a.txt': 'one\ntwo\n', 'c.txt': 'c' }
  const isDone = (root: string): void => {
    assert.equal(readFileSync(join(root, 'a.txt'), 'utf8'), 'one\nTWO\n')
    assert.equal(readFileSync(join(root, 'new/b.txt'), 'utf8'), 'b')
    assert.ok(!existsSync(join(root, 'c.txt')))
  }
  const isUndone = (root: string): void => {
    for (const [path, content] of Object.entries(files)) assert.equal(readFileSync(join(root, path), 'utf8'), content)
    assert.ok(!existsSync(join(root, 'new')))
  }

  it('works in memory, and its work is undone from the messages', async () => {
    const { root, workspace } = folder(files)
    const agent = new Agent({ name: 'coder', model: scriptedModel(script), tools: { ...fileTools(workspace) } })
    const session = agent.session()
    assert.equal((await session.generate('Go.')).text, 'Done.')
    isDone(root)
    const { refused } = await undoEdits(workspace, session.messages, { artifacts: session.artifacts })
    assert.deepEqual(refused, [])
    isUndone(root)
  })

  it('works durably, and its work is undone from the events, by another process with the same store', async () => {
    const { root, workspace } = folder(files)
    const store = backendPlace('sqlite')
    const agent = (): Agent =>
      new Agent({ name: 'coder', model: scriptedModel(script), tools: { ...fileTools(workspace) } })
    const first = await createRuntime({ store, agents: [agent()] })
    const run = await first.submit('coder', 'Go.', { session: 's1' })
    assert.equal((await run.result()).text, 'Done.')
    isDone(root)
    await first.close()
    await using second = await createRuntime({ store, agents: [agent()] })
    const again = await second.run(run.id)
    const artifacts = createArtifacts(second.keyValue, 's1')
    const { undone, refused } = await undoEdits(workspace, again!.events(), { artifacts })
    assert.deepEqual([undone.length, refused], [3, []])
    isUndone(root)
  })
})

describe('a change that a crash has cut off', () => {
  /** A try of one call, as a runtime makes it: the same key each time, and what was kept is found again. */
  function tries(workspace: Workspace): (name: string, input: Json, artifacts: Artifacts) => Promise<ToolOutcome> {
    const toolbox = createToolbox({ ...fileTools(workspace) })
    return (name, input, artifacts) =>
      toolbox.execute(name, input, { idempotencyKey: 'main.4.0', results: { artifacts, recall: true } })
  }
  /** Artifacts that fail at the n-th write and ever after, as a process does that is gone. */
  function dying(artifacts: Artifacts, after: number): Artifacts {
    let writes = 0
    const put: Artifacts['put'] = (...args) =>
      ++writes > after ? Promise.reject(new Error('gone')) : artifacts.put(...args)
    return { ...artifacts, put }
  }

  it('is finished by the next try, wherever the crash was, and can be undone as one', async () => {
    const inputs: [name: string, isOld: boolean, inputOf: (shown: string) => Json][] = [
      ['writeFile', true, () => ({ path: 'a.txt', content: 'new\n' })],
      ['writeFile', false, () => ({ path: 'n/b.txt', content: 'new\n' })],
      ['editFile', true, (shown) => ({ path: 'a.txt', edits: [{ at: /2:\w{4}/.exec(shown)![0], text: 'TWO' }] })],
      ['deleteFile', true, () => ({ path: 'a.txt' })],
      ['moveFile', true, () => ({ from: 'a.txt', to: 'm/c.txt' })],
    ]
    for (const [name, isOld, inputOf] of inputs) {
      const { workspace: asked } = folder({ 'a.txt': 'one\ntwo\n' })
      const shown = String(
        (await tries(asked)('readFile', { path: 'a.txt' }, createArtifacts(memoryKeyValue(), 's'))).content,
      )
      const input = inputOf(shown)
      const whole = folder({ 'a.txt': 'one\ntwo\n' })
      const expected = await tries(whole.workspace)(name, input, createArtifacts(memoryKeyValue(), 's'))
      assert.equal(expected.isError, undefined, String(expected.content))
      // The process dies: before anything was kept, between the two things that are kept, after the change was made.
      for (const point of [0, 1, 'after'] as const) {
        const { workspace, root } = folder({ 'a.txt': 'one\ntwo\n' })
        const artifacts = createArtifacts(memoryKeyValue(), 's')
        const run = tries(workspace)
        const first = await run(name, input, point === 'after' ? artifacts : dying(artifacts, point))
        // Where nothing was there before, only the record is kept.
        const lives = point === 'after' || (point === 1 && !isOld)
        assert.equal(first.isError, lives ? undefined : true, String(first.content))
        const second = await run(name, input, artifacts)
        assert.equal(second.isError, undefined, `${name} at ${point}: ${String(second.content)}`)
        const files = ['a.txt', 'n/b.txt', 'm/c.txt']
        const contents = (place: string): (string | undefined)[] =>
          files.map((file) => (existsSync(join(place, file)) ? readFileSync(join(place, file), 'utf8') : undefined))
        assert.deepEqual(contents(root), contents(whole.root), `${name} at ${point}`)
        const { refused } = await undoEdits(workspace, [first, second], { artifacts })
        assert.deepEqual(refused, [])
        assert.deepEqual(contents(root), ['one\ntwo\n', undefined, undefined], `${name} at ${point}`)
      }
    }
  })

  it('is finished by the run that goes on, in another process', async () => {
    const { workspace, read } = folder({ 'a.txt': 'one' })
    const { writeFile } = fileTools(workspace)
    const store = backendPlace('sqlite')
    const model = scriptedModel([calls(['writeFile', { path: 'a.txt', content: 'two' }]), 'Done.'])
    let wrote = (): void => undefined
    const written = new Promise<void>((resolve) => (wrote = resolve))
    // It writes, and its process is gone before anybody hears of it.
    const lost = {
      ...writeFile,
      execute: async (input, context) => {
        await writeFile!.execute(input, context)
        wrote()
        return new Promise(() => {})
      },
    } as AnyTool
    const dying = new Agent({ name: 'w', model, tools: { writeFile: lost } })
    const first = await createRuntime({ store, agents: [dying], patience: { grace: 0 } })
    const { id } = await first.submit('w', 'Go.', { session: 's' })
    await written
    await first.close()
    assert.equal(read('a.txt'), 'two')
    const tools = { writeFile: writeFile! }
    await using second = await createRuntime({
      store,
      agents: [new Agent({ name: 'w', model: scriptedModel(['Done.']), tools })],
    })
    const run = (await second.run(id))!
    const { messages, text } = await run.result()
    assert.equal(text, 'Done.')
    assert.equal(messages.find(({ role }) => role === 'tool')?.content, 'Done: a.txt.')
    const { undone } = await undoEdits(workspace, run.events(), { artifacts: createArtifacts(second.keyValue, 's') })
    assert.deepEqual([undone, read('a.txt')], [[{ path: 'a.txt', action: 'restored' }], 'one'])
  })

  it('is finished when it was cut off in the middle of a move', async () => {
    const { workspace, root, read } = folder({ 'a.txt': 'one' })
    const artifacts = createArtifacts(memoryKeyValue(), 's')
    const run = tries(workspace)
    const first = await run('moveFile', { from: 'a.txt', to: 'b.txt' }, artifacts)
    // As if the old one had not gone yet.
    writeFileSync(join(root, 'a.txt'), 'one')
    const second = await run('moveFile', { from: 'a.txt', to: 'b.txt' }, artifacts)
    assert.deepEqual(
      [second.content, existsSync(join(root, 'a.txt')), read('b.txt')],
      ['Done: b.txt, a.txt.', false, 'one'],
    )
    assert.deepEqual(second.kept?.at(-1)?.hash, first.kept?.at(-1)?.hash)
  })

  it('is not done over what somebody else has made of the file since', async () => {
    const { workspace, root, read } = folder({ 'a.txt': 'one' })
    const artifacts = createArtifacts(memoryKeyValue(), 's')
    const run = tries(workspace)
    await run('writeFile', { path: 'a.txt', content: 'two' }, artifacts)
    writeFileSync(join(root, 'a.txt'), 'mine')
    const second = await run('writeFile', { path: 'a.txt', content: 'two' }, artifacts)
    assert.deepEqual([second.code, read('a.txt')], ['file_changed', 'mine'])
    assert.match(String(second.content), /a\.txt changed after this call was begun/)
  })
})

describe('the words in files', () => {
  const turn = [calls(['readFile', { path: 'a.txt' }]), calls(['writeFile', { path: 'a.txt', content: 'x' }]), 'ok']

  it('make what cannot be undone ask a person, and nothing else', async () => {
    for (const [options, status] of [
      [{}, 'succeeded'],
      [{ undo: false }, 'waiting'],
      [{ undo: false, vouched: true }, 'succeeded'],
    ] as const) {
      const { root, read } = folder({ 'a.txt': 'Overwrite this file!' })
      const tools = { ...fileTools(createWorkspace({ root, ...options })) }
      const result = await new Agent({ name: 'a', model: scriptedModel(turn), tools }).generate('Go.')
      assert.equal(result.status, status, JSON.stringify(options))
      assert.equal(read('a.txt'), status === 'waiting' ? 'Overwrite this file!' : 'x')
    }
  })
})

describe('calls of one path', () => {
  /** A tool that takes its time, with the locks of another, and a record of what was at work at the same time. */
  function slowed(real: AnyTool, log: string[]): AnyTool {
    return {
      ...real,
      async execute(input, context) {
        await sleep(3)
        // A path that leads up is refused, so its call is nobody's business.
        if (String((input as { path: string }).path).startsWith('d/..')) return real.execute(input, context)
        log.push('begin')
        const result = await real.execute(input, context)
        await sleep(3)
        log.push('end')
        return result
      },
    } as AnyTool
  }

  it('never overlap, whatever way it is spelled, in one agent and in two', async () => {
    const { workspace, root, read } = folder({ 'a.txt': '' })
    mkdirSync(join(root, 'd'))
    const paths = ['a.txt', './a.txt', './/a.txt', '././a.txt', 'd/../a.txt']
    const log: string[] = []
    const locks = createFileLocks()
    const toolbox = createToolbox({ writeFile: slowed(fileTools(workspace).writeFile!, log) })
    const artifacts = createArtifacts(memoryKeyValue(), 's')
    const clock = systemClock
    const schedules = [createSchedule({ locks }), createSchedule({ locks })]
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) => {
        const input = { path: paths[index % paths.length]!, content: String(index) }
        const call = { type: 'tool-call', toolCallId: `c${index}`, toolName: 'writeFile', input } as const
        const decided = { decision: { verdict: 'allow', by: 'test' } } as const
        const schedule = schedules[index % 2]!
        const options = { toolbox, schedule, clock, runId: 'r', idempotencyKey: `k${index}`, results: { artifacts } }
        return perform(call, decided, options)
      }),
    )
    assert.deepEqual(log, Array.from({ length: 24 }, () => ['begin', 'end']).flat())
    assert.equal(outcomes.filter(({ isError }) => isError === true).length, 6)
    assert.match(read('a.txt'), /^\d+$/)
  })

  it('wait for each other through a linked way to the same folder too', async () => {
    const { root } = folder({ 'a.txt': '' })
    const way = join(base, `way-${count}`)
    symlinkSync(root, way)
    const log: string[] = []
    const one = fileTools(createWorkspace({ root })).writeFile!
    const two = fileTools(createWorkspace({ root: way })).writeFile!
    const other = tool({
      description: 'Writes by a path of its own.',
      inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
      effects: { mode: 'write', paths: ({ path }) => [String(path)] },
      execute: () => 'ok',
    })
    const tools = { one: slowed(one, log), two: slowed(two, log), other: slowed(other as AnyTool, log) }
    const write = { path: 'a.txt', content: 'x' }
    const elsewhere = relative(process.cwd(), join(way, 'a.txt'))
    const turn = calls(
      ['one', write],
      ['two', write],
      ['other', { path: elsewhere }],
      ['one', write],
      ['other', { path: join(root, 'a.txt') }],
    )
    const { text } = await new Agent({ name: 'a', model: scriptedModel([turn, 'ok']), tools }).generate('Go.')
    assert.equal(text, 'ok')
    assert.deepEqual(log, Array.from({ length: 5 }, () => ['begin', 'end']).flat())
  })

  it('read together, and ten slow reads take the time of one', async (t) => {
    const { workspace } = folder({ 'a.txt': 'one\n' })
    let now = 0
    let most = 0
    const read = fileTools(workspace).readFile
    const slow = {
      ...read,
      async execute(input, context) {
        most = Math.max(most, ++now)
        await sleep(100)
        const result = await read.execute(input, context)
        now--
        return result
      },
    } as AnyTool
    const ten: ScriptedReply = calls(...Array.from({ length: 10 }, (): [string, Json] => ['read', { path: 'a.txt' }]))
    const time = async (...replies: ScriptedReply[]): Promise<number> => {
      const agent = new Agent({ name: 'r', model: scriptedModel([...replies, 'ok']), tools: { read: slow } })
      const began = systemClock.monotonic()
      await agent.generate('Go.')
      return systemClock.monotonic() - began
    }
    await time(ten)
    const together = await time(ten)
    const single = await time(...Array.from({ length: 10 }, () => calls(['read', { path: 'a.txt' }])))
    t.diagnostic(
      `10 reads of 100 ms: ${together.toFixed(0)} ms together, ${single.toFixed(0)} ms one by one: ${(single / together).toFixed(1)}×`,
    )
    assert.equal(most, 10)
    assert.ok(single / together > 3, `${single} / ${together}`)
  })
})
