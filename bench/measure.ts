// Measuring: enough warm-up for the compiler, batches long enough for the clock, the median against the neighbours.

import type { Scale } from './workload/workload.ts'

/** The middle of some figures. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Microseconds a unit of `work`, which does `units` of them a call. Promises are awaited only where there is one. The
 * event loop gets a turn between the batches, so that what piles up there is paid for.
 */
export async function microsecondsPer(units: number, scale: Scale, work: () => unknown): Promise<number> {
  const warmUp = scale.quick ? 60 : 400
  const batches = scale.quick ? 5 : 15
  const length = scale.quick ? 8 : 25
  let calls = 0
  const began = performance.now()
  while (performance.now() - began < warmUp) {
    const result = work()
    if (result instanceof Promise) await result
    calls++
  }
  const count = Math.max(1, Math.round((calls * length) / (performance.now() - began)))
  const times: number[] = []
  for (let batch = 0; batch < batches; batch++) {
    await macrotask()
    const start = performance.now()
    for (let call = 0; call < count; call++) {
      const result = work()
      if (result instanceof Promise) await result
    }
    times.push(((performance.now() - start) * 1000) / (count * units))
  }
  return median(times)
}

/** Resolves in a later turn of the event loop. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** CPU time of this process in microseconds, since `start` where one is given. */
export function cpuMicroseconds(start?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return user + system
}

/** Bytes on the heap that something still holds. Needs `--expose-gc`. */
export async function heldBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await macrotask()
  }
  return process.memoryUsage().heapUsed
}
