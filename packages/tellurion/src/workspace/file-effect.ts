// What file tools say of themselves: which path a call locks, and what it risks.

import { join } from 'node:path'
import type { EffectOptions, Risk } from '../tool/effects.ts'
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

/** Files that other programs run by themselves, by name: what is done by then, no undo takes back. */
const selfStarting =
  /^(?:\.(?!\.?$).+|package(?:-lock)?\.json|(?:gnu)?makefile|justfile|dockerfile|jenkinsfile|rakefile|gemfile|setup\.(?:py|cfg)|pyproject\.toml|conftest\.py|build\.rs|build\.gradle(?:\.kts)?|cmakelists\.txt|.+\.config\.[cm]?[jt]s)$/i

/**
 * What changing files risks: nothing where the old bytes are kept, else what they held. Names that begin with a dot, in
 * any part of the path, and build files are run by others, so changing them always risks something.
 */
function riskOf({ undo }: Workspace, paths: readonly string[]): readonly Risk[] {
  const isRun = paths.some((path) => path.split(/[\\/]/).some((name) => selfStarting.test(name)))
  return undo && !isRun ? [] : ['destructive']
}

/** What a tool that changes files does to the world outside: which of its arguments are paths says it all. */
export function changeEffects<Input>(
  workspace: Workspace,
  pathsIn: (input: Input) => readonly string[],
): EffectOptions<Input> {
  return {
    mode: 'write',
    paths: (input) => pathsIn(input).map((path) => lockPath(workspace, path)),
    // A change that was begun is finished, never done twice.
    repeat: 'keyed',
    risk: (input) => riskOf(workspace, pathsIn(input)),
  }
}
