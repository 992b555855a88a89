// A workload: what is measured, in which cells, and what is aimed at. A cell is one way to do it, run in a process of
// its own; cells `loop` and `honest` are the floors.

/** What a cell has measured, by the name of the metric. */
export type Figures = Readonly<Record<string, number>>

/** How much is done: `quick` trades steadiness for seconds. */
export interface Scale {
  readonly quick: boolean
}

/** One column of a workload's table. */
export interface Metric {
  readonly name: string
  readonly unit: string
  readonly better: 'lower' | 'higher'
  /** The cell that the figures are divided by; none where the figure speaks for itself. */
  readonly floor?: string
}

/** What a cell should reach: a bound of a figure, or of its ratio to another cell's. */
export interface Target {
  readonly cell: string
  readonly metric: string
  readonly over?: string
  /** The metric of the other cell. Default: the same one. */
  readonly overMetric?: string
  readonly most?: number
  readonly least?: number
}

export interface Workload {
  readonly title: string
  readonly metrics: readonly Metric[]
  readonly cells: Readonly<Record<string, (scale: Scale) => Figures | Promise<Figures>>>
  readonly targets: readonly Target[]
  /** How often each cell is run where nobody says. Default 3. */
  readonly repetitions?: number
  /** Runs once in the parent before the cells. */
  readonly prepare?: () => void
}
