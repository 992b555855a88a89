// An agent of one's own make: any object with a key and `run(context)`. Its steps are kept as they are done, so that it
// goes on where it stood when its process ends in the middle. (ARC-01, ARC-16, ARC-86..90, ARC-42)

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRuntime, step, StepExecutor, type AgentRuntime } from 'tellurion/runtime'
import { sqlite } from 'tellurion/sqlite'

const folder = mkdtempSync(join(tmpdir(), 'tellurion-'))
const store = sqlite(join(folder, 'runs.db'))
let online = false

const importer: AgentRuntime = {
  key: 'importer',
  async run(context) {
    const { publish } = await new StepExecutor(context).run(
      [
        step('fetch', (_context, state) => {
          console.log('fetching')
          state['rows'] = [3, 4, 5]
        }),
        step('sum', (_context, state) => (state['rows'] as number[]).reduce((a, b) => a + b)),
        step(
          'publish',
          async ({ idempotencyKey, emit }, state) => {
            emit({ type: 'importer.publishing', key: idempotencyKey })
            if (!online) await new Promise(() => {})
            return `${String(context.input)}: ${JSON.stringify(state['rows'])}`
          },
          { retries: 3, timeout: 30_000, description: 'sends the report' },
        ),
      ],
      { initialState: { rows: [] } },
    )
    return { output: publish }
  },
}

// The first process is stopped while it publishes.
const first = await createRuntime({ store, agents: [importer], patience: { grace: 0 } })
const { id } = await first.submit('importer', 'Report')
for await (const event of first.run(id).events()) if ((event.type as string) === 'importer.publishing') break
await first.close()
// prints: fetching
// The second one skips what is done.
online = true
const second = await createRuntime({ store, agents: [importer] })
console.log((await second.run(id).result()).output)
// prints: Report: [3,4,5]
for await (const event of second.run(id).events())
  if (event.type === 'step.skipped') console.log(`skipped ${event.name}`)
  else if (event.type === 'progress.updated') console.log(`${event.percent} %`)
// prints: 33 %
// prints: skipped fetch
// prints: skipped sum
// prints: 100 %
await second.close()
rmSync(folder, { recursive: true })
