// A turn as a person sees it: a reader of events that writes text as it comes and one line for each tool call.

import type { Event } from 'tellurion'
import { exactJson, inertLine, inertStream } from '../terminal/inert.ts'
import type { Screen } from './screen.ts'

/** Makes a reader of one turn's events. `answers` gets the text, `remarks` what happens on the way. */
export function turnView(answers: Screen, remarks: Screen): (event: Event) => void {
  let clean = inertStream()
  return (event) => {
    switch (event.type) {
      case 'stream.started':
        clean = inertStream()
        break
      case 'text.delta':
        answers.text(clean(event.text))
        break
      case 'stream.ended':
        answers.endLine()
        break
      case 'stream.restarted':
        answers.endLine()
        remarks.note(`(the reply begins anew: ${inertLine(event.failure.message)})`)
        break
      case 'tool.called':
        answers.endLine()
        remarks.note(`→ ${inertLine(event.toolName)} ${exactJson(event.input)}`)
        break
      case 'tool.ended':
        answers.endLine()
        remarks.note(`${event.isError ? '✗' : '←'} ${inertLine(event.toolName)} ${summary(event.content)}`)
        break
      default:
    }
  }
}

/** The first line of a result, and how many more there are. */
function summary(content: string): string {
  const lines = content.trimEnd().split('\n')
  const more = lines.length > 1 ? ` (+${lines.length - 1} lines)` : ''
  return `${inertLine(lines[0] ?? '')}${more}`
}
