// The demo's tools for files: listing a folder and reading a text file, both under one root.

import type { FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { tool, type Tool } from 'tellurion/tool'
import { refused, type Entry, type FileRoot } from './file-root.ts'

/** The most of a file that is read, in bytes. */
export const maxFileSize = 204_800
/** The most entries of a folder that are listed. */
export const maxEntries = 1_000

const signs: Readonly<Record<Entry['kind'], string>> = { file: '', folder: '/', link: '@', other: '' }

const path = { type: 'string', maxLength: 1_024 } as const

/** Makes a tool that lists a folder: a name a line, `/` behind folders and `@` behind links. */
export function listFiles(root: FileRoot): Tool<{ path?: string }> {
  return tool({
    description: 'Lists the files and folders in a folder.',
    inputSchema: {
      type: 'object',
      properties: { path: { ...path, description: 'The folder, relative to the root. Default: the root itself.' } },
      additionalProperties: false,
    },
    effects: 'read',
    async execute({ path = '.' }) {
      const { entries, more } = await root.list(path, maxEntries)
      const lines = entries.map(({ name, kind }) => oneLine(name) + signs[kind])
      return [...lines, ...(more ? [`(only ${maxEntries} entries are shown)`] : [])].join('\n')
    },
  })
}

/** Makes a tool that reads a text file, up to `maxFileSize` bytes. Files that hold secrets (`.env`) are refused. */
export function readFile(root: FileRoot): Tool<{ path: string }> {
  return tool({
    description: 'Reads a text file.',
    inputSchema: {
      type: 'object',
      properties: { path: { ...path, description: 'The file, relative to the root.' } },
      required: ['path'],
      additionalProperties: false,
    },
    effects: 'read',
    async execute({ path }, { abortSignal }) {
      if (/^\.env(?!\.(?:example|sample|template)$)/i.test(basename(path))) {
        throw refused(path, 'files of that name hold secrets and are not shown to models')
      }
      const { handle, stats } = await root.openFile(path)
      try {
        const bytes = await beginningOf(handle, abortSignal)
        const cut = bytes.length < stats.size
        const text = textOf(bytes, path, cut)
        return cut ? `${text}\n[cut: ${bytes.length} of ${stats.size} bytes shown]` : text
      } finally {
        await handle.close()
      }
    },
  })
}

/** Reads to the end or the limit; a file may be longer than it said. */
async function beginningOf(handle: FileHandle, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = new Uint8Array(maxFileSize)
  let length = 0
  while (length < maxFileSize) {
    signal.throwIfAborted()
    const { bytesRead } = await handle.read(bytes, length, maxFileSize - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

function textOf(bytes: Uint8Array, path: string, cut: boolean): string {
  if (bytes.includes(0)) throw refused(path, 'it is a binary file')
  try {
    // As part of a stream, the last character may be cut.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut })
  } catch (error) {
    throw refused(path, 'it is no UTF-8 text', error)
  }
}

/** A name that cannot pass for two. */
function oneLine(name: string): string {
  return /\p{Cc}/u.test(name) ? JSON.stringify(name) : name
}
