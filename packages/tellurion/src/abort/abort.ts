// The one place that knows how cancellation travels: check before, race during, detach in `finally`.

/** Whether a value can be listened to as a signal: a controller, for one, cannot. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
}

/** The reason of an aborted signal, always an `Error`; a `DOMException` named `AbortError` where none was given. */
export function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  if (reason instanceof Error) return reason
  return new DOMException(typeof reason === 'string' ? reason : 'This operation was aborted', 'AbortError')
}

/** True for what `fetch`, timers and `AbortSignal` reject with when they are cancelled, and for the reason of `signal`. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  if (signal?.aborted) return true
  return error instanceof Error && error.name === 'AbortError'
}

/** Throws the signal's reason when it is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortReason(signal)
}

/**
 * Settles with `promise`, or rejects with the signal's reason when the signal aborts first. The listener never outlives
 * the call. The work behind `promise` is not stopped by this: hand it the same signal.
 */
export function raceAbort<T>(promise: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return Promise.resolve(promise)
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal))
    if (signal.aborted) {
      // The loser may still reject; nobody else would be there to see it.
      promise.then(undefined, () => {})
      onAbort()
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(
      (value) => {
        signal.removeEventListener('abort', onAbort)
        resolve(value)
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort)
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}

/** A controller whose signal also aborts with `parent`; `detach` must be called when the work ends. */
export function childController(parent: AbortSignal | undefined): { controller: AbortController; detach: () => void } {
  const controller = new AbortController()
  if (!parent) return { controller, detach: () => {} }
  const onAbort = (): void => controller.abort(parent.reason)
  if (parent.aborted) onAbort()
  else parent.addEventListener('abort', onAbort, { once: true })
  return { controller, detach: () => parent.removeEventListener('abort', onAbort) }
}
