// The demo's patience, as a tool: waits, says how far it is, and stops when it is told to. It stands for work that
// takes longer than a process may live.

import { tool, type Tool } from 'tellurion/tool'
import { sleep, systemClock, type Clock } from 'tellurion/world'

/** The longest wait, in seconds: a run may be at work for five minutes. */
export const maxSeconds = 240

/** Makes a tool that waits some seconds and reports each of them. Waiting again does no harm, so a crash repeats it. */
export function wait({ clock = systemClock }: { readonly clock?: Clock } = {}): Tool<{ seconds: number }> {
  return tool({
    description: 'Waits a number of seconds.',
    inputSchema: {
      type: 'object',
      properties: { seconds: { type: 'number', minimum: 0, maximum: maxSeconds } },
      required: ['seconds'],
      additionalProperties: false,
    },
    effects: 'read',
    timeout: (maxSeconds + 1) * 1000,
    async execute({ seconds }, { abortSignal, progress }) {
      const started = clock.monotonic()
      for (let waited = 0; waited < seconds;) {
        const next = Math.min(waited + 1, seconds)
        await sleep(started + next * 1000 - clock.monotonic(), { clock, signal: abortSignal })
        waited = next
        progress({ done: waited, total: seconds, unit: 's' })
      }
      return `waited ${seconds} s`
    },
  })
}
