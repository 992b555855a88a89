// What was sent to one MCP session, kept to a bound, so that a stream that broke goes on where it was. The oldest go first.

import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Most messages, however small. */
const mostMessages = 1000

/** Makes the log of a session that keeps at most so many bytes of JSON. */
export function createMcpEventLog(most: number): EventStore {
  const kept = new Map<string, { readonly stream: string; readonly text: string }>()
  let bytes = 0
  let last = 0

  const forget = (): void => {
    for (const [id, { text }] of kept) {
      if (bytes <= most && kept.size <= mostMessages) return
      bytes -= text.length
      kept.delete(id)
    }
  }
  return {
    storeEvent: async (stream, message) => {
      const id = String(++last)
      const text = JSON.stringify(message)
      bytes += text.length
      kept.set(id, { stream, text })
      forget()
      return id
    },
    getStreamIdForEventId: async (id) => kept.get(id)?.stream,
    replayEventsAfter: async (lastId, { send }) => {
      const { stream } = kept.get(lastId) ?? {}
      if (stream === undefined) throw new Error('What came after this event is not kept any more.')
      let isAfter = false
      for (const [id, { stream: own, text }] of Array.from(kept)) {
        // The first event of a stream has no message: it only says where the stream begins.
        if (isAfter && own === stream && text !== '{}') await send(id, JSON.parse(text) as JSONRPCMessage)
        isAfter ||= id === lastId
      }
      return stream
    },
  }
}
