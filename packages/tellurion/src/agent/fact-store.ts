// Long-term memory: the facts of each user in a key-value store and, where there is an embedding model, their vectors in a
// vector store. Users never meet; what is not remembered again lapses; what is forgotten is gone.

import { throwIfAborted } from '../abort/abort.ts'
import { systemClock, type Clock } from '../clock/clock.ts'
import { errorData, TellurionError, type ErrorData } from '../error/error.ts'
import { checkOptions, checkWhole } from '../error/option.ts'
import type { KeyScope, KeyValue } from '../port/key-value.ts'
import type { EmbeddingModel } from '../port/model.ts'
import type { VectorStore } from '../port/vector-store.ts'
import type { World } from '../world/world.ts'
import { checkFact, keyOf, type Fact, type NewFact } from './fact.ts'
import { rankFacts } from './fact-rank.ts'

/** How facts are kept. */
export interface FactsOptions {
  /** Keeps the facts of several programs in one store apart. Default `facts`. */
  readonly namespace?: string
  /** Milliseconds that a fact is kept after it was remembered last; `Infinity` for ever. Default 90 days. */
  readonly retention?: number
  /** Facts of one user, 1 to 1,000; beyond it the one that was remembered longest ago goes. Default 1,000. */
  readonly limit?: number
  /** Whose facts they are where a world has no `user`: for programs of one person. */
  readonly user?: string
  /** Finds facts by meaning as well as by words. Only vectors are put into the store, no texts. */
  readonly vectors?: { readonly store: VectorStore; readonly embedding: EmbeddingModel }
  readonly clock?: Clock
}

/** A fact that was recalled. */
export interface RecalledFact extends Fact {
  /** How well it fits, 0 to 1; 0 for one that is there because it is certain and new. */
  readonly score: number
}

interface Cancellable {
  readonly signal?: AbortSignal | undefined
}

/**
 * The facts of all users. Methods reject with a store's error, `invalid_option`, or the signal's reason. What the vectors
 * cannot do is told as `error`: the facts are there all the same, found by key and by words.
 */
export interface Facts {
  /** Whose facts they are where a world does not say. */
  readonly user: string | undefined
  /**
   * Remembers facts, over those of the same keys, and returns what is kept now. What was said before the user was
   * forgotten (`at`, wall time in milliseconds, default now), or before what is kept was said, changes nothing.
   */
  remember(
    user: string,
    facts: readonly NewFact[],
    options?: Cancellable & { readonly at?: number },
  ): Promise<{ readonly facts: readonly Fact[]; readonly error?: ErrorData }>
  /** The facts that fit a query best, and then the most certain and newest ones: at most `limit` (default 10). */
  recall(
    user: string,
    query: string,
    options?: Cancellable & { readonly limit?: number; readonly minConfidence?: number },
  ): Promise<{ readonly facts: readonly RecalledFact[]; readonly error?: ErrorData }>
  /** The fact of a key. */
  get(user: string, key: string): Promise<Fact | undefined>
  /** All facts of a user, by key. */
  list(user: string): Promise<readonly Fact[]>
  /** Deletes the fact of a key, or everything about a user; says how many facts went. Nothing is left on the disk of a store that can `purge`. */
  forget(user: string, key?: string, options?: Cancellable): Promise<number>
}

const known = ['namespace', 'retention', 'limit', 'user', 'vectors', 'clock'] satisfies (keyof FactsOptions)[]
const day = 86_400_000
/** How long it is known that a user was forgotten: longer than any run that still wants to remember something. */
const mourning = 30 * day
const attempts = 20
const prefix = 'fact/'
const tombstone = 'forgotten'

/** Makes the long-term memory of users on a store. Throws `invalid_option` and `unknown_option`. */
export function createFacts(store: KeyValue, options: FactsOptions = {}): Facts {
  checkOptions('createFacts', options, known)
  const { namespace = 'facts', retention = 90 * day, limit = 1_000, user, vectors, clock = systemClock } = options
  checkName('namespace', namespace)
  if (user !== undefined) checkName('user', user)
  if (!(retention > 0)) throw invalid('retention is a number of milliseconds above 0, or Infinity')
  checkWhole('createFacts limit', limit, { most: 1_000 })
  if (typeof store?.get !== 'function') throw invalid('it takes a store first: createFacts(await fileKeyValue(path))')
  return new FactBook(store, { namespace, retention, limit, user, vectors, clock })
}

/** Whose memory a world is about: its `user`, or that of the facts. Throws `invalid_option` when nobody said. */
export function userOf(world: World, facts: Pick<Facts, 'user'>): string {
  return checkUser(world.findResource<string>('user') ?? facts.user)
}

