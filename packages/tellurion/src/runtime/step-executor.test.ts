import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sleep } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { createTestContext, type TestContext } from '../testing/run-context.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { step } from './step.ts'
import { StepExecutor } from './step-executor.ts'

const code = (expected: string) => (error: unknown) => error instanceof TellurionError && error.code === expected
const typesOf = ({ events }: TestContext): string[] => events.map(({ type }) => type)
const percents = ({ events }: TestContext): unknown[] =>
  events.filter(({ type }) => type === 'progress.updated').map((event) => event['percent'])

describe('steps', () => {
  test('run in order, share a state, and give their results by name', async () => {
    const context = createTestContext()
    const results = await new StepExecutor(context).run(
      [
        step('fetch', (_context, state) => {
          state['rows'] = [1, 2]
          return 2
        }),
        step('process', async (_context, state) => `${JSON.stringify(state['rows'])} ${String(state['unit'])}`),
        step('nothing', () => {}),
      ],
      { initialState: { unit: 'km' } },
    )
    // The types are inferred: this would not compile otherwise.
    const fetched: number = results.fetch
    const processed: string = results.process
    assert.deepEqual([fetched, processed, results.nothing], [2, '[1,2] km', null])
    assert.deepEqual(typesOf(context).slice(0, 3), ['step.started', 'step.completed', 'progress.updated'])
    assert.deepEqual(percents(context), [33, 67, 100])
  })

  test('that are done are skipped when the work is taken up again, and the state is as it was', async () => {
    const ran: string[] = []
    const steps = (broken: boolean) => [
      step('a', (_context, state) => {
        ran.push('a')
        state['sum'] = 1
        return 'A'
      }),
      step('b', (_context, state) => {
        ran.push('b')
        state['sum'] = Number(state['sum']) + 1
        if (broken) throw new Error('interrupted')
        return state['sum']
      }),
    ]
    const first = createTestContext()
    await assert.rejects(new StepExecutor(first).run(steps(true)), code('step_failed'))
    const second = createTestContext({ resumes: first })
    const results = await new StepExecutor(second).run(steps(false), { initialState: { sum: 100 } })
    assert.deepEqual(results, { a: 'A', b: 2 })
    assert.deepEqual(ran, ['a', 'b', 'b'])
    assert.deepEqual(typesOf(second).slice(0, 3), ['step.skipped', 'progress.updated', 'step.started'])
    assert.deepEqual(percents(second), [50, 100])
  })

  test('go on in the same call after a failure, and begin anew after an end', async () => {
    const context = createTestContext()
    const executor = new StepExecutor(context)
    const ran: string[] = []
    let broken = true
    const steps = [
      step('a', () => void ran.push('a')),
      step('b', () => {
        ran.push('b')
        if (broken) throw new Error('no')
      }),
    ]
    await assert.rejects(executor.run(steps))
    broken = false
    await executor.run(steps)
    assert.deepEqual(ran, ['a', 'b', 'b'])
    await executor.run(steps)
    assert.deepEqual(ran, ['a', 'b', 'b', 'a', 'b'])
  })

  test('executed twice are each skipped in their turn', async () => {
    const keys: string[] = []
    const one = [step('a', ({ idempotencyKey }) => void keys.push(idempotencyKey))]
    const first = createTestContext()
    await new StepExecutor(first).run(one)
    await new StepExecutor(first).run(one)
    const second = createTestContext({ resumes: first })
    for (let time = 0; time < 3; time++) await new StepExecutor(second).run(one)
    assert.deepEqual(keys, ['run_test.steps.1.a', 'run_test.steps.2.a', 'run_test.steps.3.a'])
  })

  test('are tried again after their delay; what a failed try did to the state is gone', async () => {
    const clock = virtualClock()
    const context = createTestContext({ clock })
    const seen: unknown[] = []
    const running = new StepExecutor(context).run([
      step(
        'flaky',
        ({ attempt }, state) => {
          seen.push([attempt, state['touched'], clock.now()])
          state['touched'] = true
          if (attempt < 3) throw new TellurionError('model_network', 'gone')
          return 'ok'
        },
        { retries: 2, retryDelay: 500, description: 'asks a server' },
      ),
    ])
    await clock.runAll()
    assert.deepEqual(await running, { flaky: 'ok' })
    assert.deepEqual(seen, [
      [1, undefined, 0],
      [2, undefined, 500],
      [3, undefined, 1000],
    ])
    const retrying = context.events.filter(({ type }) => type === 'step.retrying')
    assert.deepEqual(
      retrying.map(({ attempt, delay }: Record<string, unknown>) => [attempt, delay]),
      [
        [1, 500],
        [2, 500],
      ],
    )
    assert.equal(context.events[0]?.['description'], 'asks a server')
  })

  test('fail when they are out of tries, with their cause', async () => {
    const context = createTestContext()
    const cause = new Error('boom')
    const failing = step('bad', () => Promise.reject(cause), { retries: 1, retryDelay: 0 })
    await assert.rejects(new StepExecutor(context).run([failing]), (error: unknown) => {
      assert.ok(code('step_failed')(error))
      assert.match(String(error), /Step 'bad' failed after 2 tries: boom/)
      assert.equal((error as Error).cause, cause)
      return true
    })
    const failed = context.events.at(-1)
    assert.deepEqual([failed?.type, failed?.['attempts']], ['step.failed', 2])
  })

  test('are stopped at their timeout, which counts as a failure', async () => {
    const clock = virtualClock()
    const context = createTestContext({ clock })
    const aborted: unknown[] = []
    const running = new StepExecutor(context).run([
      step(
        'slow',
        ({ signal, attempt }) =>
          attempt === 2
            ? 'quick'
            : new Promise<string>(() => signal.addEventListener('abort', () => aborted.push(clock.now()))),
        { timeout: 100, retries: 1, retryDelay: 10 },
      ),
    ])
    await clock.runAll()
    assert.deepEqual(await running, { slow: 'quick' })
    assert.deepEqual(aborted, [100])
    assert.equal(clock.pending, 0)
    const { error } = context.events.find(({ type }) => type === 'step.retrying') as unknown as { error: unknown }
    assert.equal((error as { code: string }).code, 'step_timeout')
  })

  test('end with the run: that is no failure of theirs', async () => {
    const context = createTestContext()
    const running = new StepExecutor(context).run([
      step(
        'long',
        ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        {
          retries: 5,
        },
      ),
    ])
    context.cancel()
    await assert.rejects(running, { name: 'AbortError' })
    assert.deepEqual(typesOf(context), ['step.started'])
  })

  test('without a checkpoint are kept with the next that has one', async () => {
    const ran: string[] = []
    const build = (stop: string) =>
      ['a', 'b', 'c'].map((name) =>
        step(
          name,
          () => {
            if (name === stop) throw new Error('stop')
            ran.push(name)
          },
          { checkpoint: name !== 'a' },
        ),
      )
    const early = createTestContext()
    await assert.rejects(new StepExecutor(early).run(build('b')))
    const again = createTestContext({ resumes: early })
    await assert.rejects(new StepExecutor(again).run(build('c')))
    await new StepExecutor(createTestContext({ resumes: again })).run(build(''))
    assert.deepEqual(ran, ['a', 'a', 'b', 'c'])
  })

  test('may ask a person', async () => {
    const steps = [step('ask', async ({ ask }) => ask({ prompt: 'Sure?' }))]
    const first = createTestContext()
    await assert.rejects(new StepExecutor(first).run(steps), code('aborted'))
    assert.deepEqual(first.questions, [{ prompt: 'Sure?' }])
    const second = createTestContext({ resumes: first, answers: { 'Sure?': 'yes' } })
    assert.deepEqual(await new StepExecutor(second).run(steps), { ask: 'yes' })
  })

  test('of lists of their own do not meet', async () => {
    const context = createTestContext()
    const [one, two] = await Promise.all([
      new StepExecutor(context, { list: 'one' }).run([step('same', () => 1)]),
      new StepExecutor(context, { list: 'two' }).run([step('same', () => 2)]),
    ])
    assert.deepEqual([one.same, two.same], [1, 2])
  })

  test('that cannot be meant are refused', async () => {
    const executor = new StepExecutor(createTestContext())
    await assert.rejects(executor.run([step('a', () => 1), step('a', () => 2)]), code('duplicate_name'))
    await assert.rejects(executor.run([step('date', () => new Date())]), /The result of step 'date' is not plain JSON/)
    await assert.rejects(
      executor.run([step('state', (_context, state) => void (state['x'] = Number.NaN))]),
      /The state after step 'state'/,
    )
    assert.throws(() => step('', () => 1), code('invalid_name'))
    assert.throws(() => step('__proto__', () => 1), code('invalid_name'))
    assert.throws(() => step('a', 1 as never), code('invalid_option'))
    assert.throws(() => step('a', () => 1, { retry: 3 } as never), /retries/)
    assert.throws(() => step('a', () => 1, { retries: -1 }), code('invalid_option'))
    const busy = executor.run([step('slow', () => sleep(1))])
    await assert.rejects(executor.run([]), code('already_running'))
    await busy
    assert.deepEqual(await executor.run([]), {})
  })
})
