// What an operator says about one server: how it is reached, what it may, and what is believed of it. Read once, checked
// by name; nothing here comes from a model or a server.

import { TellurionError } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import type { JsonObject } from '../schema/json.ts'
import { isRevealing, revealed, type Revealing } from '../secret/secret.ts'
import { checkServerName } from './tool-name.ts'

/** What a handler of a server's own requests is told beside the request. */
export interface McpHandlerContext {
  readonly server: string
  readonly signal: AbortSignal
}

/** Answers a request that a server makes of us, in the shapes of the protocol. What it throws the server reads as an error. */
export type McpHandler = (request: JsonObject, context: McpHandlerContext) => JsonObject | Promise<JsonObject>

/** What holds for servers of both kinds. Times in milliseconds. */
export interface McpServerSettings {
  /** How long a call may take. Default 30,000; `Infinity` for no limit. */
  readonly timeout?: number
  /** How long connecting and listing may take. Default 30,000. */
  readonly connectTimeout?: number
  /** Longest message that is read from it, in bytes. Default 10 MiB. */
  readonly maxMessage?: number
  /** Connect at the first call, where its tools are pinned already. Default false. */
  readonly lazy?: boolean
  /** Let in tools that it adds after its first tools were pinned. Default false: they wait for `accept`. */
  readonly acceptNew?: boolean
  /** Believe what it says of its tools' effects. Default false: every call runs alone, is never repeated, and is risky. */
  readonly trustAnnotations?: boolean
  /** Names of its tools that are offered, with `*` for any characters. Default all; an empty list offers none. */
  readonly only?: readonly string[]
  /** Offer its resources as tools `server_listResources` and `server_readResource`. Default true, where it has resources. */
  readonly resourceTools?: boolean
  /** Least level of the lines it is asked to log. Default: as the server likes. */
  readonly logLevel?: 'debug' | 'info' | 'warning' | 'error'
  /** Lets it ask for a model's answer (`sampling/createMessage`). Default: it may not. */
  readonly sampling?: McpHandler
  /** Lets it ask the person (`elicitation/create`, forms only). Default: it may not. */
  readonly elicitation?: McpHandler
  /** Folders that it is told of, as `file:` addresses (`roots/list`). Default: it may not ask. */
  readonly roots?: readonly { readonly uri: string; readonly name?: string }[]
}

/** A server that is started as a process and spoken to over its standard input and output. */
export interface McpStdioServer extends McpServerSettings {
  /** The program; no shell reads it. */
  readonly command: string
  readonly args?: readonly string[]
  /** Its environment; nothing else is in it but `PATH`. */
  readonly env?: Readonly<Record<string, string | Revealing>>
  /** Variables of our own environment that it gets too. Default none. */
  readonly passEnv?: readonly string[]
  /** The folder in which it is started. */
  readonly cwd?: string
  /** Folders and files that it may read, in its namespace; its `cwd` is one of them. Default none but the system's. */
  readonly read?: readonly string[]
  /** Folders that it may write, in its namespace. Default none. */
  readonly write?: readonly string[]
  /** Whether it may use the network. Default false. */
  readonly network?: boolean
  /** Start it without a namespace of its own: it sees and may do what we may. Default false. */
  readonly allowUnisolated?: boolean
}

/** A server at an address, spoken to over streamable HTTP. */
export interface McpHttpServer extends McpServerSettings {
  readonly url: string | URL
  /** Sent with every request, such as `authorization`; nothing of a run's user goes with them. */
  readonly headers?: Readonly<Record<string, string | Revealing>>
  /** Whether the host may lead to an address that is not public, such as 127.0.0.1. Default false. */
  readonly allowPrivate?: boolean
}

/** A server of the operator's list. */
export type McpServerOptions = McpStdioServer | McpHttpServer

const settings =
  'timeout connectTimeout maxMessage lazy acceptNew trustAnnotations only resourceTools logLevel sampling elicitation roots'.split(
    ' ',
  )
const stdio = ['command', 'args', 'env', 'passEnv', 'cwd', 'read', 'write', 'network', 'allowUnisolated', ...settings]
const http = ['url', 'headers', 'allowPrivate', ...settings]
const mebibyte = 1_048_576
/** Shorter texts stand in so many others that nothing could be said without them. */
const shortestSecret = 6

