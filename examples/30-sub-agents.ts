// Parents and children: two helpers work side by side for one agent, each with a part of its budget, in memory and as
// runs. (ECS-108, ECS-95, AT-09, AT-23, LOOM-03)

import { Agent, asTool } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'
import { createRuntime, memory } from 'tellurion/runtime'
import { scriptedModel } from 'tellurion/testing'

const asks = (...tasks: string[]) => ({ calls: tasks.map((task) => ({ toolName: 'help', input: { task } })) })

function team(): Agent {
  const helper = new Agent({
    name: 'helper',
    instructions: 'Do what you are told, briefly.',
    model: modelFromEnv() ?? scriptedModel(() => 'Done.'),
  })
  return new Agent({
    name: 'boss',
    model: modelFromEnv() ?? scriptedModel([asks('sweep the floor', 'wash the cups'), 'Both are done.']),
    tools: { help: asTool(helper, { description: 'Does one thing.', budget: { modelCalls: 3 }, timeout: 60_000 }) },
    budget: { modelCalls: 20 },
  })
}

const { text } = await team().generate('Tidy up.')
// prints: in memory: Both are done.
console.log(`in memory: ${text}`)

await using runtime = await createRuntime({ store: memory(), agents: [team()] })
const run = await runtime.submit('boss', 'Tidy up.')
// prints: as runs: Both are done.
console.log(`as runs: ${(await run.result()).text}`)
const children = await runtime.runs({ parent: run.id })
// prints: helper succeeded, helper succeeded
console.log(children.map(({ agent, status }) => `${agent} ${status}`).join(', '))
