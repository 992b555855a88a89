// The run queue: delivery of runs to workers. It may deliver a run twice and late; the store's lease decides who has it.

/** A run that can be worked on. `segment` counts its stretches, so that the same wish enqueued twice is one. */
export interface QueueItem {
  readonly run: string
  readonly segment: number
  readonly agent: string
  readonly priority: number
  /** Not before this wall time, in milliseconds. */
  readonly availableAt: number
}

/** How a worker takes runs. */
export interface Consumer {
  /** Only runs of these agents, or of all where it is absent. */
  readonly agents?: readonly string[]
  /** Most runs handed out and not yet settled. Asked anew each time, so that it may change. */
  readonly capacity: () => number
  /** Called for each run, highest priority first, oldest first inside a priority. Never rejects. */
  readonly deliver: (run: string) => Promise<void>
}

/** Delivery. No method rejects for a run that is not there. */
export interface RunQueue {
  enqueue(item: QueueItem): Promise<void>
  /** Hands out runs until the signal aborts; resolves when nothing that was handed out is still open. */
  consume(consumer: Consumer, options: { signal: AbortSignal }): Promise<void>
  /** Forgets a run: it has ended. */
  remove(run: string): Promise<void>
}
