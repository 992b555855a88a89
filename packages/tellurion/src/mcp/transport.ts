// The way to a server, as the operator configured it: a process in a namespace of its own, or an address behind the guard.

import { isAbsolute, resolve } from 'node:path'
import type { Transport } from '@modelcontextprotocol/client'
import type { Clock } from '../clock/clock.ts'
import { isolatedCommand } from '../sandbox/isolated-command.ts'
import type { Redactor } from '../secret/redactor.ts'
import { HttpTransport } from './http-transport.ts'
import type { Sdk } from './sdk.ts'
import { revealedValues, type McpServerOptions, type McpStdioServer } from './server-options.ts'
import { startProcess, type ServerProcess } from './server-process.ts'
import { StdioTransport } from './stdio-transport.ts'

const maxMessage = 10 * 1_048_576

/** What making a transport needs. */
export interface TransportSurroundings {
  readonly server: string
  readonly sdk: Sdk
  readonly clock: Clock
  /** Takes the server's own secrets out of what it says. */
  readonly redactor: Redactor
  onLog(line: string): void
}

/** A fresh transport; nothing is started or sent before its `start`. */
export function transportTo(
  options: McpServerOptions,
  { sdk, clock, redactor, onLog }: TransportSurroundings,
): Transport {
  const most = options.maxMessage ?? maxMessage
  if ('command' in options) {
    return new StdioTransport({ clock, redactor, maxMessage: most, onLog, start: () => startServer(options, clock) })
  }
  const { url, headers, allowPrivate = false } = options
  return new HttpTransport(sdk, {
    url: new URL(url),
    headers: revealedValues(headers),
    allowPrivate,
    clock,
    redactor,
    maxMessage: most,
  })
}

/** Starts a server: in a namespace, or where the operator allows it beside us. Rejects with `sandbox_unavailable`. */
async function startServer(options: McpStdioServer, clock: Clock): Promise<ServerProcess> {
  const { command, args = [], passEnv = [], allowUnisolated = false, network = false } = options
  const passed = passEnv.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  )
  const env = { ...Object.fromEntries(passed), ...revealedValues(options.env) }
  const cwd = options.cwd === undefined ? undefined : resolve(options.cwd)
  if (allowUnisolated) return startProcess({ command, args, env, cwd }, { clock })
  const readWrite = (options.write ?? []).map((path) => resolve(path))
  const readOnly = (options.read ?? []).map((path) => resolve(path))
  // What is started has to be seen; where it may write it sees anyway.
  for (const path of [isAbsolute(command) ? command : undefined, cwd]) {
    if (path !== undefined && !readWrite.includes(path)) readOnly.push(path)
  }
  const folder = cwd === undefined ? {} : { folder: cwd }
  const isolated = isolatedCommand({ command, args, env, readOnly, readWrite, network, ...folder })
  return startProcess({ ...isolated, cwd: undefined }, { clock })
}
