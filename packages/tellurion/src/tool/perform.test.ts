import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import type { ToolCallPart } from '../message/message.ts'
import type { Json } from '../schema/json.ts'
import { macrotask, virtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import { decide, type Decision } from './decide.ts'
import { perform, type PerformOptions } from './perform.ts'
import type { ToolOutcome } from './result.ts'
import { createSchedule } from './schedule.ts'
import { tool, type ToolContext, type ToolOptions } from './tool.ts'
import { createToolbox } from './toolbox.ts'

const inputSchema = z.object({ n: z.number().default(0) })
type Execute = (input: { n: number }, context: ToolContext) => unknown
interface Bench extends PerformOptions {
  readonly clock: VirtualClock
}

const call: ToolCallPart = { type: 'tool-call', toolCallId: 'c1', toolName: 't', input: { n: 1 } }
const allowed: Decision = { verdict: 'allow', by: 'test' }

function bench(
  execute: Execute,
  options: Partial<ToolOptions<typeof inputSchema, never>> = {},
  more: Partial<PerformOptions> = {},
): Bench {
  const toolbox = createToolbox({
    t: tool({ description: 'd', inputSchema, effects: 'read', execute, ...options } as ToolOptions<
      typeof inputSchema,
      never
    >),
  })
  return {
    toolbox,
    schedule: createSchedule(),
    runId: 'run_1',
    idempotencyKey: 'main.4.0',
    ...more,
    clock: virtualClock(),
  }
}

async function outcomeOf(
  execute: Execute,
  options: Partial<ToolOptions<typeof inputSchema, never>> = {},
): Promise<ToolOutcome> {
  return perform(call, { decision: allowed }, bench(execute, options))
}

/** A look at an outcome: undefined until it is there. */
function watched(outcome: ToolOutcome | Promise<ToolOutcome>): () => ToolOutcome | undefined {
  let seen: ToolOutcome | undefined
  void Promise.resolve(outcome).then((each) => {
    seen = each
  })
  return () => seen
}

describe('perform', () => {
  it('runs an allowed call, at once where the tool answers at once', () => {
    const options = bench(({ n }) => `got ${n}`)
    assert.deepEqual(perform(call, { decision: allowed }, options), {
      toolCallId: 'c1',
      toolName: 't',
      content: 'got 1',
    })
    assert.equal(options.clock.pending, 0)
  })

  it('uses what was prepared, and prepares anew what comes from a store', async () => {
    const seen: unknown[] = []
    const options = bench((input) => {
      seen.push(input)
    })
    const decided = await decide({ ...call, input: {} }, { toolbox: options.toolbox })
    await perform(call, decided, options)
    await perform(call, { decision: JSON.parse(JSON.stringify(allowed)) as Decision }, options)
    assert.deepEqual(seen, [{ n: 0 }, { n: 1 }])
  })

  it('gives the tool its context, which may be taken apart', async () => {
    const heard: Json[] = []
    const seen: ToolContext[] = []
    const options = bench(
      async (_input, given) => {
        seen.push(given)
        const { progress, abortSignal } = given
        progress({ half: true })
        await macrotask()
        progress('done')
        assert.equal(abortSignal.aborted, false)
        return 'ok'
      },
      {},
      { onProgress: (progress) => heard.push(progress) },
    )
    assert.equal((await perform(call, { decision: allowed }, options)).content, 'ok')
    assert.deepEqual([seen[0]?.toolCallId, seen[0]?.idempotencyKey, seen[0]?.runId], ['c1', 'main.4.0', 'run_1'])
    assert.equal(seen[0]?.abortSignal, seen[0]?.abortSignal)
    seen[0]?.progress('too late')
    assert.deepEqual(heard, [{ half: true }, 'done'])
  })

  it('refuses progress that is no JSON', async () => {
    const options = bench(
      (_input, { progress }) => progress(new Map() as unknown as Json),
      {},
      { onProgress: () => {} },
    )
    const outcome = await perform(call, { decision: allowed }, options)
    assert.match(String(outcome.content), /failed: progress of the tool 't' must be plain JSON: a Map/)
  })

  it('leaves no timer, no listener and no place behind', async () => {
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const options = bench(
      async () => {
        await macrotask()
        await macrotask()
        return 'ok'
      },
      {},
      { signal },
    )
    const pending = perform(call, { decision: allowed }, options)
    await macrotask()
    assert.deepEqual([options.clock.pending, listeners, options.schedule.active], [1, 1, 1])
    await pending
    assert.deepEqual([options.clock.pending, listeners, options.schedule.active], [0, 0, 0])
  })

  it('arms nothing for a promise that is settled already', async () => {
    const options = bench(async () => 'ok')
    const pending = perform(call, { decision: allowed }, options)
    await Promise.resolve()
    assert.equal(options.clock.pending, 0)
    assert.equal((await pending).content, 'ok')
  })
})

describe('a call without an allow', () => {
  const decisions: readonly (readonly [Decision, string, RegExp])[] = [
    [
      { verdict: 'deny', by: 'ada', reason: 'not on Fridays' },
      'tool_denied',
      /^The call of the tool 't' was denied: not on Fridays\. Do not repeat it/,
    ],
    [
      { verdict: 'ask', by: 'rule 1', prompt: '?', inputHash: 'x' },
      'tool_denied',
      /has not been approved, so it did not run/,
    ],
    [{ verdict: 'reject', code: 'unknown_tool', message: 'There is no tool.' }, 'unknown_tool', /^There is no tool\.$/],
  ]
  for (const [decision, code, expected] of decisions) {
    it(`does not run: ${decision.verdict}`, async () => {
      const options = bench(() => assert.fail('it ran'))
      const { prepared } = await decide(call, { toolbox: options.toolbox })
      const outcome = await perform(call, prepared ? { decision, prepared } : { decision }, options)
      assert.deepEqual([outcome.isError, outcome.code], [true, code])
      assert.match(String(outcome.content), expected)
    })
  }

  it('nor does one whose tool or arguments are not valid any more', async () => {
    const options = bench(() => assert.fail('it ran'))
    assert.equal((await perform({ ...call, toolName: 'gone' }, { decision: allowed }, options)).code, 'unknown_tool')
    assert.equal(
      (await perform({ ...call, input: { n: 'x' } }, { decision: allowed }, options)).code,
      'tool_input_invalid',
    )
    assert.equal(
      (await perform({ ...call, invalidInput: '{' }, { decision: allowed }, options)).code,
      'tool_input_invalid',
    )
  })
})

describe('a tool that fails', () => {
  it('is a result with its message and no stack', async () => {
    for (const execute of [
      () => {
        throw new Error('no such place')
      },
      () => Promise.reject(new Error('no such place')),
    ]) {
      assert.deepEqual(await outcomeOf(execute), {
        toolCallId: 'c1',
        toolName: 't',
        content: "The tool 't' failed: no such place",
        isError: true,
        code: 'tool_failed',
      })
    }
  })

  const hostile = {
    get message(): string {
      throw new Error('gotcha')
    },
  }
  const thrown: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['null', null],
    ['a BigInt', 1n],
    ['an ill-formed text', '\ud800'],
    ['a very long message', new Error('x'.repeat(100_000))],
    ['an object that throws', hostile],
    ['an error whose message throws', Object.setPrototypeOf(hostile, Error.prototype)],
    ['a symbol', Symbol('s')],
  ]
  for (const [name, value] of thrown) {
    it(`is a bounded, well-formed result, also when it throws ${name}`, async () => {
      for (const execute of [
        () => {
          throw value
        },
        async () => {
          throw value
        },
      ]) {
        const outcome = await outcomeOf(execute)
        assert.equal(outcome.code, 'tool_failed')
        assert.ok(String(outcome.content).isWellFormed() && outcome.content.length <= 2_000)
      }
    })
  }

  it('is a result also when its paths or its promise-like result fail', async () => {
    const paths = (): never => {
      throw new Error('no path')
    }
    assert.match(String((await outcomeOf(() => 1, { effects: { mode: 'write', paths } })).content), /failed: no path/)
    const odd = (() => 'a/b') as unknown as () => readonly string[]
    const outcome = await outcomeOf(() => 1, { effects: { mode: 'write', paths: odd } })
    assert.match(String(outcome.content), /effects\.paths of tool "d" must return a list of paths/)
    const thenables: readonly PropertyDescriptor[] = [
      { get: () => assert.fail('boom') },
      { value: (_: unknown, reject: (error: Error) => void) => reject(new Error('boom')) },
      { value: () => assert.fail('boom') },
    ]
    for (const then of thenables) {
      // oxlint-disable-next-line unicorn/no-thenable -- query builders are such results
      assert.equal((await outcomeOf(() => Object.defineProperty({}, 'then', then))).code, 'tool_failed')
    }
  })
})

