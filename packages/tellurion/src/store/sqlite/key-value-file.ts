// A SQLite file of key-value records alone: caches, artifacts and memory tiers without a runtime.

import { systemClock, type Clock } from '../../clock/clock.ts'
import type { KeyValue } from '../../port/key-value.ts'
import { openDatabase } from './database.ts'
import type { DatabaseOptions } from './open-options.ts'
import { keyValueTable, sqliteKeyValue } from './key-value.ts'
import { createWriter } from './writer.ts'

/** An open file of records. */
export interface KeyValueFile extends KeyValue {
  /** Writes what waits and closes the file. */
  close(): Promise<void>
}

/** `application_id` of such a file: "TELK". */
const mark = 0x54454c4b

/**
 * Opens the SQLite file `path` for key-value records; it and its folders are made when they are missing. A backend has
 * records of its own: this is for programs without one. Rejects with `store_unavailable`, `store_read_only`,
 * `store_corrupt`, `store_newer`, `store_full` or `store_locked`.
 */
export async function sqliteKeyValueFile(
  path: string,
  options: Omit<DatabaseOptions, 'clock' | 'layout'> & { readonly clock?: Clock } = {},
): Promise<KeyValueFile> {
  const { clock = systemClock, ...rest } = options
  const layout = { mark, version: 1, create: keyValueTable }
  const database = await openDatabase(path, { layout, clock, ...rest })
  const writer = createWriter(database, { clock })
  return {
    ...sqliteKeyValue(database, { writer, clock }),
    async close() {
      await writer.close()
      database.close()
    },
  }
}
