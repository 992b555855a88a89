// The list of runs: how each stands, how far it is, and which one is chosen.

import type { RunResource } from 'tellurion/protocol'
import { exactJson, inertLine } from '../terminal/inert.ts'
import { span, tableLines, type Column } from '../terminal/table.ts'
import { oneLine } from './laid.ts'
import type { Theme } from './theme.ts'

/** What can be done with a run from the list. */
export type RunOrder = 'open' | 'cancel' | 'pause' | 'resume' | 'retry'

/** A key that means something here: an order about a run, or just a look around. */
export type BoardReaction = { readonly order: RunOrder; readonly run: RunResource } | 'seen'

/** Runs as they were last heard of, newest first. */
export class RunBoard {
  readonly #theme: Theme
  #runs: readonly RunResource[] = []
  readonly #ticks = new Map<string, number>()
  #chosen: string | undefined
  #page = 1

  constructor(theme: Theme) {
    this.#theme = theme
  }

  get runs(): readonly RunResource[] {
    return this.#runs
  }

  /** How many ticks a run has finished, as far as is known. */
  ticksOf(run: string): number | undefined {
    return this.#ticks.get(run)
  }

  /** Takes what the server says; `ticks` by run, for some of them. */
  take(runs: readonly RunResource[], ticks: ReadonlyMap<string, number>): void {
    this.#runs = runs
    const listed = new Set(runs.map(({ id }) => id))
    for (const id of this.#ticks.keys()) if (!listed.has(id)) this.#ticks.delete(id)
    for (const [id, count] of ticks) this.#ticks.set(id, count)
  }

  /** Chooses a run, so that it is seen when the list is opened. */
  choose(run: string | undefined): void {
    this.#chosen = run
  }

  key(name: string): BoardReaction | undefined {
    const moved = this.#moved(name)
    if (moved !== undefined) {
      this.#chosen = this.#runs[moved]?.id
      return 'seen'
    }
    const run = this.#runs[this.#index]
    const order = run === undefined ? undefined : orderOf(name, run)
    return order === undefined ? undefined : { order, run: run! }
  }

  /** The list in `height` lines; `mine` is the run of the chat. */
  lines(
    width: number,
    height: number,
    { now, mine }: { readonly now: number; readonly mine: string | undefined },
  ): string[] {
    const { strong, faint } = this.#theme
    if (this.#runs.length === 0) return [faint('No runs yet.')]
    const room = Math.max(1, height - 1)
    this.#page = room
    const index = this.#index
    const from = Math.max(0, Math.min(index - Math.floor(room / 2), this.#runs.length - room))
    const seen = this.#runs.slice(from, from + room)
    const table = tableLines(seen, this.#columns(width, { now, mine }), Math.max(20, width - 2))
    return table.map((line, row) => {
      const run = seen[row - 1]
      if (run === undefined) return oneLine(`  ${faint(line)}`, width)
      const text = run.id === this.#runs[index]?.id ? `❯ ${strong(line)}` : `  ${this.#styled(run, line)}`
      return oneLine(text, width)
    })
  }

  get #index(): number {
    const index = this.#runs.findIndex(({ id }) => id === this.#chosen)
    return Math.max(0, index)
  }

  #moved(name: string): number | undefined {
    const last = Math.max(0, this.#runs.length - 1)
    const by = { up: -1, down: 1, pageUp: -this.#page, pageDown: this.#page, home: -last, end: last }[name]
    return by === undefined ? undefined : Math.max(0, Math.min(last, this.#index + by))
  }

  #styled({ status }: RunResource, line: string): string {
    const { accent, warning, bad, faint } = this.#theme
    if (status === 'running') return accent(line)
    if (status === 'waiting' || status === 'paused') return warning(line)
    return status === 'failed' || status === 'timed_out' ? bad(line) : status === 'queued' ? line : faint(line)
  }

  /** What fits: the narrower, the fewer. */
  #columns(width: number, { now, mine }: { now: number; mine: string | undefined }): Column<RunResource>[] {
    const status: Column<RunResource> = { title: 'STATUS', of: statusOf }
    const age: Column<RunResource> = { title: 'AGE', of: ({ createdAt }) => span(now - createdAt), right: true }
    const ticks: Column<RunResource> = {
      title: 'TICKS',
      of: ({ id }) => String(this.#ticks.get(id) ?? '·'),
      right: true,
    }
    const tokens: Column<RunResource> = { title: 'TOKENS', of: ({ usage }) => amount(usage?.totalTokens), right: true }
    const agent: Column<RunResource> = { title: 'AGENT', of: ({ agent: name }) => inertLine(name), most: 14 }
    const run: Column<RunResource> = { title: 'RUN', of: ({ id }) => id.slice(0, 12), most: 12 }
    const input: Column<RunResource> = {
      title: 'INPUT',
      of: (each) => `${each.id === mine ? '(here) ' : ''}${each.parent === undefined ? '' : '↳ '}${askedOf(each)}`,
    }
    if (width < 50) return [status, ticks, age, input]
    return width < 72 ? [status, ticks, tokens, age, input] : [run, status, ticks, tokens, age, agent, input]
  }
}

/** What is about a run to be seen first. */
function statusOf({ status, interactions }: RunResource): string {
  return status === 'waiting' && interactions.length > 0 ? 'asks you' : status
}

function orderOf(name: string, { status }: RunResource): RunOrder | undefined {
  const ended = status === 'succeeded' || status === 'cancelled' || status === 'failed' || status === 'timed_out'
  if (name === 'enter') return 'open'
  if (name === 'c') return ended ? undefined : 'cancel'
  if (name === 'p') return ended ? undefined : status === 'paused' ? 'resume' : 'pause'
  return name === 't' && (status === 'failed' || status === 'timed_out') ? 'retry' : undefined
}

function askedOf({ input }: RunResource): string {
  return input === null ? '' : inertLine(typeof input === 'string' ? input : exactJson(input))
}

/** `950`, `12.3k`, `1.2M`. */
export function amount(count: number | undefined): string {
  if (count === undefined) return '·'
  if (count < 1000) return String(count)
  return count < 999_950 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`
}
