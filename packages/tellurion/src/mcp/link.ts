// One connection to one server: the handshake, and requests with a deadline each. It lives until either side ends it; a new
// connection is a new link.

import { readFileSync } from 'node:fs'
import type {
  Client,
  ListChangedHandlers,
  McpSubscription,
  RequestOptions,
  Transport,
} from '@modelcontextprotocol/client'
import { abortReason, childController, raceAbort } from '../abort/abort.ts'
import type { Clock } from '../clock/clock.ts'
import { TellurionError, messageOf } from '../error/error.ts'
import type { Log } from '../port/log.ts'
import type { JsonObject } from '../schema/json.ts'
import type { StandardSchema } from '../schema/standard.ts'
import { cleanLine } from './clean-text.ts'
import { handshake, mcpFailure, unavailable } from './failure.ts'
import type { LinkRequest, ListKind } from './link-request.ts'
import type { Sdk } from './sdk.ts'
import type { McpServerSettings } from './server-options.ts'

/** What a link needs. */
export interface LinkOptions {
  readonly server: string
  readonly sdk: Sdk
  readonly settings: McpServerSettings
  readonly clock: Clock
  readonly log: Log | undefined
  /** Makes the way to the server; a handshake may need two. */
  transport(): Transport
  onListChanged(kind: ListKind): void
}

/** The longest that a timer of the protocol's package can be told to wait; deadlines are kept here. */
const noTimer = 2_147_483_647
const listChangedDelay = 50
const longestLog = 2_000
/** How long a server over pipes may be silent when it is asked which protocol it speaks, in milliseconds. */
const probeTime = 3_000
const maxPages = 100

/** A live connection. */
export class Link {
  readonly #options: LinkOptions
  readonly #client: Client
  readonly #transport: Transport
  readonly #closed = Promise.withResolvers<string>()
  #lastError = ''
  /** Whether the server has stopped telling of changes although the connection is there. */
  #deaf = false

  private constructor(options: LinkOptions, client: Client, transport: Transport) {
    this.#options = options
    this.#client = client
    this.#transport = transport
    Object.assign(client, {
      onclose: () => this.#closed.resolve(this.#lastError || 'the connection ended'),
      onerror: (error: Error) => {
        this.#lastError = cleanLine(messageOf(error), 300)
        options.log?.debug('mcp.trouble', { server: options.server, detail: this.#lastError })
      },
    } satisfies Partial<Client>)
  }

  /** Connects. Rejects with `mcp_unavailable` or `mcp_failed`, or the signal's reason, and leaves nothing behind. */
  static async open(options: LinkOptions, { signal }: { readonly signal: AbortSignal }): Promise<Link> {
    const { server, clock, settings } = options
    const { connectTimeout = 30_000 } = settings
    const { controller, detach } = childController(signal)
    const cancel = clock.timer(connectTimeout, () => {
      controller.abort(unavailable(server, `it could not be connected to within ${connectTimeout} ms`))
    })
    try {
      return await Link.#connected(options, controller.signal)
    } catch (error) {
      if (signal.aborted) throw abortReason(signal)
      throw mcpFailure(server, handshake, controller.signal.aborted ? controller.signal.reason : error)
    } finally {
      cancel()
      detach()
    }
  }

  static async #connected(options: LinkOptions, signal: AbortSignal): Promise<Link> {
    const transport = options.transport()
    try {
      return await Link.#attempt(options, { transport, signal, legacy: false })
    } catch (error) {
      // A server over pipes that knows nothing but the older handshake may end at the question which one it speaks.
      const ended = (error as { code?: unknown }).code === 'ERA_NEGOTIATION_FAILED' && 'pid' in transport
      if (!ended || signal.aborted) throw error
      return Link.#attempt(options, { transport: options.transport(), signal, legacy: true })
    }
  }

  static async #attempt(
    options: LinkOptions,
    {
      transport,
      signal,
      legacy,
    }: { readonly transport: Transport; readonly signal: AbortSignal; readonly legacy: boolean },
  ): Promise<Link> {
    const link = new Link(options, createClient(options), transport)
    const request = { signal, timeout: noTimer }
    try {
      const connecting = link.#client.connect(transport, legacy ? { ...request, prior: { kind: 'legacy' } } : request)
      await raceAbort(connecting, signal)
      link.#watch(link.#client.autoOpenedSubscription)
      return link
    } catch (error) {
      await link.close()
      throw error
    }
  }

  /** Resolves with the reason when the connection has ended, whoever ended it. */
  get closed(): Promise<string> {
    return this.#closed.promise
  }

  get protocol(): string {
    return this.#client.getNegotiatedProtocolVersion() ?? 'unknown'
  }

