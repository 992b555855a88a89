// Bodies of requests: read to a bound, as JSON in UTF-8, and checked against a schema before anything sees them.

import type { Readable } from 'node:stream'
import type { z } from 'zod'
import { jsonProblem } from 'tellurion/protocol'
import { RequestError } from './failure.ts'
import type { Operation } from './operation.ts'

/** Where bodies come from that need no detour by a web stream. */
const sources = new WeakMap<Request, Readable>()

/** Says that the body of a request is what Node reads here, from its first byte. */
export function readFrom(request: Request, source: Readable): void {
  sources.set(request, source)
}

/** Whether a request came by a socket of Node's, which is answered without a web stream too. */
export function hasSocket(request: Request): boolean {
  return sources.has(request)
}

/** Reads and checks the body that an operation takes; undefined where it takes none. */
export async function readBody(request: Request, { body, bodyOptional }: Operation, most: number): Promise<unknown> {
  if (body === undefined) return undefined
  const bytes = await bytesOf(request, most)
  if (bytes.length === 0 && bodyOptional === true) return checked(body, {}, 'body')
  return checked(body, jsonOf(request, bytes), 'body')
}

/** Reads a body of JSON. Throws `request_too_large`, `unsupported_media_type`, `malformed_request`. */
export async function readJson(request: Request, most: number): Promise<unknown> {
  return jsonOf(request, await bytesOf(request, most))
}

function jsonOf({ headers }: Request, bytes: Uint8Array): unknown {
  if (!isJson(headers.get('content-type'))) {
    throw new RequestError('unsupported_media_type', 'The body is to be JSON: send Content-Type: application/json.')
  }
  // What is packed could be of any size.
  if (!/^(?:identity)?$/i.test(headers.get('content-encoding') ?? '')) {
    const identity = { 'accept-encoding': 'identity' }
    throw new RequestError('unsupported_media_type', 'The body is not to be compressed.', identity)
  }
  return parsed(bytes)
}

/** A value as a schema has it. Throws `invalid_request`, with every field that does not fit in `data`. */
export function checked(schema: z.ZodType, value: unknown, where: 'body' | 'query' | 'path' | 'frame'): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.slice(0, 20).map(({ path, message }) => ({ at: place(path, where), message }))
  const [first] = issues
  throw new RequestError('invalid_request', `${first?.at}: ${first?.message}.`.slice(0, 500), {}, { issues })
}

function place(path: readonly PropertyKey[], where: string): string {
  return path.length === 0 ? where : `${where}.${path.map(String).join('.')}`.slice(0, 200)
}

function isJson(type: string | null): boolean {
  return /^application\/json(?:\s*;\s*charset=(?:utf-8|"utf-8"))?\s*$/i.test(type ?? '')
}

function parsed(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    const why = error instanceof SyntaxError ? 'not JSON' : 'not UTF-8'
    throw new RequestError('malformed_request', `The body is ${why}.`)
  }
  const problem = jsonProblem(value)
  if (problem !== undefined) throw new RequestError('malformed_request', `The body cannot be taken: ${problem}.`)
  return value
}

async function bytesOf(request: Request, most: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge(most)
  const source = sources.get(request)
  if (source !== undefined) return gather(source, most)
  if (request.body === null) return new Uint8Array()
  const pieces: Uint8Array[] = []
  let size = 0
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw brokenOff()
      })
      if (done) break
      size += value.length
      if (size > most) throw tooLarge(most)
      pieces.push(value)
    }
  } finally {
    reader.cancel().catch(() => {})
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

/** All that comes; where it is too much the rest is left, for its client is yet to be answered. */
function gather(source: Readable, most: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const pieces: Buffer[] = []
  let size = 0
  const take = (piece: Buffer): void => {
    size += piece.length
    if (size <= most) return void pieces.push(piece)
    source.pause()
    leave(() => reject(tooLarge(most)))
  }
  const end = (): void => leave(() => resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)))
  const breakOff = (): void => leave(() => reject(brokenOff()))
  const leave = (settle: () => void): void => {
    source.off('data', take).off('end', end).off('error', breakOff).off('close', breakOff)
    settle()
  }
  source.on('data', take).on('end', end).on('error', breakOff).on('close', breakOff)
  if (source.destroyed) breakOff()
  return promise
}

/** The client went away, or took too long and was cut off; it will hardly read this. */
function brokenOff(): RequestError {
  return new RequestError('malformed_request', 'The body broke off.')
}

function tooLarge(most: number): RequestError {
  return new RequestError('request_too_large', `A body has at most ${most} bytes.`, { connection: 'close' })
}
