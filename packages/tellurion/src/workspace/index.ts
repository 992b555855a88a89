// The door `tellurion/workspace`.

export { createWorkspace } from './workspace.ts'
export type { Workspace, WorkspaceLimits, WorkspaceOptions } from './workspace.ts'
export type { Glob } from './glob.ts'
export { fileTools } from './file-tools.ts'
export type { ReadingTools, WritingTools } from './file-tools.ts'
export { undoEdits } from './undo.ts'
export type { Keeper, UndoneChange, UndoOptions, UndoReport } from './undo.ts'
