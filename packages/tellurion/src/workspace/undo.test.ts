import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { memoryKeyValue } from '../port/memory-key-value.ts'
import type { Json } from '../schema/json.ts'
import { createArtifacts, type Artifacts } from '../tool/artifact.ts'
import type { ToolOutcome } from '../tool/result.ts'
import { createToolbox } from '../tool/toolbox.ts'
import { tool } from '../tool/tool.ts'
import { fileTools } from './file-tools.ts'
import { undoEdits } from './undo.ts'
import { createWorkspace, type Workspace } from './workspace.ts'

const base = mkdtempSync(join(tmpdir(), 'tellurion-undo-'))
after(() => rmSync(base, { recursive: true }))
let count = 0

interface Bench {
  readonly root: string
  readonly workspace: Workspace
  readonly artifacts: Artifacts
  readonly past: ToolOutcome[]
  run(name: string, input: Json): Promise<ToolOutcome>
}

function bench(): Bench {
  const root = join(base, String(++count))
  mkdirSync(root)
  const workspace = createWorkspace({ root })
  const artifacts = createArtifacts(memoryKeyValue(), 's')
  const toolbox = createToolbox({ ...fileTools(workspace) })
  const past: ToolOutcome[] = []
  return {
    root,
    workspace,
    artifacts,
    past,
    async run(name, input) {
      const outcome = await toolbox.execute(name, input, { results: { artifacts }, idempotencyKey: `k${++count}` })
      past.push(outcome)
      return outcome
    },
  }
}

/** Every file of a folder with mode and content, and every folder. */
function pictureOf(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    found[path.slice(root.length + 1)] = entry.isDirectory()
      ? 'folder'
      : `${(statSync(path).mode & 0o777).toString(8)} ${readFileSync(path, 'latin1')}`
  }
  return found
}

