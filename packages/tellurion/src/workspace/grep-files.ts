// The tool that searches files for a pattern. Its time grows with the text and nothing else, and it lets others run
// meanwhile.

import { setImmediate } from 'node:timers/promises'
import { throwIfAborted } from '../abort/abort.ts'
import { systemClock } from '../clock/clock.ts'
import { TellurionError } from '../error/error.ts'
import { tool, type AnyTool } from '../tool/tool.ts'
import { readablePlace, readIn } from './content.ts'
import { lockPath } from './file-effect.ts'
import { Folder } from './folder.ts'
import { callGlob, type Glob } from './glob.ts'
import { shownLine, splitLines } from './line.ts'
import { remarks } from './list-files.ts'
import { createPattern, type Pattern } from './pattern.ts'
import type { Place } from './place.ts'
import { readText } from './text.ts'
import { newTally, walk, type Entry, type Stop, type Tally } from './walk.ts'
import type { Workspace } from './workspace.ts'

/** Characters of one answer; results end at 10,000. */
const maxShown = 9_000
/** Characters of one line. */
const maxLine = 300
/** Files that are read at the same time. */
const together = 8

/** Makes the tool `grepFiles`. */
export function grepFilesTool(workspace: Workspace): AnyTool {
  return tool({
    description:
      'Searches text files for lines that match a regular expression (no lookaround, no references to groups). Lines come ' +
      'as path:number:hash|text; number:hash is the anchor that editFile takes.',
    inputSchema: {
      type: 'object',
      properties: {
        pattern: { type: 'string', minLength: 1, description: 'Matched against each line by itself.' },
        path: { type: 'string', description: 'A folder or a file, from the root on. Default the root.' },
        glob: { type: 'string', description: 'Only files that match, such as *.ts.' },
        ignoreCase: { type: 'boolean', description: 'Default false.' },
        context: { type: 'integer', minimum: 0, maximum: 5, description: 'Lines shown around each. Default 0.' },
        filesOnly: { type: 'boolean', description: 'Whether to name the files and not the lines. Default false.' },
      },
      required: ['pattern'],
      additionalProperties: false,
    },
    effects: { mode: 'read', paths: ({ path }) => [lockPath(workspace, path ?? '')] },
    trust: workspace.vouched ? 'trusted' : 'untrusted',
    async execute({ pattern, path = '', glob, ignoreCase, context = 0, filesOnly = false }, { abortSignal: signal }) {
      const place = readablePlace(workspace, path)
      const search = new Search(workspace, {
        pattern: createPattern(pattern, { ignoreCase }),
        matches: glob === undefined ? () => true : callGlob(glob),
        context,
        filesOnly,
        signal,
      })
      return search.run(place)
    },
  }) as AnyTool
}

interface SearchOptions {
  readonly pattern: Pattern
  readonly matches: Glob
  readonly context: number
  readonly filesOnly: boolean
  readonly signal: AbortSignal
}

class Search {
  readonly #workspace: Workspace
  readonly #options: SearchOptions
  readonly #tally: Tally = newTally()
  readonly #shown: string[] = []
  #length = 0
  /** Files that are no text, and that are too large. */
  #noText = 0
  #tooLarge = 0
  #full = false
  #late = false
  readonly #began = systemClock.monotonic()

  constructor(workspace: Workspace, options: SearchOptions) {
    this.#workspace = workspace
    this.#options = options
  }

