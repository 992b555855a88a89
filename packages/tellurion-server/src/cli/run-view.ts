// A durable run as a person sees it: text as it comes, or whole where another process works on it; one line for each
// tool call and each turn of its fate.

import { textOf, type EventOf } from 'tellurion'
import type { EventResource } from 'tellurion/protocol'
import { exactJson, inert, inertLine } from '../terminal/inert.ts'
import type { Screen } from './screen.ts'
import { turnView } from './turn-view.ts'

/** Makes a reader of one run's events. */
export function runView(answers: Screen, remarks: Screen): (event: EventResource) => void {
  const turn = turnView(answers, remarks)
  let streamed = ''
  return (event) => {
    switch (event.type) {
      case 'text.delta':
        streamed += event.text
        turn(event)
        return
      case 'stream.restarted':
        streamed = ''
        turn(event)
        return
      case 'stream.started':
        // Kept events come after their commit: the text may be there already.
        if (streamed === '') turn(event)
        return
      case 'stream.ended': {
        const whole = event.message === undefined ? '' : textOf(event.message)
        if (whole !== streamed && whole !== '') {
          answers.endLine()
          answers.text(inert(whole))
        }
        streamed = ''
        turn(event)
        return
      }
      case 'run.resumed':
        remarks.note(`(attempt ${event.attempt}: goes on from what is kept)`)
        return
      case 'run.retrying':
        remarks.note(`(tries again: ${inertLine(event.error.message)})`)
        return
      case 'run.paused':
        remarks.note('(paused)')
        return
      case 'tool.denied':
        remarks.note(`✗ denied by ${inertLine(event.by)}: ${inertLine(event.reason)}`)
        return
      case 'tool.approved':
        remarks.note(`(approved by ${inertLine(event.by)})`)
        return
      default:
        turn(event)
    }
  }
}

/** How far a tool is: `wait 12/60 s`, or whatever it reports. */
export function progressText({ toolName, progress }: EventOf<'tool.progress'>): string {
  const { done, total, unit } = (progress ?? {}) as {
    readonly done?: unknown
    readonly total?: unknown
    readonly unit?: unknown
  }
  const counted = typeof done === 'number' && typeof total === 'number'
  const report = counted ? `${done}/${total}${typeof unit === 'string' ? ` ${unit}` : ''}` : exactJson(progress)
  return `… ${inertLine(toolName)} ${inertLine(report)}`
}
