// Lines of standard input to a server that has just begun: where `npm start` has no terminal but a pipe or a file, each
// line is said in one session, and the server ends with its input.

import { fstatSync } from 'node:fs'
import { TellurionError } from 'tellurion'
import { createClient } from 'tellurion/client'
import type { Server } from '../server/server.ts'
import { inert, inertLine } from '../terminal/inert.ts'
import { openLineInput } from './line-input.ts'
import type { Screen } from './screen.ts'
import type { Host } from './setting.ts'

/** Whether standard input brings lines: a pipe or a file, and neither a terminal nor nothing at all. */
export function bringsLines(host: Host): boolean {
  if (host.stdin.isTTY === true) return false
  try {
    const { fd = 0 } = host.stdin as { readonly fd?: number }
    const input = fstatSync(fd)
    return input.isFIFO() || input.isFile() || input.isSocket()
  } catch {
    return false
  }
}

/** Says each line and writes what comes back, until the input has ended or `signal` aborts. Never rejects. */
export async function answerLines(
  host: Host,
  { server, token, out, signal }: { server: Server; token: string; out: Screen; signal: AbortSignal },
): Promise<void> {
  const client = createClient({
    baseURL: 'http://127.0.0.1',
    token,
    fetch: (request) => server.handle(request),
  })
  const input = openLineInput(host, () => {})
  const stop = (): void => input.cancel()
  signal.addEventListener('abort', stop, { once: true })
  try {
    let session: string | undefined
    for (let line = await input.next(''); line !== undefined && !signal.aborted; line = await input.next('')) {
      if (line.trim() === '') continue
      session ??= (await client.sessions.create({ signal })).id
      out.line(await replyTo(() => client.sessions.say(session!, line, { signal })))
    }
  } catch (error) {
    if (!signal.aborted) out.line(inertLine(error instanceof Error ? error.message : String(error)))
  } finally {
    signal.removeEventListener('abort', stop)
    input.close()
  }
}

async function replyTo(say: () => ReturnType<ReturnType<typeof createClient>['sessions']['say']>): Promise<string> {
  try {
    const { text, interactions } = await say()
    const [asked] = interactions
    if (asked === undefined) return inert(text)
    return inertLine(`It waits for a person: ${asked.prompt} Answer with 'tellurion runs answer ${asked.id} …'.`)
  } catch (error) {
    if (!(error instanceof TellurionError)) throw error
    return inertLine(error.message)
  }
}
