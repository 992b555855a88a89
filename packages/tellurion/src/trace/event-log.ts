// Events as lines of a log: a reader of the event stream like any other. What people and models said stays out unless
// it is asked for.

import { isBuiltIn, isEphemeral } from '../event/kind.ts'
import type { Event, EventRecord } from '../event/event.ts'
import type { Log, LogFields, LogLevel } from '../port/log.ts'
import type { Json } from '../schema/json.ts'

/** How events are logged. */
export interface EventLogOptions {
  /** Whether messages, arguments and results are shown, and not only their lengths. Default false. */
  readonly content?: boolean
}

/**
 * Makes a reader that writes each event as one line: its type is the message, its payload the fields. Failures are
 * errors; what was denied, repeated or went wrong inside a tool is a warning; the steps of a model call are debug lines;
 * the rest, a program's own events included, is info. Deltas are not logged: the whole that they add up to is. Never
 * throws.
 *
 * `for await (const event of stream) read(event)`, or `world.on('*', read)`.
 */
export function logEvents(log: Log, { content = false }: EventLogOptions = {}): (event: Event | EventRecord) => void {
  return (event) => {
    if (event.type !== 'tool.progress' && isEphemeral(event.type) && event.type !== 'stream.restarted') return
    const { type, ...payload } = event
    const fields = payload as LogFields
    log[levelOf(event)](type, content || !isBuiltIn(type) ? fields : withoutContent(fields))
  }
}

function levelOf(event: Event | EventRecord): LogLevel {
  switch (event.type) {
    case 'run.failed':
    case 'failure.occurred':
    case 'subscriber.failed':
      return 'error'
    case 'stream.restarted':
    case 'tool.denied':
    case 'component.large':
      return 'warn'
    case 'tool.ended':
      return 'isError' in event && event.isError ? 'warn' : 'info'
    case 'stream.ended':
      return 'failure' in event ? 'warn' : 'debug'
    case 'model.called':
    case 'stream.started':
    case 'message.added':
    case 'tool.progress':
      return 'debug'
    default:
      return 'info'
  }
}

/** Fields of events that hold what somebody said, and what is shown of them instead. */
const summaries: Readonly<Record<string, (value: Json) => Json>> = {
  content: lengthOf,
  input: lengthOf,
  progress: lengthOf,
  message: summaryOfMessage,
  interaction: summaryOfInteraction,
  interactions: (value) => (Array.isArray(value) ? value.map(summaryOfInteraction) : null),
}

function withoutContent(fields: LogFields): LogFields {
  const shown: Record<string, Json | undefined> = {}
  for (const [name, value] of Object.entries(fields)) {
    const summary = summaries[name]
    if (summary === undefined || value === undefined) shown[name] = value
    else shown[name === 'content' || name === 'input' || name === 'progress' ? `${name}Length` : name] = summary(value)
  }
  return shown
}

function lengthOf(value: Json): number {
  return typeof value === 'string' ? value.length : JSON.stringify(value).length
}

function summaryOfMessage(value: Json): Json {
  const { role = null, content = null } = value as { role?: Json; content?: Json }
  return { role, contentLength: lengthOf(content) }
}

function summaryOfInteraction(value: Json): Json {
  const { id = null, kind = null, toolName = null } = value as { id?: Json; kind?: Json; toolName?: Json }
  return { id, kind, toolName }
}
