// A bound on what a server sends over HTTP: an answer that is one JSON text is bounded as a whole, a stream of events is
// bounded event by event, for it may go on for days.

import { TellurionError } from '../error/error.ts'

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** The response with a body that errors with `egress_too_large` past `most` bytes, of all or of one event. */
export function limitedResponse(response: Response, most: number): Response {
  const { body, status, statusText, headers } = response
  if (body === null) return response
  const measure = headers.get('content-type')?.startsWith('text/event-stream') === true ? eventLength() : wholeLength()
  const limited = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (measure(chunk) > most) {
          controller.error(
            new TellurionError('egress_too_large', `The server sent a message of more than ${most} bytes.`),
          )
        } else controller.enqueue(chunk)
      },
    }),
  )
  const made = new Response(limited, { status, statusText, headers })
  return Object.defineProperties(made, { url: { value: response.url }, redirected: { value: response.redirected } })
}

function wholeLength(): (chunk: Uint8Array) => number {
  let length = 0
  return (chunk) => (length += chunk.length)
}

/** The longest event that a chunk is part of: events end with an empty line, written in any of three ways. */
function eventLength(): (chunk: Uint8Array) => number {
  let length = 0
  let lineLength = 0
  let last = 0
  return (chunk) => {
    let longest = 0
    for (const byte of chunk) {
      length++
      if (byte === lineFeed && last === carriageReturn) {
        // The second half of one line break.
      } else if (byte === lineFeed || byte === carriageReturn) {
        if (lineLength === 0) {
          longest = Math.max(longest, length)
          length = 0
        }
        lineLength = 0
      } else lineLength++
      last = byte
    }
    return Math.max(longest, length)
  }
}