describe('the timeout of a call', () => {
  it('aborts the work and ends the call, also when the tool ignores it', async () => {
    const seen: AbortSignal[] = []
    const options = bench(
      (_input, { abortSignal }) => {
        seen.push(abortSignal)
        return new Promise(() => {})
      },
      { timeout: 500 },
    )
    const state = watched(perform(call, { decision: allowed }, options))
    await options.clock.advance(499)
    assert.equal(state(), undefined)
    assert.equal(seen[0]?.aborted, false)
    await options.clock.advance(1)
    assert.deepEqual(state(), {
      toolCallId: 'c1',
      toolName: 't',
      content: "The tool 't' did not end within 500 ms and was stopped.",
      isError: true,
      code: 'tool_timeout',
    })
    assert.match(String(seen[0]?.reason), /^TellurionError: The tool 't' did not end/)
    assert.equal(options.schedule.active, 0)
  })

  it('is 30 s by default, and none for Infinity', async () => {
    const options = bench(() => new Promise(() => {}))
    const state = watched(perform(call, { decision: allowed }, options))
    await options.clock.advance(29_999)
    assert.equal(state(), undefined)
    await options.clock.advance(1)
    assert.equal(state()?.code, 'tool_timeout')
    const endless = bench(() => new Promise(() => {}), { timeout: Infinity })
    void perform(call, { decision: allowed }, endless)
    await macrotask()
    assert.equal(endless.clock.pending, 0)
  })

  it('drops what the tool says afterwards, failures too', async () => {
    const late = Promise.withResolvers<string>()
    const failing = Promise.withResolvers<string>()
    for (const { promise } of [late, failing]) {
      const options = bench(() => promise, { timeout: 10 })
      const state = watched(perform(call, { decision: allowed }, options))
      await options.clock.advance(10)
      assert.equal(state()?.code, 'tool_timeout')
    }
    const unhandled: unknown[] = []
    const listen = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', listen)
    late.resolve('too late')
    failing.reject(new Error('too late'))
    await macrotask()
    await macrotask()
    process.off('unhandledRejection', listen)
    assert.deepEqual(unhandled, [])
  })

  it('shows an abort signal that was not read before as aborted', async () => {
    const seen: ToolContext[] = []
    const options = bench(
      (_input, given) => {
        seen.push(given)
        return new Promise(() => {})
      },
      { timeout: 10 },
    )
    void perform(call, { decision: allowed }, options)
    await options.clock.advance(10)
    assert.equal(seen[0]?.abortSignal.aborted, true)
  })

  it('counts from the start of the work, not of the wait for its turn', async () => {
    const first = Promise.withResolvers<string>()
    const options = bench(({ n }) => (n === 1 ? first.promise : new Promise(() => {})), {
      timeout: 100,
      effects: 'exclusive',
    })
    void perform(call, { decision: allowed }, options)
    const second = watched(perform({ ...call, input: { n: 2 } }, { decision: allowed }, options))
    await options.clock.advance(90)
    first.resolve('done')
    await macrotask()
    await options.clock.advance(99)
    assert.equal(second(), undefined)
    await options.clock.advance(1)
    assert.equal(second()?.code, 'tool_timeout')
  })
})

