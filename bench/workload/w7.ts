// W7, a model's reply over HTTP: 2,000 chunks of server-sent events, as a burst and one a millisecond. CPU of the
// reading process per 1,000 chunks.

import { createParser } from 'eventsource-parser'
import { model } from 'tellurion/model'
import { measureReading } from '../sse-client.ts'
import type { Workload } from './workload.ts'

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string } }[]
}

/** fetch, a text decoder, the parser and `JSON.parse`: what anybody would write by hand. */
async function readByHand(baseURL: string): Promise<number> {
  const body = JSON.stringify({ model: 'bench', stream: true, messages: [{ role: 'user', content: 'Tell.' }] })
  const headers = { 'content-type': 'application/json', authorization: 'Bearer key' }
  const response = await fetch(`${baseURL}/chat/completions`, { method: 'POST', headers, body })
  let seen = 0
  const parser = createParser({
    onEvent({ data }) {
      if (data === '[DONE]') return
      const content = (JSON.parse(data) as Chunk).choices?.[0]?.delta?.content
      if (content) seen++
    },
  })
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }))
  return seen
}

async function readByUs(baseURL: string): Promise<number> {
  const asked = model('openai/bench', { apiKey: 'key', baseURL })
  let seen = 0
  for await (const event of asked.stream({ messages: [{ role: 'user', content: 'Tell.' }] }, {})) {
    if (event.type === 'text.delta') seen++
    else if (event.type === 'error') throw new Error(event.failure.message)
  }
  return seen
}

export default {
  title: 'W7  2,000 SSE chunks over HTTP; CPU ms per 1,000',
  metrics: [
    { name: 'burst', unit: 'ms burst', better: 'lower', floor: 'loop' },
    { name: 'paced', unit: 'ms paced', better: 'lower', floor: 'loop' },
  ],
  cells: {
    loop: (scale) => measureReading(scale, readByHand),
    tellurion: (scale) => measureReading(scale, readByUs),
  },
  targets: [
    { cell: 'tellurion', metric: 'burst', over: 'loop', most: 1.3 },
    { cell: 'tellurion', metric: 'paced', over: 'loop', most: 1.05 },
  ],
} satisfies Workload
