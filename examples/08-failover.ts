// Failover: a pool of models as one model. Who is ill is passed over within the same call, a reply that dies half-way
// begins anew with the next one, and everybody's health can be read at any time. (LOOM-07, LOOM-19, AT-18)

import { Agent } from 'tellurion'
import { pool } from 'tellurion/model'
import { faultyModel, scriptedModel } from 'tellurion/testing'

const first = faultyModel(
  scriptedModel(() => 'The first one speaks.', { name: 'first/large', chunkSize: 5 }),
  // Refused at once, then cut off after two pieces, then five failures in a row.
  (call) => (call === 1 ? { fault: 'error', after: 2 } : { fault: 'error' }),
)
const second = scriptedModel(() => 'The second one speaks.', { name: 'second/small', chunkSize: 5 })

const models = pool([
  { model: first, id: 'first', priority: 10 },
  { model: second, id: 'second', priority: 1 },
])
const agent = new Agent({ name: 'steady', model: models })

const { text } = await agent.generate('Hello')
console.log(text)
// prints: The second one speaks.

// A reader of events sees that what came so far is void; the conversation keeps the second reply alone.
const stream = agent.stream('Hello again')
let shown = ''
for await (const event of stream) {
  if (event.type === 'text.delta') shown += event.text
  if (event.type === 'stream.restarted') {
    console.log(`void: '${shown}' (${event.failure.kind})`)
    shown = ''
  }
}
console.log(shown)
// prints: void: 'The first ' (service)
// prints: The second one speaks.

for (let call = 0; call < 5; call++) await agent.generate('And again')
for (const [id, { status, calls, successRate }] of Object.entries(models.health()))
  console.log(`${id}: ${status}, ${calls} calls, ${100 * successRate} % successful`)
// prints: first: unhealthy, 5 calls, 0 % successful
// prints: second: healthy, 7 calls, 100 % successful