describe('undoing', () => {
  it('brings back what every tool has changed, newest first, and folders too', async () => {
    const { root, workspace, artifacts, past, run } = bench()
    writeFileSync(join(root, 'a.bin'), Uint8Array.of(0, 255, 128))
    writeFileSync(join(root, 'b.txt'), 'b\r\n')
    chmodSync(join(root, 'b.txt'), 0o640)
    const before = pictureOf(root)
    await run('writeFile', { path: 'a.bin', content: 'text now' })
    await run('writeFile', { path: 'new/deep/c.txt', content: 'c' })
    await run('moveFile', { from: 'b.txt', to: 'new/b.txt' })
    await run('editFile', { path: 'new/b.txt', edits: [{ at: 'end', text: 'more' }] })
    await run('deleteFile', { path: 'a.bin' })
    await run('readFile', { path: 'new/b.txt' })
    await run('writeFile', { path: '../x', content: 'refused' })
    assert.deepEqual(await undoEdits(workspace, past, { artifacts }), {
      undone: [
        { path: 'a.bin', action: 'restored' },
        { path: 'new/b.txt', action: 'restored' },
        { path: 'b.txt', action: 'restored' },
        { path: 'new/b.txt', action: 'deleted' },
        { path: 'new/deep/c.txt', action: 'deleted' },
        { path: 'a.bin', action: 'restored' },
      ],
      refused: [],
    })
    assert.deepEqual(pictureOf(root), before)
    const again = await undoEdits(workspace, past, { artifacts })
    assert.deepEqual(pictureOf(root), before)
    assert.ok(again.refused.length + again.undone.length > 0)
  })

  it('leaves alone what somebody else has changed since, and says so; the rest is undone', async () => {
    const { root, workspace, artifacts, past, run } = bench()
    for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(root, name), 'old')
    await run('writeFile', { path: 'a', content: '1' })
    await run('writeFile', { path: 'a', content: '2' })
    await run('writeFile', { path: 'b', content: '1' })
    await run('deleteFile', { path: 'c' })
    await run('writeFile', { path: 'n/new', content: 'x' })
    await run('writeFile', { path: 'd', content: '1' })
    writeFileSync(join(root, 'a'), 'mine')
    writeFileSync(join(root, 'c'), 'mine')
    writeFileSync(join(root, 'n/mine'), 'mine')
    rmSync(join(root, 'd'))
    symlinkSync('a', join(root, 'd'))
    const { undone, refused } = await undoEdits(workspace, past, { artifacts })
    assert.deepEqual(undone, [
      { path: 'n/new', action: 'deleted' },
      { path: 'b', action: 'restored' },
    ])
    assert.deepEqual(
      refused.map(({ path, reason }) => [path, /somebody else|symbolic link/.exec(reason)?.[0]]),
      [
        ['d', 'symbolic link'],
        ['c', 'somebody else'],
        ['a', 'somebody else'],
      ],
    )
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'mine')
    assert.equal(readFileSync(join(root, 'c'), 'utf8'), 'mine')
    assert.deepEqual(readdirSync(join(root, 'n')), ['mine'])
  })

  it('takes messages, events and outcomes, each call once, and no other tool’s', async () => {
    const { root, workspace, artifacts, run } = bench()
    writeFileSync(join(root, 'a'), 'old')
    const { kept, toolCallId, toolName } = await run('writeFile', { path: 'a', content: 'new' })
    const mine = tool({
      description: 'd',
      inputSchema: { type: 'object' },
      execute: (_i, { keep }) => keep('file changes', '{}'),
    })
    const foreign = await createToolbox({ mine }).execute('mine', {}, { results: { artifacts } })
    const elsewhere = bench()
    const other = await elsewhere.run('writeFile', { path: 'a', content: 'x' })
    for (const { hash } of other.kept ?? []) await artifacts.put((await elsewhere.artifacts.get(hash))!)
    async function* events(): AsyncGenerator<object> {
      yield { type: 'run.started' }
      yield { type: 'tool.ended', toolCallId, toolName, kept }
      yield { type: 'message.added', message: { role: 'tool', toolCallId, toolName, kept } }
      yield { type: 'child.progress', event: { type: 'tool.ended', toolName: 'writeFile', kept: foreign.kept } }
      yield { type: 'tool.ended', toolName, kept: other.kept }
    }
    assert.deepEqual(await undoEdits(workspace, events(), { artifacts }), {
      undone: [{ path: 'a', action: 'restored' }],
      refused: [],
    })
    assert.ok(existsSync(join(elsewhere.root, 'a')))
  })

  it('says what is wrong with what it is given', async () => {
    const { workspace, artifacts, run, root } = bench()
    writeFileSync(join(root, 'a'), 'old')
    const { kept } = await run('writeFile', { path: 'a', content: 'new' })
    const empty = createArtifacts(memoryKeyValue(), 's')
    await assert.rejects(undoEdits(workspace, [{ toolName: 'writeFile', kept }], { artifacts: empty }), {
      code: 'unknown_resource',
    })
    await assert.rejects(undoEdits(workspace, [], { artifact: empty } as never), { code: 'unknown_option' })
    const signal = AbortSignal.abort()
    await assert.rejects(undoEdits(workspace, [{ toolName: 'writeFile', kept }], { artifacts, signal }), {
      name: 'AbortError',
    })
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'new')
  })

  it('is never led out of the root by a record', async () => {
    const { workspace, artifacts, root } = bench()
    writeFileSync(join(base, 'canary'), 'canary')
    const state = async (text: string): Promise<object> => {
      const { hash, size } = (await artifacts.put(text))!
      return { hash, size, mode: 0o644 }
    }
    const change = { before: await state('harm'), after: await state('canary') }
    for (const path of ['../canary', join(base, 'canary'), 'a/../../canary', '', '.']) {
      const record = { version: 1, root, call: path, changes: [{ path, ...change }], folders: ['../..', '/tmp'] }
      const { hash, size } = (await artifacts.put(JSON.stringify(record)))!
      const { undone, refused } = await undoEdits(
        workspace,
        [{ toolName: 'writeFile', kept: [{ name: 'file changes', hash, size }] }],
        {
          artifacts,
        },
      )
      assert.deepEqual([undone.length, refused.length], [0, 1], path)
    }
    assert.equal(readFileSync(join(base, 'canary'), 'utf8'), 'canary')
    for (const record of [
      '',
      '{',
      '[]',
      'null',
      '{"version":2}',
      `{"version":1,"root":"${root}","call":"k","changes":[{}],"folders":[]}`,
    ]) {
      const { hash, size } = (await artifacts.put(record))!
      const report = await undoEdits(
        workspace,
        [{ toolName: 'writeFile', kept: [{ name: 'file changes', hash, size }] }],
        { artifacts },
      )
      assert.deepEqual(report, { undone: [], refused: [] }, record)
    }
  })

  it('takes no other tool’s word for it, whatever that has kept; renamed tools are named', async () => {
    const { root, workspace, artifacts, run } = bench()
    writeFileSync(join(root, 'a'), 'old')
    const { kept } = await run('writeFile', { path: 'a', content: 'new' })
    const forged = [{ type: 'tool.ended', toolName: 'runPython', kept }]
    assert.deepEqual(await undoEdits(workspace, forged, { artifacts }), { undone: [], refused: [] })
    assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'new')
    const { undone } = await undoEdits(workspace, forged, { artifacts, tools: ['runPython'] })
    assert.equal(undone.length, 1)
  })

  it('leads back from any sequence of changes', async () => {
    const path = fc.constantFrom('a', 'b', 'd/c', 'd/e/f')
    const step = fc.oneof(
      fc.record({
        name: fc.constant('writeFile'),
        input: fc.record({ path, content: fc.constantFrom('', 'x', 'y\n', 'z\r\n') }),
      }),
      fc.record({ name: fc.constant('deleteFile'), input: fc.record({ path }) }),
      fc.record({ name: fc.constant('moveFile'), input: fc.record({ from: path, to: path }) }),
      fc.record({
        name: fc.constant('editFile'),
        input: fc.record({ path, edits: fc.constantFrom([{ at: 'start', text: 'q' }], [{ at: 'end', text: 'r' }]) }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { root, workspace, artifacts, past, run } = bench()
        writeFileSync(join(root, 'a'), 'first')
        const before = pictureOf(root)
        for (const { name, input } of steps) await run(name, input as Json)
        const { refused } = await undoEdits(workspace, past, { artifacts })
        assert.deepEqual(refused, [])
        assert.deepEqual(pictureOf(root), before)
      }),
      { numRuns: 25 },
    )
  })
})
