// Pins: which tools of a server the operator has let in, by the hash of their definitions. What is not as it was pinned
// waits until the operator has accepted exactly that; the server cannot talk its way in.

import { TellurionError } from '../error/error.ts'
import type { KeyScope, KeyValue } from '../port/key-value.ts'
import type { Json, JsonObject } from '../schema/json.ts'
import { differenceLines } from './difference.ts'
import type { Offer, ToolDefinition } from './offer.ts'

/** Hashes by server and tool, as an operator writes them down: what is not among them is not let in. */
export type PinnedHashes = { readonly [server: string]: { readonly [tool: string]: string } }

/** A tool that is not called until the operator accepts it. */
export interface Quarantined {
  readonly tool: string
  /** Whether it was pinned with another definition, or is new. */
  readonly why: 'changed' | 'new'
  /** What to accept: `mcp.accept({ server, tool, hash })`. */
  readonly hash: string
  /** What differs from the pinned definition, line by line; of a new tool what it says. */
  readonly difference: readonly string[]
}

interface Pin {
  readonly hash: string
  /** Absent where only the hash was given. */
  readonly definition?: ToolDefinition
}

const scope: KeyScope = { scope: 'global', owner: '' }
const attempts = 5

/** The pins of one server. `acceptNew`: tools that were never pinned are, where pins exist already. */
export class Pins {
  readonly #server: string
  readonly #store: KeyValue | undefined
  readonly #acceptNew: boolean
  #pins: Map<string, Pin> | undefined

  constructor(server: string, from: KeyValue | PinnedHashes, { acceptNew }: { readonly acceptNew: boolean }) {
    this.#server = server
    this.#acceptNew = acceptNew
    if (isKeyValue(from)) this.#store = from
    else this.#pins = new Map(Object.entries(from[server] ?? {}).map(([tool, hash]) => [tool, { hash }]))
  }

  /** Definitions that are pinned, to offer them before the server is asked; empty before the first time. */
  async definitions(): Promise<readonly ToolDefinition[]> {
    const pins = await this.#load()
    return [...(pins?.values() ?? [])].flatMap(({ definition }) => (definition === undefined ? [] : [definition]))
  }

  /** Parts offers into those that are let in and those that wait. The very first offers of a server are pinned. */
  async review(offers: readonly Offer[]): Promise<{ accepted: Offer[]; quarantined: Quarantined[] }> {
    const known = await this.#load()
    const fresh = offers.filter(({ tool }) => known?.get(tool) === undefined)
    const pinned = known === undefined || this.#acceptNew ? fresh : []
    if (pinned.length > 0) await this.#pin(pinned, { first: known === undefined })
    const accepted: Offer[] = []
    const quarantined: Quarantined[] = []
    for (const offer of offers) {
      const pin = this.#pins?.get(offer.tool)
      if (pin?.hash === offer.hash) accepted.push(offer)
      else quarantined.push(quarantine(offer, pin))
    }
    return { accepted, quarantined }
  }

  /** Pins an offer as it is. */
  accept(offer: Offer): Promise<void> {
    return this.#pin([offer], { first: false })
  }

  async #load(): Promise<ReadonlyMap<string, Pin> | undefined> {
    if (this.#store === undefined) return this.#pins
    const entry = await this.#store.get(scope, this.#key)
    this.#pins = entry && this.#read(entry.value)
    return this.#pins
  }

  /** Writes through compare-and-set: two processes that pin at once both keep what the other pinned. */
  async #pin(offers: readonly Offer[], { first }: { readonly first: boolean }): Promise<void> {
    if (this.#store === undefined) {
      for (const { tool, hash, definition } of offers) (this.#pins ??= new Map()).set(tool, { hash, definition })
      return
    }
    for (let attempt = 0; attempt < attempts; attempt++) {
      const entry = await this.#store.get(scope, this.#key)
      const pins = entry === undefined ? new Map<string, Pin>() : this.#read(entry.value)
      for (const { tool, hash, definition } of offers) {
        // Whoever was first with the first pins has decided.
        if (!(first && pins.has(tool))) pins.set(tool, { hash, definition })
      }
      const text = JSON.stringify({ version: 1, tools: Object.fromEntries(pins) })
      const options = { ifVersion: entry?.version ?? 0 }
      this.#pins = pins
      if ((await this.#store.set(scope, this.#key, new TextEncoder().encode(text), options)) !== undefined) return
    }
    throw new TellurionError(
      'store_locked',
      `The pins of the MCP server '${this.#server}' are being changed by others; try again.`,
    )
  }

  get #key(): string {
    return `mcp/pins/${this.#server}`
  }

  #read(bytes: Uint8Array): Map<string, Pin> {
    try {
      const { version, tools } = JSON.parse(new TextDecoder().decode(bytes)) as { version: unknown; tools: JsonObject }
      if (version !== 1) throw new Error(`version ${String(version)}`)
      return new Map(Object.entries(tools).map(([tool, pin]) => [tool, pin as unknown as Pin]))
    } catch (error) {
      throw new TellurionError(
        'store_corrupt',
        `The pins of the MCP server '${this.#server}' cannot be read; delete the record '${this.#key}' to pin anew.`,
        { cause: error },
      )
    }
  }
}

function quarantine({ tool, hash, definition }: Offer, pin: Pin | undefined): Quarantined {
  const after = definition as unknown as Json
  if (pin === undefined) return { tool, why: 'new', hash, difference: differenceLines(undefined, after) }
  const difference =
    pin.definition === undefined
      ? [`the pinned hash is ${pin.hash}`]
      : differenceLines(pin.definition as unknown as Json, after)
  return { tool, why: 'changed', hash, difference }
}

/** Whether pins are kept somewhere rather than written down. */
export function isKeyValue(from: KeyValue | PinnedHashes): from is KeyValue {
  return typeof (from as { get?: unknown }).get === 'function'
}
