// What file tools say of themselves: which path a call locks, and what it risks.

import { join } from 'node:path'
import type { Repeat, Risk } from '../tool/effects.ts'
import { readPlace } from './place.ts'
import type { Workspace } from './workspace.ts'

/** The path that a call waits for: absolute, whatever way it was written. A path that will be refused is the root's. */
export function lockPath(workspace: Workspace, path: string): string {
  try {
    return join(workspace.root, ...readPlace(path, workspace).names)
  } catch {
    return workspace.root
  }
}

/** What changing files risks: nothing where the old bytes are kept, else what they held. */
export function riskOf({ undo }: Workspace): readonly Risk[] {
  return undo ? [] : ['destructive']
}

/** A change that was begun is finished, never done twice. */
export const repeatOfChange: Repeat = 'keyed'
