// The form of a file of key-value records: a first line that vouches for the rest, then one line of JSON a record, so that
// a person can read it and nothing that was torn or changed is taken for whole.

import { createHash } from 'node:crypto'
import type { KeyScope, KeyValueEntry } from '../../port/key-value.ts'

/** Records by `scope:owner` and name. Never changed once it is stored. */
export type Records = ReadonlyMap<string, ReadonlyMap<string, KeyValueEntry>>

/** Everything in a file. */
export interface Contents {
  readonly records: Records
  /** The highest version that was ever given. */
  readonly lastVersion: number
  /** How often the records were saved: of two files the one with more is newer. */
  readonly saves: number
}

/** What a file turned out to be. */
export type Decoded =
  | { readonly status: 'whole'; readonly contents: Contents }
  | { readonly status: 'newer'; readonly format: number }
  | { readonly status: 'damaged' }

/** The name that a scope goes by. */
export const scopeKey = ({ scope, owner }: KeyScope): string => `${scope}:${owner}`

const format = 1
const mark = 'tellurion-key-value'
const scopes: readonly unknown[] = ['global', 'project', 'session']

/** One line of the file, without its end. */
interface Line {
  readonly scope: string
  readonly owner: string
  readonly name: string
  readonly version: number
  readonly expires?: number
  /** The value, where it is well-formed UTF-8. */
  readonly text?: string
  /** The value, where it is not. */
  readonly base64?: string
}

/** The bytes of a file with these contents. */
export function encode({ records, lastVersion, saves }: Contents): Uint8Array {
  const lines = [JSON.stringify({ saves, lastVersion })]
  for (const [key, entries] of [...records].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const colon = key.indexOf(':')
    const [scope, owner] = [key.slice(0, colon), key.slice(colon + 1)]
    for (const { name, version, expires, value } of [...entries.values()].toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const line: Line = {
        scope,
        owner,
        name,
        version,
        ...(expires === undefined ? {} : { expires }),
        ...valueOf(value),
      }
      lines.push(JSON.stringify(line))
    }
  }
  const body = Buffer.from(`${lines.join('\n')}\n`)
  return Buffer.concat([Buffer.from(`${mark} ${format} ${checksum(format, body)}\n`), body])
}

/** What some bytes hold. Never throws. */
export function decode(bytes: Uint8Array): Decoded {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = buffer.indexOf('\n')
  const [, stated, sum] =
    /^tellurion-key-value (\d{1,9}) ([0-9a-f]{64})$/.exec(buffer.toString('latin1', 0, Math.max(end, 0))) ?? []
  const body = buffer.subarray(end + 1)
  if (stated === undefined || checksum(Number(stated), body) !== sum) return { status: 'damaged' }
  if (Number(stated) > format) return { status: 'newer', format: Number(stated) }
  try {
    return { status: 'whole', contents: contentsOf(body.toString('utf8')) }
  } catch {
    return { status: 'damaged' }
  }
}

function contentsOf(body: string): Contents {
  const [first = '', ...lines] = body.split('\n')
  const { saves, lastVersion } = JSON.parse(first) as { saves: number; lastVersion: number }
  if (!Number.isSafeInteger(saves) || !Number.isSafeInteger(lastVersion)) throw new TypeError('no counts')
  const records = new Map<string, Map<string, KeyValueEntry>>()
  for (const text of lines) {
    if (text === '') continue
    const { scope, owner, name, version, expires, text: plain, base64 } = JSON.parse(text) as Line
    if (!scopes.includes(scope) || typeof owner !== 'string' || typeof name !== 'string')
      throw new TypeError('no record')
    const key = `${scope}:${owner}`
    let entries = records.get(key)
    if (entries === undefined) records.set(key, (entries = new Map()))
    const value = new Uint8Array(plain === undefined ? Buffer.from(base64!, 'base64') : Buffer.from(plain))
    entries.set(name, { name, value, version, ...(expires === undefined ? {} : { expires }) })
  }
  return { records, lastVersion, saves }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function valueOf(value: Uint8Array): { readonly text: string } | { readonly base64: string } {
  try {
    return { text: strict.decode(value) }
  } catch {
    return { base64: Buffer.from(value).toString('base64') }
  }
}

/** Of the format and the rest together, so that a damaged number is not taken for a newer one. */
function checksum(stated: number, body: Uint8Array): string {
  return createHash('sha256').update(`${stated}\n`).update(body).digest('hex')
}
