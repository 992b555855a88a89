// Structured output: the final answer as a checked, typed object. A reply that does not fit is sent back once with what
// is wrong; while streaming, the object grows. (ECS-103, ECS-25)

import { Agent } from 'tellurion'
import { scriptedModel } from 'tellurion/testing'
import { z } from 'zod'

const Trip = z.object({ city: z.string(), stops: z.array(z.string()).min(2) })

const planner = new Agent({
  name: 'planner',
  model: scriptedModel(
    [
      '{"city":"Oslo","stops":["Opera"]}',
      '{"city":"Oslo","stops":["Opera","Munch"]}',
      '{"city":"Lima","stops":["Plaza","Larco"]}',
    ],
    { chunkSize: 9 },
  ),
})

// `output` has the type that the schema infers.
const { output, steps } = await planner.generate('A day in Oslo', { output: Trip })
console.log(`${output.city}: ${output.stops.join(', then ')} (${steps} model calls, one of them a repair)`)
// prints: Oslo: Opera, then Munch (2 model calls, one of them a repair)

const stream = planner.stream('A day in Lima', { output: Trip })
for await (const partial of stream.partialOutputs()) console.log(JSON.stringify(partial))
// prints: {"city":"Lima"}
// prints: {"city":"Lima","stops":["Plaza","Larco"]}
console.log((await stream.result()).output.stops.length)
// prints: 2
