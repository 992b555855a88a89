// `tellurion runs start "question"`: a durable run, worked on and watched here until it ends. What is committed
// survives this process: a worker, or the next command that works, goes on with it.

import { TellurionError, type Event } from 'tellurion'
import type { Answer } from 'tellurion/agent'
import { createRuntime, type RunEvent, type RunHandle, type RunRecord, type Runtime } from 'tellurion/runtime'
import { askApproval } from './approval.ts'
import type { ExitCode } from './fault.ts'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { onInterrupt, type Interrupt } from './interrupt.ts'
import { lateLines } from './late-lines.ts'
import type { LineInput } from './line-input.ts'
import { commandEnvironment } from './model-choice.ts'
import { readQuestion } from './question.ts'
import { shortId, type StoreFlags } from './run-desk.ts'
import { wholeNumber } from './run-list.ts'
import { reportInteraction } from './run-report.ts'
import { progressText, runView } from './run-view.ts'
import { Screen } from './screen.ts'
import { asUsage, setUp, type AgentFlags, type Host } from './setting.ts'
import { StatusLine } from './status-line.ts'
import { chooseStore } from './store-choice.ts'

/** Options of `runs start`. */
export interface StartFlags extends AgentFlags, StoreFlags {
  readonly verbose?: boolean
  readonly session?: string
  readonly priority: string
  readonly key?: string
  readonly detach?: boolean
}

/**
 * Starts a run. 0 when it succeeded, waits for a person, or was only to be started; 130 when it was cancelled or the
 * command was interrupted (the run is kept); rejects with the run's error when it failed.
 */
export async function startRun(words: readonly string[], flags: StartFlags, host: Host): Promise<ExitCode> {
  const priority = wholeNumber('--priority', flags.priority, { least: -1_000_000, most: 1_000_000 })
  const question = await readQuestion(words, host)
  const store = asUsage(() => chooseStore(flags.store, commandEnvironment(host.env)))
  const { agent, trace } = await setUp(flags, host)
  await using runtime = await createRuntime({ store: store.open, agents: [agent], work: false, patience: { grace: 0 } })
  const run = await runtime.submit(agent.name, question, {
    priority,
    ...(flags.session === undefined ? {} : { session: flags.session }),
    ...(flags.key === undefined ? {} : { idempotencyKey: flags.key }),
  })
  if (flags.detach === true) {
    host.stdout.write(flags.json === true ? `${exactJson(await run.record())}\n` : `${run.id}\n`)
    return 0
  }
  const interrupt = onInterrupt(host)
  // What fails the work, such as the store, fails the watching as well.
  run.work({ signal: interrupt.signal }).catch(() => {})
  try {
    return await new Watch(run, { runtime, flags, host, trace, interrupt }).untilSettled()
  } finally {
    interrupt.close()
  }
}

interface WatchContext {
  readonly runtime: Runtime
  readonly flags: StartFlags
  readonly host: Host
  readonly trace: (event: Event) => void
  readonly interrupt: Interrupt
}

/** Somebody who watches a run and answers what it asks. */
class Watch {
  readonly #run: RunHandle
  readonly #context: WatchContext
  readonly #remarks: Screen
  readonly #status: StatusLine
  readonly #lines: LineInput | undefined
  readonly #show: (event: RunEvent) => void
  /** Interactions that are not open any more, and the one that a person is looking at. */
  readonly #settled = new Set<string>()
  #shown: string | undefined
  #asking = false

  constructor(run: RunHandle, context: WatchContext) {
    const { host, flags, interrupt } = context
    this.#run = run
    this.#context = context
    this.#remarks = new Screen(host.stderr, host.env)
    this.#status = new StatusLine(host.stderr)
    this.#lines = flags.json === true ? undefined : lateLines(host, interrupt.now)
    const view = runView(new Screen(host.stdout, host.env), this.#remarks)
    this.#show = flags.json === true ? (event) => void host.stdout.write(`${exactJson(event)}\n`) : view
  }

  async untilSettled(): Promise<ExitCode> {
    const { signal } = this.#context.interrupt
    if (this.#context.flags.json !== true) this.#remarks.note(`run ${this.#run.id}`)
    try {
      for await (const event of this.#run.events({ signal })) {
        this.#see(event)
        if (event.type !== 'run.waiting' || !(await this.#asks())) continue
        if (this.#lines === undefined) return await this.#leaveWaiting()
        if (!this.#asking) void this.#ask()
      }
      return await this.#end(await this.#run.record())
    } catch (error) {
      if (!signal.aborted) throw error
      this.#status.clear()
      this.#remarks.line(`(kept: 'tellurion worker' goes on with ${shortId(this.#run.id, this.#remarks)})`, 'faint')
      return 130
    } finally {
      this.#status.clear()
      this.#lines?.cancel()
    }
  }

  #see(event: RunEvent): void {
    this.#context.trace(event)
    this.#status.clear()
    if (event.type === 'interaction.answered' || event.type === 'interaction.expired') {
      this.#settled.add(event.id)
      if (event.id === this.#shown) this.#lines?.cancel()
    }
    if (event.type === 'tool.progress' && this.#context.flags.json !== true) this.#status.show(progressText(event))
    else this.#show(event)
  }

  async #asks(): Promise<boolean> {
    const { status, interactions } = await this.#run.record()
    return status === 'waiting' && interactions.length > 0
  }

  /** Asks for all that is open, then answers it; what was answered elsewhere meanwhile is left alone. */
  async #ask(): Promise<void> {
    this.#asking = true
    const answers = new Map<string, Answer>()
    for (const interaction of (await this.#run.record()).interactions) {
      if (interaction.kind !== 'approval') {
        reportInteraction(interaction, this.#run.id, this.#remarks)
        continue
      }
      this.#shown = interaction.id
      answers.set(interaction.id, await askApproval(interaction, { screen: this.#remarks, lines: this.#lines }))
    }
    this.#shown = undefined
    this.#asking = false
    if (this.#context.interrupt.signal.aborted) return
    for (const [id, answer] of answers) if (!this.#settled.has(id)) await this.#answer(id, answer)
  }

  async #answer(id: string, answer: Answer): Promise<void> {
    try {
      await this.#context.runtime.interactions.answer(id, answer, { run: this.#run.id })
    } catch (error) {
      this.#remarks.note(`(${inertLine(error instanceof Error ? error.message : String(error))})`)
    }
  }

  async #leaveWaiting(): Promise<ExitCode> {
    const record = await this.#run.record()
    if (this.#context.flags.json === true) this.#result(record)
    else for (const interaction of record.interactions) reportInteraction(interaction, this.#run.id, this.#remarks)
    return 0
  }

  async #end(record: RunRecord): Promise<ExitCode> {
    if (this.#context.flags.json === true) this.#result(record)
    if (record.status === 'cancelled') return 130
    if (record.status === 'succeeded') return 0
    const lost = {
      code: 'run_failed',
      message: `Run ${record.id} ended as ${record.status}.`,
      retryable: false,
    } as const
    throw TellurionError.from(record.error ?? lost)
  }

  /** The last line of `--json`. */
  #result({ id, status, result, error, usage, stopReason, interactions }: RunRecord): void {
    const { text = '', steps = 0 } = (result ?? {}) as { readonly text?: string; readonly steps?: number }
    const line = { type: 'result', run: id, status, text, steps, usage, stopReason, error, interactions }
    this.#context.host.stdout.write(`${exactJson(line)}\n`)
  }
}
