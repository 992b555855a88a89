// Hints: wake-ups between those who write and those who wait, also across processes. Losing one is harmless: whoever
// waits also looks from time to time.

/**
 * What may have changed. `run`: a run's events or its state, for who watches it; with `log` it is at work, and no more
 * than its events changed or that it has begun, so who waits for its end need not look. `mail`: its inbox, for who works on it. `queue`: there may be something to claim.
 */
export type Hint =
  | { readonly type: 'run'; readonly run: string; readonly log?: true }
  | { readonly type: 'mail'; readonly run: string }
  | { readonly type: 'queue' }

/** Wake-ups. Nothing here throws or rejects. */
export interface Hints {
  /** Tells everybody, this process included. */
  send(hint: Hint): void
  /**
   * Hears of every hint; the returned function ends that. With `run` others than those of that run may be left out, which
   * spares a process with many who wait from telling all of them everything.
   */
  listen(fn: (hint: Hint) => void, run?: string): () => void
  close(): void
}
