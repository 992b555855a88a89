// The step executor: carries out steps one after another, keeps each that is done, and passes over it when the work is
// taken up again. What a failed try did to the shared state is gone.

import { childController, raceAbort, throwIfAborted } from '../abort/abort.ts'
import { sleep } from '../clock/clock.ts'
import { errorData, messageOf, TellurionError } from '../error/error.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { RunContext, StepDone } from './agent-runtime.ts'
import { withDefaults } from './foreign-context.ts'
import type { Step, StepContext, StepState } from './step.ts'

/** What the steps gave, by name. */
export type StepResults<Steps extends readonly Step[]> = {
  readonly [Each in Steps[number] as Each['name']]: Each extends Step<string, infer Result>
    ? Exclude<Awaited<Result>, undefined | void> | (undefined extends Awaited<Result> ? null : never)
    : never
}

/** How a list of steps begins. */
export interface StepRunOptions {
  /** The shared state before the first step. Default empty. */
  readonly initialState?: JsonObject
}

/** One execution of a list of steps. */
interface Execution {
  readonly number: number
  readonly total: number
  readonly results: Map<string, Json>
  /** Done, and not yet kept. */
  unkept: StepDone[]
  state: JsonObject
}

/** Carries out steps within a run. */
export class StepExecutor {
  readonly #context: RunContext
  readonly #list: string
  #running = false

  /** `list` tells executors of one run apart; two that work at the same time need different ones. Default `steps`. */
  constructor(context: RunContext, options: { readonly list?: string } = {}) {
    this.#context = context
    this.#list = options.list ?? 'steps'
  }

  /**
   * Carries out the steps in order and gives their results by name. Steps that this run has done before are skipped; a
   * finished list begins anew. Rejects with `step_failed` when a step fails for good (what is done stays done, also for
   * the next call), with `duplicate_name`, and with the signal's reason when the run should end.
   */
  async run<const Steps extends readonly Step<string, unknown>[]>(
    steps: Steps,
    options: StepRunOptions = {},
  ): Promise<StepResults<Steps>> {
    checkNames(steps)
    if (this.#running) throw new TellurionError('already_running', 'This executor is at work; await its results first.')
    this.#running = true
    try {
      return (await this.#runAll(steps, options)) as StepResults<Steps>
    } finally {
      this.#running = false
    }
  }

  async #runAll(steps: readonly Step[], { initialState = {} }: StepRunOptions): Promise<Record<string, Json>> {
    const { execution: number, done, state } = this.#context.steps.read(this.#list)
    const before = new Map(done.map(({ name, result }) => [name, result]))
    const execution: Execution = {
      number,
      total: steps.length,
      results: new Map(),
      unkept: [],
      state: state ?? (plain(initialState, 'initialState') as JsonObject),
    }
    for (const [index, step] of steps.entries()) {
      const result = before.get(step.name)
      if (result === undefined) await this.#carryOut(step, index, execution)
      else {
        execution.results.set(step.name, result)
        this.#context.emit({ type: 'step.skipped', name: step.name, index, total: execution.total })
        this.#progress(execution)
      }
    }
    if (steps.length === 0) this.#progress(execution)
    this.#context.steps.finish(this.#list)
    return Object.fromEntries(execution.results)
  }

  /** Tries a step until it is done, or fails for good. */
  async #carryOut(step: Step, index: number, execution: Execution): Promise<void> {
    const { emit, clock, signal } = this.#context
    const { name, description, retries, retryDelay } = step
    const place = { name, index, total: execution.total }
    emit({ type: 'step.started', ...place, ...(description === undefined ? {} : { description }) })
    const since = clock.monotonic()
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await this.#try(step, attempt, execution)
        execution.results.set(name, result)
        execution.unkept.push({ name, result })
        emit({ type: 'step.completed', ...place, duration: Math.round(clock.monotonic() - since) })
        break
      } catch (error) {
        // The run should end: that is no failure of the step.
        throwIfAborted(signal)
        const data = errorData(error, 'step_failed')
        if (attempt > retries) {
          emit({ type: 'step.failed', ...place, error: data, attempts: attempt })
          throw failed(name, attempt, error)
        }
        emit({ type: 'step.retrying', ...place, error: data, attempt, delay: retryDelay })
        await sleep(retryDelay, { clock, signal })
      }
    }
    this.#progress(execution)
    if (!step.checkpoint) return
    const { unkept, state } = execution
    execution.unkept = []
    await this.#context.steps.keep(this.#list, unkept, state)
  }

  /** One try on a copy of the state, which counts only when the try succeeds. */
  async #try(step: Step, attempt: number, execution: Execution): Promise<Json> {
    const { signal, clock } = this.#context
    const { controller, detach } = childController(signal)
    const { name, timeout } = step
    const stopTimer =
      timeout === undefined
        ? undefined
        : clock.timer(timeout, () => {
            const message = `Step '${name}' did not end within ${timeout} ms and was stopped.`
            controller.abort(new TellurionError('step_timeout', message))
          })
    const state = structuredClone(execution.state) as StepState
    try {
      const context = this.#contextOf(step, attempt, { signal: controller.signal, number: execution.number })
      const working = Promise.resolve().then(() => step.run(context, state))
      const result = plain((await raceAbort(working, controller.signal)) ?? null, `The result of step '${name}'`)
      execution.state = plain(state, `The state after step '${name}'`) as JsonObject
      return result
    } finally {
      stopTimer?.()
      detach()
    }
  }

  #contextOf(
    { name: step }: Step,
    attempt: number,
    { signal, number }: { signal: AbortSignal; number: number },
  ): StepContext {
    const { runId, input, metadata, tools, clock, emit, ask } = this.#context
    const idempotencyKey = `${runId}.${this.#list}.${number}.${step}`
    const bound = withDefaults(tools, { signal, clock, runId })
    return { runId, input, metadata, clock, emit, ask, step, attempt, signal, idempotencyKey, tools: bound }
  }

  #progress({ results, total }: Execution): void {
    const percent = total === 0 ? 100 : Math.round((100 * results.size) / total)
    this.#context.emit({ type: 'progress.updated', percent, done: results.size, total })
  }
}

function checkNames(steps: readonly Step[]): void {
  const names = new Set<string>()
  for (const { name } of steps) {
    if (names.has(name))
      throw new TellurionError('duplicate_name', `Two steps are named '${name}'; rename one of them.`)
    names.add(name)
  }
}

/** A copy of a value that is plain JSON. Throws `invalid_value` for any other. */
function plain(value: unknown, what: string): Json {
  const problem = jsonProblem(value)
  if (problem !== undefined) throw new TellurionError('invalid_value', `${what} is not plain JSON: ${problem}.`)
  return structuredClone(value) as Json
}

function failed(name: string, attempts: number, error: unknown): TellurionError {
  const times = attempts === 1 ? '' : ` after ${attempts} tries`
  const retryable = error instanceof TellurionError && error.retryable
  return new TellurionError('step_failed', `Step '${name}' failed${times}: ${messageOf(error)}`, {
    cause: error,
    retryable,
  })
}