/** Throws `invalid_name`, `invalid_option` and `unknown_option` for what cannot be meant. */
export function checkServer(name: string, server: McpServerOptions): void {
  checkServerName(name)
  const what = `the MCP server '${name}'`
  if (typeof server !== 'object' || server === null || 'command' in server === 'url' in server) {
    throw new TellurionError(
      'invalid_option',
      `${what} needs either a command ({ command, args }) or an address ({ url }).`,
    )
  }
  checkOptions(what, server, 'command' in server ? stdio : http)
  const { timeout, connectTimeout, maxMessage, only, roots, logLevel } = server
  if (timeout !== Infinity) checkWhole(`timeout of ${what}`, timeout)
  checkWhole(`connectTimeout of ${what}`, connectTimeout)
  checkWhole(`maxMessage of ${what}`, maxMessage, { least: 1_024, most: 64 * mebibyte })
  checkTexts(`only of ${what}`, only)
  if (logLevel !== undefined && !['debug', 'info', 'warning', 'error'].includes(logLevel)) {
    throw new TellurionError('invalid_option', `logLevel of ${what} must be 'debug', 'info', 'warning' or 'error'.`)
  }
  for (const key of ['lazy', 'acceptNew', 'trustAnnotations', 'resourceTools'] as const)
    checkFlag(what, key, server[key])
  for (const key of ['sampling', 'elicitation'] as const) {
    if (server[key] === undefined || typeof server[key] === 'function') continue
    throw new TellurionError(
      'invalid_option',
      `${key} of ${what} must be a function that answers the server's request.`,
    )
  }
  if (
    roots !== undefined &&
    !(Array.isArray(roots) && roots.every((root: { uri?: unknown }) => String(root?.uri).startsWith('file://')))
  ) {
    throw new TellurionError('invalid_option', `roots of ${what} must be a list such as [{ uri: 'file:///srv/data' }].`)
  }
  if ('command' in server) checkStdio(what, server)
  else checkHttp(what, server)
}

function checkStdio(
  what: string,
  { command, args, env, passEnv, cwd, read, write, network, allowUnisolated }: McpStdioServer,
): void {
  if (typeof command !== 'string' || command === '' || command.includes('\0')) {
    throw new TellurionError('invalid_option', `command of ${what} must be the name or path of a program.`)
  }
  checkTexts(`args of ${what}`, args)
  checkTexts(`passEnv of ${what}`, passEnv)
  checkTexts(`read of ${what}`, read)
  checkTexts(`write of ${what}`, write)
  checkTexts(`cwd of ${what}`, cwd === undefined ? undefined : [cwd])
  checkFlag(what, 'network', network)
  checkFlag(what, 'allowUnisolated', allowUnisolated)
  checkSecrets(`env of ${what}`, env, /^[A-Za-z_][A-Za-z0-9_]*$/)
}

function checkHttp(what: string, { url, headers, allowPrivate }: McpHttpServer): void {
  const text = String(url)
  if (!URL.canParse(text) || !['http:', 'https:'].includes(new URL(text).protocol)) {
    throw new TellurionError('invalid_option', `url of ${what} must be an http or https address.`)
  }
  checkFlag(what, 'allowPrivate', allowPrivate)
  checkSecrets(`headers of ${what}`, headers, /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
}

function checkFlag(what: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  throw new TellurionError('invalid_option', `${name} of ${what} must be true or false.`)
}

function checkTexts(what: string, value: unknown): void {
  if (value === undefined) return
  if (Array.isArray(value) && value.every((each) => typeof each === 'string' && !each.includes('\0'))) return
  throw new TellurionError('invalid_option', `${what} must be a list of texts.`)
}

function checkSecrets(what: string, value: unknown, names: RegExp): void {
  if (value === undefined) return
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const sound = entries.every(([name, each]) => names.test(name) && (typeof each === 'string' || isRevealing(each)))
  if (typeof value === 'object' && value !== null && sound) return
  throw new TellurionError('invalid_option', `${what} must be texts by name.`)
}

/** Texts by name with the secrets among them revealed, for the moment of their use. */
export function revealedValues(values: Readonly<Record<string, string | Revealing>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, revealed(value)]))
}

/** What must not come back from a server in any word of it: its secrets, and all that its headers say. */
export function secretsOf(server: McpServerOptions): string[] {
  const hidden =
    'command' in server
      ? Object.values(server.env ?? {})
          .filter(isRevealing)
          .map(revealed)
      : Object.values(server.headers ?? {}).flatMap((value) => [revealed(value), ...revealed(value).split(' ')])
  return hidden.filter((text) => text.trim().length >= shortestSecret)
}