  async run(place: Place): Promise<string> {
    const { folder, name } = await openPlace(this.#workspace, place)
    const { signal } = this.#options
    try {
      if (name !== undefined) await this.#searchAll(folder, [{ name, path: place.path, kind: 'file' }], true)
      else {
        const all = this.#workspace.isIgnored(place.path)
        for await (const stop of walk(this.#workspace, folder, this.#tally, { signal, all })) {
          await this.#stop(stop)
          if (this.#full || this.#late) break
        }
      }
    } finally {
      await folder.close()
    }
    return this.#report()
  }

  async #stop({ folder, entries }: Stop): Promise<void> {
    const wanted = entries.filter(({ kind, path }) => kind === 'file' && this.#options.matches(path))
    for (let at = 0; at < wanted.length && !this.#full; at += together) {
      throwIfAborted(this.#options.signal)
      this.#late = systemClock.monotonic() - this.#began > this.#workspace.limits.searchTime
      if (this.#late) return
      await this.#searchAll(folder, wanted.slice(at, at + together), false)
    }
  }

  /** Reads some files together and searches them in their order. `alone` says that one was named, so its failure counts. */
  async #searchAll(folder: Folder, entries: readonly Entry[], alone: boolean): Promise<void> {
    const { searchBytes } = this.#workspace.limits
    const contents = await Promise.allSettled(
      entries.map(({ name }) => readIn(folder, name, { max: searchBytes, listed: !alone })),
    )
    // What was read counts only when the folder was where it belongs.
    try {
      await folder.verify()
    } catch (error) {
      if (alone) throw error
      this.#tally.passed += entries.length
      return
    }
    for (const [index, content] of contents.entries()) {
      if (content.status === 'rejected') {
        if (alone) throw content.reason
        if (content.reason instanceof TellurionError && content.reason.data?.['size'] !== undefined) this.#tooLarge++
        else this.#tally.passed++
        continue
      }
      const read = readText(content.value.bytes)
      if ('problem' in read) this.#noText++
      else if (!this.#full) this.#search(entries[index]!.path, read.text)
      // Whatever else the process has to do comes between two files.
      if (content.value.bytes.length > 10_000) await setImmediate()
    }
  }

  #search(path: string, text: string): void {
    const { pattern, context, filesOnly } = this.#options
    if (pattern.literal !== undefined && !text.includes(pattern.literal)) return
    const found: number[] = []
    let number = 0
    for (let from = 0; from < text.length; number++) {
      const newline = text.indexOf('\n', from)
      const end = newline === -1 ? text.length : newline
      const trimmed = end > from && newline !== -1 && text[end - 1] === '\r' ? end - 1 : end
      if (pattern.test(text, from, trimmed)) {
        found.push(number)
        if (filesOnly || found.length > this.#workspace.limits.results) break
      }
      from = end + 1
    }
    if (found.length === 0) return
    if (filesOnly) this.#show(path)
    else this.#showLines(path, text, { found, context })
  }

  #showLines(path: string, text: string, { found, context }: { found: readonly number[]; context: number }): void {
    const lines = splitLines(text)
    let next = 0
    for (const number of found) {
      if (context > 0 && this.#shown.length > 0 && number - context > next) this.#show('--')
      for (let at = Math.max(next, number - context); at <= Math.min(lines.length - 1, number + context); at++) {
        if (this.#full) return
        this.#show(`${path}:${shownLine(lines, at, maxLine)}`)
        next = at + 1
      }
    }
  }

  #show(line: string): void {
    const { results } = this.#workspace.limits
    if (this.#shown.length >= results || this.#length + line.length > maxShown) {
      this.#full = true
      return
    }
    this.#shown.push(line)
    this.#length += line.length + 1
  }

  #report(): string {
    const more: string[] = []
    if (this.#noText > 0) more.push(`${this.#noText} passed over as no text`)
    if (this.#tooLarge > 0) more.push(`${this.#tooLarge} passed over as too large`)
    if (this.#late) more.push(`stopped after ${this.#workspace.limits.searchTime} ms: name a folder`)
    if (this.#full) more.push('there are more: make the pattern narrower, or name a folder')
    const tail = remarks(this.#tally, more)
    if (this.#shown.length === 0) return `Nothing matches.${tail}`
    return `${this.#shown.join('\n')}${tail}`
  }
}

/** The folder that a place is, or the one that its file is in, with the file's name. Throws `file_access`. */
async function openPlace(
  workspace: Workspace,
  { names }: Place,
): Promise<{ folder: Folder; name: string | undefined }> {
  const name = names.at(-1)
  if (name === undefined) return { folder: await Folder.root(workspace), name }
  const folder = await Folder.at(workspace, names.slice(0, -1))
  try {
    if ((await folder.look(name))?.isDirectory() !== true) return { folder, name }
    const inner = await folder.enter(name)
    await folder.close()
    return { folder: inner, name: undefined }
  } catch (error) {
    await folder.close()
    throw error
  }
}