/** A user that somebody has named. Without one nothing is remembered or recalled: users must never meet by accident. */
export function checkUser(user: string | undefined): string {
  if (user === undefined) {
    throw invalid(
      "whose they are is not said: generate(input, { resources: { user: 'ada' } }), runtime.submit(…, { user: 'ada' }), or " +
        "createFacts(store, { user: 'ada' }) in a program of one person",
    )
  }
  checkName('user', user)
  return user
}

type Settings = Required<Pick<FactsOptions, 'namespace' | 'retention' | 'limit' | 'clock'>> &
  Record<'user', string | undefined> &
  Record<'vectors', FactsOptions['vectors']>

/** What a fact may say; of one that was kept before, its times are made anew. */
const factFields = ['key', 'text', 'confidence', 'source', 'created', 'updated', 'expires'] satisfies (keyof Fact)[]

class FactBook implements Facts {
  readonly user: string | undefined
  readonly #store: KeyValue
  readonly #settings: Settings

  constructor(store: KeyValue, settings: Settings) {
    this.user = settings.user
    this.#store = store
    this.#settings = settings
  }

  async remember(
    user: string,
    facts: readonly NewFact[],
    options: Cancellable & { readonly at?: number } = {},
  ): Promise<{ readonly facts: readonly Fact[]; readonly error?: ErrorData }> {
    checkOptions('remember', options, ['signal', 'at'])
    const { signal, at = this.#settings.clock.now() } = options
    const scope = this.#scope(user)
    if (!Array.isArray(facts)) throw invalid("what is to be remembered is a list: [{ key: 'home-town', text: 'Oslo' }]")
    if (!Number.isFinite(at)) throw invalid(`at is a wall time in milliseconds, not ${String(at)}`)
    const given = (facts as readonly NewFact[]).map(checkFact)
    for (const fact of facts) checkOptions('A fact', fact, factFields)
    throwIfAborted(signal)
    if (await this.#isForgotten(scope, at)) return { facts: [] }
    const kept: Fact[] = []
    for (const fact of given) {
      const written = await this.#write(scope, { ...fact, at })
      if (written !== undefined) kept.push(written)
    }
    // Somebody may have forgotten the user in between; then nothing of this stays.
    if (await this.#isForgotten(scope, at)) {
      for (const { key } of kept) await this.#store.delete(scope, prefix + key)
      return { facts: [] }
    }
    await this.#makeRoom(scope)
    const error = await this.#embed(user, kept, signal)
    return error === undefined ? { facts: kept } : { facts: kept, error }
  }

  async recall(
    user: string,
    query: string,
    options: Cancellable & { readonly limit?: number; readonly minConfidence?: number } = {},
  ): Promise<{ readonly facts: readonly RecalledFact[]; readonly error?: ErrorData }> {
    checkOptions('recall', options, ['signal', 'limit', 'minConfidence'])
    const { signal, limit = 10, minConfidence = 0.3 } = options
    checkWhole('recall limit', limit)
    if (!(minConfidence >= 0 && minConfidence <= 1)) throw invalid('minConfidence is 0 to 1')
    const all = (await this.list(user)).filter(({ confidence }) => confidence >= minConfidence)
    throwIfAborted(signal)
    const near = all.length <= limit ? undefined : await this.#near(user, query, { limit, signal })
    const facts = rankFacts(all, { query, limit, near: near?.keys ?? [] })
    return near?.error === undefined ? { facts } : { facts, error: near.error }
  }

  async get(user: string, key: string): Promise<Fact | undefined> {
    const entry = await this.#store.get(this.#scope(user), prefix + keyOf(key))
    return entry && readFact(entry.value, entry.expires)
  }

  async list(user: string): Promise<readonly Fact[]> {
    const entries = await this.#store.list(this.#scope(user), { prefix, limit: this.#settings.limit })
    return entries.flatMap(({ value, expires }) => readFact(value, expires) ?? [])
  }

  async forget(user: string, key?: string, options: Cancellable = {}): Promise<number> {
    checkOptions('forget', options, ['signal'])
    const { signal } = options
    const scope = this.#scope(user)
    throwIfAborted(signal)
    const { vectors, clock } = this.#settings
    if (key === undefined) await this.#store.set(scope, tombstone, encode({ at: clock.now() }), { ttl: mourning })
    const unembedded = vectors?.store
      .delete(key === undefined ? { documents: [scope.owner] } : { ids: [`${scope.owner}/${keyOf(key)}`] }, { signal })
      .then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
    const count = await this.#delete(scope, key)
    await this.#store.purge?.()
    const failed = await unembedded
    if (failed !== undefined) throw failed.error
    return count
  }

  async #delete(scope: KeyScope, key: string | undefined): Promise<number> {
    if (key !== undefined) return (await this.#store.delete(scope, prefix + keyOf(key))) ? 1 : 0
    let count = 0
    for (;;) {
      const entries = await this.#store.list(scope, { prefix })
      if (entries.length === 0) return count
      for (const { name } of entries) if (await this.#store.delete(scope, name)) count++
    }
  }

  /** Writes one fact unless a newer one is there. */
  async #write(
    scope: KeyScope,
    { at, ...fact }: Required<NewFact> & { readonly at: number },
  ): Promise<Fact | undefined> {
    const { retention, clock } = this.#settings
    const name = prefix + fact.key
    const left = at + retention - clock.now()
    if (left <= 0) return undefined
    const life = retention === Infinity ? {} : { ttl: left }
    for (let attempt = 0; attempt < attempts; attempt++) {
      const entry = await this.#store.get(scope, name)
      const before = entry && readFact(entry.value, entry.expires)
      if (before !== undefined && before.updated > at) return undefined
      const kept: Fact = { ...fact, created: before?.created ?? at, updated: at }
      const version = await this.#store.set(scope, name, encode(kept), { ...life, ifVersion: entry?.version ?? 0 })
      if (version !== undefined) return retention === Infinity ? kept : { ...kept, expires: at + retention }
    }
    throw new TellurionError(
      'store_locked',
      `The fact '${fact.key}' is being written by too many at one time; try again.`,
    )
  }

  async #isForgotten(scope: KeyScope, at: number): Promise<boolean> {
    const entry = await this.#store.get(scope, tombstone)
    if (entry === undefined) return false
    const { at: forgotten } = decode(entry.value) as { readonly at: number }
    return at <= forgotten
  }

  /** Lets the facts go that were remembered longest ago, down to the limit. */
  async #makeRoom(scope: KeyScope): Promise<void> {
    const { limit, vectors } = this.#settings
    const entries = await this.#store.list(scope, { prefix, limit: 10_000 })
    const surplus = entries.length - limit
    if (surplus <= 0) return
    const byAge = entries
      .map(({ name, value }) => ({ name, updated: readFact(value)?.updated ?? 0 }))
      .toSorted((a, b) => a.updated - b.updated)
    const gone = byAge.slice(0, surplus).map(({ name }) => name)
    for (const name of gone) await this.#store.delete(scope, name)
    // One that stays behind leads to no fact, and is passed over.
    await vectors?.store
      .delete({ ids: gone.map((name) => `${scope.owner}/${name.slice(prefix.length)}`) })
      .catch(() => {})
  }

