// The token of the server's own user: what the configuration gives, else what the token file holds, else a new one that is
// kept there. A file is whole or absent, also when two processes start at the same instant.

import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { systemMessage } from './system-message.ts'
import { TellurionError } from 'tellurion'
import { makeFolder } from 'tellurion/file'
import { Secret } from 'tellurion/secret'

/** A token and where it is. */
export interface LocalToken {
  readonly token: Secret
  /** The file that holds it; undefined where the configuration gives it. */
  readonly file: string | undefined
  /** Whether it was made now. */
  readonly made: boolean
}

/** What is known of the token before anybody asks for it. */
export interface TokenSettings {
  readonly token?: Secret | undefined
  readonly tokenFile: string
}

/** The token; makes one, in a file that only its owner can read, where there is none. Throws `invalid_configuration`. */
export function localToken({ token, tokenFile }: TokenSettings): LocalToken {
  if (token !== undefined) return { token, file: undefined, made: false }
  const known = readToken(tokenFile)
  if (known !== undefined) return { token: known, file: tokenFile, made: false }
  const made = writeToken(tokenFile, randomBytes(32).toString('base64url'))
  return { token: readToken(tokenFile) ?? refuse(tokenFile, 'it went away while it was made'), file: tokenFile, made }
}

/** The token of a file; undefined where there is no file. Throws `invalid_configuration` for what holds no token. */
export function readToken(file: string): Secret | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    return refuse(file, `it cannot be read: ${systemMessage(error)}`, error)
  }
  if (/^[\x21-\x7e]{16,}$/.test(text)) return new Secret(text)
  return refuse(file, 'it holds no token (one line of at least 16 visible characters); delete it and start again')
}

/** Whether others than its owner can read a file; false where the system knows no such rights. */
export function isOpenToOthers(file: string): boolean {
  return process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0
}

/** Writes a token; false when somebody else has just written one. */
function writeToken(file: string, token: string): boolean {
  const draft = `${resolve(file)}.${process.pid}.new`
  try {
    makeFolder(dirname(draft))
    rmSync(draft, { force: true })
    writeFileSync(draft, `${token}\n`, { mode: 0o600, flag: 'wx', flush: true })
    try {
      linkSync(draft, file)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      // No links on this file system.
      renameSync(draft, file)
      return true
    }
  } catch (error) {
    return refuse(file, `it cannot be written: ${systemMessage(error)}; or set TELLURION_TOKEN`, error)
  } finally {
    rmSync(draft, { force: true })
  }
}

function refuse(file: string, why: string, cause?: unknown): never {
  const text = `The token file ${file}: ${why}.`
  throw new TellurionError('invalid_configuration', text, cause === undefined ? {} : { cause })
}
