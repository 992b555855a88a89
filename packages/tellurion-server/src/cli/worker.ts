// `tellurion worker`: works on the queued runs of a store with the demo agent until it is told to stop, and gives back
// what it could not end.

import { systemClock } from 'tellurion/world'
import { createLog } from 'tellurion/trace'
import { createRuntime, type BackendOpener, type RunEnd, type RunRecord } from 'tellurion/runtime'
import { timeOf } from './event-line.ts'
import type { ExitCode } from './fault.ts'
import { exactJson, inert, inertLine } from '../terminal/inert.ts'
import { interrupted, onInterrupt } from './interrupt.ts'
import { commandEnvironment, describeChoice } from './model-choice.ts'
import { askedOf, shortId, type StoreFlags } from './run-desk.ts'
import { wholeNumber } from './run-list.ts'
import { Screen } from './screen.ts'
import { asUsage, setUp, type AgentFlags, type Host } from './setting.ts'
import { chooseStore } from './store-choice.ts'
import { span } from '../terminal/table.ts'

/** Options of `worker`. */
export interface WorkerFlags extends AgentFlags, StoreFlags {
  readonly verbose?: boolean
  readonly concurrency?: string
}

/** Works until SIGINT or SIGTERM, then ends what it can within 8 s: 0. A second signal ends the process at once. */
export async function work(flags: WorkerFlags, host: Host): Promise<ExitCode> {
  const env = asUsage(() => commandEnvironment(host.env))
  const store = asUsage(() => chooseStore(flags.store, env))
  const maxConcurrent = concurrencyOf(flags, env)
  const { agent, choice } = await setUp(flags, host)
  const screen = new Screen(host.stdout, host.env)
  const tell = (run: RunRecord, what: string, data: object): void => {
    if (flags.json === true) host.stdout.write(`${exactJson({ at: systemClock.now(), run: run.id, ...data })}\n`)
    else screen.note(`${timeOf(systemClock.now())}  ${shortId(run.id, screen)}  ${what}`, 'plain')
  }
  const write = (line: string): void => void host.stderr.write(`${inert(line)}\n`)
  const log = createLog({ level: flags.verbose === true ? 'debug' : 'warn', format: 'text', write })
  const interrupt = onInterrupt(host, ['SIGINT', 'SIGTERM'])
  try {
    const watching = watched(store.open, tell)
    await using _runtime = await createRuntime({ store: watching, agents: [agent], maxConcurrent, ports: { log } })
    const remarks = new Screen(host.stderr, host.env)
    for (const text of describeChoice(choice).slice(0, 1)) remarks.line(text)
    remarks.note(`Working on the runs of ${inertLine(store.path)}; Ctrl-C ends.`, 'plain')
    await interrupted(interrupt)
    remarks.line('Ending: no new runs, and what is at work has 8 s. Ctrl-C again ends at once.', 'faint')
  } finally {
    interrupt.close()
  }
  return 0
}

function concurrencyOf({ concurrency }: WorkerFlags, env: Readonly<Record<string, string | undefined>>): number {
  const variable = env['MAX_CONCURRENT_TASKS']?.trim()
  const option = concurrency === undefined ? 'MAX_CONCURRENT_TASKS' : '--concurrency'
  return wholeNumber(option, concurrency ?? (variable || '10'), { least: 1, most: 10_000 })
}

/** A store whose runs are told of when an attempt begins and when it leaves them. */
function watched(open: BackendOpener, tell: (run: RunRecord, what: string, data: object) => void): BackendOpener {
  return async (options) => {
    const backend = await open(options)
    const { store } = backend
    const held = new Map<string, RunRecord>()
    return {
      ...backend,
      store: {
        ...store,
        async beginAttempt(id, claim) {
          const run = await store.beginAttempt(id, claim)
          if (run === undefined) return undefined
          held.set(id, run)
          const { epoch: attempt } = run
          tell(run, attempt === 1 ? `begins: ${askedOf(run)}` : `goes on, attempt ${attempt}`, {
            to: 'running',
            attempt,
          })
          return run
        },
        async commit(commit) {
          const result = await store.commit(commit)
          const run = held.get(commit.run)
          if (result.status === 'committed' && commit.end !== undefined && run !== undefined) {
            held.delete(commit.run)
            tell(run, endText(commit.end, commit.now), { to: commit.end.to, error: errorOf(commit.end) })
          }
          return result
        },
      },
    }
  }
}

function errorOf(end: RunEnd): unknown {
  return 'error' in end ? end.error : undefined
}

function endText(end: RunEnd, now: number): string {
  switch (end.to) {
    case 'waiting':
      return end.due === undefined ? 'waits for an answer' : `waits, at most ${span(end.due - now)}`
    case 'paused':
      return 'is paused'
    case 'queued':
      return end.error === undefined
        ? 'is given back'
        : `is tried again in ${span(end.availableAt - now)}: ${inertLine(end.error.message)}`
    case 'succeeded':
    case 'cancelled':
      return end.to
    case 'failed':
    case 'timed_out':
      return end.error === undefined ? end.to : `${end.to}: ${inertLine(end.error.message)}`
    default:
      return end satisfies never
  }
}