  /** Puts the vectors of facts into their store; what went wrong is data. */
  async #embed(user: string, facts: readonly Fact[], signal: AbortSignal | undefined): Promise<ErrorData | undefined> {
    const { vectors } = this.#settings
    if (vectors === undefined || facts.length === 0) return undefined
    const document = this.#scope(user).owner
    try {
      const texts = facts.map(({ key, text }) => `${key.replaceAll('-', ' ')}: ${text}`)
      const { vectors: found } = await vectors.embedding.embed(texts, { signal })
      const items = facts.map(({ key }, index) => {
        return { id: `${document}/${key}`, document, source: 'fact', vector: found[index] ?? [] }
      })
      await vectors.store.upsert(items, { signal })
      return undefined
    } catch (error) {
      throwIfAborted(signal)
      return errorData(error, 'model_unknown')
    }
  }

  /** The keys of the facts that are nearest in meaning, nearest first. */
  async #near(
    user: string,
    query: string,
    { limit, signal }: { limit: number; signal: AbortSignal | undefined },
  ): Promise<{ readonly keys: readonly string[]; readonly error?: ErrorData }> {
    const { vectors } = this.#settings
    if (vectors === undefined || query.trim() === '') return { keys: [] }
    const document = this.#scope(user).owner
    try {
      const { vectors: found } = await vectors.embedding.embed([query], { signal })
      const filter = { document: [document] }
      const items = await vectors.store.search({ vector: found[0] ?? [], limit: 2 * limit, filter }, { signal })
      return { keys: items.map(({ id }) => id.slice(document.length + 1)) }
    } catch (error) {
      throwIfAborted(signal)
      return { keys: [], error: errorData(error, 'model_unknown') }
    }
  }

  #scope(user: string): KeyScope {
    checkName('user', user)
    return { scope: 'project', owner: `${this.#settings.namespace}/${user}` }
  }
}

/** A stored fact; undefined for what is none, whoever wrote it. */
function readFact(value: Uint8Array, expires?: number): Fact | undefined {
  try {
    const { created, updated, ...rest } = decode(value) as Fact
    if (!Number.isFinite(created) || !Number.isFinite(updated)) return undefined
    return { ...checkFact(rest), created, updated, ...(expires === undefined ? {} : { expires }) }
  } catch {
    return undefined
  }
}

function checkName(what: string, name: unknown): void {
  if (typeof name === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(name)) return
  throw invalid(`a ${what} is 1 to 64 letters, digits, '_' and '-'`)
}

function invalid(what: string): TellurionError {
  return new TellurionError('invalid_option', `Facts: ${what}.`)
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const decode = (value: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(value))
