// From `vendor/name`, options and the environment to an address, a key and headers. All misuse is found here, when the
// model is made and not when it is asked; a key is never shown.

import type { Clock } from '../clock/clock.ts'
import { suggestion, TellurionError } from '../error/error.ts'
import { isRevealing, revealed, type Revealing } from '../secret/secret.ts'
import type { FailureContext } from './failure.ts'
import { azureVersion, vendorNamed, vendors, type Vendor } from './vendor.ts'

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

/** How a model is reached. Everything has a default: the vendor's row and the environment. */
export interface ModelOptions {
  /** A text or a `Secret`. Default: the first of the vendor's variables that is set. */
  readonly apiKey?: string | Revealing
  /** Default: the vendor's variable for it, then the vendor's own address. */
  readonly baseURL?: string
  /** Extra HTTP headers, texts or secrets; they win over the wire's own. */
  readonly headers?: Readonly<Record<string, string | Revealing>>
  /** Default: the platform's, looked up when this is called. */
  readonly fetch?: typeof fetch
  /** Against which an HTTP date in `Retry-After` is measured. Default: the machine's. */
  readonly clock?: Clock
  /** Default: the process's environment, where there is one. */
  readonly env?: Environment
  /** Azure only: the `api-version` of the query. Default `OPENAI_API_VERSION`, then a current one. */
  readonly apiVersion?: string
}

/** A vendor's row and the name of one of its models. */
export interface ModelName {
  readonly vendor: string
  readonly model: string
  readonly row: Vendor
}

/** Where one vendor is, and how it is spoken to. */
export interface Connection {
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: typeof fetch
  readonly context: FailureContext
  /** The URL of a path such as `/chat/completions`. */
  url(path: string): string
}

const knownOptions = ['apiKey', 'baseURL', 'headers', 'fetch', 'clock', 'env', 'apiVersion']

/** Reads `vendor/name`. Throws `unknown_provider`, with what to write instead. */
export function readModelName(name: string): ModelName {
  if (typeof name !== 'string' || name.trim() === '') {
    throw new TellurionError('invalid_option', "a model needs a name: write model('openai/gpt-5')")
  }
  const slash = name.indexOf('/')
  const vendor = slash === -1 ? name : name.slice(0, slash)
  const model = slash === -1 ? '' : name.slice(slash + 1)
  const row = vendorNamed(vendor)
  if (row !== undefined && model !== '') return { vendor, model, row }
  if (row !== undefined) {
    const full = `${vendor}/${row.defaultModel ?? 'name-of-the-model'}`
    throw new TellurionError('unknown_provider', `'${name}' names no model: write '${full}'.`)
  }
  const near = slash === -1 ? ownerOf(name) : undefined
  const advice =
    near === undefined
      ? suggestion(vendor, Object.keys(vendors)) + otherServer(slash === -1 ? name : model)
      : ` Write '${near}/${name}'.`
  throw new TellurionError(
    'unknown_provider',
    slash === -1 ? `'${name}' names no vendor.${advice}` : `no vendor is called '${vendor}'.${advice}`,
  )
}

function otherServer(model: string): string {
  return ` For any OpenAI-compatible server write 'local/${model}' and give its baseURL.`
}

function ownerOf(model: string): string | undefined {
  for (const [vendor, row] of Object.entries<Vendor>(vendors)) {
    if (row.prefixes?.some((prefix) => model.toLowerCase().startsWith(prefix))) return vendor
  }
  return undefined
}

/**
 * Finds address, key and headers. Throws `unknown_option`, `invalid_option` and `missing_key`; no message holds a key.
 * `extraOptions`: names that the caller knows beside these.
 */
export function connect(name: ModelName, options: ModelOptions, extraOptions: readonly string[] = []): Connection {
  checkNames(options, [...knownOptions, ...extraOptions])
  const { vendor, model, row } = name
  const env = options.env ?? processEnvironment()
  const apiKey = keyOf(name, options, env)
  const base = baseOf(name, options, env)
  const extra = revealedHeaders(options.headers)
  const headers = headersOf(row, apiKey, extra)
  const version = options.apiVersion ?? env['OPENAI_API_VERSION'] ?? env['AZURE_OPENAI_API_VERSION'] ?? azureVersion
  const ownHeaders = Object.values(extra).filter((value) => typeof value === 'string' && value.length >= 8)
  return {
    headers,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    context: {
      model: `${vendor}/${model}`,
      url: `${base.origin}${base.pathname}`.replace(/\/$/, ''),
      secrets: apiKey === undefined ? ownHeaders : [apiKey, ...ownHeaders],
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    },
    url: (path) => urlOf(base, name, path, version),
  }
}

