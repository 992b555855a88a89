// A server of server-sent events in a process of its own, so that its work is not counted: a chat completion in so many
// chunks, as one burst or one chunk a millisecond.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const content = 'word '
const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'bench' }
const chunk = (delta: object, finish: string | null, rest: object = {}): string =>
  `data: ${JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason: finish }], ...rest })}\n\n`

const usage = { prompt_tokens: 10, completion_tokens: 2000, total_tokens: 2010 }
const first = chunk({ role: 'assistant', content: '' }, null)
/** Every chunk differs a little, as those of a real model do. */
const text = (index: number): string => chunk({ content: `${content}${index % 1000} ` }, null)
const last = `${chunk({}, 'stop')}${chunk({}, null, { usage }).replace(/"choices":\[.*?\}\]/, '"choices":[]')}data: [DONE]\n\n`

const server = createServer((request, response) => {
  const [, pace, count] = /^\/(burst|paced)\/(\d+)/.exec(request.url ?? '') ?? []
  request.resume()
  if (pace === undefined) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.write(first)
  if (pace === 'burst') burst(Number(count), (piece) => response.write(piece))
  else {
    paced(
      Number(count),
      (piece) => response.write(piece),
      () => response.end(last),
    )
    return
  }
  response.end(last)
})

/** 16 chunks a write, about what one TLS record brings. */
function burst(count: number, write: (piece: string) => void): void {
  for (let index = 0; index < count; index += 16) {
    let piece = ''
    for (let at = index; at < Math.min(index + 16, count); at++) piece += text(at)
    write(piece)
  }
}

function paced(count: number, write: (piece: string) => void, end: () => void): void {
  let sent = 0
  const timer = setInterval(() => {
    write(text(sent++))
    if (sent < count) return
    clearInterval(timer)
    end()
  }, 1)
}

server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
