// One server of the operator's list: kept connected, its tools looked through and held against their pins, its health
// told. It never gives up by itself; between two attempts it waits longer and longer.

import { abortReason, raceAbort, throwIfAborted } from '../abort/abort.ts'
import { sleep, type Clock } from '../clock/clock.ts'
import { TellurionError, messageOf, type ErrorData } from '../error/error.ts'
import type { Random } from '../id/random.ts'
import type { Log } from '../port/log.ts'
import { backoff, type RetryPolicy } from '../retry/backoff.ts'
import { createRedactor, type Redactor } from '../secret/redactor.ts'
import { createWildcard } from '../tool/wildcard.ts'
import { handshake, isSessionLost, mcpFailure, unavailable } from './failure.ts'
import { Link } from './link.ts'
import type { LinkRequest, ListKind } from './link-request.ts'
import { readOffers, type Offer, type Unfit } from './offer.ts'
import type { Pins, Quarantined } from './pin.ts'
import { loadSdk } from './sdk.ts'
import { secretsOf, type McpServerOptions } from './server-options.ts'
import type { McpServerState, McpServerStatus } from './status.ts'
import type { ServerLog } from './server-log.ts'
import { transportTo } from './transport.ts'

/** What a server needs beside what the operator says about it. */
export interface ServerSurroundings {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log | undefined
  readonly pins: Pins
  readonly lines: ServerLog
  readonly retry: RetryPolicy
  /** Milliseconds between two pings. */
  readonly pingEvery: number
  /** Told when what is offered has changed. */
  onChanged(): void
}

/** A call waits for a server that comes back within this time; otherwise it fails at once. Milliseconds. */
const worthWaiting = 5_000
/** Least time between two looks at a list that a server says has changed. */
const refreshPause = 1_000
const pingTimeout = 10_000

/** Keeps one server. */
export class McpServer {
  readonly name: string
  readonly options: McpServerOptions
  readonly #around: ServerSurroundings
  readonly #ending = new AbortController()
  readonly #redactor: Redactor
  readonly #only: ((tool: string) => boolean) | undefined
  #state: McpServerState = 'idle'
  #since: number
  #link: Link | undefined
  #last: Pick<McpServerStatus, 'identity' | 'protocol'> = {}
  #attempt: Promise<void> | undefined
  #failures = 0
  #error: ErrorData | undefined
  #retryAt: number | undefined
  #cancelTimer: (() => void) | undefined
  #ping: McpServerStatus['ping']
  #offers: readonly Offer[] = []
  #listed: readonly Offer[] = []
  #quarantined: readonly Quarantined[] = []
  #unfit: readonly Unfit[] = []
  #refreshing = false
  #stale = false

  constructor(name: string, options: McpServerOptions, around: ServerSurroundings) {
    this.name = name
    this.options = options
    this.#around = around
    this.#since = around.clock.now()
    this.#redactor = createRedactor(secretsOf(options))
    const patterns = options.only?.map(createWildcard)
    this.#only = patterns && ((tool) => patterns.some((matches) => matches(tool)))
  }

  /** Tools that may be called, as far as is known. */
  get offers(): readonly Offer[] {
    return this.#offers
  }

  /** Whether its resources can be listed and read; undefined before the first connection. */
  get hasResources(): boolean | undefined {
    return this.#link?.has('resources')
  }

