// Tools found in a folder: `*.tool.ts`, `*.tool.js` and `*.tool.mjs` are loaded, and no other file ever is. To load a
// file is to run it: the folder is the operator's, as its configuration is.

import type { Dirent, Stats } from 'node:fs'
import { lstat, opendir, realpath, stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { raceAbort, throwIfAborted } from '../abort/abort.ts'
import { systemClock, type Clock } from '../clock/clock.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import { originOf, withOrigin } from './origin.ts'
import { isMadeTool, type AnyTool } from './tool.ts'
import { createToolbox, type Toolbox, type Tools } from './toolbox.ts'

/** Where tools are looked for. */
export interface DiscoverOptions {
  /** The folder; those in it are looked through as well. */
  readonly folder: string
  /** Levels of folders in it. Default 8. */
  readonly depth?: number
  /** Files of tools, at most. Default 1,000. */
  readonly most?: number
  /** Milliseconds that one file may take to be loaded. Default 10,000. */
  readonly timeout?: number
  readonly clock?: Clock
  readonly signal?: AbortSignal
}

/** What a folder holds. */
export interface DiscoveredTools {
  /** Those that were found, by name; `originOf` says of each which file it came from. */
  readonly tools: Toolbox
  /** What was passed over, and why, by its path in the folder: the rest is as good as without it. */
  readonly problems: readonly { readonly path: string; readonly message: string }[]
}

/** Entries of all folders together that are looked at. */
const maxEntries = 100_000
const toolFile = /^(.+)\.tool\.(?:ts|js|mjs)$/
const isWindows = process.platform === 'win32'
const known = ['folder', 'depth', 'most', 'timeout', 'clock', 'signal']

/**
 * Loads the tools of a folder. A named export that is a tool has the export's name; a default export that is one has its
 * own name or that of the file; a default export of tools by name, or a list of named ones, brings them all. Files go by
 * their paths in order, and of two tools with one name the first stays. Links are not followed; a file or folder that
 * everybody may write is not loaded; names that begin with a dot and `node_modules` are passed over in silence. Rejects
 * with `file_access` when the folder itself cannot be used, and `invalid_option`; whatever is wrong with a file is a
 * problem in the answer. A file is loaded once in a process: changes show after a restart.
 */
export async function discoverTools(options: DiscoverOptions): Promise<DiscoveredTools> {
  checkOptions('discoverTools', options, known)
  const { folder, depth = 8, most = 1000, timeout = 10_000, clock = systemClock, signal } = options
  if (typeof folder !== 'string' || folder === '' || folder.includes('\0')) {
    throw new TellurionError('invalid_option', "folder must be the path of a folder, such as './tools'.")
  }
  checkWhole('depth', depth, { least: 0, most: 100 })
  checkWhole('most', most)
  checkWhole('timeout', timeout)
  const root = await openRoot(folder)
  const problems: { path: string; message: string }[] = []
  const say = (path: string, message: string): void =>
    void problems.push({ path: relative(root, path).toWellFormed(), message })

  const files = await new Search({ depth, say, signal }).filesIn(root)
  for (const path of files.slice(most)) say(path, `there are more than ${most} files of tools; it was left out`)
  const tools = createToolbox()
  for (const path of files.slice(0, most)) {
    throwIfAborted(signal)
    const name = relative(root, path)
    try {
      const module = await loaded(path, { timeout, clock, signal })
      const found = [...toolsOf(module, path)]
      if (found.length === 0) say(path, 'it exports no tool: write `export const name = tool({ … })`')
      for (const [key, tool] of found)
        register(tools, key, withOrigin(tool, join(basename(root), name)), (why) => say(path, why))
    } catch (error) {
      throwIfAborted(signal)
      say(path, wordsOf(error, path))
    }
  }
  return { tools, problems }
}

/** The folder's own path. Throws `file_access` for one that cannot be read, is none, or that everybody may write. */
async function openRoot(folder: string): Promise<string> {
  try {
    const root = await realpath(folder)
    const stats = await stat(root)
    const why = stats.isDirectory() ? openToAll(stats) : 'it is no folder'
    if (why === undefined) return root
    throw new TellurionError('file_access', `Tools are not looked for in ${folder}: ${why}.`)
  } catch (error) {
    if (error instanceof TellurionError) throw error
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such folder' : messageOf(error)
    throw new TellurionError('file_access', `Tools are not looked for in ${folder}: ${why}.`, { cause: error })
  }
}

interface SearchOptions {
  readonly depth: number
  readonly say: (path: string, message: string) => void
  readonly signal: AbortSignal | undefined
}

/** Looks through folders for files of tools, without opening one. */
class Search {
  readonly #options: SearchOptions
  #left = maxEntries

  constructor(options: SearchOptions) {
    this.#options = options
  }

  /** Files of tools, in the order of their paths. */
  async filesIn(folder: string, level = 0): Promise<string[]> {
    const { depth, say } = this.#options
    const files: string[] = []
    for (const entry of await this.#entries(folder)) {
      throwIfAborted(this.#options.signal)
      const path = join(folder, entry.name)
      if (toolFile.test(entry.name)) {
        const why = await whyNot(path)
        if (why === undefined) files.push(path)
        else say(path, why)
      } else if (entry.isDirectory()) {
        const why =
          level === depth
            ? `it is more than ${depth} folders deep`
            : openToAll(await lstat(path).catch(() => undefined))
        if (why === undefined) files.push(...(await this.filesIn(path, level + 1)))
        else say(path, why)
      }
    }
    return files
  }

  async #entries(folder: string): Promise<Dirent[]> {
    const entries: Dirent[] = []
    try {
      for await (const entry of await opendir(folder)) {
        if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
        if (this.#left-- <= 0) {
          this.#options.say(folder, `there are more than ${maxEntries} entries; the rest of it was left out`)
          break
        }
        entries.push(entry)
      }
    } catch (error) {
      this.#options.say(folder, `it cannot be read: ${messageOf(error)}`)
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

/** Why something with the name of a tool file is not loaded. */
async function whyNot(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(messageOf)
  if (typeof stats === 'string') return `it cannot be read: ${stats}`
  if (stats.isSymbolicLink()) return 'it is a link; links are not followed'
  if (stats.isDirectory()) return 'it is a folder'
  if (!stats.isFile()) return 'it is no file'
  return openToAll(stats)
}

/** What everybody may write, everybody could have written. */
function openToAll(stats: Stats | undefined): string | undefined {
  if (isWindows || stats === undefined || (stats.mode & 0o002) === 0) return undefined
  return 'everybody may write it: chmod o-w'
}

interface Loading {
  readonly timeout: number
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
}

/** Runs the file. One that does not end is left behind. */
async function loaded(path: string, { timeout, clock, signal }: Loading): Promise<Readonly<Record<string, unknown>>> {
  const late = new AbortController()
  const why = new TellurionError('tool_timeout', `it was not loaded within ${timeout} ms`)
  const stop = clock.timer(timeout, () => late.abort(why))
  try {
    const both = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal])
    return (await raceAbort(import(pathToFileURL(path).href), both)) as Readonly<Record<string, unknown>>
  } finally {
    stop()
  }
}

/** The tools of a module with their names, in the order of its exports. */
function* toolsOf(module: Readonly<Record<string, unknown>>, path: string): Generator<readonly [string, AnyTool]> {
  for (const [key, value] of Object.entries(module)) {
    if (key !== 'default') {
      if (isMadeTool(value)) yield [key, value]
    } else if (isMadeTool(value)) {
      yield [value.name ?? toolFile.exec(basename(path))?.[1] ?? key, value]
    } else if (typeof value === 'object' && value !== null) {
      const tools = createToolbox(value as Tools)
      for (const name of tools.names()) yield [name, tools.get(name)!]
    }
  }
}

/** Adds a tool unless its name is none, or taken: then that is said with both places. */
function register(tools: Toolbox, name: string, tool: AnyTool, say: (why: string) => void): void {
  const before = tools.get(name)
  if (before !== undefined) {
    say(`its tool '${name}' was left out: ${originOf(before)} has one of that name`)
    return
  }
  try {
    tools.register(name, tool)
  } catch (error) {
    say(messageOf(error).replace(/\.$/, ''))
  }
}

/** One line about a module that cannot be loaded: its own words, and its line where that is known. */
function wordsOf(error: unknown, path: string): string {
  if (error instanceof TellurionError) return error.message.replace(/\.$/, '')
  try {
    const [line = ''] = messageOf(error).split('\n')
    const stack = String((error as { readonly stack?: unknown }).stack).split('\n')
    const at = stack.find((each) => each.includes(basename(path)))
    const place = at === undefined ? undefined : /:(\d+)(?::\d+)?\)?$/.exec(at.trim())?.[1]
    return `it cannot be loaded: ${place === undefined ? '' : `line ${place}: `}${line.slice(0, 300).replace(/\.$/, '')}`
  } catch {
    return 'it cannot be loaded: it throws something that has no words'
  }
}