  /** What the server says it is. */
  get identity(): string {
    const { name = '', version = '' } = this.#client.getServerVersion() ?? {}
    return cleanLine(`${name} ${version}`, 100)
  }

  /** Whether it offers a kind of thing. */
  has(capability: 'tools' | 'resources' | 'prompts' | 'logging'): boolean {
    return this.#client.getServerCapabilities()?.[capability] !== undefined
  }

  /** Whether the server keeps a session for us, which it may forget. */
  get hasSession(): boolean {
    return this.#transport.sessionId !== undefined
  }

  /** Asks for a sign of life, and listens again where the server had stopped telling of changes. */
  async ping(request: LinkRequest): Promise<void> {
    const modern = this.#client.getProtocolEra() === 'modern'
    await this.#request('a ping', request, (options) =>
      modern ? this.#client.discover(options) : this.#client.ping(options),
    )
    if (!this.#deaf) return
    const filter = { toolsListChanged: true, resourcesListChanged: true, promptsListChanged: true }
    this.#watch(
      await this.#request('the wish to be told of changes', request, (options) => this.#client.listen(filter, options)),
    )
    for (const kind of ['tools', 'resources', 'prompts'] as const) this.#options.onListChanged(kind)
  }

  setLogLevel(level: NonNullable<McpServerSettings['logLevel']>, request: LinkRequest): Promise<unknown> {
    return this.#request('the log level', request, (options) => this.#client.setLoggingLevel(level, options))
  }

  /** All tools, page by page. */
  listTools(request: LinkRequest): Promise<unknown[]> {
    return this.#list('the list of tools', request, async (params, options) => {
      const { tools, nextCursor } = await this.#client.request({ method: 'tools/list', params }, someTools, options)
      return { items: tools, nextCursor }
    })
  }

  listResources(request: LinkRequest): Promise<unknown[]> {
    return this.#list('the list of resources', request, async (params, options) => {
      const { resources, nextCursor } = await this.#client.request({ method: 'resources/list', params }, options)
      return { items: resources, nextCursor }
    })
  }

  listResourceTemplates(request: LinkRequest): Promise<unknown[]> {
    return this.#list('the list of resource templates', request, async (params, options) => {
      const answer = await this.#client.request({ method: 'resources/templates/list', params }, options)
      return { items: answer.resourceTemplates, nextCursor: answer.nextCursor }
    })
  }

  listPrompts(request: LinkRequest): Promise<unknown[]> {
    return this.#list('the list of prompts', request, async (params, options) => {
      const { prompts, nextCursor } = await this.#client.request({ method: 'prompts/list', params }, options)
      return { items: prompts, nextCursor }
    })
  }

  readResource(uri: string, request: LinkRequest): Promise<{ readonly contents: readonly unknown[] }> {
    return this.#request('the reading of a resource', request, (options) =>
      this.#client.request({ method: 'resources/read', params: { uri } }, options),
    )
  }

  getPrompt(name: string, args: Readonly<Record<string, string>>, request: LinkRequest) {
    return this.#request(`the prompt '${cleanLine(name, 80)}'`, request, (options) =>
      this.#client.getPrompt({ name, arguments: args }, options),
    )
  }

  /** Calls a tool, whose input schema says what has to stand in headers too. */
  callTool(
    { name, inputSchema }: { readonly name: string; readonly inputSchema: JsonObject },
    args: JsonObject,
    request: LinkRequest,
  ): Promise<unknown> {
    const toolDefinition = { name, inputSchema } as NonNullable<Parameters<Client['callTool']>[1]>['toolDefinition']
    return this.#request(`the call of '${cleanLine(name, 80)}'`, request, (options) =>
      this.#client.callTool({ name, arguments: args }, { ...options, ...(toolDefinition && { toolDefinition }) }),
    )
  }

  /** Ends the connection, and over pipes the server. */
  async close(): Promise<void> {
    this.#lastError ||= 'it was closed'
    // The client lets go of a transport that has ended; what is left of its process may still be ending.
    await Promise.allSettled([this.#client.close(), this.#transport.close()])
  }

  #watch(subscription: McpSubscription | undefined): void {
    this.#deaf = false
    void subscription?.closed.then((cause) => {
      this.#deaf = cause !== 'local'
    })
  }

  async #list(
    what: string,
    request: LinkRequest,
    page: (
      params: { cursor?: string },
      options: RequestOptions,
    ) => Promise<{ items: readonly unknown[]; nextCursor: string | undefined }>,
  ): Promise<unknown[]> {
    const all: unknown[] = []
    const seen = new Set<string>()
    let cursor: string | undefined
    do {
      const params = cursor === undefined ? {} : { cursor }
      const { items, nextCursor } = await this.#request(what, request, (options) => page(params, options))
      all.push(...items)
      cursor = nextCursor
      if (cursor !== undefined && (seen.has(cursor) || seen.size >= maxPages)) {
        const why = seen.has(cursor) ? 'comes round to a page that was there before' : `has more than ${maxPages} pages`
        throw new TellurionError(
          'mcp_failed',
          `The MCP server '${this.#options.server}' gives ${what} without an end: it ${why}.`,
        )
      }
      if (cursor !== undefined) seen.add(cursor)
    } while (cursor !== undefined)
    return all
  }

  async #request<T>(
    what: string,
    { signal, timeout = this.#options.settings.connectTimeout ?? 30_000, onProgress }: LinkRequest,
    send: (options: RequestOptions) => Promise<T>,
  ): Promise<T> {
    const { server, clock } = this.#options
    const { controller, detach } = childController(signal)
    const cancel =
      timeout === Infinity
        ? undefined
        : clock.timer(timeout, () =>
            controller.abort(unavailable(server, `it did not answer ${what} within ${timeout} ms`)),
          )
    try {
      const options = { signal: controller.signal, timeout: noTimer, ...(onProgress && { onprogress: onProgress }) }
      return await raceAbort(send(options), controller.signal)
    } catch (error) {
      if (signal?.aborted) throw abortReason(signal)
      throw mcpFailure(server, what, error)
    } finally {
      cancel?.()
      detach()
    }
  }
}

