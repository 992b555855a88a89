// The tools that write, delete and move whole files.

import { TellurionError } from '../error/error.ts'
import { tool, type AnyTool } from '../tool/tool.ts'
import { carryOut } from './change.ts'
import { changeablePlace, missing } from './content.ts'
import { changeEffects } from './file-effect.ts'
import { readText, writeText } from './text.ts'
import type { Workspace } from './workspace.ts'

const path = { type: 'string', description: 'From the root on, such as src/main.ts.' } as const

/** Makes the tool `writeFile`. */
export function writeFileTool(workspace: Workspace): AnyTool {
  return tool({
    description: 'Writes a whole text file, new or in the place of what is there. For changes of a file use editFile.',
    inputSchema: {
      type: 'object',
      properties: { path, content: { type: 'string', description: 'All of it.' } },
      required: ['path', 'content'],
      additionalProperties: false,
    },
    effects: changeEffects(workspace, ({ path }: { path: string }) => [path]),
    trust: 'trusted',
    async execute({ path, content }, context) {
      const place = changeablePlace(workspace, path)
      return carryOut(workspace, context, {
        places: [place],
        plan([current]) {
          const old = current === undefined ? undefined : readText(current.bytes)
          // What began with a byte order mark goes on doing so.
          const mark = old !== undefined && 'text' in old && old.mark && !content.startsWith('\ufeff')
          const bytes = checkedSize(workspace, place.path, writeText({ text: content, mark }))
          const what = current === undefined ? 'new' : `in the place of ${current.bytes.length} bytes`
          return { after: [bytes], report: `Wrote ${place.path}: ${bytes.length} bytes, ${what}.` }
        },
      })
    },
  }) as AnyTool
}

/** Makes the tool `deleteFile`. */
export function deleteFileTool(workspace: Workspace): AnyTool {
  return tool({
    description: 'Deletes a file.',
    inputSchema: { type: 'object', properties: { path }, required: ['path'], additionalProperties: false },
    effects: changeEffects(workspace, ({ path }: { path: string }) => [path]),
    trust: 'trusted',
    async execute({ path }, context) {
      const place = changeablePlace(workspace, path)
      return carryOut(workspace, context, {
        places: [place],
        plan([current]) {
          if (current === undefined) throw missing(place.path)
          return { after: [undefined], report: `Deleted ${place.path}.` }
        },
      })
    },
  }) as AnyTool
}

/** Makes the tool `moveFile`. */
export function moveFileTool(workspace: Workspace): AnyTool {
  return tool({
    description: 'Moves a file to another path, or gives it another name. Nothing is overwritten.',
    inputSchema: {
      type: 'object',
      properties: { from: path, to: path },
      required: ['from', 'to'],
      additionalProperties: false,
    },
    effects: changeEffects(workspace, ({ from, to }: { from: string; to: string }) => [from, to]),
    trust: 'trusted',
    async execute({ from, to }, context) {
      const source = changeablePlace(workspace, from)
      const target = changeablePlace(workspace, to)
      // The new one is there before the old one goes: at no moment there is none.
      return carryOut(workspace, context, {
        places: [target, source],
        plan([there, current]) {
          if (current === undefined) throw missing(source.path)
          if (there !== undefined) {
            throw new TellurionError(
              'file_access',
              `${target.path} is there already; delete it first, or choose another.`,
            )
          }
          const mode = Number(current.stat.mode & 0o777n)
          return { after: [current.bytes, undefined], report: `Moved ${source.path} to ${target.path}.`, mode }
        },
      })
    },
  }) as AnyTool
}

/** The bytes, if they are not too many. */
export function checkedSize({ limits }: Workspace, path: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length <= limits.writeBytes) return bytes
  throw new TellurionError(
    'file_access',
    `${path} would have ${bytes.length} bytes, more than the ${limits.writeBytes} that are written; divide it.`,
  )
}
