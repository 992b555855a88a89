// A worker process of the durable workloads: `node durable-worker.ts FILE MODE CONCURRENCY`. It begins when it is told to
// go, works on runs of the agent `bench` by what their input says, and tells of their beginnings.

import { createRuntime, type AgentRuntime, type Runtime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import type { Mode } from './durable.ts'
import { body, stepsOfRun } from './lease-table.ts'
import { pause } from './measure.ts'

const [file = '', mode = 'full', concurrency = '10'] = process.argv.slice(2)

/** Ten steps of 2 kB with three events each, or a report that it has begun, and a long wait if one is asked for. */
const agent: AgentRuntime = {
  key: 'bench',
  async run({ input, runId, signal, emit, checkpoint }) {
    if (input === 'steps') {
      for (let step = 0; step < stepsOfRun; step++) {
        emit({ type: 'note.taken', step })
        emit({ type: 'note.read', step })
        // Its own event, run.checkpointed, is the third.
        await checkpoint({ step, body })
      }
      return { output: null }
    }
    // The counter of the machine, so that other processes can tell how long it took.
    process.send?.({ type: 'began', run: runId, at: Number(process.hrtime.bigint()) / 1e6 })
    while (input === 'wait' && !signal.aborted) await pause(50)
    return { output: null }
  },
}

let runtime: Runtime | undefined
process.on('message', ({ type }: { type: string }) => {
  if (type === 'go') {
    const store = sqlite(file, { synchronous: mode as Mode })
    void createRuntime({ store, agents: [agent], maxConcurrent: Number(concurrency) }).then((made) => {
      runtime = made
      process.send?.({ type: 'going' })
    })
  } else {
    void Promise.resolve(runtime?.close()).then(() => process.disconnect?.())
  }
})
process.send?.({ type: 'ready' })
