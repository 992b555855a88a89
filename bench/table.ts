// What was measured, for people: one table a workload, and which targets it reached.

import { median } from './measure.ts'
import type { Figures, Metric, Target, Workload } from './workload/workload.ts'

/** The figures of each cell, medians over its repetitions; a cell that failed has none. */
export type Results = ReadonlyMap<string, Figures>

/** The medians of several repetitions of one cell. */
export function medians(repetitions: readonly Figures[]): Figures {
  const names = new Set(repetitions.flatMap((figures) => Object.keys(figures)))
  return Object.fromEntries(
    [...names].map((name) => [name, median(repetitions.flatMap((figures) => figures[name] ?? []))]),
  )
}

/** A workload's table, one line a cell. */
export function tableOf(workload: Workload, results: Results): string {
  const { metrics } = workload
  const rows = [...results].map(([cell, figures]) => [
    cell,
    ...metrics.flatMap((metric) => columnsOf(metric, figures, results)),
  ])
  const header = ['', ...metrics.flatMap(({ unit, floor }) => (floor === undefined ? [unit] : [unit, `× ${floor}`]))]
  const widths = header.map((title, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]!.length), title.length),
  )
  const line = (row: readonly string[]): string =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))).join('  ')
  return [workload.title, ...[header, ...rows].map((row) => `  ${line(row).trimEnd()}`)].join('\n')
}

function columnsOf({ name, floor }: Metric, figures: Figures, results: Results): string[] {
  const value = figures[name]
  const shown = value === undefined ? '' : figure(value)
  if (floor === undefined) return [shown]
  const base = results.get(floor)?.[name]
  return [shown, value === undefined || base === undefined ? '' : figure(value / base)]
}

/** A number in about three digits. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3)
}

/** A target, and how far it was reached; undefined where a figure is missing. */
export interface Verdict {
  readonly text: string
  readonly reached: boolean
}

export function verdicts({ targets }: Workload, results: Results): Verdict[] {
  return targets.flatMap((target) => {
    const value = valueOf(target, results)
    if (value === undefined) return []
    const reached = value <= (target.most ?? Infinity) && value >= (target.least ?? -Infinity)
    const bound = target.most === undefined ? `at least ${target.least}` : `at most ${target.most}`
    const over = target.over === undefined ? '' : ` × ${target.over}`
    return [{ text: `${target.cell}: ${target.metric} ${figure(value)}${over}, target ${bound}`, reached }]
  })
}

function valueOf({ cell, metric, over }: Target, results: Results): number | undefined {
  const value = results.get(cell)?.[metric]
  if (value === undefined || over === undefined) return value
  const base = results.get(over)?.[metric]
  return base === undefined ? undefined : value / base
}
