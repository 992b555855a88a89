// The demo's clock, as a tool: what time it is somewhere.

import { TellurionError } from 'tellurion'
import { tool, type Tool } from 'tellurion/tool'
import { systemClock, type Clock } from 'tellurion/world'

/** Makes a tool that tells date and time in an IANA time zone; without one, in that of this machine. */
export function zoneClock({ clock = systemClock }: { readonly clock?: Clock } = {}): Tool<{ timeZone?: string }> {
  return tool({
    description: 'Tells the current date and time, in a time zone if one is given.',
    inputSchema: {
      type: 'object',
      properties: {
        timeZone: { type: 'string', maxLength: 64, description: 'An IANA name such as Europe/Paris or UTC.' },
      },
      additionalProperties: false,
    },
    effects: 'read',
    execute: ({ timeZone }) => timeIn(timeZone, clock.now()),
  })
}

/** `Friday, 20 November 2026, 18:14:05 in Asia/Tokyo (GMT+9)`. */
function timeIn(timeZone: string | undefined, now: number): string {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-GB', {
      ...(timeZone === undefined || timeZone === '' ? {} : { timeZone }),
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'shortOffset',
    })
  } catch (error) {
    const advice = 'write an IANA name such as Europe/Paris, America/New_York or UTC'
    throw new TellurionError('invalid_option', `there is no time zone '${timeZone}': ${advice}`, { cause: error })
  }
  const part = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]))
  const date = `${part['weekday']}, ${part['day']} ${part['month']} ${part['year']}`
  const time = `${part['hour']}:${part['minute']}:${part['second']}`
  return `${date}, ${time} in ${format.resolvedOptions().timeZone} (${part['timeZoneName']})`
}
