// Undoing what a run's calls did to files: newest first, each file only when it still is what the call left behind. Nothing
// that somebody else has changed since is touched.

import { rmdir } from 'node:fs/promises'
import { throwIfAborted } from '../abort/abort.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { checkOptions } from '../error/option.ts'
import type { KeptArtifact } from '../message/message.ts'
import type { Artifacts } from '../tool/artifact.ts'
import { become, recordName, stateOf } from './change.ts'
import { readChangeRecord, type ChangeRecord, type FileChange } from './change-record.ts'
import { findContent } from './content.ts'
import type { WritingTools } from './file-tools.ts'
import { Folder } from './folder.ts'
import { readPlace } from './place.ts'
import type { Workspace } from './workspace.ts'

/** What names what a call has kept: its outcome, its tool message, its `tool.ended`. */
export interface Keeper {
  readonly toolName: string
  readonly kept: readonly KeptArtifact[]
}

/** What undoing takes. */
export interface UndoOptions {
  /** Artifacts of the session: `session.artifacts`, or `createArtifacts(runtime.keyValue, sessionId)`. */
  readonly artifacts: Artifacts
  /**
   * Names under which an agent has tools of `fileTools`; what other tools have kept is never taken for a record, whatever
   * they call it. Default the names they come with.
   */
  readonly tools?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** What was undone, and what was not, newest first. */
export interface UndoReport {
  readonly undone: readonly UndoneChange[]
  readonly refused: readonly { readonly path: string; readonly reason: string }[]
}

/** One file that is again what it was. */
export interface UndoneChange {
  readonly path: string
  /** `restored`: it has its old bytes. `deleted`: it is gone, as it was not there before. `unchanged`: it was so already. */
  readonly action: 'restored' | 'deleted' | 'unchanged'
}

/**
 * Undoes the changes that calls of this workspace's tools made, newest first. `past` is what happened, in order: messages
 * of a result or of a session, outcomes, or events of a run; what is no call of such a tool is passed over, what comes
 * twice counts once. A file that is not any more what the newest of these calls left is refused and stays, with all that
 * was done to it before. Undoing twice is harmless. Rejects when the artifacts fail, or with the reason of `signal`, and
 * with `unknown_resource` for a record that is not among the artifacts. No agent may work in the folder meanwhile.
 */
export async function undoEdits(
  workspace: Workspace,
  past: Iterable<object> | AsyncIterable<object>,
  options: UndoOptions,
): Promise<UndoReport> {
  checkOptions('undoEdits', options, ['artifacts', 'tools', 'signal'])
  const { artifacts, signal } = options
  const records = await recordsOf(workspace, past, options)
  const undone: UndoneChange[] = []
  const refused = new Map<string, string>()
  for (const { changes, folders } of records.toReversed()) {
    for (const change of changes.toReversed()) {
      throwIfAborted(signal)
      if (refused.has(change.path)) continue
      try {
        undone.push({ path: change.path, action: await undo(workspace, change, artifacts) })
      } catch (error) {
        refused.set(change.path, messageOf(error))
      }
    }
    for (const folder of folders.toReversed()) await removeEmpty(workspace, folder)
  }
  return { undone, refused: [...refused].map(([path, reason]) => ({ path, reason })) }
}

async function recordsOf(
  { root }: Workspace,
  past: Iterable<object> | AsyncIterable<object>,
  { artifacts, tools = ['writeFile', 'editFile', 'deleteFile', 'moveFile'] satisfies WritingTools[] }: UndoOptions,
): Promise<readonly ChangeRecord[]> {
  const records = new Map<string, ChangeRecord>()
  for await (const each of past) {
    const keeper = keeperIn(each)
    if (keeper === undefined || !tools.includes(keeper.toolName)) continue
    for (const { name, hash } of keeper.kept) {
      if (name !== recordName || records.has(hash)) continue
      const bytes = await artifacts.get(hash)
      if (bytes === undefined) {
        throw new TellurionError('unknown_resource', `The artifact ${hash} is not among those of this session.`)
      }
      const record = readChangeRecord(bytes)
      if (record?.root === root) records.set(hash, record)
    }
  }
  return [...records.values()]
}

/** The message, outcome or event itself, or what it brings: `message.added` a message, `child.progress` an event. */
function keeperIn(given: object): Keeper | undefined {
  const { toolName, kept, message, event } = given as Partial<Keeper> & { message?: unknown; event?: unknown }
  if (typeof toolName === 'string' && Array.isArray(kept)) return { toolName, kept }
  const inner = message ?? event
  return typeof inner === 'object' && inner !== null ? keeperIn(inner) : undefined
}

async function undo(workspace: Workspace, change: FileChange, artifacts: Artifacts): Promise<UndoneChange['action']> {
  const place = readPlace(change.path, workspace)
  const current = await findContent(workspace, place, workspace.limits.writeBytes)
  const now = stateOf(current)
  if (now?.hash === change.before?.hash) return 'unchanged'
  if (now?.hash !== change.after?.hash) {
    throw new TellurionError('file_changed', `${change.path} has been changed since by somebody else.`)
  }
  if (change.before === null) {
    await become(workspace, place, { bytes: undefined, current })
    return 'deleted'
  }
  const bytes = await artifacts.get(change.before.hash)
  if (bytes === undefined) throw new TellurionError('unknown_resource', `The old bytes of ${change.path} are not kept.`)
  await become(workspace, place, { bytes, current, mode: change.before.mode })
  return 'restored'
}

/** Takes a folder away that has nothing in it any more. Whatever else is the matter with it, it stays. */
async function removeEmpty(workspace: Workspace, path: string): Promise<void> {
  try {
    const { names } = readPlace(path, workspace)
    const folder = await Folder.at(workspace, names.slice(0, -1))
    try {
      await folder.verify()
      await rmdir(folder.reach(names.at(-1)!))
    } finally {
      await folder.close()
    }
  } catch {
    // It is not empty, not there, or no folder.
  }
}
