// `tellurion runs list`: the newest runs, one a line.

import { systemClock } from 'tellurion/world'
import type { RunQuery, RunResource } from 'tellurion/protocol'
import { UsageError, type ExitCode } from './fault.ts'
import { inertLine } from '../terminal/inert.ts'
import { askedOf, atDesk, shortId, type DeskFlags } from './run-desk.ts'
import type { Host } from './setting.ts'
import { span, tableLines, type Column } from '../terminal/table.ts'

/** Options of `runs list`. */
export interface ListFlags extends DeskFlags {
  readonly status?: string
  readonly agent?: string
  readonly session?: string
  readonly limit: string
}

/** Runs that are asked for at one time. */
const page = 1000

const statuses = ['queued', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled', 'timed_out'] as const

/** Lists. 0, also when there is none. */
export async function listRuns(flags: ListFlags, host: Host): Promise<ExitCode> {
  const most = wholeNumber('--limit', flags.limit, { least: 1, most: 10_000 })
  const query = queryOf(flags)
  return atDesk(flags, host, async ({ client, out, remarks, tell }) => {
    const runs: RunResource[] = []
    for await (const run of client.runs.list({ ...query, limit: Math.min(most, page) })) {
      runs.push(run)
      if (runs.length === most) break
    }
    if (flags.json === true) for (const run of runs) tell(run, () => {})
    else if (runs.length === 0) remarks.line('There are no such runs.', 'faint')
    else {
      const columns = columnsOf(runs, (id) => shortId(id, out))
      const [head = '', ...lines] = tableLines(runs, columns, out.columns - 1)
      out.line(head, 'faint')
      for (const line of lines) out.line(line)
      const asking = runs.filter(({ interactions }) => interactions.length > 0).length
      if (asking > 0) remarks.note(`${asking} of them wait for a person: 'tellurion runs show RUN' says for what.`)
    }
    return 0
  })
}

function columnsOf(runs: readonly RunResource[], idOf: (id: string) => string): Column<RunResource>[] {
  const now = systemClock.now()
  const named = runs.some(({ id, session }) => id !== session)
  const session: Column<RunResource> = {
    title: 'SESSION',
    of: (run) => (run.session === run.id ? '' : run.session),
    most: 12,
  }
  return [
    { title: 'RUN', of: ({ id }) => idOf(id) },
    { title: 'STATUS', of: ({ status }) => status },
    { title: 'AGENT', of: ({ agent }) => agent, most: 12 },
    ...(named ? [session] : []),
    { title: 'AGE', of: ({ createdAt }) => span(now - createdAt), right: true },
    { title: 'INPUT', of: askedOf },
  ]
}

function queryOf({ status, agent, session }: ListFlags): RunQuery {
  const wanted = status?.split(',').map((name) => name.trim())
  const wrong = wanted?.find((name) => !(statuses as readonly string[]).includes(name))
  if (wrong !== undefined) {
    throw new UsageError(`--status: '${inertLine(wrong)}' is none of ${statuses.join(', ')}.`)
  }
  return {
    ...(wanted === undefined ? {} : { status: wanted as (typeof statuses)[number][] }),
    ...(agent === undefined ? {} : { agent }),
    ...(session === undefined ? {} : { session }),
  }
}

/** The number that an option gives. Throws a `UsageError` for anything else. */
export function wholeNumber(option: string, text: string, bounds: { least: number; most?: number }): number {
  const { least, most = Number.MAX_SAFE_INTEGER } = bounds
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  const upTo = bounds.most === undefined ? ` or more` : ` to ${most}`
  throw new UsageError(`${option} takes a whole number, ${least}${upTo}, not '${inertLine(text).slice(0, 40)}'.`)
}

/** A tick as people name it: by its number, or by a label, which begins with a letter. */
export function tickOrLabel(option: string, text: string): number | string {
  return /^[a-zA-Z]/.test(text) ? text : wholeNumber(option, text, { least: 0 })
}
