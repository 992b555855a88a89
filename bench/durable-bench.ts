// Functions as durable runs: what a workload wants to time inside a run, submitted to one runtime on SQLite.

import type { RunContext, Runtime } from 'tellurion/runtime'
import { openRuntime, type Mode } from './durable.ts'
import { pause } from './measure.ts'

/** What a run does; what it resolves with is what it has measured. */
export type Work<T> = (context: RunContext) => Promise<T>

/** A runtime whose runs do what they are given here. */
export class DurableBench {
  readonly #works = new Map<string, { readonly work: Work<unknown>; readonly resolve: (value: never) => void }>()
  readonly #runtime: Promise<Runtime>

  constructor(path: string, { mode, maxConcurrent = 1 }: { mode: Mode; maxConcurrent?: number }) {
    this.#runtime = openRuntime(path, {
      mode,
      maxConcurrent,
      run: async (context) => {
        const { work, resolve } = this.#works.get(String(context.input))!
        this.#works.delete(String(context.input))
        resolve((await work(context)) as never)
      },
    })
  }

  /** Resolves with what the work resolves with; the run ends a little later. */
  async run<T>(work: Work<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>()
    const name = crypto.randomUUID()
    this.#works.set(name, { work, resolve })
    await (await this.#runtime).submit('bench', name)
    return promise
  }

  /** Resolves when all runs have ended, so that what is timed next is not disturbed by them. */
  async rest(): Promise<void> {
    const runtime = await this.#runtime
    while ((await runtime.runs({ status: ['queued', 'running'], limit: 1 })).length > 0) await pause(1)
  }

  async close(): Promise<void> {
    await this.rest()
    await (await this.#runtime).close()
  }
}
