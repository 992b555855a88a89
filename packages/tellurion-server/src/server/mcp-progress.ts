// Progress of a call as its client is told it: numbers that only grow, with a line of text.

import type { ServerContext } from '@modelcontextprotocol/server'
import type { Json } from 'tellurion/protocol'

/** Tells a client how far a call is. Never throws; what cannot be told is lost. */
export type TellProgress = (progress: Json) => void

/** Longest text of one report. */
const longest = 500

/**
 * Tells the client that asked for it; undefined where none did. A number is the progress; of an object `progress`,
 * `total` and `message` count; anything else is a message, and progress counts on by one.
 */
export function progressOf({ mcpReq }: ServerContext): TellProgress | undefined {
  const progressToken = mcpReq._meta?.progressToken
  if (progressToken === undefined) return undefined
  let last = -Infinity
  return (report) => {
    const { progress = Number.isFinite(last) ? last + 1 : 0, ...rest } = read(report)
    if (!(progress > last)) return
    last = progress
    const params = { progressToken, progress, ...rest }
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
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
