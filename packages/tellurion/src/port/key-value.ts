// The key-value port: small records by scope and name, with expiry and compare-and-set. Artifacts, caches and memory
// tiers stand on it.

/** Whose record it is: everybody's, one project's or one session's. `owner` is empty for `global`. */
export interface KeyScope {
  readonly scope: 'global' | 'project' | 'session'
  readonly owner: string
}

/** A stored record. `version` grows with every write and is what compare-and-set compares. */
export interface KeyValueEntry {
  readonly name: string
  readonly value: Uint8Array
  readonly version: number
  /** Wall time in milliseconds at which it lapses. */
  readonly expires?: number
}

/** Records by scope and name. Keys of different scopes never meet. Rejects only when the material behind it fails. */
export interface KeyValue {
  get(scope: KeyScope, name: string): Promise<KeyValueEntry | undefined>
  /**
   * Writes and returns the new version. With `ifVersion` (0: must not exist) it returns undefined and writes nothing
   * when another version is stored. `ttl` in milliseconds; none means for ever.
   */
  set(
    scope: KeyScope,
    name: string,
    value: Uint8Array,
    options?: { ttl?: number; ifVersion?: number },
  ): Promise<number | undefined>
  delete(scope: KeyScope, name: string): Promise<boolean>
  /** Live entries whose name begins with `prefix`, by name, ascending; at most `limit` (default 1,000) after `after`. */
  list(
    scope: KeyScope,
    options?: { prefix?: string; after?: string; limit?: number },
  ): Promise<readonly KeyValueEntry[]>
  /**
   * Removes from the disk what was deleted, has lapsed or was overwritten: free pages, logs, backups. Absent where nothing
   * is left behind.
   */
  purge?(): Promise<void>
}
