// Baselines: the figures of an earlier run, and what has got slower since. Where a metric has a floor, ratios to it are
// compared, so that a busier machine is not mistaken for slower code.

import { figure, type Results } from './table.ts'
import type { Workload } from './workload/workload.ts'

/** Figures by workload, cell and metric; those with a floor as ratios to it. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>

/** What a run has to be remembered by. */
export function baselineOf(workload: Workload, results: Results): Baseline[string] {
  return Object.fromEntries(
    [...results].map(([cell, figures]) => [
      cell,
      Object.fromEntries(
        workload.metrics.flatMap(({ name, floor }) => {
          const value = figures[name]
          const base = floor === undefined ? 1 : results.get(floor)?.[name]
          return value === undefined || base === undefined ? [] : [[name, value / base]]
        }),
      ),
    ]),
  )
}

/** One line for each figure of ours that is worse than in `old` by more than `tolerance` (0.3: by 30 %). */
export function slower(
  id: string,
  workload: Workload,
  { old, now, tolerance }: { old: Baseline; now: Baseline[string]; tolerance: number },
): string[] {
  return Object.entries(now).flatMap(([cell, figures]) =>
    workload.metrics.flatMap(({ name, better, floor }) => {
      const before = old[id]?.[cell]?.[name]
      const after = figures[name]
      if (cell === floor || before === undefined || after === undefined) return []
      const worse = better === 'lower' ? after / before : before / after
      if (!(worse > 1 + tolerance)) return []
      const over = floor === undefined ? '' : ` × ${floor}`
      return [`${id} ${cell}: ${name} was ${figure(before)}${over}, is ${figure(after)}${over}`]
    }),
  )
}
