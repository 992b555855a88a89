// The tools that show what files there are: in a folder, and by glob.

import { tool, type AnyTool } from '../tool/tool.ts'
import { readablePlace } from './content.ts'
import { lockPath } from './file-effect.ts'
import { Folder } from './folder.ts'
import { callGlob } from './glob.ts'
import { newTally, walk, type Entry, type Tally } from './walk.ts'
import type { Workspace } from './workspace.ts'

/** Characters of one answer; results end at 10,000. */
const maxShown = 9_000

const folder = { type: 'string', description: 'The folder, from the root on. Default the root.' } as const

/** Makes the tool `listFiles`. */
export function listFilesTool(workspace: Workspace): AnyTool {
  return tool({
    description: 'Lists what is in a folder: files, and folders with a / at the end.',
    inputSchema: {
      type: 'object',
      properties: {
        path: folder,
        after: { type: 'string', description: 'Go on behind this name, where an answer said that there are more.' },
      },
      additionalProperties: false,
    },
    effects: { mode: 'read', paths: ({ path }) => [lockPath(workspace, path ?? '')] },
    trust: workspace.vouched ? 'trusted' : 'untrusted',
    async execute({ path = '', after }, { abortSignal: signal }) {
      const place = readablePlace(workspace, path)
      const tally = newTally()
      const open = await Folder.at(workspace, place.names)
      try {
        const found: string[] = []
        for await (const { entries } of walk(workspace, open, tally, { signal, deep: false, all: true })) {
          for (const entry of entries) if (after === undefined || entry.name > after) found.push(shownEntry(entry))
        }
        const where = place.path === '' ? 'The root' : place.path
        if (found.length === 0)
          return `${where} has ${after === undefined ? 'nothing in it' : `nothing behind ${after}`}.`
        const { shown, rest } = bounded(found, workspace.limits.results)
        const more = rest === 0 ? '' : `\n[${rest} more: go on with after: ${JSON.stringify(plainName(shown.at(-1)!))}]`
        return `${shown.join('\n')}${more}${remarks(tally)}`
      } finally {
        await open.close()
      }
    },
  }) as AnyTool
}

/** Makes the tool `globFiles`. */
export function globFilesTool(workspace: Workspace): AnyTool {
  return tool({
    description:
      'Finds files by a glob such as *.ts (at any depth) or src/**/*.{ts,js} (from the root on). Links are not followed.',
    inputSchema: {
      type: 'object',
      properties: { glob: { type: 'string' }, path: folder },
      required: ['glob'],
      additionalProperties: false,
    },
    effects: { mode: 'read', paths: ({ path }) => [lockPath(workspace, path ?? '')] },
    trust: workspace.vouched ? 'trusted' : 'untrusted',
    async execute({ glob, path = '' }, { abortSignal: signal }) {
      const matches = callGlob(glob)
      const place = readablePlace(workspace, path)
      const tally = newTally()
      const open = await Folder.at(workspace, place.names)
      try {
        const found: string[] = []
        for await (const { entries } of walk(workspace, open, tally, {
          signal,
          all: workspace.isIgnored(place.path),
        })) {
          for (const entry of entries) if (entry.kind === 'file' && matches(entry.path)) found.push(entry.path)
        }
        if (found.length === 0) return `No file matches ${glob}.${remarks(tally)}`
        const { shown, rest } = bounded(found, workspace.limits.results)
        const more = rest === 0 ? '' : `\n[${rest} more: make the glob narrower]`
        return `${shown.join('\n')}${more}${remarks(tally)}`
      } finally {
        await open.close()
      }
    },
  }) as AnyTool
}

function shownEntry({ name, kind }: Entry): string {
  if (kind === 'folder') return `${name}/`
  if (kind === 'link') return `${name} (link, not followed)`
  return kind === 'file' ? name : `${name} (no file)`
}

function plainName(shown: string): string {
  return shown.replace(/\/$| \((link, not followed|no file)\)$/, '')
}

/** The first of some lines, as many as one answer holds. */
export function bounded(lines: readonly string[], most: number): { shown: readonly string[]; rest: number } {
  let length = 0
  let count = 0
  while (count < Math.min(lines.length, most) && (length += lines[count]!.length + 1) <= maxShown) count++
  const shown = lines.slice(0, Math.max(1, count))
  return { shown, rest: lines.length - shown.length }
}

/** What a walk could not do, for the end of an answer. */
export function remarks({ cut, seen, passed }: Tally, more: readonly string[] = []): string {
  const all = [...more]
  if (passed > 0) all.push(`${passed} could not be looked at`)
  if (cut) all.push(`stopped after ${seen - 1} entries: name a folder`)
  return all.length === 0 ? '' : `\n[${all.join('; ')}]`
}
