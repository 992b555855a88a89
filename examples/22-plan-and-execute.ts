// Plan and execute: one model plans, another does the work, and after each step the plan is looked at again. Both are
// tried again when they fail, and neither may take too long. (ECS-99, ECS-52, ECS-56, ECS-72, ECS-73)

import { Agent, tool } from 'tellurion'
import { planAndExecute, reflection } from 'tellurion/agent'
import { modelFromEnv, retry, timeout, type AnyModel } from 'tellurion/model'
import { faultyModel, scriptedModel } from 'tellurion/testing'
import { z } from 'zod'

const pages: Record<string, string> = { 'Viking ships': 'Closed until 2027.', 'Fram museum': 'Open from 10 to 18.' }
const opening = tool({
  description: 'When a museum is open',
  inputSchema: z.object({ museum: z.string() }),
  effects: 'read',
  timeout: 5_000,
  execute: ({ museum }) => pages[museum] ?? 'unknown',
})
const looksUp = (museum: string) => ({ calls: [{ toolName: 'opening', input: { museum } }] })

// The planner sees that its first idea does not work, and mends the rest.
const planning = scriptedModel([
  '["Check when the Viking ships are open","Tell the user when to go"]',
  'The ships are closed. Better: ["Check when the Fram museum is open","Tell the user when to go"]',
  '["Tell the user when to go"]',
])
const working = scriptedModel([
  looksUp('Viking ships'),
  'They are closed until 2027.',
  looksUp('Fram museum'),
  'It is open from 10 to 18.',
  'Go to the Fram museum between 10 and 18.',
  '{"accepted": true}',
])

/** Configurable patience: how long a call may take, and how often it is tried again. */
const patient = (model: AnyModel) => retry(timeout(model, { total: 60_000 }), { maxRetries: 3, initialWait: 10 })

const agent = new Agent({
  name: 'guide',
  model: patient(faultyModel(modelFromEnv() ?? working, [{ fault: 'error' }])), // the server is overloaded, once
  tools: { opening },
  systems: [
    ...planAndExecute({ planner: patient(modelFromEnv() ?? planning), maxSteps: 5 }),
    reflection({ rounds: 1 }),
  ],
})

const stream = agent.stream('Which museum should I see in Oslo, and when?')
for await (const event of stream) {
  if (event.type === 'plan.revised') console.log('plan:', event.newSteps.join(' / '))
  if (event.type === 'plan.step_completed') console.log('done:', event.stepDescription)
}
const { text } = await stream.result().catch((error: Error) => ({ text: error.message }))
console.log(text)
// prints: plan: Check when the Viking ships are open / Tell the user when to go
// prints: done: Check when the Viking ships are open
// prints: plan: Check when the Viking ships are open / Check when the Fram museum is open / Tell the user when to go
// prints: done: Check when the Fram museum is open
// prints: done: Tell the user when to go
// prints: Go to the Fram museum between 10 and 18.
