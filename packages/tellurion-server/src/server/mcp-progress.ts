// Progress of a call as its client is told it: numbers that only grow, with a line of text.

import type { ServerContext } from '@modelcontextprotocol/server'
import type { Json } from 'tellurion/protocol'
import type { RedactedStream, Redactor } from 'tellurion/secret'

/** Tells a client how far a call is. Never throws; what cannot be told is lost. */
export type TellProgress = (progress: Json) => void

/** Longest text of one report. */
const longest = 500

/**
 * Tells the client that asked for it; undefined where none did. A number is the progress; of an object `progress`,
 * `total` and `message` count; anything else is a message, and progress counts on by one. Secrets are taken out, also where
 * a text that grows, such as what code prints, brings them in pieces.
 */
export function progressOf({ mcpReq }: ServerContext, redactor?: Redactor): TellProgress | undefined {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return undefined
  const clean = redactor === undefined ? (report: Json) => report : cleaner(redactor)
  let last = -Infinity
  return (given) => {
    const report = clean(given)
    if (report === undefined) return
    const { progress = Number.isFinite(last) ? last + 1 : 0, ...rest } = read(report)
    if (!(progress > last)) return
    last = progress
    const params = { progressToken, progress, ...rest }
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
  }
}

/** Takes secrets out of reports; gives nothing where all of one may be the beginning of a secret. */
function cleaner(redactor: Redactor): (report: Json) => Json | undefined {
  const streams = new Map<string, RedactedStream>()
  return (report) => {
    if (typeof report !== 'object' || report === null) return redactor.value(report)
    const { text, ...rest } = report as { readonly [name: string]: Json }
    if (typeof text !== 'string') return redactor.value(report)
    const key = JSON.stringify(rest)
    const stream = streams.get(key) ?? redactor.stream()
    streams.set(key, stream)
    const shown = stream.push(text)
    return shown === '' ? undefined : redactor.value({ ...rest, text: shown })
  }
}

interface Report {
  readonly progress?: number
  readonly total?: number
  readonly message?: string
}

function read(report: Json): Report {
  if (typeof report === 'number') return { progress: report }
  if (typeof report !== 'object' || report === null || Array.isArray(report)) return { message: shown(report) }
  const { progress, total, message } = report as { progress?: Json; total?: Json; message?: Json }
  if (typeof progress !== 'number') return { message: shown(typeof message === 'string' ? message : report) }
  return {
    progress,
    ...(typeof total === 'number' ? { total } : {}),
    ...(typeof message === 'string' ? { message: shown(message) } : {}),
  }
}

function shown(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.slice(0, longest).toWellFormed()
}
