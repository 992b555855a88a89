// The record of one call's changes to files, as it is kept among the artifacts: plain JSON, checked when it is read.

import { jsonProblem } from '../schema/plain-json.ts'

/** What a file was, or is to be. */
export interface FileState {
  /** SHA-256 of its bytes, hex: also the artifact that holds them, where they were kept. */
  readonly hash: string
  /** Bytes. */
  readonly size: number
  /** Permissions, where the file was there. */
  readonly mode?: number
}

/** What became of one file; null where there is none. */
export interface FileChange {
  readonly path: string
  readonly before: FileState | null
  readonly after: FileState | null
}

/** What one call did to files, in order. */
export interface ChangeRecord {
  readonly version: 1
  /** The real path of the workspace's root. */
  readonly root: string
  /** The call's idempotency key. */
  readonly call: string
  readonly changes: readonly FileChange[]
  /** Folders that were made for it, the outer before the inner. */
  readonly folders: readonly string[]
}

/** Reads a record; undefined for bytes that are none. */
export function readChangeRecord(bytes: Uint8Array | undefined): ChangeRecord | undefined {
  if (bytes === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
  if (jsonProblem(value) !== undefined || typeof value !== 'object' || value === null) return undefined
  const { version, root, call, changes, folders } = value as Partial<Record<keyof ChangeRecord, unknown>>
  const whole =
    version === 1 &&
    typeof root === 'string' &&
    typeof call === 'string' &&
    Array.isArray(changes) &&
    changes.length > 0 &&
    changes.every(isChange) &&
    Array.isArray(folders) &&
    folders.every((folder) => typeof folder === 'string')
  return whole ? { version, root, call, changes: changes as FileChange[], folders: folders as string[] } : undefined
}

function isChange(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { path, before, after } = value as Partial<Record<keyof FileChange, unknown>>
  return typeof path === 'string' && isState(before) && isState(after) && (before !== null || after !== null)
}

function isState(value: unknown): boolean {
  if (value === null) return true
  if (typeof value !== 'object') return false
  const { hash, size, mode } = value as Partial<Record<keyof FileState, unknown>>
  return (
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    Number.isInteger(size) &&
    (mode === undefined || (Number.isInteger(mode) && (mode as number) >= 0 && (mode as number) <= 0o777))
  )
}