describe('cancelling', () => {
  it('ends a running call at once, aborts its work and keeps nothing', async () => {
    const controller = new AbortController()
    const seen: AbortSignal[] = []
    const options = bench(
      (_input, { abortSignal }) => {
        seen.push(abortSignal)
        return new Promise(() => {})
      },
      {},
      { signal: controller.signal },
    )
    const state = watched(perform(call, { decision: allowed }, options))
    await macrotask()
    controller.abort(new Error('stop'))
    await macrotask()
    assert.deepEqual([state()?.code, state()?.content], ['aborted', "The call of the tool 't' was cancelled."])
    assert.equal(String(seen[0]?.reason), 'Error: stop')
    assert.deepEqual([options.clock.pending, options.schedule.active], [0, 0])
  })

  it('counts before what the tool answers to its abort', async () => {
    const controller = new AbortController()
    const execute: Execute = (_input, { abortSignal }) =>
      new Promise((_resolve, reject) => abortSignal.addEventListener('abort', () => reject(new Error('I was aborted'))))
    const state = watched(perform(call, { decision: allowed }, bench(execute, {}, { signal: controller.signal })))
    await macrotask()
    controller.abort()
    await macrotask()
    assert.equal(state()?.code, 'aborted')
  })

  it('keeps a call from starting: before, in the line, and between', async () => {
    const before = bench(() => assert.fail('it ran'), {}, { signal: AbortSignal.abort() })
    assert.equal((await perform(call, { decision: allowed }, before)).code, 'aborted')

    const controller = new AbortController()
    const first = Promise.withResolvers<string>()
    let ran = 0
    const options = bench(
      () => {
        ran++
        return first.promise
      },
      { effects: 'exclusive' },
      { signal: controller.signal },
    )
    const one = watched(perform(call, { decision: allowed }, { ...options, signal: undefined }))
    const two = watched(perform(call, { decision: allowed }, options))
    await macrotask()
    controller.abort()
    await macrotask()
    assert.deepEqual([ran, one(), two()?.code], [1, undefined, 'aborted'])

    const third = new AbortController()
    const three = watched(perform(call, { decision: allowed }, { ...options, signal: third.signal }))
    first.resolve('done')
    // The turn has come, the work has not begun yet.
    queueMicrotask(() => queueMicrotask(() => third.abort()))
    await macrotask()
    assert.ok(three()?.code === 'aborted' || three()?.content === 'done')
    assert.equal(options.schedule.active, 0)
  })

  it('ends a call whose schema never answers', async () => {
    const controller = new AbortController()
    const never = z.object({}).refine(() => new Promise<boolean>(() => {}))
    const toolbox = createToolbox({ t: tool({ description: 'd', inputSchema: never, execute: () => 1 }) })
    const state = watched(
      perform(call, { decision: allowed }, { ...bench(() => 1), toolbox, signal: controller.signal }),
    )
    await macrotask()
    controller.abort()
    await macrotask()
    assert.equal(state()?.code, 'aborted')
  })
})

describe('ten calls at once', () => {
  it('take as long as one when they read', async () => {
    const clock = virtualClock()
    const options = bench(() => new Promise((resolve) => clock.timer(100, () => resolve('ok'))))
    const states = Array.from({ length: 10 }, () => watched(perform(call, { decision: allowed }, options)))
    await clock.advance(100)
    assert.equal(states.filter((peek) => peek()?.content === 'ok').length, 10)
  })

  it('take ten times as long when nothing is declared', async () => {
    const clock = virtualClock()
    const options = bench(() => new Promise((resolve) => clock.timer(100, () => resolve('ok'))), { effects: undefined })
    const states = Array.from({ length: 10 }, () => watched(perform(call, { decision: allowed }, options)))
    await clock.advance(999)
    assert.equal(states.filter((peek) => peek()?.content === 'ok').length, 9)
    await clock.advance(1)
    assert.equal(states.filter((peek) => peek()?.content === 'ok').length, 10)
  })
})
