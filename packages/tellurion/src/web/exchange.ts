// One request and the head of its response, over a socket of its own that is closed afterwards.

import { request as send, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { abortReason } from '../abort/abort.ts'
import { messageOf, TellurionError } from '../error/error.ts'
import { shown } from './egress-rule.ts'

/** A request that has been taken apart, so that it can be sent again after a redirect. */
export interface Outgoing {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: Uint8Array | undefined
}

/** Headers that belong to the connection: they are made here, whatever a caller says. */
const ownHeaders = [
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
]
ownHeaders.push('upgrade', 'proxy-authorization', 'proxy-authenticate', 'proxy-connection', 'cookie2')

/**
 * Sends a request and resolves with the response as soon as its headers are there. Rejects with `egress_failed`,
 * `egress_too_large` for headers past `headerBytes`, and the reason of the signal; the socket is closed then.
 */
export function exchange(
  socket: Socket,
  { url, method, headers, body }: Outgoing,
  { headerBytes, signal }: { readonly headerBytes: number; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const lines: Record<string, string> = { host: url.host }
  for (const [name, value] of headers) if (!ownHeaders.includes(name)) lines[name] = value
  lines['accept-encoding'] ??= 'gzip, br, zstd'
  if (body !== undefined) lines['content-length'] = String(body.byteLength)
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH') lines['content-length'] = '0'
  return new Promise((resolve, reject) => {
    const outgoing = send({
      createConnection: () => socket,
      method,
      path: `${url.pathname}${url.search}`,
      headers: lines,
      setHost: false,
      maxHeaderSize: headerBytes,
    })
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', onAbort)
      outgoing.on('error', () => {}).destroy()
      socket.destroy()
      reject(signal.aborted ? abortReason(signal) : failureOf(url, error, headerBytes))
    }
    const onAbort = (): void => fail(signal.reason)
    if (signal.aborted) {
      onAbort()
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    outgoing.once('error', fail)
    const onClose = (): void => fail(new Error('the connection was closed without a response'))
    outgoing.once('close', onClose)
    outgoing.once('response', (incoming) => {
      signal.removeEventListener('abort', onAbort)
      outgoing.off('close', onClose).off('error', fail)
      // What is wrong from now on is told by the response.
      outgoing.on('error', () => {})
      resolve(incoming)
    })
    outgoing.end(body)
  })
}

function failureOf(url: URL, error: unknown, headerBytes: number): TellurionError {
  if ((error as { code?: unknown }).code === 'HPE_HEADER_OVERFLOW') {
    return new TellurionError('egress_too_large', `The headers of ${shown(url)} are longer than ${headerBytes} bytes.`)
  }
  const message = `${shown(url)} gave no proper answer: ${messageOf(error)}.`
  return new TellurionError('egress_failed', message, { cause: error, retryable: true })
}
