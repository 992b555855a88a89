// The tool that edits lines of a file by their anchors.

import { TellurionError } from '../error/error.ts'
import { tool, type AnyTool } from '../tool/tool.ts'
import { carryOut } from './change.ts'
import { changeablePlace, missing } from './content.ts'
import { changeEffects } from './file-effect.ts'
import { editLines, linesAround, type Edited } from './line-edit.ts'
import { joinLines, splitLines } from './line.ts'
import { readText, writeText } from './text.ts'
import type { Workspace } from './workspace.ts'
import { checkedSize } from './write-file.ts'

/** Characters of one answer; results end at 10,000. */
const maxShown = 4_000

/** Makes the tool `editFile`. */
export function editFileTool(workspace: Workspace): AnyTool {
  return tool({
    description:
      'Edits lines of a text file by the anchors that readFile and grepFiles show (number:hash). All edits mean the file ' +
      'as it was read; either all are made or none. The answer has the anchors of the lines around.',
    inputSchema: {
      type: 'object',
      properties: {
        path: { type: 'string', description: 'From the root on, such as src/main.ts.' },
        edits: {
          type: 'array',
          minItems: 1,
          maxItems: 100,
          items: {
            type: 'object',
            properties: {
              at: { type: 'string', description: 'The anchor of the (first) line, or start or end of the file.' },
              through: { type: 'string', description: 'The anchor of the last line that is replaced. Default: at.' },
              action: { type: 'string', enum: ['replace', 'before', 'after'], description: 'Default replace.' },
              text: { type: 'string', description: 'The new lines, without hashes. Left out, replace deletes.' },
            },
            required: ['at'],
            additionalProperties: false,
          },
        },
      },
      required: ['path', 'edits'],
      additionalProperties: false,
    },
    effects: changeEffects(workspace, ({ path }: { path: string }) => [path]),
    trust: workspace.vouched ? 'trusted' : 'untrusted',
    async execute({ path, edits }, context) {
      const place = changeablePlace(workspace, path)
      return carryOut(workspace, context, {
        places: [place],
        plan([current]) {
          if (current === undefined) throw missing(place.path)
          if (current.bytes.length > workspace.limits.readBytes) {
            throw new TellurionError('file_access', `${place.path} is too large to be edited; write it anew.`)
          }
          const read = readText(current.bytes)
          if ('problem' in read)
            throw new TellurionError('file_access', `${place.path} ${read.problem}; it is not edited.`)
          const edited = editLines(place.path, splitLines(read.text), edits)
          const text = joinLines(edited.lines)
          const bytes = checkedSize(workspace, place.path, writeText({ text, mark: read.mark }))
          return {
            after: [bytes],
            report: text === read.text ? `${place.path} is so already.` : report(place.path, edited),
          }
        },
      })
    },
  }) as AnyTool
}

function report(path: string, { lines, touched }: Edited): string {
  let shown = `Edited ${path}, now of ${lines.length} lines.`
  for (const range of touched) {
    const around = linesAround(lines, range, 200)
    if (shown.length + around.length > maxShown) return `${shown}\n… (read the rest for its anchors)`
    if (around !== '') shown += `\n${around}\n`
  }
  return shown.trimEnd()
}
