// Rows in aligned columns, no wider than the terminal. What is written here must be inert already.

import { fit, widthOf } from './width.ts'

/** One column. The last one of a table takes what the others leave. */
export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => string
  /** Widest it may be on a terminal. */
  readonly most?: number
  readonly right?: boolean
}

const gap = '  '
/** What is left for the last column at the least. */
const least = 10

/** The lines of a table with its head, for `width` columns; `Infinity` cuts nothing. */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((column) => column.of(row)))]
  const widths = columns.map(({ most = Infinity }, index) =>
    Math.min(width === Infinity ? Infinity : most, Math.max(...cells.map((line) => widthOf(line[index]!)))),
  )
  const last = columns.length - 1
  const rest = width - widths.slice(0, last).reduce((sum, each) => sum + each + gap.length, 0)
  widths[last] = Math.max(least, rest)
  return cells.map((line) =>
    line
      .map((cell, index) => {
        const text = fit(cell, widths[index]!)
        if (index === last) return text
        const blank = ' '.repeat(widths[index]! - widthOf(text))
        return columns[index]!.right === true ? blank + text : text + blank
      })
      .join(gap)
      .trimEnd(),
  )
}

/** How long ago, or how long: `12s`, `5m`, `3h`, `2d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}