/** The environment of the process, or none where there is no process. */
export function processEnvironment(): Environment {
  const { process } = globalThis as { process?: { env?: Environment } }
  return process?.env ?? {}
}

function checkNames(options: object, known: readonly string[]): void {
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue
    throw new TellurionError('unknown_option', `a model has no option '${option}'.${suggestion(option, known)}`)
  }
}

/** The first of these variables that is set to something. */
export function firstSet(env: Environment, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = env[name]?.trim()
    if (value) return value
  }
  return undefined
}

function keyOf({ vendor, model, row }: ModelName, { apiKey }: ModelOptions, env: Environment): string | undefined {
  if (apiKey !== undefined && typeof apiKey !== 'string' && !isRevealing(apiKey)) {
    throw invalid('`apiKey` must be a text or a Secret')
  }
  const given = apiKey === undefined ? undefined : revealed(apiKey).trim()
  const key = given || firstSet(env, row.keyNames)
  if (key === undefined) {
    if (!row.needsKey) return undefined
    const where = `set ${row.keyNames[0]} in the environment or .env`
    throw new TellurionError('missing_key', `${vendor}/${model} needs an API key: ${where}, or pass \`apiKey\`.`)
  }
  // The platform's own complaint about such a header would show the key.
  if (!/^[\x21-\x7e]+$/.test(key)) throw invalid('the API key holds characters that no key has; check for stray text')
  return key
}

function baseOf({ vendor, row }: ModelName, { baseURL }: ModelOptions, env: Environment): URL {
  const text = baseURL ?? firstSet(env, row.baseURLNames) ?? row.baseURL
  if (text === undefined) {
    throw invalid(`${vendor} has no address of its own: pass \`baseURL\` or set ${row.baseURLNames[0]}`)
  }
  const shown = JSON.stringify(String(text).replace(/\/\/[^/]*@/, '//'))
  const base = URL.canParse(text) ? new URL(text) : undefined
  if (base === undefined || (base.protocol !== 'http:' && base.protocol !== 'https:')) {
    throw invalid(`the base URL ${shown} is no http(s) URL: write it as 'https://host/v1'`)
  }
  if (base.username !== '' || base.password !== '') {
    throw invalid(`the base URL ${shown} holds a user name or password: pass them as a header instead`)
  }
  return base
}

/** Headers as the wire takes them. */
function revealedHeaders(headers: ModelOptions['headers'] = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, isRevealing(value) ? value.reveal() : value]),
  )
}

function headersOf(
  row: Vendor,
  apiKey: string | undefined,
  extra: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  if (apiKey !== undefined) {
    const name = row.keyHeader ?? (row.wire === 'anthropic' ? 'x-api-key' : 'authorization')
    headers[name] = name === 'authorization' ? `Bearer ${apiKey}` : apiKey
  }
  for (const [name, value] of Object.entries(extra)) {
    if (!isHeader(name, value)) throw invalid(`the header '${name}' has a name or value that HTTP does not allow`)
    headers[name.toLowerCase()] = value
  }
  return headers
}

/** Whether HTTP allows a header of this name and value. */
export function isHeader(name: string, value: unknown): value is string {
  return (
    /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name) && typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
  )
}

function urlOf(base: URL, { model, row }: ModelName, path: string, version: string): string {
  const url = new URL(base)
  const root = base.pathname.replace(/\/+$/, '')
  if (row.deployments && !root.endsWith('/v1')) {
    const prefix = root.endsWith('/openai') ? root : `${root}/openai`
    url.pathname = `${prefix}/deployments/${encodeURIComponent(model)}${path}`
    if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', version)
  } else {
    url.pathname = root.endsWith('/v1') && path.startsWith('/v1/') ? `${root}${path.slice(3)}` : `${root}${path}`
  }
  return url.href
}

function invalid(message: string): TellurionError {
  return new TellurionError('invalid_option', message)
}
