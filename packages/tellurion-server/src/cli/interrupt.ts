// Being told to stop: the first signal asks, a second one finds nobody listening and ends the process.

import type { EndingSignal, Host } from './setting.ts'

/** A signal of the process as an `AbortSignal`. */
export interface Interrupt {
  readonly signal: AbortSignal
  /** Stops as if the signal had come; for keys of a terminal that is being read. */
  readonly now: () => void
  /** Listens no more. */
  close(): void
}

/** What ends a command that stays: Ctrl-C, whoever supervises it, and a terminal that is closed. */
export const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Listens for the first of these signals. Close it, or the process stays deaf to them. A closed terminal is told several
 * times, by the system and by the shell: that is no second signal.
 */
export function onInterrupt(host: Host, signals: readonly EndingSignal[] = ['SIGINT']): Interrupt {
  const controller = new AbortController()
  const now = (): void => {
    for (const signal of signals) if (signal !== 'SIGHUP') host.off(signal, now)
    controller.abort()
  }
  const close = (): void => {
    for (const signal of signals) host.off(signal, now)
  }
  for (const signal of signals) host.on(signal, now)
  return { signal: controller.signal, now, close }
}

/** Resolves when the signal has come. */
export function interrupted({ signal }: Interrupt): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
