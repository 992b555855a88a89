// Where a server is found and what is shown to it: the address and the token of the configuration, looked up and not made.

import { existsSync } from 'node:fs'
import type { LoadedConfig } from '../config/load.ts'
import type { Configuration } from '../config/schema.ts'
import type { Secret } from 'tellurion/secret'
import { readToken } from '../config/token.ts'

/** A server as commands find it. */
export interface ServerAddress {
  readonly url: string
  /** Undefined where none has been given or made. */
  readonly token: Secret | undefined
}

/** The address alone. */
export function serverURL({ url, host, port }: Configuration['server']): string {
  return url ?? `http://${reachable(host)}:${port}`
}

/** The server of a configuration. Throws `invalid_configuration` for a token file that holds no token. */
export function serverAddress({ settings }: Pick<LoadedConfig, 'settings'>): ServerAddress {
  const { token, tokenFile } = settings.server
  return {
    url: serverURL(settings.server),
    token: token ?? (existsSync(tokenFile) ? readToken(tokenFile) : undefined),
  }
}

/** The address under which a server that listens on `host` is reached from here. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
