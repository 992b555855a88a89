// A server in a process of its own, as those see it who load it: begun, weighed, killed, closed.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ServerOptions } from '../packages/tellurion-server/src/server/server.ts'

/** Milliseconds that the model of `talker` takes. */
export const modelTime = 20

/** The token of the only user. */
export const token = 'a-token-for-the-bench'

/** What is served. */
export interface ServedOptions {
  /** `hand` is what is done by hand at least: chatting, and nothing else. Default `tellurion`. */
  readonly by?: 'tellurion' | 'hand'
  /** `memory`, or a SQLite file. */
  readonly store: string
  /** How the file commits. Default `full`. */
  readonly synchronous?: 'full' | 'normal'
  readonly port?: number
  readonly limits?: ServerOptions['limits']
  /** Milliseconds after which the runs of a process that has died go on in another. Default 3,000. */
  readonly lease?: number
  readonly maxConcurrent?: number
}

/** How heavy a server is, when everything that can go has gone. */
export interface Weight {
  /** Bytes on the heap. */
  readonly heap: number
  /** Bytes of buffers outside it. */
  readonly buffers: number
  readonly rss: number
  /** Microseconds of processor time so far. */
  readonly cpu: number
  /** Its timers, sockets and so on. */
  readonly handles: readonly string[]
  readonly connections: { readonly http: number; readonly streams: number; readonly sockets: number }
}

/** A server that runs. */
export interface Served extends AsyncDisposable {
  readonly port: number
  readonly url: string
  weigh(): Promise<Weight>
  /** Ends the agents that write until it is over. */
  end(): void
  /** As `kill -9`. */
  kill(): Promise<void>
}

/** Starts one; rejects when it cannot begin. */
export async function serve(options: ServedOptions): Promise<Served> {
  const child = fork(join(import.meta.dirname, 'served-process.ts'), [JSON.stringify(options)], {
    execArgv: ['--conditions=@tellurion/source', '--expose-gc'],
  })
  const { port } = await told<{ port: number }>(child)
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    weigh() {
      child.send('weigh')
      return told(child)
    },
    end: () => void child.send('end'),
    kill,
    async [Symbol.asyncDispose]() {
      if (child.connected) child.send('close')
      const patience = setTimeout(() => void kill(), 5000)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      clearTimeout(patience)
    },
  }
}

/** The next that a process tells; rejects when it ends instead. */
function told<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`The server ended with ${code}.`))
    child.once('exit', gone)
    child.once('message', (message) => {
      child.off('exit', gone)
      resolve(message as T)
    })
  })
}
