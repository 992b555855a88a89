// Checkpoint files: the state of a world, or of a run after a tick, in one file. It is whole or absent: what is torn,
// foreign or newer is an error and never half-loaded. The file before it stays beside it, as `path.bak`.

import { copyFile, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { ErrorCode } from '../error/catalogue.ts'
import { messageOf, suggestion, TellurionError } from '../error/error.ts'
import { systemIds } from '../id/id.ts'
import { makeFolder } from '../port/folder.node.ts'
import { sha256 } from '../schema/canonical.ts'
import type { JsonObject } from '../schema/json.ts'
import { jsonProblem } from '../schema/plain-json.ts'
import type { Snapshot } from '../world/snapshot.ts'

/** What a checkpoint file holds. */
export interface CheckpointFile {
  /** The world: bring it to life with `restore`, or go on from it with `runtime.restore`. */
  readonly snapshot: Snapshot
  /** The run whose world it is. */
  readonly run?: CheckpointedRun
}

/** What is kept of the run of a checkpoint. */
export interface CheckpointedRun {
  readonly id: string
  readonly agent: string
  readonly user: string
  readonly priority: number
  readonly metadata: JsonObject
}

/** The version of the file's form, apart from those of the snapshot and of its components. */
const version = 1
/** A file above this many bytes is none of ours. */
const maxBytes = 256 * 1024 * 1024

/**
 * Writes a checkpoint, in the place of the one that is there. At any instant, also of a crash, `path` is the old or the
 * new one, whole; the old one, if it was whole, becomes `path.bak`. Folders are made. Throws `store_unavailable`,
 * `store_read_only`, `store_full`; then nothing has changed.
 */
export async function writeCheckpoint(path: string, checkpoint: CheckpointFile): Promise<void> {
  const bytes = await encode(checkpoint)
  try {
    makeFolder(dirname(path))
    if (await isWhole(path)) await replace(`${path}.bak`, (to) => copyFile(path, to))
    await replace(path, (to) => writeFile(to, bytes, { flag: 'wx', mode: 0o600 }))
  } catch (error) {
    throw fileFailure(error, path, 'cannot be written')
  }
}

/**
 * Reads a checkpoint. Throws `invalid_snapshot` for a torn or foreign file, `newer_version` for one of a later version,
 * `store_unavailable` for none, and says where a whole one lies beside it.
 */
export async function readCheckpoint(path: string): Promise<CheckpointFile> {
  try {
    return await decode(await bytesOf(path))
  } catch (error) {
    const failure = fileFailure(error, path, 'cannot be read')
    if (path.endsWith('.bak') || !(await isWhole(`${path}.bak`))) throw failure
    const text = `${failure.message} The one before it is whole: ${path}.bak.`
    throw new TellurionError(failure.code, text, { cause: failure })
  }
}

async function encode({ snapshot, run }: CheckpointFile): Promise<string> {
  const body = JSON.stringify(run === undefined ? { snapshot } : { snapshot, run })
  return `tellurion-checkpoint ${version} ${await sumOf(version, body)}\n${body}`
}

async function decode(bytes: Uint8Array): Promise<CheckpointFile> {
  const text = textOf(bytes)
  const head = /^tellurion-checkpoint ([1-9]\d{0,8}) ([0-9a-f]{64})\n/.exec(text)
  if (head === null) throw torn('it does not begin as one')
  const [line, written = '', sum] = head
  const body = text.slice(line.length)
  if ((await sumOf(Number(written), body)) !== sum) throw torn('its sum does not fit what it holds')
  if (Number(written) > version) {
    throw new TellurionError('newer_version', `The checkpoint has version ${written}; this code reads ${version}.`)
  }
  return checked(parsed(body))
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    throw torn(`it is no JSON: ${messageOf(error)}`)
  }
}

/** The sum covers the version too, so that a flipped bit does not pass for a later version. */
function sumOf(of: number, body: string): Promise<string> {
  return sha256(`${of}\n${body}`)
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw torn(`it is no text: ${messageOf(error)}`)
  }
}

/** What the file says, of the shape it must have. The snapshot itself is checked when it is restored. */
function checked(body: unknown): CheckpointFile {
  const { snapshot, run, ...others } = objectOf(body, 'it holds no object')
  refuseOthers(others, ['snapshot', 'run'])
  objectOf(snapshot, 'it holds no snapshot')
  const checkpoint = { snapshot: snapshot as Snapshot }
  return run === undefined ? checkpoint : { ...checkpoint, run: checkedRun(run) }
}

function checkedRun(given: unknown): CheckpointedRun {
  const { id, agent, user, priority, metadata, ...others } = objectOf(given, 'its run is bad')
  refuseOthers(others, ['id', 'agent', 'user', 'priority', 'metadata'])
  const fits = [id, agent, user].every((value) => typeof value === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(value))
  if (!fits || !Number.isSafeInteger(priority)) throw torn('its run is bad')
  const problem = jsonProblem(objectOf(metadata, 'its run has no metadata'))
  if (problem !== undefined) throw torn(`the metadata of its run are bad: ${problem}`)
  return { id, agent, user, priority, metadata } as CheckpointedRun
}

function objectOf(value: unknown, problem: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw torn(problem)
  return value as Readonly<Record<string, unknown>>
}

function refuseOthers(others: object, known: readonly string[]): void {
  const [key] = Object.keys(others)
  if (key !== undefined) throw torn(`it has no '${key.slice(0, 64).toWellFormed()}'.${suggestion(key, known)}`)
}

function torn(problem: string): TellurionError {
  return new TellurionError('invalid_snapshot', `This is no whole checkpoint: ${problem}.`)
}

async function bytesOf(path: string): Promise<Uint8Array> {
  if ((await stat(path)).size > maxBytes) throw torn(`it is larger than ${maxBytes} bytes`)
  return readFile(path)
}

async function isWhole(path: string): Promise<boolean> {
  try {
    await decode(await bytesOf(path))
    return true
  } catch (error) {
    return error instanceof TellurionError && error.code === 'newer_version'
  }
}

/** Makes a file beside `path` and puts it there in one step that a crash cannot divide. */
async function replace(path: string, make: (to: string) => Promise<void>): Promise<void> {
  const beside = `${path}.${systemIds('tmp')}`
  try {
    await make(beside)
    await synced(beside)
    await rename(beside, path)
    await synced(dirname(resolve(path)))
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

/** Waits until the disk has it. Some systems have no such thing for folders. */
async function synced(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await file.close()
  }
}

const codes: Readonly<Record<string, ErrorCode>> = {
  EACCES: 'store_read_only',
  EPERM: 'store_read_only',
  EROFS: 'store_read_only',
  ENOSPC: 'store_full',
  EDQUOT: 'store_full',
}

/** What the file system says, as one of our errors; one of ours stays what it is, with the path. */
function fileFailure(error: unknown, path: string, what: string): TellurionError {
  if (error instanceof TellurionError) {
    return new TellurionError(error.code, `${path}: ${error.message}`, { cause: error })
  }
  const code = codes[(error as NodeJS.ErrnoException | undefined)?.code ?? '']
  const text = `The checkpoint ${path} ${what}: ${messageOf(error)}.`
  return new TellurionError(what === 'cannot be read' ? 'store_unavailable' : (code ?? 'store_unavailable'), text, {
    cause: error,
  })
}
