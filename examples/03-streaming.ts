// Streaming: tokens as a server sends them, over HTTP and server-sent events. The server is a small one on this machine
// that speaks the OpenAI-compatible wire; the model that the environment names is read the same way. (ECS-100, ECS-23)

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, model } from 'tellurion'
import { modelFromEnv } from 'tellurion/model'

const words = ['The ', 'Earth ', 'goes ', 'around ', 'the ', 'Sun.']

const server = createServer(async (_, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (data: object) => response.write(`data: ${JSON.stringify(data)}\n\n`)
  for (const content of words) {
    send({ choices: [{ index: 0, delta: { content } }] })
    await sleep(5)
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  send({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 } })
  response.end('data: [DONE]\n\n')
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

const local = model('local/demo', { baseURL: `http://127.0.0.1:${port}/v1` })

const teacher = new Agent({ name: 'teacher', model: modelFromEnv() ?? local })

// Every event of the turn, the live ones included.
const stream = teacher.stream('What goes around what?')
for await (const event of stream) {
  if (event.type === 'text.delta') console.log(`delta '${event.text}'`)
}
// prints: delta 'The '
// prints: delta 'Sun.'
const { text, usage } = await stream.result()
console.log(`${text} ${usage.totalTokens} tokens`)
// prints: The Earth goes around the Sun. 15 tokens

// The text alone.
let line = ''
for await (const piece of teacher.stream('Again, please.').texts()) line += `${piece.trim()}·`
console.log(line)
// prints: The·Earth·goes·around·the·Sun.·

server.close()
