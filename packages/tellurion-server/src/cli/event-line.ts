// Stored events as lines for people: number, time, type, and what it is about.

import { textOf, toolCallsOf, type Message } from 'tellurion'
import type { EventResource } from 'tellurion/protocol'
import { exactJson, inertLine } from '../terminal/inert.ts'

const seqWidth = 4
const typeWidth = 21

/** One line about an event; the caller cuts it to the terminal. */
export function eventLine(event: EventResource): string {
  const { seq = 0, at = 0, type } = event
  return `${String(seq).padStart(seqWidth)}  ${timeOf(at)}  ${inertLine(type).padEnd(typeWidth)}  ${about(event)}`.trimEnd()
}

/** `09:14:05`, by the clock of this machine. */
export function timeOf(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB')
}

/** `2026-11-20 09:14:05`, by the clock of this machine. */
export function dateOf(at: number): string {
  return `${new Date(at).toLocaleDateString('sv-SE')} ${timeOf(at)}`
}

/** A message in one line: its text, and the calls in it. */
export function said(message: Message): string {
  const text = inertLine(textOf(message))
  const calls = toolCallsOf(message).map(({ toolName, input }) => `→ ${inertLine(toolName)} ${exactJson(input)}`)
  return [text, ...calls].filter((each) => each !== '').join(' ')
}

function about(event: EventResource): string {
  switch (event.type) {
    case 'message.added':
      return `${event.message.role}: ${said(event.message)}`
    case 'stream.ended':
      return inertLine(event.message === undefined ? (event.failure?.message ?? '') : textOf(event.message))
    case 'tool.called':
      return `${inertLine(event.toolName)} ${exactJson(event.input)}`
    case 'tool.ended':
      return `${inertLine(event.toolName)} ${event.isError ? 'failed: ' : ''}${inertLine(event.content)}`
    case 'interaction.requested':
      return inertLine(event.interaction.prompt)
    case 'run.waiting':
      return event.interactions.map(({ id }) => id).join(' ')
    case 'run.failed':
    case 'run.retrying':
    case 'run.timed_out':
    case 'failure.occurred':
      return inertLine(event.error.message)
    default: {
      const { type: _type, seq: _seq, at: _at, ...rest } = event
      return Object.keys(rest).length === 0 ? '' : exactJson(rest)
    }
  }
}
