// Agents whose work never ends by itself, for measuring how soon it is dead: one reads a model's endless stream, the other
// has a tool with a child process and a timer. Also the program of a worker process with them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, tool } from 'tellurion'
import { model } from 'tellurion/model'
import { createRuntime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'
import { z } from 'zod'
import { eventModel } from './instant-model.ts'

/** Timers of the tool that tick now, in this process. */
export let ticking = 0

/** The two agents. `began` is told of each tool call whose child runs. */
export function cancelAgents(baseURL: string, began: (run: string, pid: number) => void): readonly Agent[] {
  const work = tool({
    description: 'Works for ever, with a child process and a timer',
    inputSchema: z.object({}),
    effects: 'read',
    timeout: 600_000,
    async execute(_input, { abortSignal, runId }) {
      const child = spawn('sleep', ['600'], { stdio: 'ignore', signal: abortSignal })
      child.on('error', () => {})
      const timer = setInterval(() => {}, 5)
      ticking++
      try {
        await once(child, 'spawn')
        began(String(runId), child.pid!)
        await once(child, 'exit')
        return 'ended'
      } finally {
        clearInterval(timer)
        ticking--
      }
    },
  })
  const asking = eventModel(() => [
    { type: 'tool.call', call: { type: 'tool-call', toolCallId: 'call', toolName: 'work', input: {} } },
    { type: 'finish', finishReason: 'tool-calls', usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } },
  ])
  return [
    new Agent({ name: 'stream', model: model('openai/bench', { apiKey: 'key', baseURL }) }),
    new Agent({ name: 'tool', model: asking, tools: { work } }),
  ]
}

if (process.argv[1] === import.meta.filename) {
  const [file = '', baseURL = ''] = process.argv.slice(2)
  const agents = cancelAgents(baseURL, (run, pid) => process.send?.({ type: 'began', run, pid }))
  const runtime = await createRuntime({ store: sqlite(file), agents })
  process.on('message', ({ type }: { type: string }) => {
    if (type === 'count') process.send?.({ type: 'ticking', count: ticking })
    else void runtime.close().then(() => process.disconnect?.())
  })
  process.send?.({ type: 'ready' })
}
