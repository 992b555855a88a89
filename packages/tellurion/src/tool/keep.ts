// What a running tool keeps beside its result: files it made, bytes it is about to overwrite. Artifacts with a name,
// named in the call's result; loaded when the first tool keeps something.

import { TellurionError } from '../error/error.ts'
import type { KeptArtifact } from '../message/message.ts'
import type { Artifacts } from './artifact.ts'

/** How something is kept. */
export interface KeepOptions {
  /** What the bytes are, such as `image/png`; for whoever shows them. Default none. */
  readonly mediaType?: string | undefined
}

/** Something to keep: whose it is, and what. */
export interface Keeping extends KeepOptions {
  readonly artifacts: Artifacts | undefined
  /** The call's idempotency key. */
  readonly key: string
  readonly name: string
  readonly content: string | Uint8Array
}

/** Artifacts that one call may name at most. */
const maxKept = 100

/** The call for which something is kept, and what it has kept by name. */
export interface KeepingCall {
  readonly kept: Map<string, KeptArtifact>
  readonly toolName: string
  isEnded(): boolean
}

/** Keeps it for a call, unless the call has ended. Throws as `keep` does, and `aborted` and `invalid_value`. */
export async function keepInCall(given: Keeping, call: KeepingCall): Promise<KeptArtifact | undefined> {
  const { kept } = call
  if (kept.size >= maxKept && !kept.has(given.name)) {
    throw new TellurionError('invalid_value', `A call may keep at most ${maxKept} artifacts; put them into one file.`)
  }
  refuseIfEnded(call)
  const artifact = await keep(given)
  refuseIfEnded(call)
  if (artifact !== undefined) kept.set(given.name, artifact)
  return artifact
}

function refuseIfEnded({ toolName, isEnded }: KeepingCall): void {
  if (!isEnded()) return
  throw new TellurionError('aborted', `The call of the tool '${toolName}' has ended; it keeps nothing more.`)
}

/** Keeps it; undefined where there is no room, or nowhere to keep. Throws `invalid_name` and `invalid_option`. */
export async function keep(given: Keeping): Promise<KeptArtifact | undefined> {
  const { artifacts, key, name, content, mediaType } = given
  checkName(name)
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
    throw new TellurionError('invalid_option', 'keep(name, content) takes a text or a Uint8Array.')
  }
  if (mediaType !== undefined && !/^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(mediaType)) {
    throw new TellurionError('invalid_option', "keep(name, content, { mediaType }) takes a type such as 'image/png'.")
  }
  const reference = await artifacts?.put(content, { as: placeOf(key, name) })
  if (reference === undefined) return undefined
  return mediaType === undefined ? { name, ...reference } : { name, ...reference, mediaType }
}

/** What was kept last under this name for this key. */
export async function recall({ artifacts, key, name }: Omit<Keeping, 'content'>): Promise<Uint8Array | undefined> {
  checkName(name)
  return artifacts?.named(placeOf(key, name))
}

function placeOf(key: string, name: string): string {
  return `${key}\n${name}`
}

function checkName(name: unknown): void {
  if (typeof name === 'string' && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(name)) return
  throw new TellurionError(
    'invalid_name',
    'What a tool keeps needs a name of 1 to 200 characters, without control characters.',
  )
}
