// The body of a response: unpacked, counted after that, and let go of when it is too long, too slow or no longer wanted.
// It is pulled, so that a reader who waits makes the sender wait.

import type { IncomingMessage } from 'node:http'
import { Transform, pipeline, type Readable } from 'node:stream'
import { createBrotliDecompress, createUnzip, createZstdDecompress } from 'node:zlib'
import { abortReason } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { messageOf, TellurionError } from '../error/error.ts'

/** What a body may cost. */
export interface BodyOptions {
  /** Where it comes from, for errors. */
  readonly from: string
  /** Most bytes, as they come and after they are unpacked. */
  readonly bytes: number
  /** Longest wait for the next bytes, in milliseconds. */
  readonly idle: number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Called when the last of it has come over the network, or nothing more will. May be called again. */
  ended(): void
}

const unpackers: Readonly<Record<string, () => Transform>> = {
  gzip: createUnzip,
  'x-gzip': createUnzip,
  deflate: createUnzip,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** The ways a body is packed, outermost last. Throws `egress_failed` for one that is not known, or more than two. */
export function encodingsOf(header: string | undefined, from: string): readonly string[] {
  const names = (header ?? '').toLowerCase().split(',')
  const encodings = names.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity')
  if (encodings.length <= 2 && encodings.every((name) => Object.hasOwn(unpackers, name))) return encodings
  throw new TellurionError('egress_failed', `${from} sends a body that is packed in a way that is not known here.`)
}

/** The body as a stream; it errors with `egress_too_large`, `egress_timeout`, `egress_failed` or the signal's reason. */
export function responseBody(
  message: IncomingMessage,
  encodings: readonly string[],
  options: BodyOptions,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { from, signal, clock, idle } = options
  const unpacked = encodings.toReversed().map((name) => unpackers[name]!())
  const stages = [message, counter(options), ...unpacked, ...(unpacked.length === 0 ? [] : [counter(options)])]
  const last = stages.at(-1) as Readable
  message.once('close', options.ended)
  const end = (): void => {
    signal.removeEventListener('abort', onAbort)
    options.ended()
  }
  pipeline(stages as [Readable, Transform], () => {})
  const stop = (error: Error): void => {
    for (const stage of stages) (stage as Readable).destroy(error)
  }
  const onAbort = (): void => {
    end()
    stop(abortReason(signal))
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  const chunks = last[Symbol.asyncIterator]() as AsyncIterator<Uint8Array<ArrayBuffer>>
  return new ReadableStream(
    {
      async pull(controller) {
        const tooSlow = `${from} sent nothing for ${idle} ms.`
        const disarm = clock.timer(idle, () => stop(new TellurionError('egress_timeout', tooSlow)))
        try {
          const { done, value } = await chunks.next()
          if (!done) {
            controller.enqueue(new Uint8Array(value))
            return
          }
          end()
          controller.close()
        } catch (error) {
          end()
          controller.error(signal.aborted ? abortReason(signal) : bodyFailure(from, error))
        } finally {
          disarm()
        }
      },
      cancel() {
        end()
        stop(new Error('nobody reads on'))
      },
    },
    { highWaterMark: 0 },
  )
}

function counter({ from, bytes }: BodyOptions): Transform {
  let count = 0
  return new Transform({
    transform(chunk: Uint8Array, _encoding, next) {
      count += chunk.byteLength
      if (count <= bytes) next(null, chunk)
      else next(new TellurionError('egress_too_large', `The answer of ${from} is longer than ${bytes} bytes.`))
    },
  })
}

function bodyFailure(from: string, error: unknown): Error {
  if (error instanceof TellurionError) return error
  const message = `The answer of ${from} broke off: ${messageOf(error)}.`
  return new TellurionError('egress_failed', message, { cause: error, retryable: true })
}
