// Skills in a folder, one folder a skill, each with a SKILL.md. Finding them reads the front matter and nothing else; what
// a skill says is read when a model asks for it. Links are not followed, nothing is executed.

import { readdir, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { throwIfAborted } from '../abort/abort.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { maxFrontMatter, parseFrontMatter, type FrontMatterValue } from './front-matter.ts'
import { oneLine } from './one-line.ts'
import { openUnder, readHead, type OpenFile } from './skill-file.node.ts'
import { filePathProblem, maxFiles, noSuchFile, skillProblem, type Skill } from './skill.ts'

/** Bytes of one file of a skill. */
const maxBytes = 1024 * 1024
/** Entries of the folder that are looked at. */
const maxEntries = 1_000
const maxDepth = 6

/** What a folder holds. */
export interface FoundSkills {
  /** By name. */
  readonly skills: readonly Skill[]
  /** What was passed over, and why: one line each. The others are as good as without it. */
  readonly problems: readonly { readonly path: string; readonly message: string }[]
}

/**
 * Finds the skills in `folder`: every folder in it with a `SKILL.md`, as the Agent Skills format lays them out. Rejects
 * with `file_access` when the folder itself cannot be read; a skill that cannot be is a problem in the answer.
 */
export async function loadSkills(folder: string, options: { signal?: AbortSignal } = {}): Promise<FoundSkills> {
  const { signal } = options
  const root = resolve(folder)
  let entries
  let real: string
  try {
    real = await realpath(root)
    entries = await readdir(real, { withFileTypes: true })
  } catch (error) {
    throw new TellurionError('file_access', `The folder of skills cannot be read: ${messageOf(error)}.`, {
      cause: error,
    })
  }
  if (entries.length > maxEntries) {
    throw new TellurionError(
      'file_access',
      `${folder} has more than ${maxEntries} entries; that is no folder of skills.`,
    )
  }
  const skills: Skill[] = []
  const problems: { path: string; message: string }[] = []
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    throwIfAborted(signal)
    const path = join(folder, entry.name)
    if (entry.isSymbolicLink()) problems.push({ path, message: 'it is a link; links are not followed' })
    else if (entry.isDirectory()) {
      const found = await skillIn(join(real, entry.name), entry.name)
      if (typeof found === 'string') problems.push({ path: join(path, 'SKILL.md'), message: found })
      else if (found !== undefined) skills.push(found)
    }
  }
  return { skills, problems }
}

/** The skill of a folder, what is wrong with it, or undefined for a folder of something else. */
async function skillIn(root: string, folder: string): Promise<Skill | string | undefined> {
  const file = await openUnder(root, ['SKILL.md'])
  if (file === undefined)
    return (await hasEntry(root)) ? 'it is a link, has a second name (a hard link), or may not be read' : undefined
  let head: string
  try {
    head = (await readHead(file, 4 * maxFrontMatter)).toString('utf8')
  } catch (error) {
    return `it cannot be read: ${messageOf(error)}`
  } finally {
    await file.handle.close()
  }
  const found = parseFrontMatter(head)
  if ('problem' in found) return found.problem
  const [name, description] = [found.fields.get('name'), found.fields.get('description')]
  const problem = skillProblem({ name, description })
  if (problem !== undefined) return problem
  if (name !== folder) return `it is named '${String(name)}', but its folder '${folder}'; they must be equal`
  return {
    name,
    description: oneLine(String(description)),
    ...detailsOf(found.fields),
    read: (path, { signal }) => read(root, { name, path, signal }),
    files: ({ signal }) => filesOf(root, signal),
  }
}

async function hasEntry(root: string): Promise<boolean> {
  try {
    return (await readdir(root)).includes('SKILL.md')
  } catch {
    return false
  }
}

/** What else the front matter may say; what has another form than the format asks for is left out. */
function detailsOf(fields: ReadonlyMap<string, FrontMatterValue>): Partial<Skill> {
  const text = (name: string): string | undefined => {
    const value = fields.get(name)
    return typeof value === 'string' && value !== '' ? oneLine(value).slice(0, 500).toWellFormed() : undefined
  }
  const [license, compatibility, metadata, tools] = [
    text('license'),
    text('compatibility'),
    fields.get('metadata'),
    fields.get('allowed-tools'),
  ]
  const allowedTools = typeof tools === 'string' ? tools.split(/[\s,]+/).filter((name) => name !== '') : tools
  return {
    ...(license === undefined ? {} : { license }),
    ...(compatibility === undefined ? {} : { compatibility }),
    ...(metadata instanceof Map ? { metadata: Object.fromEntries(metadata) as Record<string, string> } : {}),
    ...(Array.isArray(allowedTools) && allowedTools.length > 0 ? { allowedTools } : {}),
  }
}

async function read(
  root: string,
  { name, path, signal }: { name: string; path: string | undefined; signal: AbortSignal | undefined },
): Promise<string> {
  throwIfAborted(signal)
  const problem = path === undefined ? undefined : filePathProblem(path)
  if (problem !== undefined) throw new TellurionError('file_access', `${problem[0]!.toUpperCase()}${problem.slice(1)}.`)
  const file = await openUnder(root, path === undefined ? ['SKILL.md'] : path.split('/'))
  if (file === undefined) throw noSuchFile(name, path ?? 'SKILL.md', await filesOf(root, signal))
  try {
    const text = await textOf(file, path ?? 'SKILL.md')
    if (path !== undefined) return text
    const found = parseFrontMatter(text)
    return 'problem' in found ? text : text.slice(found.end).trim()
  } finally {
    await file.handle.close()
  }
}

async function textOf(file: OpenFile, path: string): Promise<string> {
  if (file.size > maxBytes) {
    throw new TellurionError('file_access', `${path} has ${file.size} bytes; at most ${maxBytes} are read.`)
  }
  const bytes = await readHead(file, file.size)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new TellurionError('file_access', `${path} is not a text file.`)
  }
}

/** The files under a skill that can be asked for: no links, nothing hidden, not SKILL.md itself. */
async function filesOf(root: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const files: string[] = []
  const folders = [{ path: '', depth: 0 }]
  for (let at = folders.shift(); at !== undefined && files.length < maxFiles; at = folders.shift()) {
    throwIfAborted(signal)
    const entries = await readdir(join(root, at.path), { withFileTypes: true }).catch(() => [])
    for (const entry of entries.slice(0, maxEntries).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = at.path === '' ? entry.name : `${at.path}/${entry.name}`
      if (filePathProblem(path) !== undefined || path === 'SKILL.md') continue
      if (entry.isFile()) files.push(path)
      else if (entry.isDirectory() && at.depth < maxDepth) folders.push({ path, depth: at.depth + 1 })
    }
  }
  return files.slice(0, maxFiles).toSorted()
}
