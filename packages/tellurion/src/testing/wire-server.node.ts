// A provider on this machine that answers as a `WireScript` says, in the words of one wire.

import { byteByByte, createRawServer, type RawReply, type RawServer } from './raw-server.node.ts'
import type { WireLanguage, WireScript } from './wire-script.ts'

/** A raw server that speaks a wire; `baseURL` is what a model is pointed at. */
export interface WireServer extends RawServer {
  readonly baseURL: string
}

/** Starts a provider that answers every request with the script, or with the one of that request's number. */
export async function serveWire(
  language: WireLanguage,
  script: WireScript | readonly WireScript[],
): Promise<WireServer> {
  const scripts: readonly WireScript[] = Array.isArray(script)
    ? (script as readonly WireScript[])
    : [script as WireScript]
  let asked = 0
  const server = await createRawServer(() => {
    const found = scripts[Math.min(asked++, scripts.length - 1)]
    return found === undefined ? { status: 500 } : replyOf(language, found)
  })
  if (scripts[0]?.refuse) await server.close()
  return Object.assign(server, { baseURL: `${server.url}${language.path}` })
}

function replyOf(language: WireLanguage, script: WireScript): RawReply {
  const { steps = [], delivery = 'events', overflow } = script
  const status = script.status ?? (overflow ? language.overflow.status : 200)
  const body = script.body ?? (overflow ? language.overflow.body : status === 200 ? undefined : language.error('No.'))
  const events = body === undefined ? language.events(steps) : [body]
  const pieces = delivery === 'events' ? events : delivery === 'whole' ? [events.join('')] : byteByByte(events.join(''))
  const type = body === undefined ? 'text/event-stream' : body.startsWith('<') ? 'text/html' : 'application/json'
  return {
    status,
    headers: { 'content-type': type, ...script.headers },
    pieces,
    ...(script.ending === undefined ? {} : { ending: script.ending }),
  }
}
