// `tellurion runs start "question"`: a durable run, watched until it ends, and worked on here where no server does. What
// is committed survives this process: a worker, or the next command that works, goes on with it.

import { TellurionError, type Event } from 'tellurion'
import type { Answer } from 'tellurion/agent'
import type { RemoteTurn } from 'tellurion/client'
import type { EventResource, RunResource } from 'tellurion/protocol'
import { askApproval } from './approval.ts'
import type { ExitCode } from './fault.ts'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { onInterrupt, type Interrupt } from './interrupt.ts'
import { lateLines } from './late-lines.ts'
import type { LineInput } from './line-input.ts'
import { connectTo, embed, placeOf, type Connection } from './connection.ts'
import { crewOf, storeOf, type CrewFlags } from './crew.ts'
import { readQuestion } from './question.ts'
import { redactorOf } from './redaction.ts'
import { shortId, type DeskFlags } from './run-desk.ts'
import { wholeNumber } from './run-list.ts'
import { reportInteraction } from './run-report.ts'
import { progressText, runView } from './run-view.ts'
import { Screen } from './screen.ts'
import { tracer, type Host } from './setting.ts'
import { StatusLine } from './status-line.ts'

/** Options of `runs start`. */
export interface StartFlags extends CrewFlags, DeskFlags {
  readonly agent?: string
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
  await using connection = await connect(flags, host)
  const { client, runtime } = connection
  const request = { input: question, priority, ...only('agent', flags.agent), ...only('session', flags.session) }
  const key = only('key', flags.key)
  if (flags.detach === true) {
    const run = await client.runs.create(request, key)
    host.stdout.write(flags.json === true ? `${exactJson(run)}\n` : `${run.id}\n`)
    return 0
  }
  const interrupt = onInterrupt(host)
  try {
    const turn = client.runs.start(request, { ...key, signal: interrupt.signal })
    const run = await turn.id
    // What fails the work, such as the store, fails the watching as well.
    runtime
      ?.run(run)
      .work({ signal: interrupt.signal })
      .catch(() => {})
    const trace = tracer(flags, host)
    return await new Watch(run, { connection, turn, flags, host, trace, interrupt }).untilSettled()
  } finally {
    interrupt.close()
  }
}

/** A server elsewhere, or one here that has the agents but works on nothing by itself. */
async function connect(flags: StartFlags, host: Host): Promise<Connection> {
  const { loaded, url } = await placeOf(flags, host)
  if (url !== undefined) return connectTo(url, loaded)
  const store = storeOf(loaded)
  const { agents } = await crewOf(loaded, flags)
  const ports = { redactor: redactorOf(loaded) }
  return embed({ store: store.open, agents, work: false, patience: { grace: 0 }, user: 'local', ports }, flags, host)
}

function only<Name extends string>(name: Name, value: string | undefined): { readonly [N in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: string }
}

interface WatchContext {
  readonly connection: Connection
  readonly turn: RemoteTurn
  readonly flags: StartFlags
  readonly host: Host
  readonly trace: (event: Event) => void
  readonly interrupt: Interrupt
}

/** Somebody who watches a run and answers what it asks. */
class Watch {
  readonly #run: string
  readonly #context: WatchContext
  readonly #remarks: Screen
  readonly #status: StatusLine
  readonly #lines: LineInput | undefined
  readonly #show: (event: EventResource) => void
  /** Interactions that are not open any more, and the one that a person is looking at. */
  readonly #settled = new Set<string>()
  #shown: string | undefined
  #asking = false

  constructor(run: string, context: WatchContext) {
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
    if (this.#context.flags.json !== true) this.#remarks.note(`run ${this.#run}`)
    try {
      for await (const event of this.#events()) {
        this.#see(event)
        if (event.type !== 'run.waiting' || !(await this.#asks())) continue
        if (this.#lines === undefined) return await this.#leaveWaiting()
        if (!this.#asking) void this.#ask()
      }
      return await this.#end(await this.#record())
    } catch (error) {
      if (!signal.aborted) throw error
      this.#status.clear()
      const name = shortId(this.#run, this.#remarks)
      const kept =
        this.#context.connection.runtime === undefined
          ? `${name} goes on`
          : `kept: 'tellurion worker' goes on with ${name}`
      this.#remarks.line(`(${kept})`, 'faint')
      return 130
    } finally {
      this.#status.clear()
      this.#lines?.cancel()
    }
  }

  /** The events to the end of the run, through whatever it waits for on the way. */
  async *#events(): AsyncGenerator<EventResource, void> {
    const { connection, turn, interrupt } = this.#context
    let after = 0
    for await (const event of turn) {
      after = event.seq ?? after
      yield event
    }
    yield* connection.client.runs.events(this.#run, { after, signal: interrupt.signal })
  }

  #record(): Promise<RunResource> {
    return this.#context.connection.client.runs.get(this.#run)
  }

  #see(event: EventResource): void {
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
    const { status, interactions } = await this.#record()
    return status === 'waiting' && interactions.length > 0
  }

  /** Asks for all that is open, then answers it; what was answered elsewhere meanwhile is left alone. */
  async #ask(): Promise<void> {
    this.#asking = true
    const answers = new Map<string, Answer>()
    for (const interaction of (await this.#record()).interactions) {
      if (interaction.kind !== 'approval') {
        reportInteraction(interaction, this.#run, this.#remarks)
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
      await this.#context.connection.client.interactions.answer(id, answer, { run: this.#run })
    } catch (error) {
      this.#remarks.note(`(${inertLine(error instanceof Error ? error.message : String(error))})`)
    }
  }

  async #leaveWaiting(): Promise<ExitCode> {
    const record = await this.#record()
    if (this.#context.flags.json === true) this.#result(record)
    else for (const interaction of record.interactions) reportInteraction(interaction, this.#run, this.#remarks)
    return 0
  }

  async #end(record: RunResource): Promise<ExitCode> {
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
  #result({ id, status, result, error, usage, stopReason, interactions }: RunResource): void {
    const { text = '', steps = 0 } = result ?? {}
    const line = { type: 'result', run: id, status, text, steps, usage, stopReason, error, interactions }
    this.#context.host.stdout.write(`${exactJson(line)}\n`)
  }
}