/** A page of tools, whatever they are: one that is odd must not hide the others, so each is looked through by itself. */
const someTools: StandardSchema<{ readonly tools: readonly unknown[]; readonly nextCursor: string | undefined }> = {
  '~standard': {
    version: 1,
    vendor: 'tellurion',
    validate(value) {
      const { tools, nextCursor } = value as { tools?: unknown; nextCursor?: unknown }
      if (!Array.isArray(tools)) return { issues: [{ message: 'there is no list of tools in it' }] }
      return { value: { tools, nextCursor: typeof nextCursor === 'string' ? nextCursor : undefined } }
    },
  },
}

function createClient(options: LinkOptions): Client {
  const { server, sdk, settings, log } = options
  const { sampling, elicitation, roots } = settings
  const client = new sdk.Client(
    { name: 'tellurion', version: ownVersion() },
    {
      capabilities: {
        ...(sampling && { sampling: {} }),
        ...(elicitation && { elicitation: { form: { applyDefaults: true } } }),
        ...(roots && { roots: {} }),
      },
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: probeTime } },
      // Output is checked where results are read, without generated code; the package's own checker stays out of it;
      // never: it wants the type that its generic caller asks for, which nobody here can name.
      jsonSchemaValidator: {
        getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
      },
      inputRequired: {
        autoFulfill: sampling !== undefined || elicitation !== undefined || roots !== undefined,
        maxRounds: 8,
      },
      listChanged: listChangedHandlers(options),
    },
  )
  const answer =
    (handler: NonNullable<typeof sampling>) =>
    async (request: { params?: unknown }, { mcpReq }: { mcpReq: { signal: AbortSignal } }) =>
      // never: the package checks an answer against the protocol itself.
      (await handler((request.params ?? {}) as JsonObject, { server, signal: mcpReq.signal })) as never
  if (sampling) client.setRequestHandler('sampling/createMessage', answer(sampling))
  if (elicitation) client.setRequestHandler('elicitation/create', answer(elicitation))
  if (roots) client.setRequestHandler('roots/list', () => ({ roots: roots.map((root) => ({ ...root })) }))
  client.setNotificationHandler('notifications/message', ({ params: { level, data, logger = '' } }) => {
    const text = cleanLine(typeof data === 'string' ? data : JSON.stringify(data ?? null), longestLog)
    log?.[logMethod(level)](text, { server, logger: cleanLine(logger, 100) })
  })
  return client
}

function listChangedHandlers({ onListChanged }: LinkOptions): ListChangedHandlers {
  const tell = (kind: ListKind) => ({
    autoRefresh: false,
    debounceMs: listChangedDelay,
    onChanged: () => onListChanged(kind),
  })
  return { tools: tell('tools'), resources: tell('resources'), prompts: tell('prompts') }
}

function logMethod(level: string): 'debug' | 'info' | 'warn' | 'error' {
  if (level === 'debug' || level === 'info') return level
  if (level === 'notice') return 'info'
  return level === 'warning' ? 'warn' : 'error'
}

let version: string | undefined

/** The version of this package, which servers are told. */
function ownVersion(): string {
  version ??= (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version
  return version
}
