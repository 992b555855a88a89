// The configuration file: which one it is, and what it holds. A .json file is data; a .ts or .js file is a program of the
// operator, the only one that is imported by its path. Nothing of a file's content shows in an error: it may be secret.

import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TellurionError } from 'tellurion'

/** Names of the file, in the folder where the command runs. */
export const fileNames = ['tellurion.config.ts', 'tellurion.config.js', 'tellurion.config.json']

/** The largest .json file that is read, in bytes. */
const maxSize = 1_048_576
/** Deeper than any setting, and far from where recursion ends. */
const maxDepth = 16

/** The configuration file of a folder; undefined where there is none. Throws `invalid_configuration` where there are two. */
export function findConfigFile(folder: string): string | undefined {
  const found = fileNames.filter((name) => existsSync(resolve(folder, name)))
  if (found.length > 1) throw broken(found.join(' and '), 'there may be only one of them: delete or rename the others')
  return found[0] === undefined ? undefined : resolve(folder, found[0])
}

/** What a configuration file holds, not yet checked. Throws `invalid_configuration`, naming the file and its line. */
export async function readConfigFile(path: string): Promise<unknown> {
  const name = basename(path)
  if (!existsSync(path)) throw broken(path, 'there is no such file')
  if (!statSync(path).isFile()) throw broken(path, 'it is no regular file')
  if (extname(path) === '.json') return readJson(path, name)
  if (['.ts', '.js', '.mts', '.mjs'].includes(extname(path))) return readModule(path, name)
  throw broken(name, 'a configuration file ends in .ts, .js or .json')
}

function readJson(path: string, name: string): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readBytes(path, name))
  } catch (error) {
    if (error instanceof TellurionError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw broken(name, code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8 text' : unreadable(code), error)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // The platform's message quotes the text around the mistake; only the place is taken from it.
    throw broken(`${name}${placeOf(error, text)}`, 'the JSON is malformed here; look at commas, quotes and brackets')
  }
  if (depthOver(value, maxDepth)) throw broken(name, `it is nested deeper than ${maxDepth} levels`)
  return value
}

async function readModule(path: string, name: string): Promise<unknown> {
  let module: { readonly default?: unknown }
  let value: unknown
  try {
    module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown }
    value = await module.default
  } catch (error) {
    throw broken(name, `it cannot be loaded: ${loadFailure(error, path)}`, error)
  }
  if (value === undefined) throw broken(name, 'it has no default export: write `export default { … }`')
  return value
}

function readBytes(path: string, name: string): Buffer {
  const file = openSync(path, 'r')
  try {
    if (fstatSync(file).size > maxSize) throw broken(name, `it is longer than ${maxSize} bytes`)
    const bytes = Buffer.allocUnsafe(maxSize + 1)
    let length = 0
    for (let read = -1; read !== 0; length += read) read = readSync(file, bytes, length, bytes.length - length, null)
    if (length > maxSize) throw broken(name, `it is longer than ${maxSize} bytes`)
    return bytes.subarray(0, length)
  } finally {
    closeSync(file)
  }
}

/** `:line:column` of a mistake in JSON. */
function placeOf(error: unknown, text: string): string {
  const position = /at position (\d+)/.exec(String(error))?.[1]
  const before = text.slice(0, position === undefined ? text.length : Number(position)).split('\n')
  return `:${before.length}:${(before.at(-1) ?? '').length + 1}`
}

/** One line about a module that cannot be loaded: its own words, and for a syntax error its line. */
function loadFailure(error: unknown, path: string): string {
  if (!(error instanceof Error)) return 'it throws something that is no error'
  const [line = ''] = error.message.split('\n')
  const at = (error.stack ?? '').split('\n').find((each) => each.includes(basename(path)))
  const place = at === undefined ? undefined : /:(\d+)(?::\d+)?\)?$/.exec(at.trim())?.[1]
  const words = line.trim().replace(/[.:]$/, '') || error.name
  return place === undefined ? words : `line ${place}: ${words}`
}

function depthOver(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return left === 0 || Object.values(value).some((inner) => depthOver(inner, left - 1))
}

function unreadable(code = 'unknown error'): string {
  return code === 'EACCES' || code === 'EPERM' ? 'the system does not allow reading it' : `it cannot be read (${code})`
}

function broken(where: string, why: string, cause?: unknown): TellurionError {
  return new TellurionError('invalid_configuration', `${where}: ${why}.`, cause === undefined ? {} : { cause })
}
