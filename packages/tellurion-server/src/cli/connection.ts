// Whom a command asks: a server elsewhere, or one that it makes in its own process, on a store. Commands see a client
// either way.

import { createClient, type Client, type ClientOptions } from 'tellurion/client'
import { createRuntime, type Runtime, type RuntimeOptions } from 'tellurion/runtime'
import { createLog } from 'tellurion/trace'
import type { LoadedConfig } from '../config/load.ts'
import { inert, inertLine } from '../terminal/inert.ts'
import { configurationOf, type ConfigFlags } from './configuration.ts'
import { UsageError } from './fault.ts'
import { serverAddress } from './server-address.ts'
import { asUsage, type Host } from './setting.ts'
import { version } from './version.ts'

/** Options of every command that asks a server, or is one. */
export interface ConnectionFlags extends ConfigFlags {
  /** The address of a server. */
  readonly server?: string
  readonly ask?: boolean
  readonly verbose?: boolean
}

/** A client and what is behind it. */
export interface Connection extends AsyncDisposable {
  readonly client: Client
  /** The address of a server elsewhere. */
  readonly url: string | undefined
  /** What works in this process; undefined where a server elsewhere does. */
  readonly runtime: Runtime | undefined
}

/** How patient a client is with a server that is gone. */
export type Tries = Pick<ClientOptions, 'retry' | 'reconnect'>

/** A person waits: a server that is not there is told of soon. */
const soon: Tries = { retry: { maxRetries: 2, initialWait: 300 } }

/** What a server in this process is made of. */
export interface Embedding extends RuntimeOptions {
  /** Whose runs and answers these are. */
  readonly user: string
}

/** The configuration, and the address of the server that it or the options name; undefined for none. */
export async function placeOf(
  { server, ...flags }: ConnectionFlags,
  host: Pick<Host, 'env'>,
): Promise<{ readonly loaded: LoadedConfig; readonly url: string | undefined }> {
  if (server !== undefined && flags.store !== undefined) {
    throw new UsageError('--server and --store are two places: name one of them.')
  }
  const loaded = await configurationOf({ ...flags, ...(server === undefined ? {} : { url: server }) }, host)
  const url = flags.store === undefined ? loaded.settings.server.url : undefined
  if (url !== undefined && (flags.model !== undefined || flags.ask === true)) {
    const option = flags.model === undefined ? '--ask' : '--model'
    throw new UsageError(`${option} is for agents of this command; the server at ${inertLine(url)} has its own.`)
  }
  return { loaded, url }
}

/** Asks a server elsewhere, with the token of the configuration. Throws a `UsageError` where there is none. */
export function connectTo(url: string, loaded: LoadedConfig, tries: Tries = soon): Connection {
  const { token } = asUsage(() => serverAddress(loaded))
  if (token === undefined) {
    throw new UsageError(
      `There is no token for ${url}: set TELLURION_TOKEN, or TELLURION_TOKEN_FILE to a file with one.`,
    )
  }
  const client = asUsage(() => createClient({ baseURL: url, token: token.reveal(), ...tries }), '--server: ')
  return { client, url, runtime: undefined, [Symbol.asyncDispose]: () => Promise.resolve() }
}

/** Makes a server in this process and asks it. */
export async function embed({ user, ...options }: Embedding, flags: ConnectionFlags, host: Host): Promise<Connection> {
  // Large, and not needed by a command that asks elsewhere.
  const { createServer } = await import('../server/server.ts')
  const write = (line: string): void => void (flags.verbose === true && host.stderr.write(`${inert(line)}\n`))
  const runtime = await createRuntime(options)
  const { redactor } = options.ports ?? {}
  const hidden = redactor === undefined ? {} : { redactor }
  const server = createServer({
    runtime,
    log: createLog({ level: 'error', format: 'text', write, ...hidden }),
    version: version(),
    ports: hidden,
  })
  const identity = { user, scopes: ['read', 'write', 'admin'] } as const
  const client = createClient({
    baseURL: 'http://localhost',
    fetch: (request) => server.handle(request, { identity, candid: true }),
  })
  return { client, url: undefined, runtime, [Symbol.asyncDispose]: () => server.close({ grace: 1000 }) }
}
