import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { TellurionError } from '../error/error.ts'
import type { Json } from '../schema/json.ts'
import { backendPlace, materials } from '../testing/backends.node.ts'
import { tool } from '../tool/tool.ts'
import type { AgentRuntime, RunContext, RunResult } from './agent-runtime.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import type { RuntimeOptions } from './runtime-options.ts'
import type { RunHandle } from './run-handle.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const agent = (run: (context: RunContext) => Promise<RunResult>, more: Partial<AgentRuntime> = {}): AgentRuntime => ({
  key: 'other',
  run,
  ...more,
})
/** Resolves never, rejects when the signal aborts. */
const hang = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
async function typesOf(run: RunHandle, after = 0): Promise<string[]> {
  const types: string[] = []
  for await (const event of run.events({ after })) if (event.seq !== undefined) types.push(event.type)
  return types
}
async function until(run: RunHandle, type: string): Promise<void> {
  for await (const event of run.events()) if (event.type === type) return
}

for (const material of materials) describe(`an agent of any make on ${material}`, () => behaviours(material))

function behaviours(material: (typeof materials)[number]): void {
  const open = (made: AgentRuntime, options: Partial<RuntimeOptions> = {}): Promise<Runtime> =>
    createRuntime({ store: backendPlace(material), agents: [made], ...options })

  test('gives an output, says it, and tells of what happened', async () => {
    const seen: Json[] = []
    await using runtime = await open(
      agent(async ({ input, metadata, messages, emit, runId }) => {
        seen.push(input, metadata, messages.length, runId)
        emit({ type: 'other.thought', about: input })
        return { output: `You said ${String(input)}`, usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 } }
      }),
    )
    const run = await runtime.submit('other', 'Hi', { metadata: { from: 'test' } })
    const result = await run.result()
    assert.deepEqual(seen, ['Hi', { from: 'test' }, 1, run.id])
    assert.equal(result.status, 'succeeded')
    assert.equal(result.text, 'You said Hi')
    assert.equal(result.output, 'You said Hi')
    assert.equal(result.usage.totalTokens, 7)
    assert.deepEqual(
      result.messages.map(({ role }) => role),
      ['user', 'assistant'],
    )
    const types = await typesOf(run)
    assert.deepEqual(types, ['run.started', 'message.added', 'other.thought', 'message.added', 'run.succeeded'])
  })

  test('takes any JSON as input and gives any back, checked against a schema when one is asked for', async () => {
    await using runtime = await open(agent(async ({ input }) => ({ output: { twice: [input, input] } })))
    const { output, messages, text } = await runtime.execute('other', { n: 1 })
    assert.deepEqual(output, { twice: [{ n: 1 }, { n: 1 }] })
    assert.deepEqual([messages.length, text], [0, ''])
    const fits = { type: 'object', required: ['twice'] }
    assert.ok(await runtime.execute('other', 1, { output: fits }))
    await assert.rejects(
      runtime.execute('other', 1, { output: { ...fits, required: ['gone'] } }),
      code('output_invalid'),
    )
  })

  test('goes on a conversation in a session, and begins each run without the state of the last', async () => {
    const states: (Json | undefined)[] = []
    await using runtime = await open(
      agent(async ({ messages, state, checkpoint }) => {
        states.push(state)
        await checkpoint({ seen: messages.length })
        return { output: `${messages.length}` }
      }),
    )
    await (await runtime.submit('other', 'a', { session: 's' })).result()
    const second = await (await runtime.submit('other', 'b', { session: 's' })).result()
    assert.equal(second.text, '3')
    assert.equal(second.messages.length, 2)
    assert.deepEqual(states, [undefined, undefined])
  })

  test('fails with what it threw or gave back; what it gave back stays', async () => {
    await using runtime = await open(
      agent(async ({ input, say }) => {
        if (input === 'throw') throw new Error('broken')
        await say({ role: 'assistant', content: 'half' })
        return { output: 'half', error: { code: 'run_limit', message: 'enough', retryable: false } }
      }),
    )
    await assert.rejects(runtime.execute('other', 'throw'), /broken/)
    await assert.rejects(runtime.execute('other', 'give'), (error: unknown) => {
      assert.ok(error instanceof TellurionError)
      assert.equal(error.code, 'run_limit')
      assert.equal((error.result as { output: Json }).output, 'half')
      return true
    })
  })

  test('fails clearly when what it gives back is not JSON, or nothing at all', async () => {
    await using runtime = await open(
      agent(async ({ input }) => (input === 'none' ? undefined : { output: new Date() }) as never),
    )
    await assert.rejects(runtime.execute('other', 'date'), /'other' gave back is not plain JSON: a Date/)
    assert.equal((await runtime.execute('other', 'none')).output, null)
  })

  test('is called again after a failure that may pass, with its checkpoint', async () => {
    const states: (Json | undefined)[] = []
    await using runtime = await open(
      agent(async ({ state, checkpoint }) => {
        states.push(state)
        await checkpoint(states.length)
        if (states.length < 3) throw new TellurionError('model_network', 'gone')
        return { output: 'at last' }
      }),
      { retry: { initialWait: 1, maxWait: 1 } },
    )
    assert.equal((await runtime.execute('other', 'x')).output, 'at last')
    assert.deepEqual(states, [undefined, 1, 2])
  })

  test('is cancelled in the middle: its signal aborts, what it kept stays, nothing comes after', async () => {
    const refused: unknown[] = []
    let late = (): void => {}
    await using runtime = await open(
      agent(async ({ signal, say, emit, checkpoint, ask }) => {
        await say({ role: 'assistant', content: 'so far' })
        await hang(signal).catch(() => {})
        for (const tried of [checkpoint('late'), say(), ask({ prompt: 'late' })]) {
          await tried.catch((error: unknown) => refused.push(error))
        }
        emit({ type: 'other.cleaned' })
        late = () => {
          emit({ type: 'other.late' })
          // Nobody awaits it: that must not end the process.
          void checkpoint('later')
        }
        return { output: 'too late' }
      }),
    )
    const run = await runtime.submit('other', 'x')
    for await (const event of run.events()) if (event.type === 'message.added' && event.seq! > 2) await run.cancel()
    const result = await run.result()
    late()
    assert.equal(result.status, 'cancelled')
    assert.equal(result.messages.at(-1)?.content, 'so far')
    assert.equal(refused.length, 3)
    assert.ok(refused.every(code('aborted')))
    assert.deepEqual((await typesOf(run)).slice(-2), ['other.cleaned', 'run.cancelled'])
  })

  test('is left behind when it does not heed its signal', async () => {
    await using runtime = await open(
      agent(() => new Promise(() => {})),
      { patience: { timeout: 20 } },
    )
    await assert.rejects(runtime.execute('other', 'x'), code('run_timeout'))
  })

  test('pauses at its checkpoint, and goes on from it', async () => {
    const states: (Json | undefined)[] = []
    let pause = async (): Promise<void> => {}
    await using runtime = await open(
      agent(async ({ state, checkpoint }) => {
        states.push(state)
        if (state === undefined) {
          await pause()
          await checkpoint('half')
          states.push('must not come')
        }
        return { output: 'whole' }
      }),
    )
    const run = await runtime.submit('other', 'x', { delay: 20 })
    pause = () => run.pause()
    await until(run, 'run.paused')
    assert.equal((await run.record()).status, 'paused')
    await run.resume()
    assert.equal((await run.result()).output, 'whole')
    assert.deepEqual(states, [undefined, 'half'])
  })

  test('that ends while it is paused keeps its result', async () => {
    let calls = 0
    let pause = async (): Promise<void> => {}
    await using runtime = await open(
      agent(async () => {
        calls++
        await pause()
        return { output: 'done' }
      }),
    )
    const run = await runtime.submit('other', 'x', { delay: 20 })
    pause = () => run.pause()
    await until(run, 'run.paused')
    await run.resume()
    assert.equal((await run.result()).output, 'done')
    assert.equal(calls, 1)
  })

  test('hears at its next safe point what is said meanwhile', async () => {
    let steer = async (): Promise<void> => {}
    await using runtime = await open(
      agent(async (context) => {
        if (context.messages.length > 1) return { output: String(context.messages.at(-1)?.content) }
        await steer()
        await context.checkpoint(1)
        return { output: String(context.messages.at(-1)?.content) }
      }),
    )
    const run = await runtime.submit('other', 'x', { delay: 20 })
    steer = () => run.steer('and y')
    assert.equal((await run.result()).output, 'and y')
  })

  test('asks a person without holding a worker, and gets the answer when it asks again', async () => {
    let calls = 0
    await using runtime = await open(
      agent(async ({ ask, emit }) => {
        calls++
        const [name, colour] = await Promise.all([
          ask({ prompt: 'Name?' }),
          ask({ id: 'colour', prompt: 'Colour?', choices: ['red', 'blue'] }),
        ])
        emit({ type: 'other.knows' })
        return { output: `${name} likes ${colour}, ${await ask({ id: 'colour', prompt: 'Again?' })}` }
      }),
      { maxConcurrent: 1 },
    )
    const run = await runtime.submit('other', 'x')
    assert.equal((await run.result()).status, 'waiting')
    const [first, second] = await runtime.interactions.list()
    assert.deepEqual([first?.prompt, second?.prompt, second?.choices], ['Name?', 'Colour?', ['red', 'blue']])
    await assert.rejects(runtime.interactions.answer(second!.id, { text: 'green' }), code('invalid_answer'))
    await runtime.interactions.answer(first!.id, { text: 'Ada' }, { by: 'ada' })
    await runtime.interactions.answer(second!.id, { choice: 'red' })
    await until(run, 'run.succeeded')
    assert.equal((await run.result()).output, 'Ada likes red, red')
    assert.equal(calls, 2)
    assert.deepEqual((await runtime.interactions.list()).length, 0)
  })

  test('takes the answer that it named when nobody answers in time', async () => {
    await using runtime = await open(
      agent(async ({ ask }) => ({ output: await ask({ prompt: 'Go?', expires: { after: 5, answer: 'no' } }) })),
      { patience: { heartbeat: 10, lease: 30 } },
    )
    const run = await runtime.submit('other', 'x')
    await until(run, 'interaction.expired')
    await until(run, 'run.succeeded')
    assert.equal((await run.result()).output, 'no')
  })

  test('uses its tools through the pipeline', async () => {
    const seen: unknown[] = []
    const add = tool({
      description: 'Adds',
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      execute: ({ a, b }, { runId }) => {
        seen.push(runId)
        return a + b
      },
    })
    await using runtime = await open(
      agent(
        async ({ tools }) => {
          const good = await tools.execute('add', { a: 1, b: 2 })
          const bad = await tools.execute('add', { a: 'x' })
          return { output: [good.content as string, bad.code ?? ''] }
        },
        { tools: { add } },
      ),
    )
    const { output, ...run } = await runtime.execute('other', 'x')
    assert.deepEqual(output, ['3', 'tool_input_invalid'])
    assert.equal(run.status, 'succeeded')
    assert.equal(seen.length, 1)
    assert.match(String(seen[0]), /^run_/)
  })

  test('must not speak for the runtime', async () => {
    await using runtime = await open(
      agent(async ({ emit }) => {
        assert.throws(() => emit({ type: 'run.succeeded', stopReason: 'x' }), code('invalid_name'))
        assert.throws(() => emit({ type: 'bad name' }), code('invalid_name'))
        assert.throws(() => emit({ type: 'other.x', at: new Date() }), code('invalid_value'))
        return { output: 'quiet' }
      }),
    )
    assert.equal((await runtime.execute('other', 'x')).output, 'quiet')
  })

  test('shows its events while it is still at work', async () => {
    let release = (): void => {}
    await using runtime = await open(
      agent(async ({ emit }) => {
        emit({ type: 'other.began' })
        await new Promise<void>((resolve) => (release = resolve))
        return { output: 1 }
      }),
    )
    const run = await runtime.submit('other', 'x')
    for await (const event of run.events()) if ((event.type as string) === 'other.began') release()
    assert.equal((await run.result()).output, 1)
  })

  test('shows that its worker still holds it', async () => {
    let release = (): void => {}
    await using runtime = await open(
      agent(async () => {
        await new Promise<void>((resolve) => (release = resolve))
        return { output: 1 }
      }),
      { patience: { heartbeat: 5, lease: 500 } },
    )
    const run = await runtime.submit('other', 'x')
    for await (const event of run.events()) {
      if (event.type !== 'run.heartbeat') continue
      assert.deepEqual(event, { type: 'run.heartbeat', attempt: 1 })
      release()
    }
  })

  test('forks: what was answered stays, what was open is asked again', async () => {
    await using runtime = await open(
      agent(async ({ ask, input }) => ({ output: `${String(input)} ${await ask({ prompt: 'Name?' })}` })),
    )
    const run = await runtime.submit('other', 'x')
    await run.result()
    const fork = await run.fork({ tick: await run.lastTick() })
    assert.equal((await fork.result()).status, 'waiting')
    const open2 = await runtime.interactions.list()
    assert.equal(new Set(open2.map(({ id }) => id)).size, 2)
    for (const { id, run: owner } of open2) await runtime.interactions.answer(id, { text: owner })
    await Promise.all([until(run, 'run.succeeded'), until(fork, 'run.succeeded')])
    assert.equal((await run.result()).output, `x ${run.id}`)
    assert.equal((await fork.result()).output, `x ${fork.id}`)
  })
}
