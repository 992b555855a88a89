// Skills: knowledge that a model reads when it needs it. It is told of names and descriptions alone; the text and the
// files of a skill are read on demand, and nothing in them is ever run.

import { suggestion, TellurionError } from '../error/error.ts'
import { cut } from '../tool/result.ts'
import { oneLine } from './one-line.ts'

/** A skill. The layout and the limits are those of the Agent Skills format (agentskills.io). */
export interface Skill {
  /** 1 to 64 lower-case letters, digits and single hyphens. */
  readonly name: string
  /** What it does and when to use it; one line of at most 1,024 characters. */
  readonly description: string
  readonly license?: string
  /** What it needs around it. */
  readonly compatibility?: string
  /** Tools that it would like to use. Told, never enforced: who may run what is said by approval rules. */
  readonly allowedTools?: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
  /**
   * The instructions or, with `file`, a text file of the skill, by its path under the skill. Throws `TellurionError` with
   * words that a model can act on.
   */
  read(file: string | undefined, options: { signal?: AbortSignal | undefined }): Promise<string>
  /** The paths of its files, at most 200, by name. */
  files(options: { signal?: AbortSignal | undefined }): Promise<readonly string[]>
}

/** A skill that is written down in a program. */
export interface SkillOptions extends Pick<Skill, 'name' | 'description'> {
  readonly instructions: string
  /** Further texts by path, such as `references/rates.md`. */
  readonly files?: Readonly<Record<string, string>>
}

/** Most files of a skill that are told of. */
export const maxFiles = 200

/** A skill from what a program says, without a folder. Throws `invalid_option`. */
export function defineSkill({ name, description, instructions, files = {} }: SkillOptions): Skill {
  const problem = skillProblem({ name, description })
  if (problem !== undefined)
    throw new TellurionError('invalid_option', `The skill ${JSON.stringify(name)}: ${problem}.`)
  if (typeof instructions !== 'string') {
    throw new TellurionError('invalid_option', `The skill '${name}' needs instructions, a text.`)
  }
  const paths = Object.keys(files).toSorted()
  for (const path of paths) {
    const wrong = filePathProblem(path)
    if (wrong !== undefined) throw new TellurionError('invalid_option', `The skill '${name}': ${wrong}.`)
  }
  return {
    name,
    description: oneLine(description),
    read: async (file) => {
      if (file === undefined) return instructions
      if (Object.hasOwn(files, file)) return files[file]!
      throw noSuchFile(name, file, paths)
    },
    files: async () => paths.slice(0, maxFiles),
  }
}

/** What is wrong with what a skill says of itself. */
export function skillProblem({ name, description }: { name: unknown; description: unknown }): string | undefined {
  if (typeof name !== 'string' || name.length > 64 || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) {
    return 'its name must be 1 to 64 lower-case letters, digits and single hyphens'
  }
  const length = typeof description === 'string' ? oneLine(description).length : 0
  return length > 0 && length <= 1_024 ? undefined : 'it needs a description of 1 to 1,024 characters'
}

/** Why a path cannot lead to a file of a skill. Hidden files are nobody's business. */
export function filePathProblem(path: string): string | undefined {
  const plain = typeof path === 'string' && path !== '' && path.length <= 256 && path.isWellFormed()
  if (!plain || /[\\\p{Cc}]/u.test(path))
    return 'the path of a file is 1 to 256 plain characters with / between folders'
  if (path.split('/').every((step) => step !== '' && !step.startsWith('.'))) return undefined
  return `'${cut(path, 80)}' does not lead to a file under the skill; use a path such as references/notes.md`
}

/** The error of a file that a skill does not have. */
export function noSuchFile(name: string, file: string, known: readonly string[]): TellurionError {
  const text = `The skill '${name}' has no file '${cut(oneLine(file), 80)}'.${suggestion(file, known)}`
  return new TellurionError('file_access', text)
}
