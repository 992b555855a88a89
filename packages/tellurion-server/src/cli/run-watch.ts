// `tellurion runs events` and `messages`: what has happened in a run, and what happens while one watches.

import type { MessageResource } from 'tellurion/protocol'
import { eventLine, said } from './event-line.ts'
import type { ExitCode } from './fault.ts'
import { onInterrupt } from './interrupt.ts'
import { progressText } from './run-view.ts'
import { atDesk, findRun, type DeskFlags, type RunDesk } from './run-desk.ts'
import { wholeNumber } from './run-list.ts'
import type { Host } from './setting.ts'
import { StatusLine } from './status-line.ts'
import { tableLines } from '../terminal/table.ts'

/** Options of `runs events`. */
export interface EventFlags extends DeskFlags {
  readonly follow?: boolean
  readonly after: string
}

/** Shows events after a number; with `--follow` until the run ends. 130 when that was interrupted. */
export async function showEvents(id: string, flags: EventFlags, host: Host): Promise<ExitCode> {
  const after = wholeNumber('--after', flags.after, { least: 0 })
  return atDesk(flags, host, async (desk) => {
    const { id: run, events } = await findRun(desk.client, id)
    if (flags.follow === true) return followEvents(run, after, { desk, host })
    if (after >= events) return 0
    for await (const event of desk.client.runs.events(run, { after })) {
      if (event.seq === undefined) continue
      desk.tell(event, () => desk.out.note(eventLine(event), 'plain'))
      if (event.seq >= events) break
    }
    return 0
  })
}

async function followEvents(run: string, after: number, to: { desk: RunDesk; host: Host }): Promise<ExitCode> {
  const { desk, host } = to
  const interrupt = onInterrupt(host)
  const status = new StatusLine(host.stderr)
  try {
    for await (const event of desk.client.runs.events(run, { after, signal: interrupt.signal })) {
      status.clear()
      desk.tell(event, () => {
        if (event.seq !== undefined) desk.out.note(eventLine(event), 'plain')
        else if (event.type === 'tool.progress') status.show(progressText(event))
      })
    }
    return 0
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    return 130
  } finally {
    status.clear()
    interrupt.close()
  }
}

/** Shows the messages of a run with the ids by which they can be edited and regenerated. */
export async function showMessages(id: string, flags: DeskFlags, host: Host): Promise<ExitCode> {
  return atDesk(flags, host, async ({ client, out, tell }) => {
    const places: MessageResource[] = []
    for await (const place of client.runs.messages((await findRun(client, id)).id)) places.push(place)
    if (flags.json === true) for (const place of places) tell(place, () => {})
    else {
      const columns = [
        { title: 'MESSAGE', of: (place: MessageResource) => place.id },
        { title: 'TICK', of: (place: MessageResource) => String(place.tick), right: true },
        { title: 'ROLE', of: (place: MessageResource) => place.message.role },
        { title: 'TEXT', of: (place: MessageResource) => said(place.message) },
      ]
      const [head = '', ...lines] = tableLines(places, columns, out.columns - 1)
      out.line(head, 'faint')
      for (const line of lines) out.line(line)
    }
    return 0
  })
}
