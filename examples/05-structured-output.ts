// Structured output: the final answer as a checked, typed object. A reply that does not fit is sent back once with what
// is wrong; while streaming, the object grows. (ECS-103, ECS-25)

import { Agent, TellurionError } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'
import { scriptedModel } from 'tellurion/testing'
import { z } from 'zod'

const Trip = z.object({ city: z.string(), stops: z.array(z.string()).min(2) })

const script = scriptedModel(
  [
    '{"city":"Oslo","stops":["Opera"]}',
    '{"city":"Oslo","stops":["Opera","Munch"]}',
    '{"city":"Lima","stops":["Plaza","Larco"]}',
  ],
  { chunkSize: 9 },
)

const planner = new Agent({ name: 'planner', model: modelFromEnv() ?? script })

try {
  // `output` has the type that the schema infers. The script's first answer does not fit: the second call is the repair.
  const { output, steps } = await planner.generate('A day in Oslo', { output: Trip })
  console.log(`${output.city}: ${output.stops.join(', then ')} (${steps} model calls)`)
  // prints: Oslo: Opera, then Munch (2 model calls)

  const stream = planner.stream('A day in Lima', { output: Trip })
  for await (const partial of stream.partialOutputs()) console.log(JSON.stringify(partial))
  // prints: {"city":"Lima"}
  // prints: {"city":"Lima","stops":["Plaza","Larco"]}
  console.log((await stream.result()).output.stops.length)
  // prints: 2
} catch (error) {
  // A model that cannot keep to the schema, not even once it was told what is wrong, fails the turn.
  if (!(error instanceof TellurionError) || error.code !== 'output_invalid') throw error
  console.log(error.message)
}
