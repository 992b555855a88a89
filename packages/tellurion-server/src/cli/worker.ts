// `tellurion worker`: works on the queued runs of a store with the agents of the configuration until it is told to stop,
// and gives back what it could not end.

import { createRuntime, type BackendOpener, type RunEnd, type RunRecord } from 'tellurion/runtime'
import { systemClock } from 'tellurion/world'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { span } from '../terminal/table.ts'
import { configurationOf, type ConfigFlags } from './configuration.ts'
import { crewOf, runtimeOptionsOf, storeOf, type CrewFlags } from './crew.ts'
import { timeOf } from './event-line.ts'
import type { ExitCode } from './fault.ts'
import { endings, interrupted, onInterrupt } from './interrupt.ts'
import { openLog } from './log-choice.ts'
import { describeChoice } from './model-choice.ts'
import { askedOf, shortId } from './run-desk.ts'
import { Screen } from './screen.ts'
import type { Host } from './setting.ts'
import { openToolServers } from './tool-server.ts'

/** Options of `worker`. */
export interface WorkerFlags extends ConfigFlags, CrewFlags {
  readonly json?: boolean
  readonly verbose?: boolean
}

/** Works until SIGINT, SIGTERM or SIGHUP, then ends what it can within 8 s: 0. A second signal ends the process at once. */
export async function work(flags: WorkerFlags, host: Host): Promise<ExitCode> {
  const loaded = await configurationOf(flags, host)
  const store = storeOf(loaded)
  const screen = new Screen(host.stdout, host.env)
  const tell = (run: RunRecord, what: string, data: object): void => {
    if (flags.json === true) host.stdout.write(`${exactJson({ at: systemClock.now(), run: run.id, ...data })}\n`)
    else screen.note(`${timeOf(systemClock.now())}  ${shortId(run.id, screen)}  ${what}`, 'plain')
  }
  const logging = openLog(loaded, host, { debug: flags.verbose })
  const interrupt = onInterrupt(host, endings)
  try {
    await using servers = await openToolServers(loaded, { log: logging.log })
    const { agents, choice, root } = await crewOf(loaded, flags, servers)
    const options = { ...runtimeOptionsOf(loaded.settings), ports: { log: logging.log, redactor: logging.redactor } }
    await using runtime = await createRuntime({ store: watched(store.open, tell), agents, ...options })
    const remarks = new Screen(host.stderr, host.env)
    const who =
      root === undefined ? [`Agents: ${runtime.agents.keys().map(inertLine).join(', ')}.`] : describeChoice(choice)
    for (const text of who.slice(0, 1)) remarks.line(text)
    remarks.note(`Working on the runs of ${inertLine(store.path)}; Ctrl-C ends.`, 'plain')
    await interrupted(interrupt)
    remarks.line('Ending: no new runs, and what is at work has 8 s. Ctrl-C again ends at once.', 'faint')
  } finally {
    interrupt.close()
    logging.close()
  }
  return 0
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
