// One execution of one call: what the tool sees as its context, its deadline and its end. The first end counts.

import type { Clock } from '../clock/clock.ts'
import { TellurionError, messageOf } from '../error/error.ts'
import type { KeptArtifact, ToolCallPart } from '../message/message.ts'
import { issuesText } from '../schema/issue.ts'
import type { Json } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { Prepared } from './prepare.ts'
import { errorOutcome, valueOutcome, type ResultOptions, type ToolOutcome } from './result.ts'
import type { ToolContext, ToolLimits } from './tool.ts'

/** What an attempt needs of those that perform it. */
export interface AttemptOptions {
  readonly clock: Clock
  readonly runId: string
  readonly user?: string | undefined
  readonly idempotencyKey: string
  /** Milliseconds that the call may take at most; the tool's own timeout holds too. */
  readonly timeout?: number | undefined
  /** What the tool is told that it may take. */
  readonly limits?: ToolLimits | undefined
  readonly signal?: AbortSignal | undefined
  readonly results?: ResultOptions | undefined
  readonly onProgress?: ((progress: Json) => void) | undefined
}

/**
 * Runs a tool once. Timer, listener and controller are made only for a tool that does not answer at once, so that an
 * instant call costs none of them.
 */
export class Attempt implements ToolContext {
  readonly #call: ToolCallPart
  readonly #prepared: Prepared
  readonly #options: AttemptOptions
  #controller: AbortController | undefined
  #ended = false
  /** Why the work was stopped. */
  #reason: unknown
  #settle: ((outcome: ToolOutcome | Promise<ToolOutcome>) => void) | undefined
  /** Takes back the timer and the listener. */
  #detach: (() => void) | undefined
  /** What the tool has kept, by name. */
  #kept: Map<string, KeptArtifact> | undefined

  constructor(call: ToolCallPart, prepared: Prepared, options: AttemptOptions) {
    this.#call = call
    this.#prepared = prepared
    this.#options = options
  }

  get toolCallId(): string {
    return this.#call.toolCallId
  }

  get idempotencyKey(): string {
    return this.#options.idempotencyKey
  }

  get runId(): string {
    return this.#options.runId
  }

  get user(): string | undefined {
    return this.#options.user
  }

  get limits(): ToolLimits | undefined {
    return this.#options.limits
  }

  get abortSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** A function of its own, so that a tool may take the context apart. */
  get progress(): (progress: Json) => void {
    return (progress) => this.#report(progress)
  }

  get keep(): ToolContext['keep'] {
    return async (name, content, options) => {
      const { keepInCall } = await import('./keep.ts')
      const { results, idempotencyKey: key } = this.#options
      const given = { ...options, artifacts: results?.artifacts, key, name, content }
      this.#kept ??= new Map()
      return keepInCall(given, { kept: this.#kept, toolName: this.#call.toolName, isEnded: () => this.#ended })
    }
  }

  get kept(): ToolContext['kept'] {
    return async (name) => {
      const { results, idempotencyKey: key } = this.#options
      if (results?.recall !== true) return undefined
      const { recall } = await import('./keep.ts')
      return recall({ artifacts: results.artifacts, key, name })
    }
  }

  /** The outcome; a promise where the tool gave one. Never throws, never rejects. */
  run(): ToolOutcome | Promise<ToolOutcome> {
    const { tool, input } = this.#prepared
    let result: unknown
    try {
      result = tool.execute(input, this)
      if (!isPromiseLike(result)) return this.#returned(result)
    } catch (error) {
      return this.#threw(error)
    }
    const pending = result
    return new Promise((resolve) => {
      this.#settle = resolve
      pending.then(
        (value) => this.#end(() => this.#returned(value)),
        (error: unknown) => this.#end(() => this.#threw(error)),
      )
      // A promise that is settled already comes first; only real waiting pays for a timer and a listener.
      queueMicrotask(() => this.#watch())
    })
  }

  get #timeout(): number {
    return Math.min(this.#prepared.tool.timeout, this.#options.timeout ?? Infinity)
  }

  #watch(): void {
    if (this.#ended) return
    const { signal, clock } = this.#options
    const timeout = this.#timeout
    if (signal?.aborted) return this.#cancel()
    const onAbort = (): void => this.#cancel()
    signal?.addEventListener('abort', onAbort, { once: true })
    const cancelTimer = timeout === Infinity ? undefined : clock.timer(timeout, () => this.#expire())
    const detach = (): void => {
      cancelTimer?.()
      signal?.removeEventListener('abort', onAbort)
    }
    this.#detach = detach
  }

  #cancel(): void {
    const message = `The call of the tool '${this.#call.toolName}' was cancelled.`
    this.#stop(this.#options.signal?.reason, errorOutcome(this.#call, 'aborted', message))
  }

  #expire(): void {
    const message = `The tool '${this.#call.toolName}' did not end within ${this.#timeout} ms and was stopped.`
    this.#stop(new TellurionError('tool_timeout', message), errorOutcome(this.#call, 'tool_timeout', message))
  }

  /** Ends first and aborts then: what the tool says to the abort comes too late. */
  #stop(reason: unknown, outcome: ToolOutcome): void {
    this.#end(() => outcome)
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  #end(outcome: () => ToolOutcome | Promise<ToolOutcome>): void {
    if (this.#ended) return
    this.#ended = true
    this.#detach?.()
    try {
      this.#settle?.(this.#withKept(outcome()))
    } catch (error) {
      this.#settle?.(this.#withKept(this.#threw(error)))
    }
  }

  /** However a call ends, its outcome names what it has kept. */
  #withKept(outcome: ToolOutcome | Promise<ToolOutcome>): ToolOutcome | Promise<ToolOutcome> {
    if (this.#kept === undefined || this.#kept.size === 0) return outcome
    const kept = [...this.#kept.values()]
    return outcome instanceof Promise ? outcome.then((each) => ({ ...each, kept })) : { ...outcome, kept }
  }

  #report(progress: Json): void {
    const { onProgress } = this.#options
    if (this.#ended || onProgress === undefined) return
    const problem = jsonProblem(progress)
    if (problem !== undefined) {
      throw new TellurionError(
        'invalid_value',
        `progress of the tool '${this.#call.toolName}' must be plain JSON: ${problem}.`,
      )
    }
    onProgress(progress)
  }

  #returned(value: unknown): ToolOutcome | Promise<ToolOutcome> {
    this.#ended = true
    const { output } = this.#prepared.tool
    const results = this.#options.results ?? {}
    if (output === undefined) return valueOutcome(this.#call, value, results)
    const result = output.validate(value)
    const conclude = (each: Awaited<typeof result>): ToolOutcome | Promise<ToolOutcome> =>
      each.issues === undefined
        ? valueOutcome(this.#call, each.value, results)
        : errorOutcome(
            this.#call,
            'tool_output_invalid',
            `The tool '${this.#call.toolName}' returned something else than its outputSchema says: ${issuesText(each.issues)}`,
          )
    return result instanceof Promise ? result.then(conclude) : conclude(result)
  }

  #threw(error: unknown): ToolOutcome {
    this.#ended = true
    const code = error instanceof TellurionError ? error.code : 'tool_failed'
    return errorOutcome(this.#call, code, `The tool '${this.#call.toolName}' failed: ${messageOf(error)}`)
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
