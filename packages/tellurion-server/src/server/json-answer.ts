// Answers of JSON: a `Response` for whoever has no socket, and its text at once for the socket.

import type { ServerResponse } from 'node:http'
import { hasSocket } from './body.ts'
import type { ServerSetting } from './setting.ts'

/** What a socket may take without the detour of a web stream. */
const texts = new WeakMap<Response, string>()

/** What goes out, without the secrets that the server knows. */
export function cleaned<T>(value: T, { redactor }: Pick<ServerSetting, 'redactor'>): T {
  return redactor === undefined ? value : redactor.value(value)
}

/** A value as the answer to a request. What goes to a socket has no body of its own, but for `serveJson`. */
export function jsonAnswer(
  value: unknown,
  {
    request,
    status,
    headers,
  }: { readonly request: Request; readonly status: number; readonly headers: Readonly<Record<string, string>> },
): Response {
  const text = JSON.stringify(value)
  const isServed = hasSocket(request) && request.method !== 'HEAD'
  const shown = { status, headers: { 'content-type': 'application/json', ...headers } }
  const response = new Response(isServed ? null : text, shown)
  if (isServed) texts.set(response, text)
  return response
}

/** Writes an answer to Node's response in one piece; false for one that was not made here. */
export function serveJson(response: Response, outgoing: ServerResponse): boolean {
  const text = texts.get(response)
  if (text === undefined) return false
  const length = { 'content-length': Buffer.byteLength(text) }
  outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), ...length }).end(text)
  return true
}
