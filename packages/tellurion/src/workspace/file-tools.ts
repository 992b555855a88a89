// The file tools of a workspace, for `tools` of an agent.

import type { AnyTool } from '../tool/tool.ts'
import { editFileTool } from './edit-file.ts'
import { grepFilesTool } from './grep-files.ts'
import { globFilesTool, listFilesTool } from './list-files.ts'
import { readFileTool } from './read-file.ts'
import type { Workspace } from './workspace.ts'
import { deleteFileTool, moveFileTool, writeFileTool } from './write-file.ts'

/** Tools that read files. */
export type ReadingTools = 'readFile' | 'listFiles' | 'globFiles' | 'grepFiles'
/** Tools that change files. */
export type WritingTools = 'writeFile' | 'editFile' | 'deleteFile' | 'moveFile'

/**
 * The file tools of a workspace, to be spread into an agent's `tools`; those that change files are missing where nothing
 * may be changed. Reads run together, writes of one path one after the other, whatever way it is written. What files say
 * counts as written by strangers unless the workspace vouches for it. What is changed is kept first, so that `undoEdits`
 * brings it back, and a change that a crash cuts off is finished, not repeated; without `undo` they are destructive.
 */
export function fileTools(
  workspace: Workspace,
): Readonly<Record<ReadingTools, AnyTool> & Partial<Record<WritingTools, AnyTool>>> {
  const reading = {
    readFile: readFileTool(workspace),
    listFiles: listFilesTool(workspace),
    globFiles: globFilesTool(workspace),
    grepFiles: grepFilesTool(workspace),
  }
  if (workspace.readOnly) return reading
  return {
    ...reading,
    writeFile: writeFileTool(workspace),
    editFile: editFileTool(workspace),
    deleteFile: deleteFileTool(workspace),
    moveFile: moveFileTool(workspace),
  }
}