  status(): McpServerStatus {
    return {
      server: this.name,
      state: this.#state,
      since: this.#since,
      ...this.#last,
      tools: this.#offers.map(({ name }) => name),
      quarantined: this.#quarantined,
      unfit: this.#unfit,
      failures: this.#failures,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#retryAt === undefined ? {} : { retryAt: this.#retryAt }),
      ...(this.#ping === undefined ? {} : { ping: this.#ping }),
      lastLines: this.#around.lines.last(),
    }
  }

  /** Connects, or where it is lazy offers what is pinned. Resolves when it is ready or has failed once; never rejects. */
  async start(): Promise<void> {
    if (this.options.lazy === true && this.#state === 'idle' && (await this.#offerPinned())) return
    await this.#connect().catch(() => {})
  }

  /** The live connection; waits for one that is being made. Rejects with `mcp_unavailable`. */
  async link({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Link> {
    throwIfAborted(signal)
    if (this.#link !== undefined) return this.#link
    if (this.#state === 'closed') throw unavailable(this.name, 'it was closed')
    const { clock } = this.#around
    const wait = this.#retryAt === undefined ? 0 : this.#retryAt - clock.now()
    if (this.#state === 'refused' || wait > worthWaiting) throw this.#failure()
    if (wait > 0 && this.#attempt === undefined) {
      await sleep(wait, { clock, signal })
    }
    await raceAbort(this.#connect(), signal)
    if (this.#link === undefined) throw this.#failure()
    return this.#link
  }

  /**
   * Does something over the connection. A server that has forgotten our session has done nothing, so then it is done once
   * more over a new one.
   */
  async use<T>(work: (link: Link) => Promise<T>, request: { readonly signal?: AbortSignal | undefined }): Promise<T> {
    const link = await this.link(request)
    try {
      return await work(link)
    } catch (error) {
      if (!link.hasSession || !isSessionLost((error as Error).cause)) throw error
      await raceAbort(link.closed, request.signal)
      return work(await this.link(request))
    }
  }

  /** Pins a tool as it is listed now. Rejects with `unknown_tool` and, where it is another by now, `mcp_quarantined`. */
  async accept(tool: string, hash: string): Promise<void> {
    const offer = this.#listed.find((each) => each.tool === tool)
    if (offer === undefined) {
      throw new TellurionError(
        'unknown_tool',
        `The MCP server '${this.name}' has no tool '${tool}' that could be accepted.`,
      )
    }
    if (offer.hash !== hash) {
      throw new TellurionError(
        'mcp_quarantined',
        `The tool '${tool}' of '${this.name}' has changed again: look at mcp.status() and accept the hash that it shows now.`,
      )
    }
    await this.#around.pins.accept(offer)
    await this.#review(this.#listed, this.#unfit)
  }

  /** Ends the connection, and over pipes the server. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#become('closed')
    this.#ending.abort(unavailable(this.name, 'it was closed'))
    this.#cancelTimer?.()
    this.#offers = []
    await Promise.allSettled([this.#attempt, this.#link?.close()])
    this.#link = undefined
    this.#around.onChanged()
  }

  #failure(): TellurionError {
    return this.#error === undefined ? unavailable(this.name, 'it is not connected') : TellurionError.from(this.#error)
  }

  async #offerPinned(): Promise<boolean> {
    const { offers } = readOffers(this.name, await this.#around.pins.definitions())
    if (offers.length > 0) await this.#review(offers, [])
    return offers.length > 0
  }

  #tryAgain(): void {
    this.#connect().catch(() => {})
  }

  /** One attempt at a time; who comes while it is made shares it. */
  #connect(): Promise<void> {
    if (this.#link !== undefined) return Promise.resolve()
    this.#attempt ??= this.#tryConnecting().finally(() => {
      this.#attempt = undefined
    })
    return this.#attempt
  }

  async #tryConnecting(): Promise<void> {
    const { clock, log, lines } = this.#around
    this.#cancelTimer?.()
    this.#retryAt = undefined
    this.#become('connecting')
    const { signal } = this.#ending
    try {
      const sdk = await loadSdk()
      const link = await Link.open(
        {
          server: this.name,
          sdk,
          settings: this.options,
          clock,
          log,
          transport: () =>
            transportTo(this.options, {
              server: this.name,
              sdk,
              clock,
              redactor: this.#redactor,
              onLog: (line) => lines.take(this.#redactor.text(line)),
            }),
          onListChanged: (kind) => this.#onListChanged(kind),
        },
        { signal },
      )
      await this.#greet(link)
    } catch (error) {
      if (!signal.aborted) this.#lost(error)
      throw signal.aborted ? abortReason(signal) : error
    }
  }

  async #greet(link: Link): Promise<void> {
    const { signal } = this.#ending
    try {
      if (link.has('tools')) await this.#list(link)
      else await this.#review([], [])
      if (this.options.logLevel !== undefined && link.has('logging'))
        await link.setLogLevel(this.options.logLevel, { signal })
      throwIfAborted(signal)
    } catch (error) {
      await link.close()
      throw error
    }
    this.#link = link
    this.#last = { identity: link.identity, protocol: link.protocol }
    this.#failures = 0
    this.#error = undefined
    this.#become('ready')
    this.#around.onChanged()
    void link.closed.then((why) => {
      if (this.#link !== link) return
      this.#link = undefined
      void link.close()
      if (this.#state !== 'closed') this.#lost(unavailable(this.name, why))
    })
    this.#armPing(link)
  }

  /** Says why, and when it is tried again. What can only be mended by the operator is not tried again. */
  #lost(error: unknown): void {
    const { clock, random, retry, log } = this.#around
    this.#cancelTimer?.()
    const failure = this.#withLastWords(this.#redactor.error(mcpFailure(this.name, handshake, error)) as TellurionError)
    this.#error = failure.toJSON()
    this.#failures++
    if (['missing_package', 'egress_refused', 'sandbox_unavailable'].includes(failure.code)) {
      this.#become('refused')
      log?.error('mcp.refused', { server: this.name, detail: failure.message })
      return
    }
    this.#become('down')
    const wait = backoff(this.#failures, retry, { random })
    this.#retryAt = clock.now() + wait
    log?.warn('mcp.down', { server: this.name, detail: failure.message, retryIn: Math.round(wait) })
    this.#cancelTimer = clock.timer(wait, () => this.#tryAgain())
  }

  /** A process that ends early has often said why. */
  #withLastWords(failure: TellurionError): TellurionError {
    const last = this.#around.lines.last().at(-1)
    if (failure.code !== 'mcp_unavailable' || last === undefined || this.#last.identity !== undefined) return failure
    return TellurionError.from({ ...failure.toJSON(), message: `${failure.message} Its last words: ${last}` }, failure)
  }

  #armPing(link: Link): void {
    const { clock, pingEvery } = this.#around
    if (pingEvery === Infinity) return
    this.#cancelTimer = clock.timer(pingEvery, () => {
      const began = clock.monotonic()
      link.ping({ timeout: pingTimeout, signal: this.#ending.signal }).then(
        () => {
          this.#ping = { at: clock.now(), took: Math.round(clock.monotonic() - began) }
          // The operator may have accepted in another process what waits here.
          if (this.#quarantined.length > 0) void this.#reviewAgain()
          if (this.#link === link) this.#armPing(link)
        },
        // Whoever answers with an error lives; some servers know no pings.
        (error: unknown) => {
          if ((error as TellurionError).code !== 'mcp_failed') void link.close()
          else if (this.#link === link) this.#armPing(link)
        },
      )
    })
  }

  async #reviewAgain(): Promise<void> {
    try {
      await this.#review(this.#listed, this.#unfit)
    } catch (error) {
      this.#around.log?.warn('mcp.pins', { server: this.name, detail: messageOf(error) })
    }
  }

  #onListChanged(kind: ListKind): void {
    if (kind !== 'tools') return
    this.#stale = true
    if (!this.#refreshing) void this.#refresh()
  }

  /** Looks again until nothing has changed meanwhile, and never in a hurry. */
  async #refresh(): Promise<void> {
    const { clock, log } = this.#around
    this.#refreshing = true
    while (this.#stale && this.#link !== undefined) {
      this.#stale = false
      try {
        await this.#list(this.#link)
        this.#around.onChanged()
      } catch (error) {
        log?.warn('mcp.list', { server: this.name, detail: mcpFailure(this.name, 'the list of tools', error).message })
      }
      await sleep(refreshPause, { clock })
    }
    this.#refreshing = false
  }

  async #list(link: Link): Promise<void> {
    const request: LinkRequest = { signal: this.#ending.signal }
    const { offers, unfit } = readOffers(this.name, await link.listTools(request))
    await this.#review(offers, unfit)
  }

  async #review(listed: readonly Offer[], unfit: readonly Unfit[]): Promise<void> {
    const wanted = this.#only === undefined ? listed : listed.filter(({ tool }) => this.#only?.(tool))
    const { accepted, quarantined } = await this.#around.pins.review(wanted)
    for (const { tool, why } of quarantined) {
      if (!this.#quarantined.some((each) => each.tool === tool)) {
        this.#around.log?.warn('mcp.quarantined', { server: this.name, tool, why })
      }
    }
    this.#listed = wanted
    this.#unfit = unfit
    this.#quarantined = quarantined
    this.#offers = accepted
    this.#around.onChanged()
  }

  #become(state: McpServerState): void {
    if (this.#state === 'closed') return
    this.#state = state
    this.#since = this.#around.clock.now()
  }
}
