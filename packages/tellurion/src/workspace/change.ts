// Changes of files by tools: what was is kept first, then what is going to be done is written down, then it is done. So a
// call that a crash has cut off is finished, not repeated, and whatever was done can be undone.

import { hash } from 'node:crypto'
import { throwIfAborted } from '../abort/abort.ts'
import { TellurionError } from '../error/error.ts'
import type { ToolContext } from '../tool/tool.ts'
import { readChangeRecord, type ChangeRecord, type FileChange, type FileState } from './change-record.ts'
import { deepest, findContent, putContent, removeContent, type Content } from './content.ts'
import { Folder } from './folder.ts'
import type { Place } from './place.ts'
import type { Workspace } from './workspace.ts'

/** What a call keeps its record under. */
export const recordName = 'file changes'
/** What it keeps the old bytes under. */
export const oldName = 'old content'

/** What is to become of some files, given what they hold: bytes, or undefined for a file that is to go. */
export interface Plan {
  readonly after: readonly (Uint8Array | undefined)[]
  /** What the model is told. */
  readonly report: string
  /** Permissions of what is put where nothing was. Default the process's. */
  readonly mode?: number
}

/** Files that a call changes. At most one of them is there before. */
export interface Change {
  readonly places: readonly Place[]
  /** Says what is to become of them. Throws where that cannot be. */
  plan(current: readonly (Content | undefined)[]): Plan
}

/** Carries a change out, or finishes one that a crash has cut off. Throws `file_access` and `file_changed`. */
export async function carryOut(workspace: Workspace, context: ToolContext, change: Change): Promise<string> {
  const { places } = change
  const max = workspace.limits.writeBytes
  const current = await Promise.all(places.map((place) => findContent(workspace, place, max)))
  const before = current.map(stateOf)
  const begun = readChangeRecord(await context.kept(recordName))
  if (begun !== undefined) {
    const progress = begun.changes.map((each, index) => progressOf(each, before[index]))
    if (progress.includes('done')) {
      await finish(workspace, { begun, progress, places, current })
      await keepRecord(context, begun)
      return `Done: ${places.map(({ path }) => path).join(', ')}.`
    }
    if (progress.includes('other')) throw changed(places)
  }
  const plan = change.plan(current)
  const after = plan.after.map(bytesState)
  const changes = places.map(({ path }, index): FileChange => {
    return { path, before: before[index] ?? null, after: after[index] ?? null }
  })
  if (changes.every((each) => each.before?.hash === each.after?.hash)) return plan.report
  const folders = await missingFolders(workspace, places)
  if (workspace.undo) {
    const old = current.find((each) => each !== undefined)?.bytes
    if (old !== undefined && (await context.keep(oldName, old)) === undefined) throw notKept()
    const { root } = workspace
    await keepRecord(context, { version: 1, root, call: context.idempotencyKey, changes, folders })
  }
  throwIfAborted(context.abortSignal)
  for (const [index, place] of places.entries()) {
    await become(workspace, place, { bytes: plan.after[index], current: current[index], mode: plan.mode })
  }
  return plan.report
}

async function keepRecord(context: ToolContext, record: ChangeRecord): Promise<void> {
  const kept = await context.keep(recordName, JSON.stringify(record), { mediaType: 'application/json' })
  if (kept === undefined) throw notKept()
}

type Progress = 'done' | 'before' | 'other'

function progressOf({ before, after }: FileChange, now: FileState | undefined): Progress {
  if (now?.hash === after?.hash) return 'done'
  return now?.hash === before?.hash ? 'before' : 'other'
}

/** What is left of a change that was cut off in its middle: what was to go has not gone yet. */
async function finish(
  workspace: Workspace,
  given: {
    begun: ChangeRecord
    progress: readonly Progress[]
    places: readonly Place[]
    current: readonly (Content | undefined)[]
  },
): Promise<void> {
  const { begun, progress, places, current } = given
  for (const [index, place] of places.entries()) {
    if (progress[index] === 'done') continue
    if (progress[index] === 'other' || begun.changes[index]?.after !== null) throw changed(places)
    await become(workspace, place, { bytes: undefined, current: current[index] })
  }
}

/** Makes one file what it is to be. */
export async function become(
  workspace: Workspace,
  { names }: Place,
  given: { bytes: Uint8Array | undefined; current: Content | undefined; mode?: number | undefined },
): Promise<void> {
  const { bytes, current, mode } = given
  if (bytes === undefined && current === undefined) return
  const folder = await (bytes === undefined ? Folder.at(workspace, names.slice(0, -1)) : made(workspace, names))
  try {
    if (bytes === undefined) await removeContent(folder, names.at(-1)!, current!.stat)
    else await putContent(folder, names.at(-1)!, { bytes, instead: current?.stat, mode })
  } finally {
    await folder.close()
  }
}

/** The folder of a file, made where it is missing. */
async function made(workspace: Workspace, names: readonly string[]): Promise<Folder> {
  const { folder, missing } = await deepest(workspace, names.slice(0, -1))
  let deeper = folder
  for (const name of missing) {
    const upper = deeper
    try {
      await upper.verify()
      await upper.make(name)
      deeper = await upper.enter(name)
    } finally {
      await upper.close()
    }
  }
  return deeper
}

/** Paths of the folders that are going to be made, the outer before the inner. */
async function missingFolders(workspace: Workspace, places: readonly Place[]): Promise<readonly string[]> {
  const folders = new Set<string>()
  for (const { names } of places) {
    const parents = names.slice(0, -1)
    const { folder, missing } = await deepest(workspace, parents)
    await folder.close()
    for (let count = parents.length - missing.length + 1; count <= parents.length; count++) {
      folders.add(parents.slice(0, count).join('/'))
    }
  }
  return [...folders]
}

/** What a file is, in a record. */
export function stateOf(content: Content | undefined): FileState | undefined {
  if (content === undefined) return undefined
  return { ...bytesState(content.bytes), mode: Number(content.stat.mode & 0o777n) }
}

function bytesState(bytes: Uint8Array): FileState
function bytesState(bytes: Uint8Array | undefined): FileState | undefined
function bytesState(bytes: Uint8Array | undefined): FileState | undefined {
  return bytes === undefined ? undefined : { hash: hash('sha256', bytes), size: bytes.byteLength }
}

function changed(places: readonly Place[]): TellurionError {
  const paths = places.map(({ path }) => path).join(' and ')
  return new TellurionError('file_changed', `${paths} changed after this call was begun; look at it before going on.`)
}

function notKept(): TellurionError {
  return new TellurionError(
    'file_access',
    'What stands there cannot be kept: the artifacts of the session are full, or there are none. Nothing was changed; a workspace with undo: false changes files without keeping them.',
  )
}
