// The tool that reads a file: some of its lines at a time, each with the anchor that an edit of it needs.

import { TellurionError } from '../error/error.ts'
import { tool, type AnyTool } from '../tool/tool.ts'
import { readablePlace, readContent } from './content.ts'
import { lockPath } from './file-effect.ts'
import { shownLine, splitLines, type Line } from './line.ts'
import { readText } from './text.ts'
import type { Workspace } from './workspace.ts'

/** Characters of one answer; results end at 10,000. */
const maxShown = 9_000
/** Characters of one line. */
const maxLine = 2_000

/** Makes the tool `readFile`. */
export function readFileTool(workspace: Workspace): AnyTool {
  return tool({
    description:
      'Reads lines of a text file. Each comes as number:hash|text; number:hash is the anchor that editFile takes for it.',
    inputSchema: {
      type: 'object',
      properties: {
        path: { type: 'string', description: 'From the root on, such as src/main.ts.' },
        from: { type: 'integer', minimum: 1, description: 'The first line. Default 1.' },
        to: { type: 'integer', minimum: 1, description: 'The last line. Default: as far as one answer goes.' },
      },
      required: ['path'],
      additionalProperties: false,
    },
    effects: { mode: 'read', paths: ({ path }) => [lockPath(workspace, path)] },
    trust: workspace.vouched ? 'trusted' : 'untrusted',
    async execute({ path, from = 1, to = Infinity }) {
      const place = readablePlace(workspace, path)
      const { bytes } = await readContent(workspace, place, workspace.limits.readBytes)
      const read = readText(bytes)
      if ('problem' in read) {
        throw new TellurionError(
          'file_access',
          `${place.path} ${read.problem}, of ${bytes.length} bytes; it is not shown.`,
        )
      }
      const lines = splitLines(read.text)
      if (lines.length === 0) return `${place.path} is empty.`
      if (from > lines.length || to < from) {
        const wanted = to === Infinity ? `${from}` : `${from} to ${to}`
        throw new TellurionError('file_access', `${place.path} has lines 1 to ${lines.length}, not ${wanted}.`)
      }
      return page(place.path, lines, { from, to: Math.min(to, lines.length) })
    },
  }) as AnyTool
}

/** As many of the lines as one answer holds, and where to go on. */
function page(path: string, lines: readonly Line[], { from, to }: { from: number; to: number }): string {
  const shown: string[] = []
  let length = 0
  let next = from
  for (; next <= to; next++) {
    const line = shownLine(lines, next - 1, maxLine)
    if (length + line.length > maxShown && shown.length > 0) break
    shown.push(line)
    length += line.length + 1
  }
  const more = next <= to ? `; go on with from: ${next}` : ''
  const ends = new Set(lines.map(({ end }) => end).filter((end) => end !== ''))
  const style = ends.has('\r\n') ? (ends.size > 1 ? ', some ending with CRLF' : ', ending with CRLF') : ''
  const open = lines.at(-1)?.end === '' && next > lines.length ? '\n[no newline at the end]' : ''
  return `${path}, lines ${from} to ${next - 1} of ${lines.length}${style}${more}\n${shown.join('\n')}${open}`
}
